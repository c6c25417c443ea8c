"""What a UPS shows: which fields of its reports say what about its state.

A field is written only when the state behind it changes, so a fixture's device answers with its recorded bytes
until something happens. Levels (volts, percent, seconds) move in proportion to the recorded number; a firmware
whose units are wrong stays wrong in its own way.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Set
from dataclasses import dataclass

from usbhidups.simulator.layout import Layout, Slot
from usbhidups.simulator.output import Output
from usbhidups.simulator.reports import Reports
from usbhidups.simulator.ups import MAIN, TEST_OFF, Test, Ups
from usbhidups.simulator.usages import index_node

__all__ = ["DeviceModel", "outlet_of", "standard"]

BATTERY_SYSTEM, BATTERY, CHARGER = 0x840010, 0x840012, 0x840014
INPUT, OUTPUT, OUTLET, POWER_SUMMARY = 0x84001A, 0x84001C, 0x840020, 0x840024
PRESENT_STATUS, SWITCH_ON_OFF = 0x840002, 0x84006B

FALLBACK_VOLTAGE = 230.0
FALLBACK_BATTERY = 12.0
FALLBACK_FREQUENCY = 50.0
FALLBACK_POWER = 500.0


def standard(node: int) -> int:
    """The standard usage that a vendor's copy of the power page (pages 0x86 and 0x02) stands for."""
    return 0x840000 | node & 0xFFFF if node >> 16 in (0x86, 0x02) else node


def outlet_of(slot: Slot) -> int:
    """Which output a field is about: 1 unless it stands in the collection of another outlet."""
    for first, second in zip(slot.path, slot.path[1:], strict=False):
        if first == OUTLET and second < 0:
            return max(MAIN, -1 - second)
    return MAIN


class _How(enum.Enum):
    FLAG = enum.auto()  # 1 or 0
    LEVEL = enum.auto()  # in proportion to the recorded number
    CODE = enum.auto()  # the number itself
    BITS = enum.auto()  # the bits of ``mask`` inside a status word


Source = Callable[[Ups], float]


@dataclass(frozen=True, slots=True)
class _Row:
    usage: int
    how: _How
    source: Source
    within: tuple[int, ...] = ()
    outside: tuple[int, ...] = ()
    mask: int = 0

    def fits(self, slot: Slot) -> bool:
        if slot.path[-1] != self.usage:
            return False
        outer = [standard(node) for node in slot.path[:-1]]
        return all(node in outer for node in self.within) and not any(
            node in outer for node in self.outside
        )


def _overloaded(ups: Ups) -> bool:
    return ups.flag("overload") or ups.load > 100.0


def _low(ups: Ups) -> bool:
    return ups.flag("low") or ups.charge < ups.low_charge


def _late(ups: Ups) -> bool:
    return ups.flag("time-limit") or (ups.draining and ups.runtime < ups.low_runtime)


def _imminent(ups: Ups) -> bool:
    if ups.flag("imminent"):
        return True
    if ups.mains_good:
        return False
    counting = ups.main.shutdown_at is not None
    return counting or ups.charge < 3.0 or (ups.quirks.nervous and ups.draining)


def _mains(ups: Ups) -> bool:
    return ups.mains_good or ups.quirks.blind_to_mains


def _charging(ups: Ups) -> bool:
    return ups.charging or (ups.quirks.floats and ups.mains_good and not ups.draining)


def _discharging(ups: Ups) -> bool:
    return ups.draining or (ups.quirks.hovers and ups.mains_good and not ups.charging)


def _off(ups: Ups) -> bool:
    at_test = ups.quirks.off_at_test and ups.testing and ups.now - ups.test_started < TEST_OFF
    return ups.flag("off") or not ups.main.on or at_test


def _on(ups: Ups) -> bool:
    return not _off(ups)


def _not_mains(ups: Ups) -> bool:
    return not ups.mains_good


def _boost(ups: Ups) -> bool:
    return ups.mains_good and ups.voltage < 0.92


def _buck(ups: Ups) -> bool:
    return ups.mains_good and ups.voltage > 1.08


def _regulation(ups: Ups) -> float:
    return 3 if _boost(ups) else 1 if _buck(ups) else 0


def _awaiting(ups: Ups) -> bool:
    return ups.flag("awaiting") or (not ups.main.on and not ups.mains_good)


def _input_voltage(ups: Ups) -> float:
    return ups.voltage if ups.mains else 0.0


def _input_frequency(ups: Ups) -> float:
    return 1.0 if ups.mains else 0.0


def _output_voltage(ups: Ups) -> float:
    if not ups.main.on:
        return 0.0
    regulated = not ups.mains_good or _boost(ups) or _buck(ups)
    return 1.0 if regulated else ups.voltage


def _output_frequency(ups: Ups) -> float:
    return 1.0 if ups.main.on else 0.0


def _load(ups: Ups) -> float:
    return ups.load if ups.main.on else 0.0


def _battery_voltage(ups: Ups) -> float:
    """A fraction of the nominal voltage: float charge, or sagging under load, 0.87 when empty."""
    if ups.flag("no-battery"):
        return 0.0
    return 0.87 + 0.17 * ups.charge / 100.0 + (0.0 if ups.draining else 0.06)


def _charger_status(ups: Ups) -> float:
    return 4 if ups.draining else 1 if ups.charging else 3


def _charger_mode(ups: Ups) -> float:
    return 2 if ups.draining else 1 if ups.charging else 4


_F, _L, _C, _B = _How.FLAG, _How.LEVEL, _How.CODE, _How.BITS
_INSIDE = (INPUT, OUTPUT)

ROWS = (
    _Row(0x8500D0, _F, _mains),
    _Row(0x850044, _F, _charging),
    _Row(0x850045, _F, _discharging),
    _Row(0x850046, _F, lambda u: u.charge >= 100.0),
    _Row(0x850047, _F, lambda u: u.charge <= 0.0),
    _Row(0x850042, _F, _low),
    _Row(0x850043, _F, _late),
    _Row(0x85004B, _F, lambda u: u.flag("replace")),
    _Row(0x8500D1, _F, lambda u: not u.flag("no-battery")),
    _Row(0x840060, _F, lambda u: not u.flag("no-battery"), within=(BATTERY,)),
    _Row(0x840069, _F, _imminent),
    _Row(0x840065, _F, _overloaded),
    _Row(0x840061, _F, _on),
    _Row(0x840062, _F, lambda u: u.flag("fault")),
    _Row(0x840063, _F, lambda u: u.mains and not u.mains_good),
    _Row(0x840064, _F, lambda u: u.flag("frequency")),
    _Row(0x840067, _F, lambda u: u.flag("hot")),
    _Row(0x84006E, _F, _boost),
    _Row(0x84006F, _F, _buck),
    _Row(0x840072, _F, _awaiting),
    _Row(0x840073, _F, lambda u: u.flag("comm-lost")),
    _Row(0x84006D, _F, lambda u: u.mains_good, within=(INPUT, index_node(1))),
    _Row(0x84006D, _F, _not_mains, within=(INPUT, index_node(3))),
    # Tripp Lite OMNI: battery flags with numbers of the power page
    _Row(0x8400D0, _F, _mains, within=(PRESENT_STATUS,)),
    _Row(0x840044, _F, _charging, within=(PRESENT_STATUS,)),
    _Row(0x840045, _F, _discharging, within=(PRESENT_STATUS,)),
    _Row(0x84004B, _F, lambda u: u.flag("replace"), within=(PRESENT_STATUS,)),
    # status words: Back-UPS LS, Belkin, old Powercom, Eaton's battery management
    _Row(0xFF860060, _C, lambda u: 8 if _on(u) else 0, within=(POWER_SUMMARY,)),
    _Row(0x860021, _B, _not_mains, mask=0x0001),
    _Row(0x860021, _B, _overloaded, mask=0x0010),
    _Row(0x860021, _B, _off, mask=0x0020),
    _Row(0x860021, _B, lambda u: u.flag("hot"), mask=0x0040),
    _Row(0x860021, _B, _awaiting, mask=0x2000),
    _Row(0x860022, _B, _low, mask=0x04),
    _Row(0x860022, _B, _charging, mask=0x10),
    _Row(0x860022, _B, _discharging, mask=0x20),
    _Row(0x860022, _B, lambda u: u.charge <= 0.0, mask=0x40),
    _Row(0x860022, _B, lambda u: u.flag("replace"), mask=0x80),
    _Row(0x020082, _B, _not_mains, mask=0x01),
    _Row(0x020082, _B, _low, mask=0x02),
    _Row(0x020082, _B, _regulation, mask=0x18),
    _Row(0x020082, _B, _overloaded, mask=0x20),
    _Row(0x020081, _B, lambda u: u.flag("replace"), mask=0x02),
    _Row(0x020081, _B, lambda u: u.testing, mask=0x04),
    _Row(0x020081, _B, lambda u: u.main.shutdown_at is not None, mask=0x10),
    _Row(0xFFFF00E9, _C, _charger_status, within=(CHARGER,)),
    _Row(0xFFFF0094, _C, _charger_mode, within=(CHARGER,)),
    _Row(0x840058, _C, lambda u: u.test),
    _Row(0x860058, _C, lambda u: 0 if u.test is Test.NONE else u.test),
    # levels
    _Row(0x850066, _L, lambda u: u.charge),
    _Row(0x850064, _L, lambda u: u.charge),
    _Row(0x850065, _L, lambda u: u.charge),
    _Row(0x860039, _L, lambda u: u.charge),
    _Row(0x850068, _L, lambda u: u.runtime),
    _Row(0x850069, _L, lambda u: u.runtime),
    _Row(0x86006C, _L, lambda u: u.runtime / 60.0),
    *(
        _Row(page | usage, how, source, within, outside)
        for page in (0x840000, 0x860000)
        for usage, how, source, within, outside in (
            (0x30, _L, _input_voltage, (INPUT,), ()),
            (0x30, _L, _output_voltage, (OUTPUT,), ()),
            (0x30, _L, _output_voltage, (OUTLET,), ()),
            (0x30, _L, _battery_voltage, (POWER_SUMMARY,), _INSIDE),
            (0x30, _L, _battery_voltage, (BATTERY,), (*_INSIDE, POWER_SUMMARY, BATTERY_SYSTEM)),
            (0x30, _L, _battery_voltage, (BATTERY_SYSTEM,), _INSIDE),
            (0x32, _L, _input_frequency, (INPUT,), ()),
            (0x32, _L, _output_frequency, (OUTPUT,), ()),
            (0x35, _L, _load, (), ()),
            (0x33, _L, _load, (), ()),
            (0x34, _L, _load, (), ()),
            (0x31, _L, _load, (OUTPUT,), ()),
        )
    ),
)

UNSHOWN = math.nan
"""Differs from everything, itself included."""

_WHOLE = {
    0x30: FALLBACK_VOLTAGE,
    0x32: FALLBACK_FREQUENCY,
    0x33: FALLBACK_POWER / 100.0,
    0x34: FALLBACK_POWER / 100.0,
    0x31: FALLBACK_POWER / 100.0 / FALLBACK_VOLTAGE,
}
"""What one unit of a source is worth in the field's own unit, where no recorded number tells."""


@dataclass(slots=True)
class _Binding:
    slot: Slot
    row: _Row
    recorded: int
    at_first: float
    last: float

    def raw(self, value: float, reports: Reports) -> int:
        if self.row.how is _How.BITS:
            shift = (self.row.mask & -self.row.mask).bit_length() - 1
            word = (reports.get(self.slot) or 0) & ~self.row.mask
            return word | int(value) << shift
        if self.row.how is not _How.LEVEL:
            return self.slot.fit(int(value))
        if self.recorded and self.at_first:
            return self.slot.fit(round(self.recorded * value / self.at_first))
        whole = _WHOLE.get(self.slot.usage & 0xFF, 1.0)
        if self.row.source is _battery_voltage:
            whole = FALLBACK_BATTERY
        return self.slot.fit(self.slot.raw_of(value * whole))


@dataclass(slots=True)
class _Timer:
    """A timer's read-back: seconds left, or what the fixture showed while idle."""

    slot: Slot
    outlet: int
    idle: int
    last: int

    def raw(self, output: Output, now: float) -> int:
        until, waiting = {
            0x57: (output.shutdown_at, False),
            0x56: (output.startup_at, output.waiting and not output.on),
            0x55: (output.reboot_until, False),
            0x7C: (output.reboot_until, False),
            0x7D: (output.shutdown_at, False),
            0x7E: (output.startup_at, output.waiting and not output.on),
        }[self.slot.usage & 0xFF]
        if until is None:
            return 0 if waiting else self.idle
        seconds = math.ceil(until - now)
        if output.quirks.minute_second_timers:
            return _minutes_and_seconds(self.slot, seconds)
        if self.slot.usage in MINUTES:
            return self.slot.fit(math.ceil(seconds / 60))
        return self.slot.fit(self.slot.raw_of(seconds))


TIMERS = frozenset(
    page | usage
    for page in (0x840000, 0x860000, 0x020000, 0xFF0000)
    for usage in (0x55, 0x56, 0x57)
) | {0xFF86007C, 0xFF86007D, 0xFF86007E, 0xFFFF0056}
"""Usages that count down: the standard ones and vendors' copies of them."""
MINUTES = frozenset({0x860056, 0xFFFF0056})
"""Timers in whole minutes although their unit does not say so."""


def _minutes_and_seconds(slot: Slot, seconds: int) -> int:
    minutes, rest = divmod(max(seconds, 0), 60)
    if slot.usage & 0xFF == 0x56:
        minutes = (seconds + 59) // 60
        return (minutes & 0xFF) << 8 | minutes >> 8
    return slot.fit((minutes & 0xFF) << 8 | rest)


class DeviceModel:
    """The bindings of one device; ``show`` brings its reports up to date. ``blank``: fields of which no
    number was recorded; they are written the first time."""

    def __init__(
        self, layout: Layout, reports: Reports, ups: Ups, *, blank: Set[Slot] = frozenset()
    ) -> None:
        self._bindings: list[_Binding] = []
        self._timers: list[_Timer] = []
        for slot in layout.slots:
            recorded = reports.get(slot)
            if recorded is None:
                continue
            if slot.usage in TIMERS:
                idle = slot.fit(-1) if slot in blank else recorded
                self._timers.append(_Timer(slot, outlet_of(slot), idle, recorded))
                continue
            rows = (*ROWS, _switch_row(slot)) if slot.usage == SWITCH_ON_OFF else ROWS
            self._bindings += [
                _Binding(
                    slot,
                    row,
                    recorded,
                    first := row.source(ups),
                    UNSHOWN if slot in blank else first,
                )
                for row in rows
                if row.fits(slot) and not _is_unknown(slot, row, recorded)
            ]
        self.shown = frozenset(binding.slot for binding in self._bindings) | {
            timer.slot for timer in self._timers
        }

    def show(self, ups: Ups, reports: Reports) -> None:
        """Write what changed since the last time."""
        for binding in self._bindings:
            value = binding.row.source(ups)
            if value != binding.last:
                binding.last = value
                reports.put(binding.slot, binding.raw(value, reports))
        for timer in self._timers:
            raw = timer.raw(ups.outputs[timer.outlet], ups.now)
            if raw != timer.last:
                timer.last = raw
                reports.put(timer.slot, raw)


def _switch_row(slot: Slot) -> _Row:
    number = outlet_of(slot)
    return _Row(slot.usage, _How.FLAG, lambda ups: ups.main.on and ups.outputs[number].on)


def _is_unknown(slot: Slot, row: _Row, recorded: int) -> bool:
    """All ones in a level is a firmware's word for 'not known': it stays so."""
    return row.how is _How.LEVEL and slot.size >= 16 and recorded in (-1, (1 << slot.size) - 1)
