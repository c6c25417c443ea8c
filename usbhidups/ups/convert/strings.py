"""String descriptors that a report refers to by index."""

from __future__ import annotations

from usbhidups.ups.convert.rules import Access
from usbhidups.ups.evidence import Reading
from usbhidups.ups.profile import VariableRow

__all__ = ["string"]

_LARGEST_INDEX = 255


def string(row: VariableRow, reading: Reading, access: Access) -> str | None:
    """The text of the string index; index 0 and an empty text mean that there is none (failure A12)."""
    if not 0 < reading.logical <= _LARGEST_INDEX:
        return None
    text = access.string(reading.logical)
    return (text or "").strip() or None
