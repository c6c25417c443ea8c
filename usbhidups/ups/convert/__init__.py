"""One value of one row becomes text, and text becomes a value again.

``text`` and ``physical`` are what the rest of ups/ calls; the modules beside this one hold the conversions that
profile rows name in their ``convert`` key. Which device needs which is data (profiles/*.toml), never code.
"""

from __future__ import annotations

from usbhidups.ups.convert.names import CHOICES, COMMANDS, READERS, WRITERS
from usbhidups.ups.convert.numbers import formatted, is_sentinel, masked
from usbhidups.ups.convert.rules import Access
from usbhidups.ups.evidence import Reading
from usbhidups.ups.profile import VariableRow

__all__ = ["COMMANDS", "READERS", "WRITERS", "Access", "choices", "masked", "physical", "text"]


def text(row: VariableRow, reading: Reading, access: Access) -> str | None:
    """The published text of a reading; None where the value says nothing (a sentinel, a word unknown)."""
    if row.convert:
        return READERS[row.convert](row, reading, access)
    if row.table is not None:
        return row.table.get(masked(reading.logical, row.mask), row.otherwise) or None
    if is_sentinel(row, reading):
        return None
    return formatted(row, reading)


def physical(row: VariableRow, text: str, access: Access) -> float:
    """The physical value that a client's text asks for; ValueError (with the reason) when there is none."""
    if row.convert:
        writer = WRITERS.get(row.convert)
        if writer is None:
            raise ValueError(f"{row.name} cannot be set")
        return writer(row, text, access)
    if row.table is not None:
        for number, word in row.table.items():
            if word == text:
                return float(number)
        raise ValueError(f"{text!r} is none of {', '.join(row.table.values())}")
    return float(text) / row.scale


def choices(row: VariableRow, text: str) -> tuple[str, ...]:
    """The words offered for a setting that has the value ``text`` now."""
    if row.convert in CHOICES:
        return CHOICES[row.convert](row, text)
    return row.enum
