"""What was seen of one UPS while somebody watched: series for sparklines, and events with their time."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from usbhidups.tools.screen.labels import in_words, number
from usbhidups.tools.status.snapshot import Snapshot

__all__ = ["SERIES", "Event", "History"]

SERIES = ("battery.charge", "ups.load", "input.voltage")
"""Variables whose course is kept."""

LENGTH = 600
EVENTS = 50


@dataclass(frozen=True, slots=True)
class Event:
    """Something changed; ``at`` is the caller's wall clock as text."""

    at: str
    ups: str
    text: str


class History:
    """The course of one UPS."""

    def __init__(self) -> None:
        self.series: dict[str, deque[float | None]] = {
            name: deque(maxlen=LENGTH) for name in SERIES
        }
        self.events: deque[Event] = deque(maxlen=EVENTS)
        self._last: dict[str, str] = {}

    def add(self, snapshot: Snapshot, *, at: str) -> tuple[Event, ...]:
        """Take in one snapshot; what changed since the one before. The first one is an event itself."""
        for name, values in self.series.items():
            values.append(number(snapshot.text(name)) if snapshot.fresh else None)
        new = tuple(Event(at, snapshot.ups, text) for text in self._changes(snapshot))
        self.events.extend(new)
        return new

    def _changes(self, snapshot: Snapshot) -> list[str]:
        known = not snapshot.why_unknown
        now = {
            "status": in_words(snapshot.text("ups.status")) if known else snapshot.why_unknown,
            "alarm": snapshot.text("ups.alarm") if known else self._last.get("alarm", ""),
        }
        changes: list[str] = []
        for name, text in now.items():
            if text == self._last.get(name, ""):
                continue
            if name == "alarm":
                changes.append(f"alarm: {text}" if text else "no alarm any more")
            else:
                changes.append(text)
        self._last = now
        return changes
