"""What writing to a UPS does: which fields of a SET_REPORT are orders, and what each one orders.

A report often carries several fields, and hosts write back what they had read. A field is an order when it says
something else than the device shows, or when it is the only order of its report.
"""

from __future__ import annotations

from collections.abc import Callable

from usbhidups.simulator.device_model import MINUTES, OUTLET, outlet_of
from usbhidups.simulator.layout import Slot
from usbhidups.simulator.output import Cause, Output
from usbhidups.simulator.ups import Ups

__all__ = ["order_of"]

Order = Callable[[Ups, Output, Slot, int], None]

CYCLE = 2.0
"""Seconds that the vendor reboot trigger of Back-UPS CS keeps the load off (NUT issue 1307)."""
GRACE = 60.0
"""Seconds from that trigger to the cut. apcupsd's experience with Back-UPS is about 60; a BX750MI was seen to
take about 120 (NUT issue 2683)."""
TEST_QUICK, TEST_DEEP, TEST_ABORT = 1, 2, 3
RETURN_BIT, STAY_OFF_BIT = 0x40, 0x80


def _seconds(slot: Slot, raw: int) -> float:
    if raw < 0 or raw == (1 << slot.size) - 1:
        return -1.0
    return raw * 60.0 if slot.usage in MINUTES else slot.value_of(raw)


def _shutdown(ups: Ups, output: Output, slot: Slot, raw: int) -> None:
    seconds = _seconds(slot, raw)
    if ups.quirks.minute_second_timers and seconds >= 0:
        low = raw & 0xFF
        seconds = (raw >> 8 & 0xFF) * 60 + (low & 0x3F)
        choice = low & (RETURN_BIT | STAY_OFF_BIT)
        if choice == RETURN_BIT | STAY_OFF_BIT:
            return
        if choice == STAY_OFF_BIT:
            output.order_startup(-1, ups.now)
        elif choice == RETURN_BIT and output.startup_at is None:
            output.order_startup(0, ups.now)
    output.order_shutdown(seconds, ups.now, mains=ups.mains_good)


def _startup(ups: Ups, output: Output, slot: Slot, raw: int) -> None:
    seconds = _seconds(slot, raw)
    if ups.quirks.minute_second_timers and seconds >= 0:
        seconds = ((raw & 0xFF) << 8 | raw >> 8 & 0xFF) * 60
    output.order_startup(seconds, ups.now)


def _reboot(ups: Ups, output: Output, slot: Slot, raw: int) -> None:
    output.order_reboot(_seconds(slot, raw), ups.now, mains=ups.mains_good)


def _trigger(ups: Ups, output: Output, slot: Slot, raw: int) -> None:
    """The vendor reboot of Back-UPS: 1 executes, any other number is ignored."""
    if raw == 1:
        output.order_reboot(CYCLE, ups.now, mains=ups.mains_good, grace=GRACE)


def _watchdog(ups: Ups, output: Output, slot: Slot, raw: int) -> None:
    output.order_shutdown(raw or -1, ups.now, mains=ups.mains_good)
    if raw:
        output.order_startup(0, ups.now)


def _switch_on(ups: Ups, output: Output, slot: Slot, raw: int) -> None:
    if raw == 1 and (ups.mains_good or ups.charge > 0):
        output.switch(on=True, cause=Cause.SWITCH, now=ups.now, mains=ups.mains_good)


def _switch_off(ups: Ups, output: Output, slot: Slot, raw: int) -> None:
    if raw == 1:
        output.switch(on=False, cause=Cause.SWITCH, now=ups.now, mains=ups.mains_good)


def _toggle(ups: Ups, output: Output, slot: Slot, raw: int) -> None:
    (_switch_off if output.on else _switch_on)(ups, output, slot, raw)


def _test(ups: Ups, output: Output, slot: Slot, raw: int) -> None:
    if raw in (TEST_QUICK, TEST_DEEP):
        ups.start_test(deep=raw == TEST_DEEP)
    elif raw == TEST_ABORT:
        ups.stop_test()


def _automatic(ups: Ups, output: Output, slot: Slot, raw: int) -> None:
    ups.automatic_restart = bool(raw)


_ORDERS: dict[int, Order] = {
    0x840057: _shutdown,
    0x840056: _startup,
    0x840055: _reboot,
    0x840050: _switch_on,
    0x840051: _switch_off,
    0x840052: _toggle,
    0x840058: _test,
    0x860057: _shutdown,
    0x860056: _startup,
    0x860055: _reboot,
    0x860050: _switch_on,
    0x860051: _switch_off,
    0x860052: _toggle,
    0x860058: _test,
    0x020057: _shutdown,
    0x020056: _startup,
    0x020058: _test,
    0xFF0057: _shutdown,
    0xFF0056: _startup,
    0xFF86007C: _trigger,
    0xFF86007D: _shutdown,
    0xFF86007E: _startup,
    0xFFFF0043: _automatic,
}
_OUTLET_ORDERS: dict[int, Order] = {0xFFFF0056: _startup, 0xFFFF0092: _watchdog}


def order_of(slot: Slot) -> Callable[[Ups, int], None] | None:
    """What writing a raw number to this field orders; None where it is a mere setting, or nothing."""
    order = _ORDERS.get(slot.usage)
    if order is None and OUTLET in slot.path:
        order = _OUTLET_ORDERS.get(slot.usage)
    if order is None:
        return None
    number = outlet_of(slot)

    def give(ups: Ups, raw: int) -> None:
        order(ups, ups.outputs[number], slot, raw)

    return give
