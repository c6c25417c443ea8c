"""What the simulator's live view shows, on a clock that only the test moves."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pytest
from rich.console import Console

from tests.driver_tools import FIXTURES
from tests.simulator.devices import Host, bench
from usbhidups.simulator.scenarios import SCENARIOS
from usbhidups.simulator.setup import SimulatorSetup, look
from usbhidups.tools.live_view.drawing import picture
from usbhidups.tools.live_view.labels import clock, in_one_line, next_step, output, tokens
from usbhidups.tools.live_view.watch import lines
from usbhidups.tools.screen.console import can_redraw, make_console
from usbhidups.usb.fixture import load

ADDRESS = "127.0.0.1:3240"
NIGHT = {0: ("scenario battery-dies",), 10: (), 250: (), 310: (), 910: ()}


def scene(host: Host, *, holder: str = "") -> SimulatorSetup:
    return look(host.device, host.now, holder=holder)


def drawn(
    scenes: Sequence[SimulatorSetup], *, width: int = 80, encoding: str = "utf-8"
) -> list[str]:
    """The lines of the view as a file of this encoding gets them."""
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="\n")
    console: Console = make_console(file, width=width)
    with console.capture() as captured:
        console.print(picture(scenes, ADDRESS, console))
    return [line.rstrip() for line in captured.get().splitlines()]


def test_a_night_as_the_words_tell_it() -> None:
    host = Host()
    host.do("scenario battery-dies")
    start = host.now
    told = []
    for second in (0, 10, 250, 310, 910):
        host.wait(start + second - host.now)
        now = scene(host)
        told.append((second, tokens(now), output(now), next_step(now)))
    assert told == [
        (0, "OL", "on", "mains off in 5 s, then 1 more"),
        (10, "OB DISCHRG", "on", "mains on in 14 min"),
        (250, "OB DISCHRG LB", "on", "mains on in 10 min"),
        (310, "OB LB OFF", "OFF", "mains on in 9 min"),
        (910, "OL CHRG", "on", "nothing by itself"),
    ]


def test_the_timers_of_a_kill_power_are_shown() -> None:
    host = Host()
    host.do("mains off")
    host.write("04 78 00")  # DelayBeforeStartup 120
    host.write("03 3c 00")  # DelayBeforeShutdown 60
    assert output(scene(host)) == "on, cut in 60 s, on again in 2 min, if there are mains"
    host.wait(61)
    assert output(scene(host)) == "OFF, on again in 59 s, if there are mains"
    host.wait(60)
    assert output(scene(host)) == "OFF, waits for the mains"


def test_the_diary_tells_what_was_written_and_switched() -> None:
    host = Host()
    host.device.open(host.now, who="127.0.0.1:50000")
    host.do("mains off")
    host.write("04 78 00")
    host.write("03 3c 00")
    host.wait(130)
    host.do("mains on")
    host.device.close()
    assert [(entry.at, entry.text) for entry in scene(host).event_log] == [
        (0, "opened by 127.0.0.1:50000"),
        (0, "mains off"),
        (0, "written 04 78 00: DelayBeforeStartup = 120"),
        (0, "written 03 3c 00: DelayBeforeShutdown = 60"),
        (60, "output OFF (shutdown timer)"),
        (130, "mains on"),
        (130, "output on (startup timer)"),
        (130, "let go by its host"),
    ]


def test_a_cut_on_mains_and_a_refused_write_are_named() -> None:
    host = Host()
    host.do("refuse all")
    host.write("03 05 00")
    host.do("clear")
    host.write("03 05 00")
    host.wait(6)
    texts = [entry.text for entry in scene(host).event_log]
    assert "written 03 05 00: DelayBeforeShutdown = 5 (stall)" in texts
    assert texts[-1] == "output OFF (shutdown timer, while the mains are there)"


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("devices", [1, 2, 3])
def test_it_fits(width: int, encoding: str, devices: int) -> None:
    hosts = [Host() for _ in range(devices)]
    for host in hosts:
        host.do("scenario flaky-usb")
        host.wait(50)
        for number in range(20):
            host.do(f"load {number}")
    shown = drawn([scene(host) for host in hosts], width=width, encoding=encoding)
    assert all(len(line) <= width for line in shown)
    assert "\n".join(shown).encode(encoding)
    assert width < 80 or len(shown) <= 24


def test_the_whole_view() -> None:
    host = Host(speed=20)
    host.device.gadget.plug("1-1", 1, 2)
    host.do("scenario outage")
    host.wait(0.5)
    assert drawn([scene(host)], encoding="ascii") == [
        "* Bench UPS (1-1, simulated)                             on battery, discharging",
        "  Battery    ###################### 100 %  29 min  low at 20 %",
        "  Load       ####.................. 20 %",
        "  Mains      none",
        "  Output     on",
        "  Next       mains on in 55 s",
        "  Driver     none yet; port = usbip://127.0.0.1:3240/1-1",
        "",
        "Events",
        "  00:05  mains off",
        "00:10 by the UPS's clock, 20 times as fast.  Ctrl-C ends",
    ]


@pytest.mark.parametrize(("devices", "height"), [(1, 24), (1, 12), (3, 24), (3, 12), (7, 24)])
def test_it_fits_the_height_too(devices: int, height: int) -> None:
    hosts = [Host() for _ in range(devices)]
    for host in hosts:
        host.do("scenario outage")
        host.wait(50)
    console = Console(file=io.StringIO(), width=80, height=height, force_terminal=True)
    console.print(picture([scene(host) for host in hosts], ADDRESS, console))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert len(shown.splitlines()) <= height
    assert shown.count("Bench UPS") == devices
    assert "mains off" in shown
    assert "Ctrl-C ends" in shown


def test_a_battery_that_is_low_by_time_is_low() -> None:
    """The CyberPower tells RemainingTimeLimitExpired, and its limit is five minutes; the bench UPS does not."""
    fixture = load(FIXTURES / "0764-0501-cyberpower-cp1500epfclcd.toml")
    host = Host(fixture)
    host.do("runtime 400")
    host.do("mains off")
    host.wait(1)
    assert tokens(scene(host)) == "OB DISCHRG"
    host.wait(150)
    assert tokens(scene(host)) == "OB DISCHRG LB"
    assert scene(host).charge > scene(host).low_charge
    assert any("low at 10 % or 5 min" in line for line in drawn([scene(host)]))


def test_what_happens_at_once_stands_in_its_order() -> None:
    host = Host()
    host.do("scenario battery-dies")
    host.device.open(host.now, who="a host")
    host.do("load 20")
    shown = drawn([scene(host)])
    events = [line.split("  ", 2)[2] for line in shown if line.startswith("  00:00")]
    assert events == [entry.text for entry in scene(host).event_log]
    assert events != sorted(events)


def test_off_the_bus_nothing_is_claimed() -> None:
    host = Host()
    host.do("disconnect")
    shown = drawn([scene(host)])
    assert shown[0].endswith("off the bus")
    assert in_one_line(scene(host)) == "off the bus"


def test_what_a_device_calls_itself_cannot_move_the_cursor() -> None:
    fixture = bench()
    strange = Host(
        type(fixture)(
            device=type(fixture.device)(
                vendor_id=1, product_id=2, manufacturer="\x1b[2J", product="\u202eSPU"
            ),
            origin=fixture.origin,
            descriptor=fixture.descriptor,
            feature=fixture.feature,
        )
    )
    assert "\\x1b[2J \\u202eSPU" in drawn([scene(strange)])[0]


def test_lines_tell_each_event_once_and_the_state_when_it_changes() -> None:
    host = Host()
    host.do("scenario outage")
    told: list[str] = []
    looks = 0

    def take() -> Sequence[SimulatorSetup] | None:
        nonlocal looks
        looks += 1
        return None if looks > 80 else [scene(host)]

    told.extend(lines(take, wait=lambda _seconds: host.wait(1.0)))
    assert told == [
        "00:00 on line; 100 %, 30 min, load 20 %",
        "00:05 mains off",
        "00:05 on battery, discharging; 100 %, 30 min, load 20 %",
        "01:05 mains on",
        "01:05 on line, charging; 97 %, 29 min, load 20 %",
    ]


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_can_be_watched_to_its_end(name: str) -> None:
    host = Host()
    host.do(f"scenario {name}")
    for _ in range(100):
        assert drawn([scene(host)])
        host.wait(10)
    assert next_step(scene(host)) == "nothing by itself"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "00:00"), (65.9, "01:05"), (3600, "1:00:00"), (-1, "00:00")]
)
def test_the_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_what_is_no_terminal_is_not_redrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    assert not can_redraw(io.StringIO())
