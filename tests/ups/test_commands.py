"""Instant commands and settings of a standard device: what is sent, what is refused and with which code."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.ups.made import DESCRIPTOR, IDENTITY, made
from tests.ups.reports import ReportDevice, library, load
from usbhidups.execute import execute
from usbhidups.hid.descriptor import parse
from usbhidups.ups.device import Ups, attach
from usbhidups.ups.options import Options
from usbhidups.ups.plan import Refusal, WritePlan

FIXTURES = Path(__file__).parents[2] / "fixtures" / "hid-descriptors"


def sent(planned: WritePlan | Refusal | None, device: ReportDevice) -> list[str]:
    assert isinstance(planned, WritePlan), planned
    device.written.clear()
    execute(planned, device, sleep=device.sleep, now=device.clock)
    return [line.removeprefix("feature:") for line in device.written]


def instcmd(name: str, argument: str | None = None, options: Options | None = None) -> list[str]:
    device, ups = made(options)
    device.run(ups, 3.0)
    return sent(ups.instcmd(name, argument, now=device.now), device)


def refused(name: str, argument: str | None = None) -> Refusal:
    device, ups = made()
    device.run(ups, 3.0)
    planned = ups.instcmd(name, argument, now=device.now)
    assert isinstance(planned, Refusal)
    return planned


@pytest.mark.parametrize(
    ("name", "argument", "expected"),
    [
        ("shutdown.return", None, ["03 = 03 78 00", "04 = 04 3c 00"]),
        ("shutdown.return", "15", ["03 = 03 78 00", "04 = 04 3c 00"]),
        ("shutdown.stayoff", None, ["03 = 03 ff ff", "04 = 04 3c 00"]),
        ("shutdown.stop", None, ["04 = 04 ff ff"]),
        ("shutdown.reboot", None, ["05 = 05 0a 00"]),
        ("shutdown.reboot", "33", ["05 = 05 21 00"]),
        ("load.off", None, ["04 = 04 00 00"]),
        ("load.on", None, ["03 = 03 00 00"]),
        ("load.off.delay", "45", ["04 = 04 2d 00"]),
        ("load.off.delay", None, ["04 = 04 3c 00"]),
        ("beeper.off", None, ["07 = 07 01"]),
        ("beeper.on", None, ["07 = 07 02"]),
        ("beeper.mute", None, ["07 = 07 03"]),
        ("shutdown.default", None, ["03 = 03 78 00", "04 = 04 3c 00"]),
    ],
)
def test_bytes(name: str, argument: str | None, expected: list[str]) -> None:
    assert instcmd(name, argument) == expected


@pytest.mark.parametrize(
    ("name", "argument", "code"),
    [
        ("nosuch", None, 2),
        ("load.off.delay", "soon", 2),
        ("load.off.delay", "92.5", 2),
        ("load.off.delay", "-1", 2),
        ("load.off.delay", "7201", 2),
        ("shutdown.reboot", "40000", 2),
        ("outlet.1.load.off", None, 2),
    ],
)
def test_refusals(name: str, argument: str | None, code: int) -> None:
    assert refused(name, argument).code == code


def test_the_administrators_delays_rule() -> None:
    options = Options(offdelay=90, ondelay=200)
    assert instcmd("shutdown.return", options=options) == ["03 = 03 c8 00", "04 = 04 5a 00"]


def test_a_start_delay_that_is_not_greater_is_lengthened_and_told() -> None:
    options = Options(offdelay=120, ondelay=60)
    assert instcmd("shutdown.return", options=options) == ["03 = 03 f0 00", "04 = 04 78 00"]
    _, ups = made(options)
    assert "not greater" in ups.notices[0]
    assert made()[1].notices == ()


@pytest.mark.parametrize("ondelay", [0, -1])
def test_start_delays_with_a_meaning_of_their_own_are_sent_as_they_are(ondelay: int) -> None:
    expected = {0: "03 = 03 00 00", -1: "03 = 03 ff ff"}[ondelay]
    assert instcmd("shutdown.return", options=Options(ondelay=ondelay))[0] == expected


def test_overridden_delays_are_what_is_sent() -> None:
    options = Options(overrides={"ups.delay.shutdown": "80"}, defaults={"ups.delay.start": "150"})
    assert instcmd("shutdown.return", options=options) == ["03 = 03 96 00", "04 = 04 50 00"]


def test_delays_are_kept_by_the_driver_and_used() -> None:
    device, ups = made()
    device.run(ups, 3.0)
    assert ups.set("ups.delay.start", "185", now=device.now) is None
    assert ups.set("ups.delay.shutdown", "75", now=device.now) is None
    variables = ups.view(device.now).variables
    assert variables["ups.delay.shutdown"].text == "75"
    assert variables["ups.delay.start"].text == "185"
    assert device.written == []
    planned = ups.instcmd("shutdown.return", None, now=device.now)
    assert sent(planned, device) == ["03 = 03 b9 00", "04 = 04 4b 00"]


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("nosuch", "1", 1),
        ("battery.charge", "1", 1),
        ("ups.status", "OL", 1),
        ("battery.charge.low", "200", 2),
        ("battery.charge.low", "low", 4),
        ("battery.charge.low", "12345678901", 2),
        ("ups.delay.shutdown", "soon", 2),
        ("ups.delay.shutdown", "0", 2),
        ("ups.delay.shutdown", "-1", 2),
        ("ups.delay.shutdown", "150", 2),
        ("ups.delay.start", "60", 2),
    ],
)
def test_settings_that_are_refused(name: str, text: str, code: int) -> None:
    device, ups = made()
    device.run(ups, 3.0)
    planned = ups.set(name, text, now=device.now)
    assert isinstance(planned, Refusal)
    assert planned.code == code
    assert name in planned.reason


def test_an_overridden_variable_cannot_be_set() -> None:
    device, ups = made(Options(overrides={"battery.charge.low": "20"}))
    device.run(ups, 3.0)
    planned = ups.set("battery.charge.low", "30", now=device.now)
    assert isinstance(planned, Refusal)
    assert planned.code == 1


def test_after_a_set_the_device_is_read_and_what_it_shows_is_published() -> None:
    device, ups = made()
    device.run(ups, 3.0)
    planned = ups.set("battery.charge.low", "30", now=device.now)
    assert isinstance(planned, WritePlan)
    outcome = execute(planned, device, sleep=device.sleep, now=device.clock)
    ups.wrote(planned, outcome, now=device.now)
    device.run(ups, 0.1)
    assert ups.view(device.now).variables["battery.charge.low"].text == "30"


def test_what_switches_the_load_needs_the_profiles_word() -> None:
    profile = library().load("generic")
    silent = replace(
        profile, commands=tuple(replace(row, switches_load=False) for row in profile.commands)
    )
    ups = attach(IDENTITY, parse(DESCRIPTOR), silent, Options())
    for name in ("load.off", "load.off.delay", "shutdown.return", "shutdown.reboot"):
        planned = ups.instcmd(name, None, now=0.0)
        assert isinstance(planned, Refusal), name
    assert isinstance(ups.killpower(now=0.0), Refusal)
    available = ups.view(0.0).commands
    assert not {name for name in available if name.startswith("load")}
    assert "shutdown.default" not in available
    assert "shutdown.stop" in available


def test_everything_that_switches_the_load_says_so() -> None:
    _, ups = made()
    for name in ("load.off", "load.on.delay", "shutdown.return", "shutdown.stayoff"):
        planned = ups.instcmd(name, None, now=0.0)
        assert isinstance(planned, WritePlan)
        assert planned.switches_load
    planned = ups.instcmd("beeper.enable", None, now=0.0)
    assert isinstance(planned, WritePlan)
    assert not planned.switches_load


def test_killpower_before_anything_was_read() -> None:
    device, ups = made()
    assert sent(ups.killpower(now=0.0), device) == ["03 = 03 78 00", "04 = 04 3c 00"]


@pytest.mark.parametrize(
    ("commands", "expected"),
    [
        (("beeper.mute",), ["07 = 07 03"]),
        (("nosuch", "load.off"), ["04 = 04 00 00"]),
        (("nosuch", "shutdown.default"), ["03 = 03 78 00", "04 = 04 3c 00"]),
    ],
)
def test_sdcommands(commands: tuple[str, ...], expected: list[str]) -> None:
    device, ups = made(Options(sdcommands=commands))
    assert sent(ups.killpower(now=0.0), device) == expected


def test_sdcommands_that_nobody_knows() -> None:
    _, ups = made(Options(sdcommands=("nosuch",)))
    planned = ups.killpower(now=0.0)
    assert isinstance(planned, Refusal)
    assert "nosuch" in planned.reason


# -- a grain of minutes (failure F03, hid-power-device.md 4) ---------------------------------


def cyberpower(options: Options | None = None) -> tuple[ReportDevice, Ups]:
    device, ups, _ = load(FIXTURES / "0764-0501-cyberpower-cp1500epfclcd.toml", options)
    device.run(ups, 3.0)
    return device, ups


@pytest.mark.parametrize(
    ("seconds", "minutes"), [("1", 1), ("20", 1), ("59", 1), ("60", 1), ("61", 2), ("119", 2)]
)
def test_delays_are_rounded_up_to_minutes_and_never_to_nothing(seconds: str, minutes: int) -> None:
    device, ups = cyberpower()
    planned = ups.instcmd("load.off.delay", seconds, now=device.now)
    assert sent(planned, device) == [f"15 = 15 {minutes:02x} 00"]


def test_published_delays_are_what_is_sent() -> None:
    device, ups = cyberpower(Options(offdelay=75, ondelay=185))
    variables = ups.view(device.now).variables
    assert variables["ups.delay.shutdown"].text == "120"
    assert variables["ups.delay.start"].text == "240"


def test_a_cancel_is_minus_one_and_never_zero() -> None:
    device, ups = cyberpower()
    assert sent(ups.instcmd("shutdown.stop", None, now=device.now), device) == ["15 = 15 ff ff"]


def test_a_cancel_that_the_field_cannot_hold_is_refused() -> None:
    descriptor = parse(DESCRIPTOR)
    clamped = replace(
        descriptor,
        fields=tuple(
            field._replace(
                logical_minimum=0, logical_maximum=100, physical_minimum=0, physical_maximum=6000
            )
            if field.report_id == 4
            else field
            for field in descriptor.fields
        ),
    )
    ups = attach(IDENTITY, clamped, library().load("generic"), Options())
    planned = ups.instcmd("shutdown.stop", None, now=0.0)
    assert isinstance(planned, Refusal)
    assert "at once" in planned.reason
