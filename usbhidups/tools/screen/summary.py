"""What matters of a UPS in a few lines: battery, runtime, load, voltages, age. For probe and status alike.

Variables come in as text, by NUT's names; rows of label and text come out. A value that is not there has no
row: nothing is made up.
"""

from __future__ import annotations

import datetime
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from usbhidups.tools.screen.console import can_draw
from usbhidups.tools.screen.gauges import bar
from usbhidups.tools.screen.labels import Tone, duration, in_words, number, tone_of
from usbhidups.tools.screen.safe import safe

__all__ = ["LABEL_WIDTH", "Row", "Summary", "folded", "grid", "headline", "summary"]

LABEL_WIDTH = 12

_STYLES = {Tone.GOOD: "green", Tone.NOTE: "yellow", Tone.BAD: "bold red", Tone.UNKNOWN: "magenta"}
_SCALES = (600, 1800, 3600, 7200, 4 * 3600, 8 * 3600, 24 * 3600, 7 * 86400)
"""Seconds that a full bar of runtime stands for: the smallest that holds the value."""

_DATE = re.compile(r"(\d{4})[/-](\d{2})[/-](\d{2})")
_LOAD_HIGH, _LOAD_FULL = 80.0, 100.0


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a card."""

    label: str
    text: Text


def grid(rows: Iterator[Row]) -> Table:
    """Rows as two columns, the first of a fixed width, the second folded where it is too long."""
    table = Table.grid()  # no padding: releases of rich differ in what it adds to a width
    table.add_column(width=LABEL_WIDTH + 1, no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    for row in rows:
        table.add_row(f"  {row.label}", row.text)
    return table


def headline(
    name: str, status: str, console: Console, *, unknown: str = "", more: str = ""
) -> RenderableType:
    """The first line of a card: a dot in the colour of the state, the name, the state in words.

    ``more`` stands behind the name where there is room for it.
    """
    tone = tone_of(status) if not unknown else Tone.UNKNOWN
    style = _STYLES[tone]
    dot = "●" if can_draw(console.file) else "*"
    left = Text.assemble((f"{dot} ", style), (safe(name), "bold"))
    right = Text(safe(unknown) if unknown else in_words(safe(status)), style=style)
    if left.cell_len + len(more) + right.cell_len + 4 <= console.width and more:
        left.append(f"  {more}", "dim")
    if left.cell_len + right.cell_len + 2 > console.width:
        return Text.assemble(left, "\n  ", right)
    return Text.assemble(left, " " * (console.width - left.cell_len - right.cell_len), right)


def summary(variables: Mapping[str, str]) -> str:
    """Charge, runtime and load in a few words: ``93 %, 4 min, load 5 %``; what is not known is left out."""
    charge, runtime, load = (
        number(variables.get(name, ""))
        for name in ("battery.charge", "battery.runtime", "ups.load")
    )
    parts = [] if charge is None else [f"{charge:g} %"]
    if runtime is not None and runtime >= 0:
        parts.append(duration(runtime))
    if load is not None:
        parts.append(f"load {load:g} %")
    return ", ".join(parts)


_UNIT = re.compile(r"(?<=\d) (?=(?:[VWAs%]|VA|Hz|min|h|d)(?:\W|$))")


def folded(text: str, width: int, *, indent: str = "", hang: str = "") -> list[str]:
    """Lines of at most ``width``, none of which ends between a number and its unit."""
    lines = textwrap.wrap(
        _UNIT.sub("\N{NO-BREAK SPACE}", text),
        width,
        initial_indent=indent,
        subsequent_indent=f"{indent}{hang}",
        break_on_hyphens=False,
    )
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines]


class Summary:
    """The rows of one UPS for one console. ``today`` is for the battery's age."""

    def __init__(
        self, variables: Mapping[str, str], console: Console, *, today: datetime.date
    ) -> None:
        self._variables = variables
        self._today = today
        self._drawn = can_draw(console.file)
        self._width = max(10, min(30, (console.width - LABEL_WIDTH) // 3))
        self._room = max(20, console.width - LABEL_WIDTH - 1)

    def rows(self) -> Iterator[Row]:
        """All rows that there is something to say for."""
        yield from self._status()
        yield from self._charge()
        yield from self._runtime()
        yield from self._load()
        yield from self._voltages()
        yield from self._age()

    def brief(self) -> Iterator[Row]:
        """Those that move."""
        yield from self._charge()
        yield from self._runtime()
        yield from self._load()

    def _status(self) -> Iterator[Row]:
        status = self._text("ups.status")
        if not status:
            return
        text = Text(status, style=_STYLES[tone_of(status)])
        alarm = self._text("ups.alarm")
        if alarm:
            text.append(f"  {alarm}", style="bold red")
        for name, word in (("reason", "because"), ("held", "held back")):
            why = self._text(f"experimental.ups.status.{name}")
            if why:
                below = "\n" + " " * len(f"{word}: ")
                text.append(f"\n{word}: {why.replace('; ', below)}", "dim")
        yield Row("Status", text)

    def _charge(self) -> Iterator[Row]:
        charge = self._number("battery.charge")
        if charge is None:
            return
        low = self._number("battery.charge.low")
        text = self._bar(charge / 100, bad=low is not None and charge <= low)
        text.append(f" {charge:g} %")
        if low is not None:
            text.append(f"  low at {low:g} %", "dim")
        yield Row("Battery", text)

    def _runtime(self) -> Iterator[Row]:
        runtime = self._number("battery.runtime")
        if runtime is None or runtime < 0:
            return
        low = self._number("battery.runtime.low")
        scale = next((each for each in _SCALES if runtime <= each), _SCALES[-1])
        text = self._bar(runtime / scale, bad=low is not None and runtime <= low)
        text.append(f" {duration(runtime)}")
        text.append(f"  of {duration(scale)}", "dim")
        if low is not None:
            text.append(f", low at {duration(low)}", "dim")
        yield Row("Runtime", text)

    def _load(self) -> Iterator[Row]:
        load = self._number("ups.load")
        if load is None:
            return
        text = self._bar(load / 100, bad=load >= _LOAD_FULL, note=load >= _LOAD_HIGH)
        text.append(f" {load:g} %")
        for names, unit in (
            (("ups.realpower", "ups.realpower.nominal"), "W"),
            (("ups.power", "ups.power.nominal"), "VA"),
        ):
            now, nominal = (self._number(name) for name in names)
            if now is not None:
                text.append(f"  {now:g} {unit}")
            if nominal is not None:
                text.append(
                    f" of {nominal:g} {unit}" if now is not None else f"  of {nominal:g} {unit}"
                )
        yield Row("Load", text)

    def _voltages(self) -> Iterator[Row]:
        parts: list[str] = []
        for side in ("input", "output", "battery"):
            volts = self._number(f"{side}.voltage")
            if volts is None:
                continue
            part = f"{side} {volts:g} V"
            nominal = self._number(f"{side}.voltage.nominal")
            if nominal is not None:
                part += f" (nominal {nominal:g} V)"
            hertz = self._number(f"{side}.frequency")
            if hertz is not None:
                part += f", {hertz:g} Hz"
            parts.append(part)
        if parts:
            yield Row("Voltage", Text("\n".join(folded("; ".join(parts), self._room))))

    def _age(self) -> Iterator[Row]:
        kind = self._text("battery.type")
        parts = [kind] if kind else []
        for name, word in (("battery.date", "fitted"), ("battery.mfr.date", "made")):
            said = self._text(name)
            if said:
                parts.append(f"{word} {said}{self._years(said)}")
        if parts:
            yield Row("Bat. age", Text(", ".join(parts)))

    def _years(self, date: str) -> str:
        found = _DATE.search(date)
        if not found:
            return ""
        try:
            days = (self._today - datetime.date(*map(int, found.groups()))).days
        except ValueError:
            return ""
        return f" ({days / 365.25:.1f} years ago)" if days >= 0 else ""

    def _bar(self, share: float, *, bad: bool = False, note: bool = False) -> Text:
        full, empty = bar(share, self._width, drawn=self._drawn)
        style = "red" if bad else "yellow" if note else "green"
        return Text.assemble((full, style), (empty, "dim"))

    def _text(self, name: str) -> str:
        return safe(self._variables.get(name, ""))

    def _number(self, name: str) -> float | None:
        return number(self._variables.get(name, ""))
