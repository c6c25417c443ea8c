"""Faults of a simulated device: which there are, which are on, and when one strikes.

What a fault does on the wire is done in ``gadget``; here is only its name, its numbers and its lifetime. The
letters in brackets are rows of the failure catalogue in docs/simulator.md.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

__all__ = ["FAULTS", "Fault", "FaultKind", "Faults", "parse_fault"]


@dataclass(frozen=True, slots=True)
class FaultKind:
    """``by_report``: it names a report id, or ``all``. ``amount``: default of its number, None: it has none."""

    text: str
    by_report: bool = False
    amount: float | None = None


FAULTS = MappingProxyType(
    {
        # one report
        "stall": FaultKind("GET_REPORT is stalled (B03)", by_report=True),
        "timeout": FaultKind("GET_REPORT is never answered (B13)", by_report=True),
        "hang": FaultKind(
            "as timeout, and so are the next N requests (B12)", by_report=True, amount=3
        ),
        "empty": FaultKind("GET_REPORT brings 0 bytes (B03)", by_report=True),
        "short": FaultKind("GET_REPORT brings N bytes at most (B06)", by_report=True, amount=1),
        "long": FaultKind("N bytes more than declared (B04, B05)", by_report=True, amount=8),
        "zero": FaultKind("the right length, all bytes 0 (D08)", by_report=True),
        "misnumber": FaultKind("answers with the id of report N (B05)", by_report=True, amount=255),
        "io": FaultKind("GET_REPORT fails with an I/O error (B01)", by_report=True),
        "slow": FaultKind("GET_REPORT takes N seconds (B02)", by_report=True, amount=1.0),
        "refuse": FaultKind("SET_REPORT is stalled", by_report=True),
        "ignore": FaultKind("SET_REPORT is acknowledged and ignored (E08, F06)", by_report=True),
        # every transfer
        "overflow": FaultKind("every control answer is longer than asked for (B04)"),
        "wedge": FaultKind("no transfer is answered (B08, B18)"),
        "errors": FaultKind("every transfer fails with an I/O error (B01, C05)"),
        "delay": FaultKind("every control transfer takes N milliseconds", amount=5),
        "lockup": FaultKind(
            "requests within N s of the last are lost; the 8th wedges it (B07, B09)", amount=0.05
        ),
        "piecemeal": FaultKind("a read shorter than the report takes it off the bus for 1 s (B16)"),
        "write-gap": FaultKind(
            "a SET_REPORT within N s of the last is acknowledged and ignored (B11)", amount=0.125
        ),
        "strict-length": FaultKind("a SET_REPORT that is not the declared length is stalled"),
        # the interrupt endpoint
        "interrupt-dead": FaultKind("never has anything to say (B08)"),
        "interrupt-error": FaultKind("fails with an I/O error (B14)"),
        "interrupt-stall": FaultKind("is halted until the host clears it"),
        "flood": FaultKind("sends its reports N times a second", amount=1000),
        # values
        "frozen": FaultKind("the reports stay as they are, whatever happens (B08)"),
        # descriptors and strings
        "junk-descriptor": FaultKind(
            "HID descriptor empty, report descriptor after N junk bytes (A01)", amount=8
        ),
        "hid-empty": FaultKind("the HID descriptor is answered with 0 bytes (A01)"),
        "hid-length": FaultKind(
            "the HID descriptor, when asked for, tells length N (A02, A03)", amount=0
        ),
        "hid-long": FaultKind("the HID descriptor is longer than asked for (A04)"),
        "config-length": FaultKind("the copy in the configuration tells length N (A02)", amount=0),
        "report-limit": FaultKind("the report descriptor ends after N bytes (A02)", amount=64),
        "descriptor-timeout": FaultKind("the report descriptor is never answered (A04)"),
        "strings-stall": FaultKind("string descriptors are stalled (A11)"),
        "strings-empty": FaultKind("string descriptors hold nothing (A12)"),
        "strings-language": FaultKind("the language table is nonsense, only 0x0409 answers (A10)"),
        # the bus
        "sleepy": FaultKind("N s without a transfer: off the bus for 0.5 s (C03)", amount=20),
        "bounce": FaultKind("each mains edge takes it off the bus for N s (C01)", amount=0.2),
        "reopen-crash": FaultKind(
            "opened within N s of a failed transfer it drops the load (B10)", amount=20
        ),
    }
)
"""All faults by name, in the order in which help and docs show them."""


@dataclass(slots=True)
class Fault:
    """One fault that is on. ``report`` None: all. ``until``: host time of its end. ``times``: strikes left.
    ``chance``: share of occasions at which it strikes."""

    name: str
    report: int | None = None
    amount: float = 0.0
    until: float | None = None
    times: int | None = None
    chance: float = 1.0

    def as_text(self) -> str:
        """As it would be switched on."""
        kind = FAULTS[self.name]
        words = [self.name]
        if kind.by_report:
            words.append("all" if self.report is None else f"{self.report:02x}")
        if kind.amount is not None:
            words.append(f"{self.amount:g}")
        if self.times is not None:
            words.append(f"times {self.times}")
        if self.chance < 1.0:
            words.append(f"chance {100 * self.chance:g}")
        return " ".join(words)


def parse_fault(words: Sequence[str], now: float) -> Fault:
    """``NAME [REPORT|all] [N] [for SECONDS] [times COUNT] [chance PERCENT]``; ValueError says what is wrong."""
    name, *rest = words
    kind = FAULTS.get(name)
    if kind is None:
        raise ValueError(f"unknown fault {name!r}")
    fault = Fault(name, amount=kind.amount or 0.0)
    if kind.by_report:
        if not rest:
            raise ValueError(f"{name} needs a report id or 'all'")
        word = rest.pop(0)
        fault.report = None if word == "all" else int(word, 16)
    if kind.amount is not None and rest and rest[0] not in ("for", "times", "chance"):
        fault.amount = float(rest.pop(0))
    while len(rest) >= 2:
        word, number = rest[:2]
        del rest[:2]
        if word == "for":
            fault.until = now + float(number)
        elif word == "times":
            fault.times = int(number)
        elif word == "chance":
            fault.chance = float(number) / 100.0
        else:
            raise ValueError(f"unexpected {word!r} after {name}")
    if rest:
        raise ValueError(f"unexpected {rest[0]!r} after {name}")
    return fault


@dataclass(slots=True)
class Faults:
    """The faults that are on. The same seed gives the same strikes."""

    random: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311 (no secret)
    active: list[Fault] = field(default_factory=list)

    def add(self, fault: Fault) -> None:
        """Switch one on, in place of the same one for the same report."""
        self.active = [f for f in self.active if (f.name, f.report) != (fault.name, fault.report)]
        self.active.append(fault)

    def clear(self, name: str | None = None) -> None:
        """Switch off all, or all of that name."""
        self.active = [f for f in self.active if name is not None and f.name != name]

    def strike(self, name: str, now: float, report: int | None = None) -> Fault | None:
        """The fault of that name, if it is on and strikes this time."""
        for fault in self.active:
            if fault.name != name or fault.report not in (None, report):
                continue
            if fault.until is not None and now >= fault.until:
                self.active.remove(fault)
                return None
            if fault.chance < 1.0 and self.random.random() >= fault.chance:
                return None
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self.active.remove(fault)
            return fault
        return None
