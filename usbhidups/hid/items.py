"""Cutting a report descriptor into items, and nothing more: no state, no meaning.

HID 1.11 section 6.2.2. An item is known by its prefix byte without the two size bits; those are the
constants below. Whatever the bytes are, iterating over them neither fails nor reads past the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

__all__ = ["Item", "iterate", "signed"]

INPUT = 0x80
OUTPUT = 0x90
COLLECTION = 0xA0
FEATURE = 0xB0
END_COLLECTION = 0xC0

USAGE_PAGE = 0x04
LOGICAL_MINIMUM = 0x14
LOGICAL_MAXIMUM = 0x24
PHYSICAL_MINIMUM = 0x34
PHYSICAL_MAXIMUM = 0x44
UNIT_EXPONENT = 0x54
UNIT = 0x64
REPORT_SIZE = 0x74
REPORT_ID = 0x84
REPORT_COUNT = 0x94
PUSH = 0xA4
POP = 0xB4

USAGE = 0x08
USAGE_MINIMUM = 0x18
USAGE_MAXIMUM = 0x28
DESIGNATOR_INDEX = 0x38
DESIGNATOR_MINIMUM = 0x48
DESIGNATOR_MAXIMUM = 0x58
STRING_INDEX = 0x78
STRING_MINIMUM = 0x88
STRING_MAXIMUM = 0x98
DELIMITER = 0xA8

LONG = 0xFE  # a long item; the specification defines none
TRUNCATED = 0x100  # no item at all: the descriptor ends inside one

_DATA_SIZES = (0, 1, 2, 4)


# Item: byte offset of its prefix, tag (a constant of this module), size of its data in bytes, and the data
# read as an unsigned little-endian number. A plain tuple, since a descriptor has hundreds.
Item: TypeAlias = tuple[int, int, int, int]


def iterate(data: bytes) -> Iterator[Item]:
    """Yield the items of a descriptor in order.

    Where the data end inside an item, the last thing yielded is a TRUNCATED item; its size is the number
    of bytes that are there, prefix included.
    """
    position = 0
    end = len(data)
    while position < end:
        prefix = data[position]
        if prefix == LONG:
            tag = LONG
            size = data[position + 1] if position + 1 < end else 0
            start = position + 3
        else:
            tag = prefix & 0xFC
            size = _DATA_SIZES[prefix & 3]
            start = position + 1
        following = start + size
        if following > end:
            yield position, TRUNCATED, end - position, 0
            return
        if size == 1:
            yield position, tag, 1, data[start]
        else:
            yield position, tag, size, int.from_bytes(data[start:following], "little")
        position = following


def signed(value: int, size: int) -> int:
    """Item data as two's complement at the size in bytes they were written in (HID 1.11 section 5.8)."""
    limit = 1 << (8 * size)
    return value - limit if 2 * value >= limit > 1 else value
