"""Numbers and texts for the device: what a write has to put into a field, and what reading it back must show.

Delays are rounded up to the device's grain and never become 0 by rounding (F03); a cancel that the field cannot
hold is refused, because clamped to 0 it would mean "at once" (hid-power-device.md 4). Pure arithmetic.
"""

from __future__ import annotations

from usbhidups.hid import report, units
from usbhidups.hid.descriptor import Descriptor, Field, ReportType
from usbhidups.ups.convert import COMMANDS
from usbhidups.ups.mapping import BoundCommand
from usbhidups.ups.options import Options
from usbhidups.ups.plan import ReadBack, Write
from usbhidups.ups.writing.delays import rounded

__all__ = [
    "CANCEL",
    "Unencodable",
    "delay",
    "is_delay",
    "number",
    "read_back",
    "setting",
    "timer_read_back",
    "writable",
    "write",
]

CANCEL = -1
"""The physical value that means "no countdown" (Power Device class 4.1, DelayBefore…)."""

READ_BACK_SLACK = 15.0
"""Seconds by which a countdown may have gone on when it is read back."""

_DELAY_NAMES = ("DelayBeforeShutdown", "DelayBeforeStartup")


class Unencodable(ValueError):
    """The field cannot hold the value: say so to the client, send nothing. The text is the reason."""


def is_delay(path: str) -> bool:
    """Whether a path ends in a delay before the load is switched: a number of time, no magic word."""
    return path.rsplit(".", 1)[-1].endswith(_DELAY_NAMES)


def writable(field: Field) -> bool:
    """Whether the descriptor lets anybody write the field."""
    return field.report_type is ReportType.FEATURE and not field.flags & 1


def delay(bound: BoundCommand, seconds: int, options: Options, *, step: int) -> int:
    """The logical value for a delay in seconds, 0 for at once, CANCEL for none."""
    field = bound.field
    if bound.row.convert:
        try:
            return COMMANDS[bound.row.convert](rounded(seconds, step), options)
        except ValueError as error:
            raise Unencodable(f"{bound.row.path}: {error}") from None
    if seconds < 0:
        return _cancel(bound)
    value = units.to_logical(field, rounded(seconds, step), round_up=True)
    if seconds > 0 and value == units.to_logical(field, 0):
        raise Unencodable(f"{bound.row.path}: {seconds} s would be 0, which is at once")
    return _fitting(field, value, f"{seconds} s")


def number(field: Field, value: int) -> int:
    """The logical value for a plain number of the profile's or the client's."""
    return _fitting(field, units.to_logical(field, value), str(value))


def setting(field: Field, physical: float, *, mask: int | None, is_word: bool, before: int) -> int:
    """The logical value for a setting; ``is_word``: a table already gave the logical number.

    With a ``mask`` only its bits change, the others stay as in ``before`` (logical).
    """
    value = round(physical) if is_word else units.to_logical(field, physical)
    if mask is not None:
        shift = (mask & -mask).bit_length() - 1
        value = before & ~mask | (value << shift) & mask
    if not report.in_range(field, value):
        limits = [
            f"{units.to_physical(field, limit):g}"
            for limit in (field.logical_minimum, field.logical_maximum)
        ]
        raise Unencodable(f"the device takes {limits[0]} to {limits[1]}")
    return value


def write(
    on: Descriptor, field: Field, logical: int, words: str, *, may_fail: bool = False
) -> Write:
    """The step that puts a logical value into its field."""
    return Write(field, _size(on, field), logical, words, may_fail=may_fail)


def read_back(on: Descriptor, field: Field, *accepted: int, words: str) -> ReadBack:
    """The step that looks whether the field now holds one of these logical values."""
    return ReadBack(field, _size(on, field), tuple((value, value) for value in accepted), words)


def timer_read_back(
    on: Descriptor, bound: BoundCommand, logical: int, words: str
) -> ReadBack | None:
    """Look whether a countdown runs (or, after a cancel, rests). None where reading it says nothing."""
    field = bound.field
    if bound.row.convert:
        return None
    if logical < 0:
        all_ones = logical & (1 << field.size) - 1  # as a field without a sign shows it
        return read_back(on, field, logical, all_ones, 0, words=words)
    zero = units.to_logical(field, 0)
    if logical <= zero:
        return None
    slack = max(1, round(READ_BACK_SLACK / max(units.grain(field), 1e-9)))
    least = zero if field.logical_minimum < 0 else zero + 1  # a resting timer shows -1, or else 0
    accept = ((max(least, logical - slack), logical),)
    return ReadBack(field, _size(on, field), accept, words, must_change=True)


def _size(on: Descriptor, field: Field) -> int:
    return on.report_bytes[field.report_type, field.report_id] + 1


def _cancel(bound: BoundCommand) -> int:
    field = bound.field
    value = units.to_logical(field, CANCEL)
    zero = units.to_logical(field, 0)
    limited = field.physical_minimum is not None or field.physical_maximum is not None
    if value >= zero or (limited and not report.in_range(field, value)):
        raise Unencodable(f"{bound.row.path} cannot hold -1 (no countdown): it would mean at once")
    return value


def _fitting(field: Field, value: int, words: str) -> int:
    if report.in_range(field, value):
        return value
    if 0 <= value < 1 << field.size and value <= 255 and field.size <= 8:
        return value  # firmware that declares less than it takes, in a small enumerated field
    raise Unencodable(f"{words} is more than the device can hold")
