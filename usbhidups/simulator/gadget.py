"""The USB side of a simulated UPS: control requests, the interrupt endpoint, being plugged in or not.

It answers like the device of the fixture, and like a broken one where a fault is on. No clock and no sockets:
``now`` is the host's time in seconds. Sources: USB 2.0 chapter 9, HID 1.11 chapter 7.
"""

from __future__ import annotations

import math
import random

from usbhidups.simulator.descriptors import HID_DESCRIPTOR, REPORT_DESCRIPTOR, STRING
from usbhidups.simulator.enumeration import Enumeration
from usbhidups.simulator.exchange import Interrupts, ReportExchange
from usbhidups.simulator.faults import Fault, Faults
from usbhidups.simulator.layout import Kind
from usbhidups.simulator.requests import Request, RequestLog
from usbhidups.simulator.transfers import NEVER, STALLED, Reply, Setup, Status
from usbhidups.simulator.unit import Unit
from usbhidups.simulator.wire import DeviceRecord
from usbhidups.usb.fixture import Failure, Fixture

__all__ = ["Gadget"]

LOCKUP_VIOLATIONS = 8
DROWSE = 0.5
"""Seconds off the bus when a device that nobody talked to re-enumerates."""
_STANDING = {
    Failure.STALL: "stall",
    Failure.TIMEOUT: "timeout",
    Failure.OVERFLOW: "long",
    Failure.EMPTY: "empty",
}
_DESCRIPTOR_WORDS = {
    STRING: "string",
    HID_DESCRIPTOR: "hid-descriptor",
    REPORT_DESCRIPTOR: "report-descriptor",
}


class Gadget:
    """One device. ``absent_until`` None: it is on the bus; infinity: until ``reconnect``."""

    def __init__(self, fixture: Fixture, *, seed: int = 0) -> None:
        self.faults = Faults(random.Random(seed))  # noqa: S311 (no secret)
        self.log = RequestLog()
        self._enumeration = Enumeration(fixture, self.faults, self.log)
        self._place = ("1-1", 1, 1)
        descriptors = self._enumeration.descriptors
        self.unit = Unit(fixture, descriptors.strings)
        self._exchange = ReportExchange(self.unit, self.faults, self.log)
        self._interrupts = Interrupts(self.unit, self.faults, descriptors.packet)
        self.absent_until: float | None = None
        self._configuration = 1
        self._violations = 0
        self._last_request = -math.inf
        self._last_failure = -math.inf
        for report_id, answer in fixture.feature.items():
            self.take_answer(report_id, answer)

    def take_answer(self, report_id: int, answer: bytes | Failure) -> None:
        """From now on a Feature report is so, or fails so."""
        key = Kind.FEATURE, report_id
        for fault in list(self.faults.active):
            if fault.report == report_id and fault.name in _STANDING.values():
                self.faults.active.remove(fault)
        if isinstance(answer, bytes):
            self.unit.reports.load(*key, answer[1:])
            return
        self.faults.add(Fault(_STANDING[answer], report_id, amount=8.0))
        if answer is Failure.OVERFLOW and key not in self.unit.reports:
            self.unit.reports.load(*key, bytes(self.unit.layout.lengths.get(key, 1)))

    # the bus

    def plug(self, busid: str, bus: int, address: int) -> None:
        """Say where it is plugged in."""
        self._place = (busid, bus, address)

    @property
    def record(self) -> DeviceRecord:
        """How USB/IP lists it."""
        return self._enumeration.descriptors.placed(*self._place).record

    @property
    def address(self) -> int:
        """Its device number on the bus; another after each reconnection."""
        return self._place[2]

    @property
    def present(self) -> bool:
        """Is it on the bus?"""
        return self.absent_until is None

    def disconnect(self, now: float, seconds: float = math.inf) -> None:
        """Leave the bus, and come back after ``seconds`` with a new device number."""
        self.absent_until = now + seconds

    def reconnect(self, now: float) -> None:
        """Come back now; the UPS behind it went on meanwhile."""
        if self.absent_until is None:
            return
        busid, bus, address = self._place
        self._place = (busid, bus, address % 127 + 1)
        self.absent_until = None
        self._last_request = -math.inf
        self._exchange.lost = self._violations = 0
        self._interrupts.halted = False
        self._interrupts.forget()

    def settle(self, now: float) -> None:
        """What time alone does to the plug: come back, or leave because nobody talks to it."""
        if self.absent_until is not None:
            if now >= self.absent_until:
                self.reconnect(now)
            return
        sleepy = self.faults.strike("sleepy", now)
        if sleepy is None:
            return
        if self._last_request == -math.inf:
            self._last_request = now
        if now - self._last_request >= sleepy.amount:
            self.disconnect(now, DROWSE)

    def opened(self, now: float) -> None:
        """A host begins to talk to it."""
        crash = self.faults.strike("reopen-crash", now)
        if crash is not None and now - self._last_failure < crash.amount:
            self.unit.crash()
        self._interrupts.forget()

    # transfers

    def control(self, raw_setup: bytes, data: bytes, now: float) -> Reply:
        """One control transfer: the setup bytes, and what an OUT transfer carries."""
        if not self.present:
            return Reply(Status.GONE)
        setup = Setup.unpack(raw_setup)
        reply = self._disturbed(now) or self._dispatch(setup, data, now)
        if reply.status is Status.OK and setup.inbound and self.faults.strike("overflow", now):
            reply = Reply(Status.OVERFLOW)
        if reply.status is Status.GONE:
            self.disconnect(now, 1.0)
        if reply.status is not Status.OK:
            self._last_failure = now
        self._last_request = now
        self._note(setup, data, reply, now)
        delay = self.faults.strike("delay", now)
        if delay is None:
            return reply
        return Reply(reply.status, reply.data, reply.after + delay.amount / 1000.0)

    def interrupt(self, endpoint: int, length: int, now: float) -> Reply | None:
        """What an interrupt IN transfer of ``length`` bytes brings now; None: it goes on waiting."""
        if not self.present:
            return Reply(Status.GONE)
        if endpoint | 0x80 != self._enumeration.descriptors.endpoint:
            return None  # a decoy's: it never says anything
        reply = self._interrupts.take(length, now)
        if reply is not None:
            number = reply.data[0] if reply.data else 0
            outcome = reply.status.name.lower()
            self.log.add(Request(now, self.unit.ups.now, "input", number, reply.data, outcome))
        return reply

    def _disturbed(self, now: float) -> Reply | None:
        """A failure that does not depend on what was asked."""
        if self.faults.strike("wedge", now):
            return NEVER
        if self._exchange.lost > 0:
            self._exchange.lost -= 1
            return NEVER
        if (lockup := self.faults.strike("lockup", now)) is not None:
            if self._violations >= LOCKUP_VIOLATIONS:
                return NEVER
            if now - self._last_request < lockup.amount:
                self._violations += 1
                return NEVER
        return Reply(Status.IO) if self.faults.strike("errors", now) else None

    def _dispatch(self, setup: Setup, data: bytes, now: float) -> Reply:
        ours = setup.index == self._enumeration.descriptors.interface
        match (setup.request_type, setup.request):
            case (0x80 | 0x81, 0x06):  # GET_DESCRIPTOR
                return self._enumeration.answer(setup, now)
            case (0xA1, 0x01) if ours:  # GET_REPORT
                return self._exchange.get(setup, now)
            case (0x21, 0x09) if ours:  # SET_REPORT
                return self._exchange.set(setup, data, now)
            case (0x02, 0x01):  # CLEAR_FEATURE(ENDPOINT_HALT)
                self._interrupts.clear_halt()
            case (0x00, 0x09):  # SET_CONFIGURATION
                self._configuration = setup.low
            case (0x80, 0x08):  # GET_CONFIGURATION
                return Reply(Status.OK, bytes([self._configuration])[: setup.length])
            case (0x80 | 0x81 | 0x82, 0x00):  # GET_STATUS
                halted = setup.request_type == 0x82 and self._interrupts.halted
                return Reply(Status.OK, bytes((halted, 0))[: setup.length])
            case (0xA1, 0x02 | 0x03) | (0x81, 0x0A):  # GET_IDLE, GET_PROTOCOL, GET_INTERFACE
                return Reply(Status.OK, bytes(1)[: setup.length])
            # SET_IDLE, SET_PROTOCOL, SET_INTERFACE, SET_ADDRESS, SET_FEATURE: nothing to be done
            case (0x21, 0x0A | 0x0B) | (0x01, 0x0B) | (0x00, 0x01 | 0x03 | 0x05) | (0x02, 0x03):
                pass
            case kind, request:
                self.log.unknown.add(f"setup {kind:02x} {request:02x} {setup.value:04x}")
                return STALLED
        return Reply(Status.OK)

    def _note(self, setup: Setup, data: bytes, reply: Reply, now: float) -> None:
        what, number = "setup", setup.low
        if setup.request_type in (0xA1, 0x21) and setup.request in (0x01, 0x09):
            verb = "get" if setup.inbound else "set"
            what = f"{verb}-{Kind(setup.high).name.lower()}" if setup.high in (1, 2, 3) else "setup"
        elif setup.request == 0x06 and setup.inbound:
            what = _DESCRIPTOR_WORDS.get(setup.high, "descriptor")
            number = setup.low if setup.high == STRING else setup.high
        shown = reply.data if setup.inbound else data
        outcome = reply.status.name.lower()
        self.log.add(Request(now, self.unit.ups.now, what, number, shown, outcome))
