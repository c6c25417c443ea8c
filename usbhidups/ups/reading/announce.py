"""Does the interrupt endpoint announce status changes? Learned from what is seen, not from what is promised.

A change of flags that an Input report brought, and that a later control read of the same flags confirms, is
a proof; a change that a control read sees first, with no announcement following at once, is a disproof.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from usbhidups.hid.descriptor import Field
from usbhidups.hid.report import extract
from usbhidups.ups.mapping import Binding
from usbhidups.ups.reading.wanted import Key, key_of

__all__ = ["Announcements", "Finding"]

LATE = 0.5
"""Seconds by which an announcement may come after a control read saw the change."""


@dataclass(frozen=True, slots=True)
class Finding:
    """``announces`` True: a proof for this report; False: a disproof; None: an announcement may yet come."""

    key: Key
    announces: bool | None


@dataclass(slots=True)
class _State:
    values: tuple[int | None, ...] | None = None
    polled: bytes = (
        b""  # what the last control read brought, b"" where an announcement came after it
    )
    announced: bool = False
    unannounced_at: float | None = None


class Announcements:
    """What is known of each polled report that an Input report covers."""

    def __init__(self, binding: Binding, covered: Mapping[Key, Key]) -> None:
        self._covered = covered
        self._pairs: dict[Key, list[tuple[Field, Field]]] = {key: [] for key in covered}
        self._states = {key: _State() for key in covered}
        for bound in binding.flags:
            key = key_of(bound.field)
            if key in self._pairs and bound.counterpart is not None:
                self._pairs[key].append((bound.field, bound.counterpart))

    def announced(self, key: Key, data: bytes, *, now: float) -> list[Finding]:
        """An Input report came by itself."""
        findings: list[Finding] = []
        for polled, announcer in self._covered.items():
            pairs = self._pairs[polled]
            if announcer != key or not pairs:
                continue
            state = self._states[polled]
            values = tuple(extract(counterpart, data) for _, counterpart in pairs)
            if state.unannounced_at is not None:
                late = now - state.unannounced_at
                state.unannounced_at = None
                if values == state.values and late <= LATE:
                    findings.append(Finding(polled, announces=True))
                else:
                    findings.append(Finding(polled, announces=False))
            if state.values is not None and values != state.values:
                state.announced = True
            state.values = values
            state.polled = b""
        return findings

    def polled(self, key: Key, data: bytes, *, now: float) -> list[Finding]:
        """A control read of a report succeeded."""
        pairs = self._pairs.get(key)
        if not pairs:
            return []
        findings: list[Finding] = []
        state = self._states[key]
        if state.polled == data and state.unannounced_at is None:
            return findings
        values = tuple(extract(field, data) for field, _ in pairs)
        if state.unannounced_at is not None and now - state.unannounced_at > LATE:
            state.unannounced_at = None
            findings.append(Finding(key, announces=False))
        if state.values is not None and values != state.values:
            state.unannounced_at = now
            state.announced = False
            findings.append(Finding(key, announces=None))
        elif state.announced:
            state.announced = False
            findings.append(Finding(key, announces=True))
        state.values = values
        state.polled = data
        return findings

    def forget(self) -> None:
        """The device was opened anew: changes in between are nobody's fault."""
        for key in self._states:
            self._states[key] = _State()
