"""The HID side of a simulated UPS: its reports, and the UPS behind them. No USB here.

``write`` turns a SET_REPORT into orders and settings, ``pass_time`` lets the UPS go on and shows what changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from usbhidups.simulator.device_model import DeviceModel
from usbhidups.simulator.initial import awaken, learn_limits, make_fresh
from usbhidups.simulator.layout import Kind, Slot, read_layout
from usbhidups.simulator.output import Cause
from usbhidups.simulator.output_control import order_of
from usbhidups.simulator.reports import Reports, extract
from usbhidups.simulator.ups import Ups
from usbhidups.usb.fixture import Fixture

__all__ = ["Unit"]


class Unit:
    """One UPS with its reports. ``frozen``: the reports stay as they are."""

    def __init__(self, fixture: Fixture, strings: Mapping[int, str]) -> None:
        self.layout = read_layout(fixture.descriptor)
        self.reports = Reports()
        self.frozen = False
        for kind, answers in ((Kind.FEATURE, fixture.feature), (Kind.INPUT, fixture.input)):
            for report_id, answer in answers.items():
                if isinstance(answer, bytes):
                    self.reports.load(kind, report_id, answer[1:])
        if not fixture.feature:
            make_fresh(self.layout, self.reports, fixture, strings)
        self.ups: Ups = awaken(self.layout, self.reports)
        blank = self._complete_inputs()
        self._face = DeviceModel(self.layout, self.reports, self.ups, blank=blank)
        self._face.show(self.ups, self.reports)
        self._orders: dict[Slot, Callable[[Ups, int], None]] = {
            slot: order
            for slot in self.layout.slots
            if slot.kind is Kind.FEATURE and (order := order_of(slot)) is not None
        }
        self._sent = self._inputs()
        self._told = self.reports.version
        self._behind = False

    def _complete_inputs(self) -> set[Slot]:
        """Fill the Input reports that were not recorded, field by field as the Feature field of the same
        path says; the fields that have none are returned."""
        features = {s.path: s for s in reversed(self.layout.slots) if s.kind is Kind.FEATURE}
        blank: set[Slot] = set()
        for (kind, report_id), length in self.layout.lengths.items():
            if kind is not Kind.INPUT or (kind, report_id) in self.reports:
                continue
            self.reports.load(kind, report_id, bytes(length))
            for slot in self.layout.of_report(kind, report_id):
                counterpart = features.get(slot.path)
                raw = None if counterpart is None else self.reports.get(counterpart)
                if raw is None:
                    blank.add(slot)
                else:
                    self.reports.put(slot, raw)
        return blank

    def pass_time(self, seconds: float) -> None:
        """Let the UPS's time go on."""
        if seconds and self.ups.still and not self._behind:
            self.ups.now += seconds
            return
        self.ups.advance(seconds)
        self._behind = self.frozen
        if not self.frozen:
            self._face.show(self.ups, self.reports)

    def write(self, kind: Kind, report_id: int, data: bytes) -> None:
        """Take a SET_REPORT of a report that there is (no id byte); a short one leaves the rest alone."""
        slots = [
            slot
            for slot in self.layout.of_report(kind, report_id)
            if slot.offset + slot.size <= 8 * len(data)
        ]
        orders = [slot for slot in slots if slot in self._orders]
        given = [
            (slot, extract(data, slot))
            for slot in orders
            if len(orders) == 1 or extract(data, slot) != self.reports.get(slot)
        ]
        for slot in slots:
            if slot not in self._face.shown:
                self._keep(slot, extract(data, slot))
        for slot, raw in given:
            self._orders[slot](self.ups, raw)
        learn_limits(self.ups, self.layout, self.reports)
        self.pass_time(0.0)

    def crash(self) -> None:
        """The firmware falls over and drops the load."""
        ups = self.ups
        ups.main.switch(on=False, cause=Cause.FIRMWARE, now=ups.now, mains=ups.mains_good)
        self.pass_time(0.0)

    def put(self, path: tuple[int, ...], raw: int) -> int:
        """Write a raw number to every field whose path ends like this; how many there were."""
        found = [slot for slot in self.layout.slots if slot.path[-len(path) :] == path]
        for slot in found:
            self.reports.put(slot, raw)
        learn_limits(self.ups, self.layout, self.reports)
        return len(found)

    def push_input(self, report_id: int, data: bytes) -> None:
        """An Input report (no id byte) that is sent even if it says nothing new."""
        self.reports.load(Kind.INPUT, report_id, data)
        self._sent.pop(report_id, None)

    def next_input(self) -> tuple[int, bytes] | None:
        """An Input report that changed since it was last taken (id, bytes without the id byte)."""
        if self._told == self.reports.version:
            return None
        for report_id, data in self._inputs().items():
            if self._sent.get(report_id) != data:
                self._sent[report_id] = data
                return report_id, data
        self._told = self.reports.version
        return None

    def forget_inputs(self) -> None:
        """What changed so far is not told any more (nobody listened, or the device was replugged)."""
        self._sent = self._inputs()

    def _keep(self, slot: Slot, raw: int) -> None:
        for other in self.layout.slots:
            if other.path == slot.path:
                self.reports.put(other, raw)

    def _inputs(self) -> dict[int, bytes]:
        return {
            report_id: self.reports.read(kind, report_id)
            for kind, report_id in self.reports.keys
            if kind is Kind.INPUT
        }
