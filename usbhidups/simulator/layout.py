"""The simulator's own reading of a report descriptor: which bits of which report are what.

Written apart from the driver's parser, on purpose: a mistake in one shows against the other. It reads
well-formed descriptors and is no judge of odd ones: what it does not understand becomes bits without meaning.
Sources: HID 1.11 section 6.2.2; units as in its section 6.2.2.7.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from usbhidups.simulator.usages import index_node

__all__ = ["Kind", "Layout", "Slot", "read_layout"]

MAX_SLOTS = 4096
"""No UPS has more fields than this; a descriptor that claims so is cut short."""


class Kind(enum.Enum):
    """Report types; the value is the high byte of wValue in GET_REPORT and SET_REPORT."""

    INPUT = 1
    OUTPUT = 2
    FEATURE = 3


_UNIT_EXPONENTS = {0x00F0D121: 7, 0x0000D121: 7}
"""Volt, and watt or volt-ampere: their codes are in units of 1e-7, so exponent 7 means whole ones."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One field of one report: ``offset`` and ``size`` in bits, bit 0 right after the id byte."""

    kind: Kind
    report_id: int
    offset: int
    size: int
    path: tuple[int, ...]
    logical_minimum: int
    logical_maximum: int
    physical_minimum: int
    physical_maximum: int
    unit: int
    exponent: int

    @property
    def usage(self) -> int:
        """What the field itself is; the nodes before it say of what."""
        return self.path[-1]

    @property
    def signed(self) -> bool:
        """Negative numbers are meant when the minimum is negative."""
        return self.logical_minimum < 0

    def value_of(self, raw: int) -> float:
        """A raw number in volts, seconds, percent …, by the declared limits, unit and exponent."""
        value = float(raw)
        if self._scaled():
            span = self.physical_maximum - self.physical_minimum
            steps = self.logical_maximum - self.logical_minimum
            value = (raw - self.logical_minimum) * span / steps + self.physical_minimum
        return float(value * 10.0 ** self._power_of_ten())

    def raw_of(self, value: float) -> int:
        """The raw number nearest to ``value``; the inverse of ``value_of``."""
        value = value / 10.0 ** self._power_of_ten()
        if self._scaled():
            span = self.physical_maximum - self.physical_minimum
            steps = self.logical_maximum - self.logical_minimum
            value = (value - self.physical_minimum) * steps / span + self.logical_minimum
        return round(value)

    def fit(self, raw: int) -> int:
        """``raw`` held inside what the field's bits can carry."""
        if self.signed:
            return max(-(1 << self.size - 1), min(raw, (1 << self.size - 1) - 1))
        return max(0, min(raw, (1 << self.size) - 1))

    def _scaled(self) -> bool:
        return (
            self.physical_maximum > self.physical_minimum
            and self.logical_maximum > self.logical_minimum
        )

    def _power_of_ten(self) -> int:
        return self.exponent - _UNIT_EXPONENTS.get(self.unit, 0)


@dataclass(frozen=True, slots=True)
class Layout:
    """All fields, in order, and each report's length in bytes without the id byte."""

    slots: tuple[Slot, ...]
    lengths: dict[tuple[Kind, int], int]
    numbered: bool

    def of_report(self, kind: Kind, report_id: int) -> tuple[Slot, ...]:
        """The fields of one report."""
        return tuple(s for s in self.slots if s.kind is kind and s.report_id == report_id)


@dataclass(frozen=True, slots=True)
class _Globals:
    page: int = 0
    logical_minimum: int = 0
    logical_maximum: int = 0
    logical_maximum_unsigned: int = 0
    physical_minimum: int = 0
    physical_maximum: int = 0
    unit: int = 0
    exponent: int = 0
    size: int = 0
    count: int = 0
    report_id: int = 0


_GLOBAL_NAMES = {
    0x14: "logical_minimum",
    0x34: "physical_minimum",
    0x44: "physical_maximum",
}
_MAIN_KINDS = {0x80: Kind.INPUT, 0x90: Kind.OUTPUT, 0xB0: Kind.FEATURE}


@dataclass(slots=True)
class _Reading:
    now: _Globals = field(default_factory=_Globals)
    pushed: list[_Globals] = field(default_factory=list)
    usages: list[int] = field(default_factory=list)
    range_start: int | None = None
    in_delimiter: bool = False
    collections: list[tuple[int, ...]] = field(default_factory=list)
    slots: list[Slot] = field(default_factory=list)
    bits: dict[tuple[Kind, int], int] = field(default_factory=dict)
    numbered: bool = False

    def item(self, prefix: int, data: bytes) -> None:
        tag = prefix & 0xFC
        unsigned = int.from_bytes(data, "little")
        signed = int.from_bytes(data, "little", signed=True) if data else 0
        if tag in _MAIN_KINDS:
            self._main(_MAIN_KINDS[tag])
        elif tag == 0xA0:
            self._open(unsigned)
        elif tag == 0xC0:
            if self.collections:
                self.collections.pop()
            self._forget_locals()
        elif prefix & 0x0C == 0x04:
            self._global(tag, unsigned, signed)
        elif prefix & 0x0C == 0x08:
            self._local(tag, unsigned, len(data))

    def _global(self, tag: int, unsigned: int, signed: int) -> None:
        if tag == 0x04:
            self.now = replace(self.now, page=unsigned & 0xFFFF)
        elif tag == 0x24:
            self.now = replace(self.now, logical_maximum=signed, logical_maximum_unsigned=unsigned)
        elif tag in _GLOBAL_NAMES:
            self.now = replace(self.now, **{_GLOBAL_NAMES[tag]: signed})
        elif tag == 0x54:
            exponent = signed if signed > 15 or signed < 0 else (signed & 0x0F ^ 8) - 8
            self.now = replace(self.now, exponent=exponent)
        elif tag == 0x64:
            self.now = replace(self.now, unit=unsigned)
        elif tag == 0x74:
            self.now = replace(self.now, size=unsigned)
        elif tag == 0x84:
            self.now = replace(self.now, report_id=unsigned & 0xFF)
            self.numbered = True
        elif tag == 0x94:
            self.now = replace(self.now, count=unsigned)
        elif tag == 0xA4:
            self.pushed.append(self.now)
        elif tag == 0xB4 and self.pushed:
            self.now = self.pushed.pop()

    def _local(self, tag: int, unsigned: int, width: int) -> None:
        usage = unsigned if width == 4 else self.now.page << 16 | unsigned
        if tag == 0xA8:
            self.in_delimiter = unsigned == 1
            if self.in_delimiter:
                self.usages.append(-1)  # the first usage of the set takes this place
        elif tag == 0x08 and self.in_delimiter:
            if self.usages[-1] == -1:
                self.usages[-1] = usage
        elif tag == 0x08:
            self.usages.append(usage)
        elif tag == 0x18:
            self.range_start = usage
        elif tag == 0x28 and self.range_start is not None:
            last = min(usage, self.range_start + MAX_SLOTS)
            self.usages.extend(range(self.range_start, last + 1))
            self.range_start = None

    def _forget_locals(self) -> None:
        self.usages.clear()
        self.range_start = None
        self.in_delimiter = False

    def _open(self, collection_type: int) -> None:
        nodes: tuple[int, ...] = (self.usages[0] if self.usages else 0,)
        if collection_type >= 0x80:
            nodes += (index_node(collection_type & 0x7F),)
        self.collections.append(nodes)
        self._forget_locals()

    def _main(self, kind: Kind) -> None:
        now = self.now
        key = (kind, now.report_id)
        start = self.bits.get(key, 0)
        self.bits[key] = start + now.size * now.count
        outer = tuple(node for nodes in self.collections for node in nodes)
        maximum = now.logical_maximum
        if maximum < now.logical_minimum:
            maximum = now.logical_maximum_unsigned
        for position in range(min(now.count, MAX_SLOTS - len(self.slots)) if self.usages else 0):
            usage = self.usages[min(position, len(self.usages) - 1)]
            self.slots.append(
                Slot(
                    kind=kind,
                    report_id=now.report_id,
                    offset=start + position * now.size,
                    size=now.size,
                    path=(*outer, usage),
                    logical_minimum=now.logical_minimum,
                    logical_maximum=maximum,
                    physical_minimum=now.physical_minimum,
                    physical_maximum=now.physical_maximum,
                    unit=now.unit,
                    exponent=now.exponent,
                )
            )
        self._forget_locals()


def _items(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(data):
        prefix = data[at]
        if prefix == 0xFE:
            at += 3 + (data[at + 1] if at + 1 < len(data) else 0)
            continue
        width = (0, 1, 2, 4)[prefix & 3]
        if at + 1 + width > len(data):
            return
        yield prefix, data[at + 1 : at + 1 + width]
        at += 1 + width


def read_layout(descriptor: bytes) -> Layout:
    """Read a report descriptor; never fails, reads as far as it makes sense."""
    reading = _Reading()
    for prefix, data in _items(descriptor):
        reading.item(prefix, data)
    lengths = {key: (bits + 7) // 8 for key, bits in reading.bits.items()}
    return Layout(tuple(reading.slots), lengths, reading.numbered)
