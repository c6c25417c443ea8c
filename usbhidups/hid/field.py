"""One field of one report: where its bits are and what the descriptor says of them. Data only."""

from __future__ import annotations

import enum
from typing import NamedTuple

__all__ = ["Field", "ReportType"]


class ReportType(enum.IntEnum):
    """The three report types of HID 1.11 section 5.6; the value is the number used in wValue.

    Whole numbers, because reports are looked up by them many times a second.
    """

    INPUT = 1
    OUTPUT = 2
    FEATURE = 3


class Field(NamedTuple):
    """One field of one report. (A named tuple, since a descriptor makes hundreds; ``_replace`` changes a copy.)

    ``path``: usages of the open collections, outermost first, then the field's own usage; each is
    ``page << 16 | id``. A collection whose type byte is 0x80 or more adds an index node after its usage
    (``usages.index_node``). ``offset`` and ``size`` are bits; bit 0 is the first bit after the id byte.
    ``logical_*`` are the limits after the "maximum written as -1" repair, which ``assumed_maximum`` tells.
    ``physical_*`` are None when never given. ``exponent`` is the sign-extended Unit Exponent.
    ``flags`` are the data bits of the main item (bit 0 constant, bit 1 variable, bit 8 buffered bytes).
    """

    report_type: ReportType
    report_id: int
    offset: int
    size: int
    path: tuple[int, ...]
    flags: int
    logical_minimum: int
    logical_maximum: int
    physical_minimum: int | None
    physical_maximum: int | None
    unit: int
    exponent: int
    assumed_maximum: bool = False

    @property
    def usage(self) -> int:
        """The field's own usage: the last node of its path."""
        return self.path[-1]
