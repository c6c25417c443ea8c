"""SET of one variable becomes a write with its read-back, a change of the driver's own, or a refusal.

Checked against enum, range and length before anything is sent; success is said only of what the device shows
afterwards (failure E08). nut-driver-contract.md 6.2; codes 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass

from usbhidups.hid import units
from usbhidups.ups import convert
from usbhidups.ups.decode import Context, access, holds
from usbhidups.ups.evidence import Evidence
from usbhidups.ups.mapping import Binding, BoundVariable
from usbhidups.ups.plan import Refusal, WritePlan
from usbhidups.ups.writing import encode
from usbhidups.ups.writing.delays import Delays, conflict, rounded
from usbhidups.ups.writing.encode import Unencodable

__all__ = ["Local", "Settings"]

UNKNOWN = 1
INVALID = 2
UNCONVERTIBLE = 4
"""TRACKING codes of SET (nut-driver-contract.md 3.2)."""

LONGEST = 7200
"""Seconds: a longer delay is a mistake (F09)."""

_OFF = "ups.delay.shutdown"
_START = "ups.delay.start"


@dataclass(frozen=True, slots=True)
class Local:
    """A value of the driver's own: to be kept, nothing to be sent."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Settings:
    """What one UPS lets people change, in its present state."""

    binding: Binding
    evidence: Evidence
    context: Context
    delays: Delays

    def plan(
        self, name: str, text: str, *, row: BoundVariable | None
    ) -> WritePlan | Local | Refusal:
        """What carries out one SET; ``row`` is the row that publishes the variable now."""
        if name in self.context.options.overrides:
            return Refusal(UNKNOWN, f"{name} is fixed by override.{name}")
        bound = row if row is not None else self._first(name)
        if bound is None or not bound.row.writable:
            return Refusal(UNKNOWN, f"{name} cannot be set on this device")
        problem = self._unacceptable(bound, text)
        if problem:
            return Refusal(INVALID, f"{name}: {problem}")
        if bound.row.default is not None:
            return self._local(name, text)
        return self._write(bound, text)

    def _first(self, name: str) -> BoundVariable | None:
        return next(
            (
                bound
                for bound in self.binding.alternatives(name)
                if holds(bound.when, self.evidence, self.context)
            ),
            None,
        )

    @staticmethod
    def _unacceptable(bound: BoundVariable, text: str) -> str:
        """Why a client's text is not offered; "" where it is."""
        row = bound.row
        if row.enum and text not in row.enum:
            return f"{text!r} is none of {', '.join(row.enum)}"
        if row.length and len(text) > row.length:
            return f"longer than {row.length} characters"
        if row.ranges:
            try:
                value = float(text)
            except ValueError:
                return f"{text!r} is no number"
            if not any(low <= value <= high for low, high in row.ranges):
                return "out of range: " + ", ".join(f"{low} to {high}" for low, high in row.ranges)
        return ""

    def _local(self, name: str, text: str) -> Local | Refusal:
        if name not in (_OFF, _START):
            return Local(name, text)
        try:
            seconds = rounded(int(text), self.binding.profile.delay_step)
        except ValueError:
            return Refusal(INVALID, f"{name}: {text!r} is no whole number of seconds")
        least = 1 if name == _OFF else -1
        if not least <= seconds <= LONGEST:
            return Refusal(INVALID, f"{name}: {seconds} s is not within {least} to {LONGEST} s")
        wanted = (
            Delays(seconds, self.delays.start) if name == _OFF else Delays(self.delays.off, seconds)
        )
        problem = conflict(wanted)
        if problem and self._counts_both():
            return Refusal(INVALID, f"{name}: {problem}")
        return Local(name, str(seconds))

    def _counts_both(self) -> bool:
        """Whether both delays are sent and run side by side."""
        commands = self.binding
        return (
            commands.command("load.on.delay") is not None
            and commands.command("shutdown.return") is None
        )

    def _write(self, bound: BoundVariable, text: str) -> WritePlan | Refusal:
        row, field, on = bound.row, bound.field, self.binding.descriptor
        name = row.name
        if not encode.writable(field):
            return Refusal(UNKNOWN, f"{name}: {row.path} cannot be written on this device")
        try:
            wanted = convert.physical(row, text, access(self.binding, self.evidence, self.context))
        except ValueError as error:
            return Refusal(UNCONVERTIBLE, f"{name}: {error}")
        now = self.evidence.reading(field)
        try:
            value = encode.setting(
                field,
                wanted,
                mask=row.mask,
                is_word=row.table is not None,
                before=0 if now is None else now.logical,
            )
        except Unencodable as error:
            return Refusal(INVALID, f"{name}: {error}")
        shown = f"{row.path} = {text}"
        if row.table is None and not row.convert:
            shown = f"{row.path} = {units.to_physical(field, value):g}"
        return WritePlan(
            name,
            (
                encode.write(on, field, value, shown),
                encode.read_back(on, field, value, words=shown),
            ),
        )
