"""String descriptors that a report refers to by index."""

from __future__ import annotations

import re

from usbhidups.ups.convert.rules import Access
from usbhidups.ups.evidence import Reading
from usbhidups.ups.profile import VariableRow

__all__ = ["date_string", "string"]

_LARGEST_INDEX = 255
_DATE_LIKE = re.compile(r"[0-9]{1,4}([-/. ])[0-9]{1,2}(\1[0-9]{1,4})?")


def string(row: VariableRow, reading: Reading, access: Access) -> str | None:
    """The text of the string index; index 0 and an empty text mean that there is none (failure A12)."""
    if not 0 < reading.logical <= _LARGEST_INDEX:
        return None
    text = access.string(reading.logical)
    return (text or "").strip() or None


def date_string(row: VariableRow, reading: Reading, access: Access) -> str | None:
    """A text that should be a date; some firmware has its maker's name there (failure A13), which is none."""
    text = string(row, reading, access)
    return text if text is not None and _DATE_LIKE.fullmatch(text) else None
