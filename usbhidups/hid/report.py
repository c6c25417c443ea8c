"""Taking a field's bits out of a report and putting them back.

Report data are as everywhere in this program: the id byte first (0 where reports are not numbered), then
the bits, least significant first (HID 1.11 section 8.4). Raw is the unsigned content of a field, logical
is raw with its sign. No units here, no judgement of what a value out of range means.
"""

from __future__ import annotations

from usbhidups.hid.field import Field

__all__ = ["extract", "folded", "in_range", "insert", "logical"]

_ID_BITS = 8  # the id byte stands before bit 0 of every field


def extract(field: Field, report: bytes) -> int | None:
    """The field's raw bits, unsigned; None when the report ends before the field does."""
    start = _ID_BITS + field.offset
    end = start + field.size
    if end > 8 * len(report):
        return None
    word = int.from_bytes(report[start >> 3 : (end + 7) >> 3], "little")
    return (word >> (start & 7)) & ((1 << field.size) - 1)


def logical(field: Field, raw: int) -> int:
    """Raw bits with their sign: two's complement over the whole field exactly when the minimum is negative."""
    if field.logical_minimum < 0:
        return _sign_extended(raw, field.size)
    return raw


def folded(field: Field, raw: int) -> int:
    """Raw bits read as NUT reads them: only as many low bits as the limits need, then the sign.

    hid-power-device.md section 3, rule 3. Some firmware sends junk in the bits above. NUT also clamps the
    result into the limits; this does not.
    """
    bits = max(
        _magnitude_bits(field.logical_minimum),
        _magnitude_bits(field.logical_maximum),
    )
    if field.logical_minimum < 0:
        return _sign_extended(raw, bits + 1)
    return raw & ((1 << bits) - 1)


def in_range(field: Field, value: int) -> bool:
    """Whether a logical value lies within the field's limits; limits in disorder exclude nothing."""
    if field.logical_maximum < field.logical_minimum:
        return True
    return field.logical_minimum <= value <= field.logical_maximum


def insert(field: Field, report: bytes, value: int) -> bytes:
    """The report with the low ``field.size`` bits of a logical value in the field's place, all else untouched.

    ValueError when the report is too short to hold the field: it has to be brought to its declared length
    first, or the device would be sent less than it expects.
    """
    start = _ID_BITS + field.offset
    if start + field.size > 8 * len(report):
        raise ValueError(f"a report of {len(report)} bytes does not hold the field")
    mask = ((1 << field.size) - 1) << start
    word = int.from_bytes(report, "little") & ~mask | (value << start) & mask
    return word.to_bytes(len(report), "little")


def _sign_extended(raw: int, bits: int) -> int:
    sign = 1 << (bits - 1)
    return (raw & (sign - 1)) - (raw & sign)


def _magnitude_bits(limit: int) -> int:
    """Bits that hold a limit without its sign bit (-1 needs none, -128 and 127 need seven)."""
    return (limit if limit >= 0 else ~limit).bit_length()
