"""Report descriptors: items become fields, with their bit positions, paths and limits.

HID 1.11 section 6.2.2 and hid-power-device.md section 2. What the descriptor says is kept as it says it;
the only repair is that of a maximum written as -1, which leaves no value in range. Other mistakes of known
firmware are mended by name elsewhere. Nothing here knows what a usage means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from usbhidups.errors import DescriptorError
from usbhidups.hid import items
from usbhidups.hid.field import Field, ReportType
from usbhidups.hid.items import Item, signed
from usbhidups.hid.usages import index_node

__all__ = ["Descriptor", "Field", "Oddity", "ReportType", "parse"]


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
_RANGED_LIMIT = 4 * _FIELD_LIMIT  # usages named by ranges, in all
_DEPTH_LIMIT = 32
_PUSH_LIMIT = 64
_ODDITY_LIMIT = 100
_EXPONENT_LIMIT = 127

_DATA_KIND = 3  # bits constant and variable of a main item; with both clear it is an array of data
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
_ZERO_AT_START = (
    *_UNSIGNED_GLOBALS,
    items.LOGICAL_MINIMUM,
    items.LOGICAL_MAXIMUM,
    items.UNIT_EXPONENT,
    _UNSIGNED_MAXIMUM,
)
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
    parser.take(data)
    return parser.finish(len(data))


class _Unfinished:
    """Local state that few descriptors have: half a usage range, an open set of alternatives."""

    __slots__ = ("first", "last", "set_start")

    def __init__(self) -> None:
        self.first: int | None = None
        self.last: int | None = None
        self.set_start: int | None = None  # length of the queue when the set was opened


class _Parser:
    """State of the parse: globals by tag, queued usages, open collections, bits used per report."""

    def __init__(self) -> None:
        self._globals = dict.fromkeys(_ZERO_AT_START, 0)
        self._pushed: list[dict[int, int]] = []
        self._queue: list[int] = []  # usages waiting for the next main item
        self._unfinished: _Unfinished | None = None
        self._ranged = 0  # usages that ranges have queued so far
        self._paths: list[tuple[int, ...]] = [()]  # of the open collections
        self._too_deep = 0  # open collections beyond _DEPTH_LIMIT
        self._fields: list[Field] = []
        self._bits: dict[tuple[int, int], int] = {}  # used, by tag of main item and report id
        self._applications: list[int] = []
        self._oddities: dict[str, Oddity] = {}

    def take(self, data: bytes) -> None:
        """Go through the items; stop where nothing further can be trusted."""
        queue = self._queue
        values = self._globals
        for item in items.iterate(data):
            offset, tag, size, value = item
            if tag == items.USAGE:
                if size < 4:  # as _usage does, without the call: a third of all items are usages
                    value |= (values[items.USAGE_PAGE] & 0xFFFF) << 16
                queue.append(value)
            elif tag in _UNSIGNED_GLOBALS:
                values[tag] = value
            elif tag in _REPORT_TYPES:
                self._report(item)
                self._end_locals(offset)
                if len(self._fields) >= _FIELD_LIMIT:
                    self._note(offset, f"more than {_FIELD_LIMIT} fields are ignored")
                    break
            elif tag in _SIGNED_GLOBALS:
                self._signed_global(item)
            elif tag == items.COLLECTION:
                self._open(offset, value)
                self._end_locals(offset)
            elif tag == items.END_COLLECTION:
                self._close(offset)
                self._end_locals(offset)
            elif tag not in _IGNORED:
                self._rare(item)
                if len(self._pushed) > _PUSH_LIMIT:
                    break

    def finish(self, length: int) -> Descriptor:
        """What the items said; ``length`` is that of the whole descriptor."""
        if not self._fields:
            why = next(iter(self._oddities.values()), Oddity(length, "it has no field"))
            raise DescriptorError(f"no usable item: {why.text}", offset=why.offset)
        if len(self._paths) > 1:
            self._note(length, "a collection is not closed")
        ids = {report_id for _, report_id in self._bits}
        if len(ids) > 1 and 0 in ids:
            self._note(0, "some reports have an id and some have none")
        return Descriptor(
            fields=tuple(self._fields),
            report_bytes=MappingProxyType(
                {
                    (_REPORT_TYPES[tag], report_id): (min(bits, _REPORT_LIMIT) + 7) // 8
                    for (tag, report_id), bits in self._bits.items()
                }
            ),
            numbered=ids != {0},
            applications=tuple(self._applications),
            oddities=tuple(self._oddities.values()),
        )

    def _note(self, offset: int, text: str) -> None:
        """Remember an oddity, each text once, where it was first seen."""
        if len(self._oddities) < _ODDITY_LIMIT:
            self._oddities.setdefault(text, Oddity(offset, text))

    def _signed_global(self, item: Item) -> None:
        offset, tag, size, value = item
        number = signed(value, size)
        if tag == items.LOGICAL_MAXIMUM:
            self._globals[_UNSIGNED_MAXIMUM] = value
        elif tag == items.UNIT_EXPONENT:
            # Four bits in two's complement by the specification; some firmware writes a whole signed byte.
            if 8 <= number <= 15:
                number -= 16
            elif abs(number) > _EXPONENT_LIMIT:
                self._note(offset, f"unit exponent {number} is ignored")
                number = 0
        self._globals[tag] = number

    def _usage(self, size: int, value: int) -> int:
        """A usage with its page: its own where it has four bytes, else the one in force."""
        return value if size == 4 else (self._globals[items.USAGE_PAGE] & 0xFFFF) << 16 | value

    def _rare(self, item: Item) -> None:
        offset, tag, size, value = item
        if tag == items.USAGE_MINIMUM:
            self._range(offset, first=self._usage(size, value))
        elif tag == items.USAGE_MAXIMUM:
            self._range(offset, last=self._usage(size, value))
        elif tag == items.DELIMITER:
            self._delimit(offset, opening=value == 1)
        elif tag == items.PUSH:
            self._pushed.append(self._globals.copy())
            if len(self._pushed) > _PUSH_LIMIT:
                self._note(offset, f"more than {_PUSH_LIMIT} pushes; the rest is ignored")
        elif tag == items.POP:
            if self._pushed:
                self._globals.clear()
                self._globals.update(self._pushed.pop())
            else:
                self._note(offset, "pop without push")
        elif tag == items.TRUNCATED:
            self._note(offset, "the descriptor ends inside an item")
        else:
            self._note(offset, f"reserved item {tag:#04x}")

    def _range(self, offset: int, *, first: int | None = None, last: int | None = None) -> None:
        """Take one end of a usage range; queue its usages once both are there."""
        half = self._unfinished = self._unfinished or _Unfinished()
        half.first = first = half.first if first is None else first
        half.last = last = half.last if last is None else last
        if first is None or last is None:
            return
        half.first = half.last = None
        if last < first or last >> 16 != first >> 16 or self._ranged >= _RANGED_LIMIT:
            self._note(offset, f"usage range {first:#010x} to {last:#010x} is ignored")
            return
        usages = range(first, min(last + 1, first + _FIELD_LIMIT))  # more could not become fields
        self._ranged += len(usages)
        self._queue.extend(usages)

    def _delimit(self, offset: int, *, opening: bool) -> None:
        """Open or close a set of alternative usages: the first is the preferred one, and the one kept."""
        state = self._unfinished = self._unfinished or _Unfinished()
        if opening == (state.set_start is not None):
            self._note(offset, "delimiter within a set" if opening else "delimiter ends no set")
        elif opening:
            state.set_start = len(self._queue)
        else:
            self._close_set(state)

    def _close_set(self, state: _Unfinished) -> None:
        if state.set_start is not None:
            del self._queue[state.set_start + 1 :]
            state.set_start = None

    def _end_locals(self, offset: int) -> None:
        """Drop all local state, as every main item does."""
        self._queue.clear()
        if self._unfinished is not None:
            if self._unfinished.first is not None or self._unfinished.last is not None:
                self._note(offset, "half a usage range is ignored")
            self._unfinished = None

    def _open(self, offset: int, kind: int) -> None:
        if len(self._paths) > _DEPTH_LIMIT:
            self._too_deep += 1
            self._note(
                offset, f"collections more than {_DEPTH_LIMIT} deep; their items are ignored"
            )
            return
        usage = self._queue[0] if self._queue else 0
        path = (*self._paths[-1], usage)
        if kind == _APPLICATION and len(self._paths) == 1:
            self._applications.append(usage)
        if kind >= _INDEXED:
            path = (*path, index_node(kind & 0x7F))
        self._paths.append(path)

    def _close(self, offset: int) -> None:
        if self._too_deep:
            self._too_deep -= 1
        elif len(self._paths) > 1:
            self._paths.pop()
        else:
            self._note(offset, "end of a collection that is not open")

    def _report(self, item: Item) -> None:
        """An Input, Output or Feature item: its bits are used up, and become fields where they have usages."""
        offset, tag, _, flags = item
        values = self._globals
        report_id = values[items.REPORT_ID]
        size = values[items.REPORT_SIZE]
        count = values[items.REPORT_COUNT]
        if report_id > 0xFF:
            self._note(offset, f"report id {report_id} does not fit its byte")
            report_id &= 0xFF
        report_type = _REPORT_TYPES[tag]
        start = self._bits.get((tag, report_id), 0)
        end = self._bits[tag, report_id] = start + size * count
        if end > _REPORT_LIMIT:
            name = report_type.name.lower()
            self._note(offset, f"{name} report {report_id:#04x} is too long to transfer")
            return
        if not self._queue or self._too_deep or start == end:
            return  # padding
        minimum = values[items.LOGICAL_MINIMUM]
        maximum = values[items.LOGICAL_MAXIMUM]
        assumed = False
        if maximum < minimum:
            maximum, assumed = self._repaired_maximum(offset, minimum, maximum)
        physical_minimum = values.get(items.PHYSICAL_MINIMUM)
        physical_maximum = values.get(items.PHYSICAL_MAXIMUM)
        unit = values[items.UNIT]
        exponent = values[items.UNIT_EXPONENT]
        path = self._paths[-1]
        for usage in self._usages(offset, flags, count):
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
                    physical_minimum,
                    physical_maximum,
                    unit,
                    exponent,
                    assumed,
                )
            )
            start += size

    def _usages(self, offset: int, flags: int, count: int) -> list[int]:
        """The usages of ``count`` fields: one each, the last repeating."""
        queue = self._queue
        if self._unfinished is not None:
            self._close_set(self._unfinished)
        if not flags & _DATA_KIND and len(queue) > count:
            # What such a slot holds tells which usage is on; it is the value of none of them.
            self._note(offset, "an array chooses among usages; its fields have no name")
            queue = [queue[0] & ~0xFFFF]
        count = min(count, _FIELD_LIMIT - len(self._fields))
        return queue[:count] + queue[-1:] * (count - len(queue))

    def _repaired_maximum(self, offset: int, minimum: int, maximum: int) -> tuple[int, bool]:
        """A maximum below the minimum, read unsigned if that helps, and whether it did.

        Judged when both are in force, whichever was written first (hid-power-device.md section 3, rule 1).
        """
        unsigned = self._globals[_UNSIGNED_MAXIMUM]
        if unsigned < minimum:
            self._note(offset, f"logical maximum {maximum} is below minimum {minimum}")
            return maximum, False
        self._note(
            offset, f"logical maximum {maximum} below minimum {minimum} is taken as {unsigned}"
        )
        return unsigned, True
