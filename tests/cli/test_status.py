"""``usbhidups status`` on real drivers' state sockets: exit status, formats, watching, what goes away."""

from __future__ import annotations

import errno
import io
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest
from rich.console import Console

from tests.driver_tools import FIXTURES, RunningDriver, running_driver
from usbhidups.cli.main import main
from usbhidups.configuration import Paths
from usbhidups.errors import ConfigError
from usbhidups.stateclient import Dump, NoAnswer, StateClient
from usbhidups.tools.screen.console import make_console
from usbhidups.tools.status import live
from usbhidups.tools.status.history import Event, History
from usbhidups.tools.status.live import Watch
from usbhidups.tools.status.snapshot import Snapshot, State, of_dump, take
from usbhidups.tools.status.sockets import DriverSocket, find_sockets
from usbhidups.tools.status.text import formatted

MAINS = FIXTURES / "0764-0501-cyberpower-cp1500epfclcd.toml"
BATTERY = FIXTURES / "051d-0002-apc-described-on-battery.toml"
LOW = FIXTURES / "051d-0002-apc-described-low.toml"


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "st"
    folder.mkdir()
    monkeypatch.setenv("NUT_STATEPATH", str(folder))
    monkeypatch.setenv("NUT_CONFPATH", str(folder))
    return folder


@pytest.fixture
def office(state: Path) -> Iterator[RunningDriver]:
    with running_driver(state, "office", f"replay:{MAINS}") as driver:
        driver.wait_for(lambda dump: dump.fresh and "battery.charge" in dump.variables)
        yield driver


@pytest.mark.parametrize(("fixture", "status"), [(MAINS, 0), (BATTERY, 1), (LOW, 2)])
def test_the_exit_status_tells_the_state(
    fixture: Path, status: int, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with running_driver(state, "office", f"replay:{fixture}") as driver:
        driver.wait_for(lambda dump: dump.fresh)
        assert main(["status", "-q", "office"]) == status
    assert capsys.readouterr().out == ""
    assert main(["status", "-q", "office"]) == 3


def test_nobody_there(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "office"]) == 3
    said = capsys.readouterr().out
    assert "unknown" in said
    assert f"no driver answers at {state}" in " ".join(said.split())


class Closed(StateClient):
    """A socket that is root's, whoever runs the test."""

    def __init__(self, path: Path, **_settings: float) -> None:
        denied = PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        raise NoAnswer(f"no driver answers at {path}: Permission denied") from denied


def test_a_socket_that_is_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("usbhidups.tools.status.snapshot.StateClient", Closed)
    found = take(SOCKET)
    assert found.state is State.UNKNOWN
    assert found.closed
    assert found.why_unknown.endswith("is not for us: run this as root or with group nut")


def test_no_ups_at_all_is_no_state_of_one(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """1 would say on battery, 2 a low one."""
    assert main(["status"]) == 3
    assert str(state) in capsys.readouterr().err


def test_all_upses_and_the_worst_counts(
    office: RunningDriver, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with running_driver(state, "attic", f"replay:{BATTERY}") as driver:
        driver.wait_for(lambda dump: dump.fresh)
        assert main(["status"]) == 1
    said = capsys.readouterr().out
    assert said.index("attic") < said.index("office")
    assert "on battery, discharging" in said
    assert "CPS CP1500EPFCLCD" in said


def test_a_section_of_ups_conf_without_a_driver_is_told(
    office: RunningDriver, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (state / "ups.conf").write_text(
        "[office]\ndriver = usbhidups\nport = auto\n[cellar]\ndriver = usbhidups\nport = auto\n"
        "[other]\ndriver = snmp-ups\nport = x\n"
    )
    assert main(["status", "--format", "{ups} {state}"]) == 3
    assert capsys.readouterr().out.splitlines() == ["cellar unknown", "office on-line"]


def test_json(office: RunningDriver, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert list(found) == [
        "ups", "driver", "socket", "state", "fresh", "reason", "variables", "commands", "writable",
    ]  # fmt: skip
    assert (found["ups"], found["state"], found["fresh"]) == ("office", "on-line", True)
    assert found["variables"]["battery.charge"] == "100"
    assert "shutdown.return" in found["commands"]


# -- what a dump comes to ------------------------------------------------------------------------

SOCKET = DriverSocket("office", "usbhidups", Path("/run/nut/usbhidups-office"))


def snapshot(
    status: str, more: Mapping[str, str] = MappingProxyType({}), *, fresh: bool = True
) -> Snapshot:
    return of_dump(SOCKET, Dump({"ups.status": status, **more}, frozenset(), (), fresh))


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("OL", State.ON_LINE),
        ("OL CHRG", State.ON_LINE),
        ("ALARM OL RB", State.ON_LINE),
        ("OL LB", State.ON_LINE),  # charging again: nothing has to be shut down
        ("OB", State.ON_BATTERY),
        ("OB DISCHRG", State.ON_BATTERY),
        ("OB LB", State.LOW),
        ("LB", State.LOW),
        ("OFF", State.UNKNOWN),
        ("", State.UNKNOWN),
    ],
)
def test_states(status: str, state: State) -> None:
    assert snapshot(status).state is state


def test_stale_data_say_nothing() -> None:
    stale = snapshot("OL", {"driver.state.reason": "unplugged"}, fresh=False)
    assert stale.state is State.UNKNOWN
    assert stale.why_unknown == "data are stale: unplugged"


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("{ups.status} {battery.charge}%", "OL %"),
        ("{{{ups}}} {none}.", "{office} ."),
        (r"a\tb\nc\\d\x", "a\tb\nc\\d\\x"),
        ("{state}/{reason}", "on-line/"),
    ],
)
def test_patterns(pattern: str, text: str) -> None:
    assert formatted(pattern, snapshot("OL")) == text


@pytest.mark.parametrize("pattern", ["{", "a}b", "{ups"])
def test_single_braces_are_refused(pattern: str) -> None:
    with pytest.raises(ConfigError, match="write it twice"):
        formatted(pattern, snapshot("OL"))


def test_what_a_device_says_is_escaped_in_patterns() -> None:
    assert formatted("{ups.model}", snapshot("OL", {"ups.model": "\x1b[2J"})) == "\\x1b[2J"


# -- watching ------------------------------------------------------------------------------------


def test_changes_are_events() -> None:
    history = History()
    steps = [
        (snapshot("OL"), ["on line"]),
        (snapshot("OL"), []),
        (
            snapshot("OB", {"ups.alarm": "Replace battery!"}),
            ["on battery", "alarm: Replace battery!"],
        ),
        (Snapshot(SOCKET, problem="no driver"), ["no driver"]),
        (snapshot("OL"), ["on line", "no alarm any more"]),
    ]
    for each, texts in steps:
        assert [event.text for event in history.add(each, at="12:00:00")] == texts
    assert next(event.text for event in history.events) == "on line"


def test_series_have_gaps_where_nothing_is_known() -> None:
    history = History()
    history.add(snapshot("OL", {"battery.charge": "90"}), at="")
    history.add(snapshot("OL", {"battery.charge": "80"}, fresh=False), at="")
    assert list(history.series["battery.charge"]) == [90.0, None]


def test_a_driver_that_ends_is_seen_while_watching(office: RunningDriver, state: Path) -> None:
    seen: list[tuple[str, str]] = []
    waits: list[float] = []

    def ending(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 1:
            office.stop()

    def show(each: Snapshot, news: object) -> None:
        assert isinstance(news, list)
        seen.extend((event.ups, event.text) for event in news if isinstance(event, Event))
        assert each.ups == "office"

    sockets = find_sockets(Paths.of({"NUT_STATEPATH": str(state)}))
    watch = Watch(sockets, rounds=3, sleep=ending)
    watch.lines(show)
    assert watch.state is State.UNKNOWN
    assert seen[0] == ("office", "on line")
    assert seen[1][1].startswith("no driver answers")
    assert len(seen) == 2


class Terminal(io.StringIO):
    """A file that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def test_the_live_view(office: RunningDriver, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    console = make_console(Terminal(), width=80)
    sockets = find_sockets(Paths.of({"NUT_STATEPATH": str(state)}))
    watch = Watch(sockets, rounds=3, sleep=lambda _seconds: None)
    watch.live(console)
    assert watch.state is State.ON_LINE
    shown = make_console(io.StringIO(), width=80)
    shown.print(watch.picture([take(socket) for socket in sockets], shown))
    text = shown.file.getvalue()  # type: ignore[attr-defined]
    for part in ("office", "on line", "Charge", "Events", "Ctrl-C ends"):
        assert part in text
    assert all(len(line) <= 80 for line in text.splitlines())


def snapshots(count: int) -> list[Snapshot]:
    values = {"battery.charge": "93", "battery.runtime": "250", "ups.load": "5", "ups.mfr": "Bench"}
    return [
        replace(snapshot("OB DISCHRG", values), socket=replace(SOCKET, ups=f"ups{number}"))
        for number in range(count)
    ]


@pytest.mark.parametrize(
    ("count", "height", "has", "has_not"),
    [
        (1, 24, "Device", ""),
        (2, 24, "Device", ""),
        (3, 24, "Battery", "Device"),
        (4, 24, "93 %, 4 min, load 5 %", "Battery"),
        (4, 26, "Battery", "Charge"),
        (6, 24, "93 %, 4 min, load 5 %", "Battery"),
        (15, 24, "93 %, 4 min, load 5 %", "Battery"),
        (1, 6, "93 %, 4 min, load 5 %", "Battery"),
    ],
)
def test_the_live_view_fits_the_terminal(count: int, height: int, has: str, has_not: str) -> None:
    seen = snapshots(count)
    watch = Watch(
        [each.socket for each in seen],
        rounds=2,
        sleep=lambda _seconds: None,
        look=lambda socket: next(each for each in seen if each.socket == socket),
    )
    for _ in watch.turns():
        pass
    console = Console(file=Terminal(), width=80, height=height)
    console.print(watch.picture(seen, console))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert len(text.splitlines()) <= height
    assert all(f"ups{number}" in text for number in range(count))
    assert has in text
    assert not has_not or has_not not in text
    assert "Events" in text
    assert "Ctrl-C ends" in text


def test_ctrl_c_ends_with_the_state_that_was_seen(
    office: RunningDriver, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_seconds: float) -> None:
        raise KeyboardInterrupt

    real = live.Watch
    monkeypatch.setattr(
        live,
        "Watch",
        lambda sockets, interval: real(sockets, interval=interval, sleep=interrupted),
    )
    assert main(["status", "--watch", "office"]) == 0
    assert "office on line" in capsys.readouterr().out


def test_the_socket_of_another_program_is_left_alone(state: Path, office: RunningDriver) -> None:
    (state / "snmp-ups-other").touch()
    (state / "usbhidups-file").touch()
    found = find_sockets(Paths.of({"NUT_STATEPATH": str(state)}))
    assert [socket.ups for socket in found] == ["office"]
    assert found[0] == replace(found[0], program="usbhidups", path=office.path)
