"""GET_DESCRIPTOR of a simulated device, right or as its faults have it.

Sources: USB 2.0 section 9.4.3, HID 1.11 section 7.1.1; the faults are failures A01 to A12.
"""

from __future__ import annotations

from usbhidups.simulator.descriptors import (
    CONFIGURATION,
    DECOY,
    DEVICE,
    HID_DESCRIPTOR,
    REPORT_DESCRIPTOR,
    STRING,
    describe,
    hid_descriptor,
)
from usbhidups.simulator.faults import Faults
from usbhidups.simulator.requests import RequestLog
from usbhidups.simulator.transfers import NEVER, STALLED, Reply, Setup, Status
from usbhidups.usb.fixture import Fixture

__all__ = ["Enumeration"]

DEVICE_QUALIFIER, BOS = 0x06, 0x0F
ENGLISH = 0x0409


class Enumeration:
    """The descriptors of one device."""

    def __init__(self, fixture: Fixture, faults: Faults, log: RequestLog) -> None:
        self._fixture = fixture
        self._faults = faults
        self._log = log
        self.descriptors = describe(fixture)

    def answer(self, setup: Setup, now: float) -> Reply:
        """One GET_DESCRIPTOR."""
        reply = self._whole(setup, now)
        if reply.status is Status.OK:
            return Reply(Status.OK, reply.data[: setup.length])
        return reply

    def _whole(self, setup: Setup, now: float) -> Reply:
        decoy = setup.request_type == 0x81 and setup.index != self.descriptors.interface
        match setup.high:
            case kind if kind == STRING:
                return self._string(setup.low, setup.index, now)
            case kind if kind == HID_DESCRIPTOR:
                return Reply(Status.OK, hid_descriptor(len(DECOY))) if decoy else self._hid(now)
            case kind if kind == REPORT_DESCRIPTOR:
                return Reply(Status.OK, DECOY) if decoy else self._report(now)
            case kind if kind == DEVICE:
                return Reply(Status.OK, self.descriptors.device)
            case kind if kind == CONFIGURATION and setup.low == 0:
                return self._configuration(now)
            case kind if kind not in (CONFIGURATION, DEVICE_QUALIFIER, BOS):
                self._log.unknown.add(f"descriptor {kind:02x}")
        return STALLED

    def _configuration(self, now: float) -> Reply:
        told = self._faults.strike("config-length", now)
        if told is None:
            return Reply(Status.OK, self.descriptors.configuration)
        lying = describe(self._fixture, configured_length=int(told.amount))
        return Reply(Status.OK, lying.configuration)

    def _string(self, index: int, language: int, now: float) -> Reply:
        if self._faults.strike("strings-stall", now):
            return STALLED
        if self._faults.strike("strings-empty", now):
            return Reply(Status.OK, bytes((2, STRING)))
        if self._faults.strike("strings-language", now):
            if index == 0:
                return Reply(Status.OK, bytes((4, STRING, 0xFE, 0xCA)))
            if language != ENGLISH:
                return STALLED
        text = self.descriptors.string(index)
        if text is None:
            self._log.unknown.add(f"string {index}")
            return STALLED
        return Reply(Status.OK, text)

    def _hid(self, now: float) -> Reply:
        if self._faults.strike("junk-descriptor", now) or self._faults.strike("hid-empty", now):
            return Reply(Status.OK)
        if self._faults.strike("hid-long", now):
            return Reply(Status.OVERFLOW)
        if (told := self._faults.strike("hid-length", now)) is not None:
            return Reply(Status.OK, hid_descriptor(int(told.amount)))
        return Reply(Status.OK, self.descriptors.hid)

    def _report(self, now: float) -> Reply:
        if self._faults.strike("descriptor-timeout", now):
            return NEVER
        whole = self.descriptors.report
        if (junk := self._faults.strike("junk-descriptor", now)) is not None:
            whole = bytes(0xA5 + n & 0xFF for n in range(int(junk.amount))) + whole
        if (limit := self._faults.strike("report-limit", now)) is not None:
            whole = whole[: int(limit.amount)]
        return Reply(Status.OK, whole)
