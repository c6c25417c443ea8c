"""What was so and what was said, each with its time: material for the invariants."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from usbhidups.simulator.device import SimulatedDevice

__all__ = ["Arranged", "History", "Said", "Truth", "spans"]


@dataclass(frozen=True, slots=True)
class Truth:
    """How things stand with the simulated UPS."""

    mains: bool
    low: bool
    replace: bool
    no_battery: bool
    off: bool
    discharging: bool
    present: bool

    @classmethod
    def of(cls, device: SimulatedDevice) -> Truth:
        """As the device's own state has it; the reports are no source."""
        ups = device.ups
        quirks = ups.quirks
        imminent = not ups.mains_good and (ups.charge < 3.0 or (quirks.nervous and ups.draining))
        counting = not ups.mains_good and ups.main.shutdown_at is not None
        return cls(
            mains=ups.mains_good,
            low=ups.flag("low")
            or ups.charge < ups.low_charge
            or ups.flag("time-limit")
            or (ups.draining and ups.runtime < ups.low_runtime)
            or ups.flag("imminent")
            or imminent
            or counting,
            replace=ups.flag("replace"),
            no_battery=ups.flag("no-battery"),
            off=ups.flag("off") or not ups.main.on or (quirks.off_at_test and ups.testing),
            discharging=ups.draining,
            present=device.gadget.present,
        )


@dataclass(frozen=True, slots=True)
class Said:
    """What a client of the state socket sees."""

    fresh: bool
    words: tuple[str, ...]
    alarm: str
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class Arranged:
    """A fault that somebody arranged: it began, and it is over (infinity: never)."""

    what: str
    begins: float
    ends: float


_T = TypeVar("_T")


@dataclass
class History:
    """Changes only, in order, each with its time. ``turns``: how often the device_loop turned."""

    began: float = 0.0
    ended: float = 0.0
    truths: list[tuple[float, Truth]] = field(default_factory=list)
    said: list[tuple[float, Said]] = field(default_factory=list)
    faults: list[Arranged] = field(default_factory=list)
    turns: int = 0
    requests: int = 0

    def was(self, moment: float) -> Truth:
        """How things stood then."""
        return _at(self.truths, moment)

    def was_said(self, moment: float) -> Said:
        """What was published then."""
        return _at(self.said, moment)

    def truths_between(self, begin: float, end: float) -> list[Truth]:
        """Every truth that held at some time from ``begin`` to ``end``."""
        return [
            truth
            for start, stop, truth in spans(self.truths, self.ended)
            if start <= end and begin <= stop
        ]

    def disturbed(self, begin: float, end: float) -> bool:
        """Whether some fault was on at some time from ``begin`` to ``end``."""
        return any(fault.begins <= end and begin <= fault.ends for fault in self.faults)

    @property
    def statuses(self) -> list[str]:
        """The statuses that were published as fresh, in order, without repetitions."""
        found: list[str] = []
        for _, said in self.said:
            text = " ".join(said.words)
            if said.fresh and (not found or found[-1] != text):
                found.append(text)
        return found


def spans(changes: Sequence[tuple[float, _T]], end: float) -> Iterator[tuple[float, float, _T]]:
    """Begin, end and value of each stretch between two changes."""
    for place, (begin, value) in enumerate(changes):
        until = changes[place + 1][0] if place + 1 < len(changes) else end
        yield begin, until, value


def _at(changes: Sequence[tuple[float, _T]], moment: float) -> _T:
    low, high = 0, len(changes)
    while low < high:
        middle = (low + high) // 2
        if changes[middle][0] <= moment:
            low = middle + 1
        else:
            high = middle
    return changes[max(0, low - 1)][1]
