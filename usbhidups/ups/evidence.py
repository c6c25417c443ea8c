"""What the device said last: the newest bytes of each report and when they came.

Nothing is decided here. A value exists only while a well-formed report says so; a report that was refused
is remembered as refused, so that the next row of a variable may be tried.
"""

from __future__ import annotations

from dataclasses import dataclass

from usbhidups.hid import report, units
from usbhidups.hid.descriptor import Descriptor, Field, ReportType

__all__ = ["Evidence", "Reading", "Report"]


@dataclass(frozen=True, slots=True)
class Report:
    """One report as received: ``data`` begins with the id byte, ``at`` is the caller's monotonic clock."""

    data: bytes
    at: float


@dataclass(frozen=True, slots=True)
class Reading:
    """One field of one report, raw beside decoded.

    ``raw`` are the field's bits as they came, unsigned; ``logical`` as the descriptor wants them read,
    never clamped; ``physical`` in SI units (kelvin, volts, seconds); ``in_range`` tells whether the
    logical value lies within the declared limits. ``at`` is when the report came.
    """

    field: Field
    raw: int
    logical: int
    physical: float
    in_range: bool
    at: float


class Evidence:
    """The newest report of each (type, id) of one connection.

    Reports with a field missing at the end (devices that send less than they declare) are kept: only
    the fields that arrived whole have a reading.
    """

    def __init__(self, descriptor: Descriptor) -> None:
        self._descriptor = descriptor
        self._reports: dict[tuple[ReportType, int], Report] = {}
        self._refused: dict[tuple[ReportType, int], float] = {}

    def feed(self, report_type: ReportType, data: bytes, at: float) -> None:
        """Take in a report as received (id byte first). Empty or unknown reports are no evidence."""
        if not data:
            return
        key = (report_type, data[0])
        if key in self._descriptor.report_bytes:
            self._reports[key] = Report(bytes(data), at)
            self._refused.pop(key, None)

    def refuse(self, report_type: ReportType, report_id: int, at: float) -> None:
        """Remember that the device did not give this report; what it said before stays, and ages."""
        self._refused[report_type, report_id] = at

    def drop(self, report_type: ReportType, report_id: int) -> None:
        """Drop a report that has failed for so long that its values are worth nothing."""
        self._reports.pop((report_type, report_id), None)

    def forget(self) -> None:
        """Drop everything: the device was reopened, or is another one."""
        self._reports.clear()
        self._refused.clear()

    def report(self, report_type: ReportType, report_id: int) -> Report | None:
        """The newest report of this type and id, None while there is none."""
        return self._reports.get((report_type, report_id))

    def refused(self, field: Field) -> bool:
        """Whether the field's report was asked for and never came."""
        key = (field.report_type, field.report_id)
        return key in self._refused and key not in self._reports

    def reading(self, field: Field, counterpart: Field | None = None) -> Reading | None:
        """What the field says; with a counterpart, whichever of the two was read last (the field at a tie)."""
        first = self._read(field)
        second = self._read(counterpart) if counterpart is not None else None
        if first is None or second is None:
            return first or second
        return second if second.at > first.at else first

    def _read(self, field: Field) -> Reading | None:
        got = self._reports.get((field.report_type, field.report_id))
        if got is None:
            return None
        raw = report.extract(field, got.data)
        if raw is None:
            return None
        logical, in_range = _logical(field, raw)
        return Reading(
            field=field,
            raw=raw,
            logical=logical,
            physical=units.to_physical(field, logical),
            in_range=in_range,
            at=got.at,
        )


def _logical(field: Field, raw: int) -> tuple[int, bool]:
    """The logical value of a field's bits, and whether it is within the declared limits.

    Two kinds of firmware break the limits: some leave junk above the bits that the limits need (APC BF 500;
    hid-power-device.md 3), some declare limits that belong to another item (CyberPower). So bits beyond the
    limits are dropped where that gives a value within them, and believed where it does not. Nothing is clamped.
    """
    whole = report.logical(field, raw)
    if report.in_range(field, whole):
        return whole, True
    folded = report.folded(field, raw)
    if report.in_range(field, folded):
        return folded, True
    return whole, False
