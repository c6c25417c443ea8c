"""Report descriptors: items become fields, with their bit positions, paths and limits.

(Types are the seam that ups/, probe and the tests stand on.)
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Descriptor", "Field", "Oddity", "ReportType", "parse"]


class ReportType(enum.Enum):
    """The three report types of HID 1.11 section 5.6; the value is the number used in wValue."""

    INPUT = 1
    OUTPUT = 2
    FEATURE = 3


@dataclass(frozen=True, slots=True)
class Field:
    """One field of one report.

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


@dataclass(frozen=True, slots=True)
class Oddity:
    """Something odd in a descriptor that did not stop the parse: byte offset and words."""

    offset: int
    text: str


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What a report descriptor says.

    ``fields`` are in order of appearance. ``report_bytes`` gives, for each report, its length in bytes
    without the id byte, padding included. ``numbered`` tells whether reports start with an id byte on
    the wire; inside this program report data always starts with an id byte (0 where not numbered).
    ``applications`` are the usages of the top-level application collections.
    """

    fields: tuple[Field, ...]
    report_bytes: Mapping[tuple[ReportType, int], int]
    numbered: bool
    applications: tuple[int, ...]
    oddities: tuple[Oddity, ...] = ()


def parse(data: bytes) -> Descriptor:
    """Parse a report descriptor; raise DescriptorError when nothing usable is in it."""
    raise NotImplementedError
