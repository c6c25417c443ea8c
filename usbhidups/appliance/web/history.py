"""The last day of one UPS in memory, bounded: one sample a minute, and a file to survive a restart."""

from __future__ import annotations

import json
import os
from collections import deque
from pathlib import Path

from usbhidups.appliance.web.snapshot import Sample, number

__all__ = ["DAY", "STEP", "History"]

DAY = 24 * 3600
STEP = 60
MOST_UPSES = 32


class History:
    """Samples by UPS. Times are arguments."""

    def __init__(self) -> None:
        self._samples: dict[str, deque[Sample]] = {}

    def add(self, target: str, variables: dict[str, str], *, now: float) -> None:
        """Take a sample if the last is a minute old. An outage is never averaged away: on battery every
        call is kept, at most one in five seconds."""
        samples = self._samples.get(target)
        if samples is None:
            if len(self._samples) >= MOST_UPSES:
                return
            samples = self._samples.setdefault(target, deque(maxlen=2 * DAY // STEP))
        step = 5 if "OB" in variables.get("ups.status", "").split() else STEP
        when = int(now)
        if samples and (when < samples[-1].when or when - samples[-1].when < step):
            if when < samples[-1].when - STEP:
                samples.clear()  # the clock was set back: what is there cannot be ordered
            return
        samples.append(
            Sample(
                when,
                number(variables.get("battery.charge")),
                number(variables.get("ups.load")),
                number(variables.get("input.voltage")),
            )
        )

    def of(self, target: str, *, now: float) -> tuple[Sample, ...]:
        """The samples of the last day, oldest first."""
        samples = self._samples.get(target, ())
        return tuple(sample for sample in samples if now - DAY <= sample.when <= now)

    def load(self, path: Path) -> None:
        """Take up what ``save`` left; anything else in the file is ignored."""
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return
        if not isinstance(found, dict):
            return
        for target, rows in list(found.items())[:MOST_UPSES]:
            if not isinstance(rows, list):
                continue
            kept = [Sample(*row) for row in rows if _is_row(row)]
            ordered = sorted(kept, key=lambda sample: sample.when)
            self._samples[target] = deque(ordered, maxlen=2 * DAY // STEP)

    def save(self, path: Path) -> None:
        """Write everything, complete or not at all. Raises OSError."""
        data = {
            target: [[s.when, s.charge, s.load, s.voltage] for s in samples]
            for target, samples in self._samples.items()
        }
        temporary = path.with_name(path.name + ".new")
        temporary.write_text(json.dumps(data), encoding="utf-8")
        os.replace(temporary, path)


def _is_row(row: object) -> bool:
    return (
        isinstance(row, list)
        and len(row) == 4
        and type(row[0]) is int
        and all(value is None or type(value) in (int, float) for value in row[1:])
    )
