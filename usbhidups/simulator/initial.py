"""The state that a fixture's recorded reports show: where the simulated UPS begins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from usbhidups.simulator.device_model import INPUT, OUTPUT, outlet_of
from usbhidups.simulator.layout import Kind, Layout, Slot
from usbhidups.simulator.output import Output
from usbhidups.simulator.reports import Reports
from usbhidups.simulator.ups import Test, Ups
from usbhidups.usb.fixture import Fixture

__all__ = ["awaken", "learn_limits", "make_fresh"]

AC_PRESENT, CHARGING, DISCHARGING = 0x8500D0, 0x850044, 0x850045
REMAINING, FULL, DESIGN = 0x850066, 0x850067, 0x850083
RUNTIME, LOAD = 0x850068, 0x840035
CAPACITY_LIMIT, TIME_LIMIT = 0x850029, 0x85002A

FACTORY = {
    0x8500D0: 1,  # ACPresent
    0x8500D1: 1,  # BatteryPresent
    0x850046: 1,  # FullyCharged
    0x850066: 100,  # RemainingCapacity
    0x850067: 100,  # FullChargeCapacity
    0x850083: 100,  # DesignCapacity
    0x850029: 20,  # RemainingCapacityLimit
    0x85008C: 30,  # WarningCapacityLimit
    0x85008D: 1,  # CapacityGranularity1
    0x85008E: 1,  # CapacityGranularity2
    0x85002C: 2,  # CapacityMode: percent
    0x85008B: 1,  # Rechargeable
    0x840058: Test.NONE,
    0x84005A: 2,  # AudibleAlarmControl: enabled
    0xFF860060: 8,  # APCStatusFlag: normal
    0x840057: -1,
    0x840056: -1,
    0x840055: -1,
}
"""Raw numbers of a UPS of which no report was recorded."""
FACTORY_VALUES = {0x850068: 1800.0, 0x840035: 20.0, 0x85002A: 120.0}
"""Likewise in units: run time, load, remaining time limit."""
NOMINAL_VOLTAGE, BATTERY_VOLTAGE, FREQUENCY = 230.0, 12.0, 50.0

LAST_GASP = 0.5
"""Percent of charge of a UPS that says it is empty and yet was there to be recorded."""

PLAUSIBLE_RUNTIME = range(30, 200_000)
"""Seconds; anything else is a sentinel, an idle estimate or nonsense."""


def awaken(layout: Layout, reports: Reports) -> Ups:
    """A UPS that is as the reports say; what they do not say is on mains, full, lightly loaded."""
    ups = Ups()
    for number in {outlet_of(slot) for slot in layout.slots}:
        ups.outputs.setdefault(number, Output(ups.quirks))
    flags = {
        usage: raw
        for usage, _, raw in _readings(layout, reports, (AC_PRESENT, CHARGING, DISCHARGING))
    }
    ups.mains = bool(flags.get(AC_PRESENT, True))
    ups.charge = _charge(layout, reports)
    if not ups.mains:
        ups.charge = max(ups.charge, LAST_GASP)  # it was recorded while it still carried its load
    ups.charging = ups.mains and bool(flags.get(CHARGING)) and ups.charge < 100.0
    ups.quirks.floats = ups.mains and bool(flags.get(CHARGING)) and not ups.charging
    ups.quirks.hovers = ups.mains and bool(flags.get(DISCHARGING))
    for _, slot, raw in _readings(layout, reports, (LOAD,)):
        if 0 < slot.value_of(raw) <= 150:
            ups.load = ups.reference_load = slot.value_of(raw)
            break
    for _, slot, raw in _readings(layout, reports, (RUNTIME,)):
        seconds = slot.value_of(raw)
        if round(seconds) in PLAUSIBLE_RUNTIME and ups.charge > 0:
            ups.runtime_full = seconds * 100.0 / ups.charge
            break
    learn_limits(ups, layout, reports)
    return ups


def learn_limits(ups: Ups, layout: Layout, reports: Reports) -> None:
    """Take the low-battery limits from the reports, where they can be set."""
    for _, slot, raw in _readings(layout, reports, (CAPACITY_LIMIT,)):
        share = raw if raw <= 100 else 100.0 * raw / max(_full(layout, reports, slot), 1)
        if 0 < share <= 100:
            ups.low_charge = share
            break
    for _, slot, raw in _readings(layout, reports, (TIME_LIMIT,)):
        ups.low_runtime = max(0.0, slot.value_of(raw))
        break


def make_fresh(
    layout: Layout, reports: Reports, fixture: Fixture, strings: Mapping[int, str]
) -> None:
    """Fill the reports of a device of which none was recorded: on mains, full, lightly loaded."""
    device = fixture.device
    indices = {text: index for index, text in sorted(strings.items(), reverse=True)}
    named = {0x8400FD: device.manufacturer, 0x8400FE: device.product, 0x8400FF: device.serial}
    for (kind, report_id), length in layout.lengths.items():
        if kind is Kind.FEATURE:
            reports.load(kind, report_id, bytes(length))
    for slot in layout.slots:
        if slot.usage in FACTORY:
            reports.put(slot, FACTORY[slot.usage])
        elif slot.usage in FACTORY_VALUES:
            reports.put(slot, slot.fit(slot.raw_of(FACTORY_VALUES[slot.usage])))
        elif slot.usage in (0x840030, 0x840040):
            mains = INPUT in slot.path or OUTPUT in slot.path
            reports.put(slot, slot.fit(slot.raw_of(NOMINAL_VOLTAGE if mains else BATTERY_VOLTAGE)))
        elif slot.usage == 0x840032:
            reports.put(slot, slot.fit(slot.raw_of(FREQUENCY)))
        elif (text := named.get(slot.usage)) is not None and text in indices:
            reports.put(slot, indices[text])


def _readings(
    layout: Layout, reports: Reports, usages: Iterable[int]
) -> Iterator[tuple[int, Slot, int]]:
    for slot in layout.slots:
        if slot.usage in usages and (raw := reports.get(slot)) is not None:
            yield slot.usage, slot, raw


def _charge(layout: Layout, reports: Reports) -> float:
    for _, slot, raw in _readings(layout, reports, (REMAINING,)):
        full = 100 if raw <= 100 and not slot.unit else _full(layout, reports, slot)
        return max(0.0, min(100.0, 100.0 * raw / full))
    return 100.0


def _full(layout: Layout, reports: Reports, like: Slot) -> int:
    """The raw number that means full, in the unit of ``like``."""
    for usage in (FULL, DESIGN):
        for _, slot, raw in _readings(layout, reports, (usage,)):
            if raw > 0 and slot.unit == like.unit:
                return raw
    return 100
