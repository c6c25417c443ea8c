"""Report descriptors: items become fields, with their bit positions, paths and limits.

HID 1.11 section 6.2.2 and hid-power-device.md section 2. What the descriptor says is kept as it says it;
the only repair is that of a maximum written as -1, which leaves no value in range. Other mistakes of known
firmware are mended by name elsewhere. Nothing here knows what a usage means.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice, repeat
from types import MappingProxyType

from usbhidups.errors import DescriptorError
from usbhidups.hid import items
from usbhidups.hid.items import Item, signed
from usbhidups.hid.usages import index_node

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


# Bounds. Real descriptors stay far below them (NUT allows 500 fields, 10 levels); they are there so that a
# descriptor made to exhaust its reader cannot.
_TRANSFER_LIMIT = 0xFFFF  # wLength has 16 bits: longer descriptors and reports cannot be asked for
_REPORT_LIMIT = 8 * (_TRANSFER_LIMIT - 1)  # bits of a report; the id byte takes the rest
_FIELD_LIMIT = 4096
_DEPTH_LIMIT = 32
_PUSH_LIMIT = 64
_ODDITY_LIMIT = 100
_EXPONENT_LIMIT = 127

_DATA_KIND = (
    3  # of a main item's bits: constant and variable; both clear is an array that carries data
)
_APPLICATION = 1  # collection types
_INDEXED = 0x80

_REPORT_TYPES = {
    items.INPUT: ReportType.INPUT,
    items.OUTPUT: ReportType.OUTPUT,
    items.FEATURE: ReportType.FEATURE,
}
_SIGNED_GLOBALS = frozenset(
    {
        items.LOGICAL_MINIMUM,
        items.LOGICAL_MAXIMUM,
        items.PHYSICAL_MINIMUM,
        items.PHYSICAL_MAXIMUM,
        items.UNIT_EXPONENT,
    }
)
_UNSIGNED_GLOBALS = frozenset(
    {items.USAGE_PAGE, items.UNIT, items.REPORT_SIZE, items.REPORT_ID, items.REPORT_COUNT}
)
_UNSIGNED_MAXIMUM = -1  # where the other reading of the Logical Maximum is kept among the globals
_IGNORED = frozenset(
    {
        items.LONG,
        items.DESIGNATOR_INDEX,
        items.DESIGNATOR_MINIMUM,
        items.DESIGNATOR_MAXIMUM,
        items.STRING_INDEX,
        items.STRING_MINIMUM,
        items.STRING_MAXIMUM,
    }
)


def parse(data: bytes) -> Descriptor:
    """Parse a report descriptor, whatever is in it; cost and memory are bounded.

    What is odd but can be lived with becomes an Oddity. DescriptorError when no field comes of it, or when
    it is longer than USB can transfer. Whether the device is a UPS is not asked here: see ``applications``.
    """
    if len(data) > _TRANSFER_LIMIT:
        raise DescriptorError(f"{len(data)} bytes are more than a report descriptor can have")
    parser = _Parser()
    for item in items.iterate(data):
        if not parser.accept(item):
            break
    return parser.finish(len(data))


class _Locals:
    """Local state: the usages waiting for the next main item, as runs of (first, last)."""

    __slots__ = ("_in_set", "_set_taken", "first", "last", "page", "runs")

    def __init__(self) -> None:
        self.runs: list[tuple[int, int]] = []
        self.page: int | None = None  # under which the last short usage was read
        self.first: int | None = None  # half a range, waiting for its other half
        self.last: int | None = None
        self._in_set = False
        self._set_taken = False

    def delimit(self, *, opening: bool) -> None:
        """Begin or end a set of alternatives; its first member is the preferred one, and the one kept."""
        self._in_set = opening
        self._set_taken = False

    def add(self, first: int, last: int) -> None:
        if not self._set_taken:
            self.runs.append((first, last))
        self._set_taken = self._in_set

    def total(self) -> int:
        return sum([last - first + 1 for first, last in self.runs])

    def take(self, count: int) -> Iterator[int]:
        """Yield ``count`` usages; the last one repeats."""
        every = chain.from_iterable([range(first, last + 1) for first, last in self.runs])
        return islice(chain(every, repeat(self.runs[-1][1])), count)


class _Parser:
    """Takes items one by one: globals by tag, local state, open collections, bits used per report."""

    def __init__(self) -> None:
        self._globals = dict.fromkeys(
            [*_UNSIGNED_GLOBALS, items.LOGICAL_MINIMUM, items.LOGICAL_MAXIMUM, _UNSIGNED_MAXIMUM], 0
        )
        self._pushed: list[dict[int, int]] = []
        self._locals = _Locals()
        self._paths: list[tuple[int, ...]] = [()]  # of the open collections
        self._too_deep = 0  # open collections beyond _DEPTH_LIMIT
        self._fields: list[Field] = []
        self._bits: dict[tuple[ReportType, int], int] = {}
        self._applications: list[int] = []
        self._oddities: dict[str, Oddity] = {}

    def accept(self, item: Item) -> bool:
        """Take one item; False when nothing after it can be trusted."""
        _, tag, size, value = item
        if tag == items.USAGE:
            usage = self._usage(size, value)
            self._locals.add(usage, usage)
        elif tag in _UNSIGNED_GLOBALS:
            self._globals[tag] = value
        elif tag in _SIGNED_GLOBALS:
            self._globals[tag] = signed(value, size)
            if tag == items.LOGICAL_MAXIMUM:
                self._globals[_UNSIGNED_MAXIMUM] = value
        elif tag in _REPORT_TYPES:
            self._report(item, _REPORT_TYPES[tag])
            self._locals = _Locals()
            return len(self._fields) < _FIELD_LIMIT
        elif tag == items.COLLECTION:
            self._open(item)
            self._locals = _Locals()
        elif tag == items.END_COLLECTION:
            self._close(item)
            self._locals = _Locals()
        elif tag not in _IGNORED:
            return self._rare(item)
        return True

    def finish(self, length: int) -> Descriptor:
        """What the items said; ``length`` is that of the whole descriptor."""
        if not self._fields:
            why = next(iter(self._oddities.values()), Oddity(length, "no report"))
            raise DescriptorError(f"no usable item ({why.text})", offset=why.offset)
        if len(self._paths) > 1:
            self._note(length, "a collection is not closed")
        ids = {report_id for _, report_id in self._bits}
        if len(ids) > 1 and 0 in ids:
            self._note(0, "some reports have an id and some have none")
        return Descriptor(
            fields=tuple(self._fields),
            report_bytes=MappingProxyType(
                {key: (min(bits, _REPORT_LIMIT) + 7) // 8 for key, bits in self._bits.items()}
            ),
            numbered=ids != {0},
            applications=tuple(self._applications),
            oddities=tuple(self._oddities.values()),
        )

    def _note(self, offset: int, text: str) -> None:
        """Remember an oddity, each text once, where it was first seen."""
        if len(self._oddities) < _ODDITY_LIMIT:
            self._oddities.setdefault(text, Oddity(offset, text))

    def _usage(self, size: int, value: int) -> int:
        """A usage with its page: its own where it has four bytes, else the one in force."""
        if size == 4:
            return value
        page = self._locals.page = self._globals[items.USAGE_PAGE] & 0xFFFF
        return page << 16 | value

    def _rare(self, item: Item) -> bool:
        offset, tag, size, value = item
        if tag == items.USAGE_MINIMUM:
            self._locals.first = self._usage(size, value)
            self._range(offset)
        elif tag == items.USAGE_MAXIMUM:
            self._locals.last = self._usage(size, value)
            self._range(offset)
        elif tag == items.DELIMITER:
            self._locals.delimit(opening=value == 1)
        elif tag == items.PUSH:
            self._pushed.append(self._globals.copy())
            if len(self._pushed) > _PUSH_LIMIT:
                self._note(offset, f"more than {_PUSH_LIMIT} pushes; the rest is ignored")
                return False
        elif tag == items.POP:
            if self._pushed:
                self._globals = self._pushed.pop()
            else:
                self._note(offset, "pop without push")
        elif tag == items.TRUNCATED:
            self._note(offset, "the descriptor ends inside an item")
        else:
            self._note(offset, f"reserved item {tag:#04x}")
        return True

    def _range(self, offset: int) -> None:
        first, last = self._locals.first, self._locals.last
        if first is None or last is None:
            return
        self._locals.first = self._locals.last = None
        if first <= last and first >> 16 == last >> 16:
            self._locals.add(first, last)
        else:
            self._note(offset, f"usage range {first:#010x} to {last:#010x} is ignored")

    def _open(self, item: Item) -> None:
        if len(self._paths) > _DEPTH_LIMIT:
            self._too_deep += 1
            self._note(
                item.offset, f"collections more than {_DEPTH_LIMIT} deep; their items are ignored"
            )
            return
        usage = self._locals.runs[0][0] if self._locals.runs else 0
        path = (*self._paths[-1], usage)
        if item.value == _APPLICATION and len(self._paths) == 1:
            self._applications.append(usage)
        if item.value >= _INDEXED:
            path = (*path, index_node(item.value & 0x7F))
        self._paths.append(path)

    def _close(self, item: Item) -> None:
        if self._too_deep:
            self._too_deep -= 1
        elif len(self._paths) > 1:
            self._paths.pop()
        else:
            self._note(item.offset, "end of a collection that is not open")

    def _report(self, item: Item, report_type: ReportType) -> None:
        """An Input, Output or Feature item: its bits are used up, and become fields where they have usages."""
        offset, _, _, flags = item
        values = self._globals
        report_id = values[items.REPORT_ID]
        size = values[items.REPORT_SIZE]
        count = values[items.REPORT_COUNT]
        if report_id > 0xFF:
            self._note(offset, f"report id {report_id} does not fit its byte")
            report_id &= 0xFF
        start = self._bits.get((report_type, report_id), 0)
        end = self._bits[report_type, report_id] = start + size * count
        if end > _REPORT_LIMIT:
            self._note(
                offset,
                f"{report_type.name.lower()} report {report_id:#04x} is too long to transfer",
            )
            return
        waiting = self._locals
        if waiting.first is not None or waiting.last is not None:
            self._note(offset, "half a usage range is ignored")
        if not waiting.runs or self._too_deep or start == end:
            return  # padding
        page = values[items.USAGE_PAGE] & 0xFFFF
        if waiting.page not in (None, page):
            self._note(offset, "the usage page changes between a usage and its item")
        usages = waiting.take(min(count, _FIELD_LIMIT - len(self._fields)))
        if not flags & _DATA_KIND and waiting.total() > count:
            # The content of such a slot tells which usage is on; it is the value of none of them.
            self._note(offset, "an array chooses among usages; its fields are left without a name")
            usages = repeat(
                waiting.runs[0][0] & ~0xFFFF, min(count, _FIELD_LIMIT - len(self._fields))
            )
        minimum, maximum, assumed = self._logical_limits(offset)
        exponent = self._exponent(offset)
        path = self._paths[-1]
        for usage in usages:
            self._fields.append(
                Field(
                    report_type,
                    report_id,
                    start,
                    size,
                    (*path, usage),
                    flags,
                    minimum,
                    maximum,
                    values.get(items.PHYSICAL_MINIMUM),
                    values.get(items.PHYSICAL_MAXIMUM),
                    values[items.UNIT],
                    exponent,
                    assumed,
                )
            )
            start += size
        if start < end:
            self._note(offset, f"more than {_FIELD_LIMIT} fields; the rest is ignored")

    def _logical_limits(self, offset: int) -> tuple[int, int, bool]:
        """Minimum, maximum, and whether the maximum is read unsigned, since signed it is below the minimum.

        Judged when both are in force, whichever was written first (hid-power-device.md section 3, rule 1).
        """
        minimum = self._globals[items.LOGICAL_MINIMUM]
        maximum = self._globals[items.LOGICAL_MAXIMUM]
        if minimum <= maximum:
            return minimum, maximum, False
        unsigned = self._globals[_UNSIGNED_MAXIMUM]
        if minimum <= unsigned:
            self._note(
                offset, f"logical maximum {maximum} below minimum {minimum} is taken as {unsigned}"
            )
            return minimum, unsigned, True
        self._note(offset, f"logical maximum {maximum} is below minimum {minimum}")
        return minimum, maximum, False

    def _exponent(self, offset: int) -> int:
        """The unit exponent: four bits in two's complement, or a whole signed byte as in some firmware."""
        exponent = self._globals.get(items.UNIT_EXPONENT, 0)
        if 8 <= exponent <= 15:
            return exponent - 16
        if abs(exponent) > _EXPONENT_LIMIT:
            self._note(offset, f"unit exponent {exponent} is ignored")
            return 0
        return exponent
