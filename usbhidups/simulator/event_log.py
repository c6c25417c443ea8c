"""What happened to one simulated UPS, for people who watch: commands, switchings, writes, who opened it.

Times are the UPS's own seconds. Bounded: what nobody looked at in time is forgotten.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import takewhile

from usbhidups.simulator.layout import Kind, Layout
from usbhidups.simulator.output import Output, Switching
from usbhidups.simulator.reports import extract
from usbhidups.simulator.usages import node_text

__all__ = ["Entry", "EventLog", "written"]

KEPT = 200
FIELDS = 3
"""Fields of a written report that are named at most."""


@dataclass(frozen=True, slots=True)
class Entry:
    """``number`` counts the entries of one UPS from 1."""

    number: int
    at: float
    text: str


@dataclass(slots=True)
class EventLog:
    """The last entries, oldest first."""

    entries: deque[Entry] = field(default_factory=lambda: deque(maxlen=KEPT))
    _count: int = 0
    _switched: dict[int, Switching] = field(default_factory=dict)

    def add(self, at: float, text: str) -> None:
        """Write one line."""
        self._count += 1
        self.entries.append(Entry(self._count, at, text))

    def look_at(self, number: int, name: str, output: Output) -> None:
        """Write down the switchings of an output that are new since the last look."""
        last = self._switched.get(number)
        if not output.history or output.history[-1] is last:
            return
        self._switched[number] = output.history[-1]
        new = list(takewhile(lambda switching: switching is not last, reversed(output.history)))
        for switching in reversed(new):
            word = "on" if switching.on else "OFF"
            mains = ", while the mains are there" if switching.cut_on_mains else ""
            self.add(switching.at, f"{name} {word} ({switching.cause.value}{mains})")


def written(layout: Layout, report_id: int, data: bytes) -> str:
    """A SET_REPORT (Feature; ``data`` without the id byte) in hex and by its fields."""
    slots = [
        slot
        for slot in layout.of_report(Kind.FEATURE, report_id)
        if slot.offset + slot.size <= 8 * len(data)
    ]
    fields = [f"{node_text(slot.usage)} = {extract(data, slot)}" for slot in slots[:FIELDS]]
    if len(slots) > FIELDS:
        fields.append("…")
    shown = bytes((report_id, *data)).hex(" ")
    return f"{shown}{': ' if fields else ''}{', '.join(fields)}"
