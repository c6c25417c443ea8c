"""What is shown on terminals: strange text, bars, sparklines, words, and where colours may go."""

from __future__ import annotations

import datetime
import io
import os
import termios
import unicodedata
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from usbhidups.tools.screen.console import (
    NARROWEST,
    PIPED,
    WIDEST,
    can_draw,
    can_redraw,
    fitting,
    make_console,
    refit,
    show,
)
from usbhidups.tools.screen.gauges import bar, sparkline
from usbhidups.tools.screen.labels import Tone, duration, in_words, number, tone_of
from usbhidups.tools.screen.safe import LONGEST, safe
from usbhidups.tools.screen.summary import Summary, folded, grid, headline, summary


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Back-UPS ES 700", "Back-UPS ES 700"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("a\r\nb\tc\x00", "a\\x0d\\x0ab\\x09c\\x00"),
        ("\x9b31m", "\\x9b31m"),  # the one-byte CSI
        ("\u202eSPU", "\\u202eSPU"),
        ("\U000e0041", "\\U000e0041"),
        ("Größe ✓", "Größe ✓"),
    ],
)
def test_what_could_move_the_cursor_is_written_out(text: str, shown: str) -> None:
    assert safe(text) == shown


@pytest.mark.parametrize("term", ["dumb", "unknown"])
def test_a_terminal_that_cannot_move_its_cursor_gets_lines(
    term: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

        def fileno(self) -> int:
            raise OSError

    monkeypatch.setenv("TERM", "xterm")
    assert can_redraw(Terminal())
    monkeypatch.setenv("TERM", term)
    assert not can_redraw(Terminal())


@given(st.text())
def test_whatever_a_device_says_is_one_printable_line(text: str) -> None:
    shown = safe(text)
    assert shown.isprintable()
    assert not any(unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp") for char in shown)
    assert len(shown) <= 10 * LONGEST + 1


@given(st.floats(-1, 2), st.integers(1, 80), st.booleans())
def test_a_bar_has_its_width(share: float, width: int, drawn: bool) -> None:  # noqa: FBT001
    full, empty = bar(share, width, drawn=drawn)
    assert len(full) + len(empty) == width
    assert drawn or (full + empty).isascii()


@pytest.mark.parametrize(
    ("share", "full", "empty"),
    [(0.0, "", "░░░░"), (1.0, "████", ""), (0.5, "██", "░░"), (0.28125, "█▏", "░░")],
)
def test_bars(share: float, full: str, empty: str) -> None:
    assert bar(share, 4) == (full, empty)


def test_sparklines() -> None:
    assert sparkline([0, 50, None, 100], 10, lowest=0, highest=100) == "▁▅ █"
    assert sparkline([0, 50, None, 100], 2, lowest=0, highest=100) == " █"
    assert sparkline([0, 100], 9, lowest=0, highest=100, drawn=False) == "_#"
    assert sparkline([None, None], 9) == ""


def test_a_line_that_hardly_moves_is_flat() -> None:
    assert sparkline([230.0, 230.4, 229.9], 9) == "▅▅▅" or set(sparkline([230.0] * 3, 9)) == {"▅"}


@given(st.lists(st.none() | st.floats(), max_size=50), st.integers(1, 40))
def test_a_sparkline_fits(values: list[float | None], width: int) -> None:
    assert len(sparkline(values, width)) <= width


@pytest.mark.parametrize(
    ("status", "words", "tone"),
    [
        ("OL", "on line", Tone.GOOD),
        ("OL CHRG", "on line, charging", Tone.GOOD),
        ("OB DISCHRG", "on battery, discharging", Tone.NOTE),
        ("OB LB", "on battery, battery low", Tone.BAD),
        ("ALARM OL RB", "on line, replace the battery, alarm", Tone.BAD),
        ("OL BOOST", "on line, boosting low voltage", Tone.NOTE),
        ("OL STRANGE", "on line, STRANGE", Tone.GOOD),
        ("", "unknown", Tone.UNKNOWN),
        ("OFF", "output is off", Tone.BAD),
        ("CHRG", "charging", Tone.UNKNOWN),
    ],
)
def test_words_of_a_status(status: str, words: str, tone: Tone) -> None:
    assert in_words(status) == words
    assert tone_of(status) is tone


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (3900, "1 h 5 min"),
        (47 * 3600, "47 h"),
        (48 * 3600, "2 d"),
        (50 * 3600, "2 d 2 h"),
        (-1, "unknown"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("text", "value"), [("13.5", 13.5), ("", None), ("abc", None), ("inf", None), ("nan", None)]
)
def test_numbers(text: str, value: float | None) -> None:
    assert number(text) == value


# -- consoles ------------------------------------------------------------------------------------


def ascii_file() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="ascii")


def test_no_line_art_where_it_cannot_be_written() -> None:
    assert not can_draw(ascii_file())
    assert can_draw(io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))


@pytest.mark.parametrize(
    ("columns", "width"), [("", PIPED), ("60", 60), ("5", NARROWEST), ("999", WIDEST), ("x", PIPED)]
)
def test_the_width_of_a_pipe(columns: str, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert make_console(io.StringIO()).width == width


def test_a_pipe_gets_no_colours_and_no_blanks_at_the_ends() -> None:
    file = io.StringIO()
    console = make_console(file, width=70)
    show(console, grid(Summary(VARIABLES, console, today=TODAY).rows()))
    lines = file.getvalue().splitlines()
    assert "\x1b" not in file.getvalue()
    assert all(line == line.rstrip() for line in lines)


VARIABLES = {
    "ups.status": "OB DISCHRG LB",
    "ups.alarm": "Replace battery!",
    "battery.charge": "12",
    "battery.charge.low": "20",
    "battery.runtime": "95",
    "battery.runtime.low": "120",
    "ups.load": "85",
    "ups.realpower.nominal": "390",
    "input.voltage": "0.0",
    "input.voltage.nominal": "230",
    "battery.mfr.date": "2020/01/01",
    "battery.type": "\x1b[2JPbAc",
    "experimental.ups.status.reason": "OB: UPS.PowerSummary.PresentStatus.ACPresent",
}
TODAY = datetime.date(2025, 7, 1)


@pytest.mark.parametrize("width", [60, 80, 140])
def test_vitals_fit_the_width(width: int) -> None:
    file = io.StringIO()
    console = make_console(file, width=width)
    show(console, headline("A name of some length", "OB DISCHRG LB", console))
    show(console, grid(Summary(VARIABLES, console, today=TODAY).rows()))
    lines = file.getvalue().splitlines()
    assert all(len(line) <= width for line in lines)
    text = " ".join(" ".join(lines).split())
    for part in (
        "on battery, discharging, battery low",
        "Replace battery!",
        "12 % low at 20 %",
        "95 s of 10 min, low at 2 min",
        "85 % of 390 W",
        "input 0 V (nominal 230 V)",
        "\\x1b[2JPbAc, made 2020/01/01 (5.5 years ago)",
    ):
        assert part in text


def test_nothing_is_made_up() -> None:
    file = io.StringIO()
    console = make_console(file, width=80)
    strange = {"battery.charge": "n/a", "battery.runtime": "-1", "battery.date": "not set"}
    show(console, grid(Summary(strange, console, today=TODAY).rows()))
    assert file.getvalue().split() == ["Bat.", "age", "fitted", "not", "set"]


def test_ascii_terminals_get_ascii() -> None:
    file = ascii_file()
    console = Console(file=file, width=80)
    show(console, headline("UPS", "OL", console))
    show(
        console,
        grid(Summary({"ups.status": "OL", "battery.charge": "50"}, console, today=TODAY).rows()),
    )
    file.flush()
    assert b"#" in file.buffer.getvalue()  # type: ignore[attr-defined]


def test_no_color_is_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("FORCE_COLOR", raising=False)

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    file = Terminal()
    console = make_console(file, width=80)
    show(console, headline("UPS", "OB LB", console))
    assert "\x1b[31" not in file.getvalue()
    assert "31m" not in file.getvalue()


# -- views that are drawn again and again ----------------------------------------------------------


class Screen(io.StringIO):
    """A terminal of a size of its own."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def on_a_screen(width: int, height: int) -> Console:
    console = make_console(Screen(), width=width)
    console.height = height
    return console


def lines(count: int) -> Text:
    return Text("\n".join("x" * 30 for _ in range(count)))


@pytest.mark.parametrize(
    ("width", "height", "taken"), [(80, 24, 9), (80, 8, 5), (40, 4, 3), (40, 1, 3)]
)
def test_the_first_picture_that_fits_is_taken(width: int, height: int, taken: int) -> None:
    console = on_a_screen(width, height)
    drawn = fitting(console, [partial(lines, count) for count in (9, 5, 3)])
    assert isinstance(drawn, Text)
    assert drawn.plain.count("x" * 30) == taken


def test_what_is_folded_counts_as_often_as_it_is_shown() -> None:
    wide = Text("x" * 100)
    console = on_a_screen(40, 2)
    assert fitting(console, [lambda: wide, lambda: lines(1)]) is not wide


def test_a_file_has_no_height() -> None:
    console = make_console(io.StringIO(), width=80)
    console.height = 2
    drawn = fitting(console, [lambda: lines(9), lambda: lines(1)])
    assert isinstance(drawn, Text)
    assert drawn.plain.count("\n") == 8


def test_a_terminal_that_was_made_wider(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    master, slave = os.openpty()
    with os.fdopen(master, "wb", buffering=0), os.fdopen(slave, "w", encoding="utf-8") as terminal:
        widths = []
        for columns in (60, 100, 20, 300):
            termios.tcsetwinsize(terminal, (24, columns))
            console = make_console(terminal, width=80)
            refit(console)
            widths.append(console.width)
    assert widths == [60, 100, NARROWEST, WIDEST]


def test_who_names_a_width_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "70")
    console = on_a_screen(70, 24)
    refit(console)
    assert console.width == 70


# -- lines that are too long -----------------------------------------------------------------------


@given(st.integers(10, 60))
def test_no_line_ends_between_a_number_and_its_unit(width: int) -> None:
    text = (
        "input 238 V (nominal 230 V); output 238 V; of 900 W, in 120 s, 50 Hz, at 100 % of 700 VA"
    )
    shown = folded(text, width, hang="  ")
    assert all(len(line) <= width for line in shown)
    assert " ".join(line.strip() for line in shown) == text
    assert not any(line[-1].isdigit() for line in shown)


def test_words_that_begin_like_a_unit_are_no_units() -> None:
    assert folded("report 16 holds", 10) == ["report 16", "holds"]


@pytest.mark.parametrize(
    ("variables", "text"),
    [
        (
            {"battery.charge": "93", "battery.runtime": "250", "ups.load": "5"},
            "93 %, 4 min, load 5 %",
        ),
        ({"battery.runtime": "-1", "ups.load": "n/a"}, ""),
        ({"battery.charge": "12.5"}, "12.5 %"),
    ],
)
def test_a_summary_has_what_is_known(variables: dict[str, str], text: str) -> None:
    assert summary(variables) == text


def test_more_stands_in_a_head_where_there_is_room() -> None:
    for width, shown in ((80, True), (40, False)):
        file = io.StringIO()
        console = make_console(file, width=width)
        show(console, headline("office", "OB DISCHRG", console, more="93 %, 4 min"))
        assert ("93 %, 4 min" in file.getvalue()) is shown
        assert len(file.getvalue().splitlines()) == 1
        assert "on battery, discharging" in file.getvalue()
