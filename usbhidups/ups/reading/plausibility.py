"""Reports that contradict physics or their predecessor: read again before they are believed (failure D08).

Some firmwares answer one read with zeros, or let the charge fall from full to nothing within a second. Such
a report is held back, and the same one is asked for at once; if the second agrees, both were true. A
report that the device announced by itself and that cannot be asked for is believed when it says so
twice, or when asking for it fails. Reports and their bytes only: what they mean is not known here.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from usbhidups.hid.descriptor import Field, ReportType
from usbhidups.hid.report import extract

__all__ = ["Decision", "Key", "Plausibility"]

Key = tuple[ReportType, int]
"""A report: its type and id."""

FALL_WINDOW = 30.0
"""Seconds within which a guarded number may not fall by more than half without a second look."""


class Decision(enum.Enum):
    """What is to be done with a report."""

    ACCEPT = "believe"
    RECHECK = "ask again"


class _Kind(enum.Enum):
    ZERO = "all zero"
    FALL = "a number fell by half"


@dataclass(frozen=True, slots=True)
class _Held:
    data: bytes
    kind: _Kind
    announced: bool
    by: Key


class Plausibility:
    """The gate between the wire and the evidence, for one connection.

    ``essential`` are the reports that carry the mains: all zeros is suspect in them even as the first thing
    heard. ``guarded`` are fields of numbers that cannot fall by half within seconds (charge, battery
    voltage).
    """

    def __init__(self, *, essential: Collection[Key], guarded: Collection[Field]) -> None:
        self._essential = frozenset(essential)
        self._guarded: dict[Key, list[Field]] = {}
        for field in guarded:
            self._guarded.setdefault((field.report_type, field.report_id), []).append(field)
        self._believed: dict[Key, tuple[bytes, float]] = {}
        self._suspects: dict[Key, _Held] = {}
        self._confirmed: list[tuple[Key, bytes]] = []

    def judge(
        self, key: Key, data: bytes, *, announced: bool, asked_as: Key, now: float
    ) -> Decision:
        """Judge a report. ``announced``: it came by itself, on the interrupt endpoint.

        ``asked_as`` is the report that is read for a second look: the Feature report of the same content.
        """
        suspect = self._suspects.pop(asked_as, None)
        kind = self._suspicious(key, data, now)
        if kind is not None and (suspect is None or suspect.kind is not kind):
            self._suspects[asked_as] = _Held(data, kind, announced, key)
            return Decision.RECHECK
        if suspect is not None and suspect.by != key and self._agrees(suspect, key, data):
            self._believed[suspect.by] = (suspect.data, now)
            self._confirmed.append((suspect.by, suspect.data))
        self._believed[key] = (data, now)
        return Decision.ACCEPT

    def confirmed(self) -> list[tuple[Key, bytes]]:
        """Reports that were held back and that the last one, a different one, has confirmed."""
        confirmed, self._confirmed = self._confirmed, []
        return confirmed

    def could_not_ask(self, asked_as: Key, *, now: float) -> tuple[Key, bytes] | None:
        """The second look failed: an announced report is believed now and returned, another is dropped."""
        suspect = self._suspects.pop(asked_as, None)
        if suspect is None or not suspect.announced:
            return None
        self._believed[suspect.by] = (suspect.data, now)
        return suspect.by, suspect.data

    def forget(self) -> None:
        """The device was opened anew: nothing is known of it."""
        self._believed.clear()
        self._suspects.clear()

    def _suspicious(self, key: Key, data: bytes, now: float) -> _Kind | None:
        before = self._believed.get(key)
        if before is not None and before[0] == data:
            return None
        if not any(data[1:]):
            was_zero = before is not None and not any(before[0][1:])
            if not was_zero and (before is not None or key in self._essential):
                return _Kind.ZERO
        if before is None or now - before[1] > FALL_WINDOW:
            return None
        return _Kind.FALL if any(self._fallen(key, before[0], data)) else None

    def _fallen(self, key: Key, before: bytes, data: bytes) -> Iterator[tuple[Field, int]]:
        """The guarded fields that fell by more than half, and from where."""
        for field in self._guarded.get(key, ()):
            old = extract(field, before)
            new = extract(field, data)
            if old is not None and new is not None and old >= 4 and new < old / 2:
                yield field, old

    def _agrees(self, suspect: _Held, key: Key, data: bytes) -> bool:
        """Whether the report that was read for a second look says what the suspect said. It need not be
        suspicious itself: it may have been read, doubted and believed before the suspect came."""
        if suspect.kind is _Kind.ZERO:
            return not any(data[1:])
        before, _ = self._believed[suspect.by]
        numbers = {field.path: extract(field, data) for field in self._guarded.get(key, ())}
        return not any(
            (number := numbers.get(field.path)) is not None and number >= old / 2
            for field, old in self._fallen(suspect.by, before, suspect.data)
        )
