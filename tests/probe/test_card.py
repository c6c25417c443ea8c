"""Cards and lists of fields: they fit, they are complete, and strings of devices stay strings."""

from __future__ import annotations

import datetime
import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.text import Text

from usbhidups.identity import Identity
from usbhidups.tools.probe.card import card, field_lines
from usbhidups.tools.probe.finding import Finding
from usbhidups.tools.probe.look import Plan
from usbhidups.tools.probe.problem import Problem, Situation
from usbhidups.tools.probe.replay import look_at_recording
from usbhidups.tools.screen.console import make_console, show
from usbhidups.ups.loading.library import Library
from usbhidups.ups.snapshot import Value

FIXTURES = Path(__file__).parents[2] / "fixtures" / "hid-descriptors"
PATHS = sorted(FIXTURES.glob("*.toml"))
TODAY = datetime.date(2026, 1, 1)


class Terminal(io.StringIO):
    """A file that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def found_in(path: Path) -> Finding:
    return look_at_recording(path, Library(), Plan(everything=True, patience=60))


def drawn(finding: Finding, width: int, file: io.StringIO | None = None) -> str:
    file = file or io.StringIO()
    console = make_console(file, width=width)
    show(console, card(finding, console, today=TODAY))
    return file.getvalue()


@pytest.mark.parametrize("width", [60, 80, 140])
@pytest.mark.parametrize("path", PATHS[::7], ids=lambda path: path.stem)
def test_cards_fit(path: Path, width: int) -> None:
    lines = drawn(found_in(path), width).splitlines()
    assert all(len(line) <= min(width, 120) for line in lines)


def test_a_card_is_complete() -> None:
    text = drawn(found_in(FIXTURES / "051d-0002-apc-back-ups-bk650m2-ch.toml"), 120)
    for part in (
        "American Power Conversion BK650M2-CH",
        "051d:0002",
        "release 1.06",
        "OL DISCHRG",
        "on line, discharging",
        "100 %",
        "1 h  of 2 h",
        "APC 1 / Back-UPS",
        "id 051d:0002",
        "limits 0..255 taken as 0..556",
        "shutdown.return",
        "ups.delay.shutdown = 60",
        "write feature 40 = 40 ",
    ):
        assert part in text


EVIL = "\x1b]0;owned\x07\x1b[2J\u202eUPS\r\n"


@pytest.mark.parametrize("terminal", [True, False])
def test_strings_of_devices_do_not_reach_the_terminal(*, terminal: bool) -> None:
    finding = found_in(FIXTURES / "051d-0002-apc-back-ups-bk650m2-ch.toml")
    evil = replace(
        finding,
        identity=replace(finding.identity, product=EVIL, manufacturer=EVIL, serial=EVIL),
        variables={**finding.variables, "ups.alarm": Value(EVIL), "battery.type": Value(EVIL)},
        warnings=(EVIL,),
        oddities=(EVIL,),
        problem=Problem(Situation.UNKNOWN, EVIL, EVIL),
        why=EVIL,
        commands=(EVIL,),
    )
    text = drawn(evil, 120, Terminal() if terminal else io.StringIO())
    plain = Text.from_ansi(text).plain if terminal else text
    assert "\x1b]0" not in text
    assert "\x1b[2J" not in text
    assert "\x07" not in text
    assert "\u202e" not in text
    assert "\\x1b]0;owned\\x07" in plain
    assert "\x1b" not in plain


def test_one_that_cannot_be_read_says_why_and_what_mends_it() -> None:
    finding = Finding(
        identity=Identity(0x051D, 2, port_path="1-4", bus=1, address=7),
        problem=Problem(Situation.HELD, "apcupsd holds it", "stop apcupsd"),
    )
    text = drawn(finding, 80)
    assert text.startswith("* 051d:0002")
    assert "not readable" in text
    assert "(bus 1 device 7)" in text
    assert "apcupsd holds it" in text
    assert "stop apcupsd" in text


def test_another_drivers_device_names_the_driver() -> None:
    finding = Finding(
        identity=Identity(1, 2),
        other_driver="nutdrv_qx",
        problem=Problem(Situation.OTHER_DRIVER, "it is none", "driver = nutdrv_qx"),
    )
    assert "for nutdrv_qx" in drawn(finding, 80)


@pytest.mark.parametrize("path", PATHS[::7], ids=lambda path: path.stem)
def test_the_list_of_fields_has_every_path(path: Path) -> None:
    finding = found_in(path)
    wide = [line.plain for line in field_lines(finding, width=None)]
    assert all("\n" not in line for line in wide[1:])
    assert {row.path for row in finding.fields} == {line[16:].split()[0] for line in wide[1:]}
    narrow = field_lines(finding, width=60)
    assert len(narrow) == len(wide)


def test_fields_that_say_nothing_new_are_counted() -> None:
    finding = found_in(FIXTURES / "051d-0002-apc-back-ups-bk650m2-ch.toml")
    lines = [line.plain for line in field_lines(finding, width=None)]
    (load, rest) = [line for line in lines if "PercentLoad" in line]
    assert load.endswith("ups.load")
    assert rest.endswith("nothing, 21 more alike")
