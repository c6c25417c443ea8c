"""The reports of a simulated device on the wire: GET_REPORT, SET_REPORT and the interrupt endpoint.

Right, or as its faults have it. Source: HID 1.11 sections 7.2.1, 7.2.2 and 4.4.
"""

from __future__ import annotations

import math

from usbhidups.simulator.faults import Faults
from usbhidups.simulator.layout import Kind
from usbhidups.simulator.requests import RequestLog
from usbhidups.simulator.transfers import NEVER, STALLED, Reply, Setup, Status
from usbhidups.simulator.unit import Unit

__all__ = ["Interrupts", "ReportExchange"]

INTERVAL = 0.01
"""bInterval of the interrupt endpoint, in seconds."""
_KINDS = {kind.value: kind for kind in Kind}


def _on_wire(unit: Unit, kind: Kind, report_id: int) -> bytes:
    data = unit.reports.read(kind, report_id)
    return bytes([report_id]) + data if unit.layout.numbered else data


class ReportExchange:
    """GET_REPORT and SET_REPORT. ``lost``: so many requests to come go unanswered."""

    def __init__(self, unit: Unit, faults: Faults, log: RequestLog) -> None:
        self._unit = unit
        self._faults = faults
        self._log = log
        self._last_write = -math.inf
        self._id_bytes = 1 if unit.layout.numbered else 0
        self.lost = 0

    def get(self, setup: Setup, now: float) -> Reply:
        """One GET_REPORT. A reply that is longer than asked for is the caller's to judge."""
        kind, report_id = _KINDS.get(setup.high), setup.low
        if kind is Kind.FEATURE and (failed := self._failure(report_id, now)) is not None:
            return failed
        if kind is None or (kind, report_id) not in self._unit.reports:
            return self._unknown("get", setup)
        data = self._distorted(_on_wire(self._unit, kind, report_id), report_id, now)
        if (extra := self._faults.strike("long", now, report_id)) is not None:
            data += bytes(int(extra.amount))
            return Reply(Status.OK, data) if len(data) <= setup.length else Reply(Status.OVERFLOW)
        if len(data) > setup.length and self._faults.strike("piecemeal", now):
            return Reply(Status.GONE)
        slow = self._faults.strike("slow", now, report_id)
        return Reply(Status.OK, data[: setup.length], slow.amount if slow else 0.0)

    def set(self, setup: Setup, data: bytes, now: float) -> Reply:
        """One SET_REPORT; acknowledged is not obeyed."""
        kind, report_id = _KINDS.get(setup.high), setup.low
        if kind is None or (kind, report_id) not in self._unit.layout.lengths:
            return self._unknown("set", setup)
        if self._faults.strike("refuse", now, report_id):
            return STALLED
        declared = self._unit.layout.lengths[kind, report_id] + self._id_bytes
        if len(data) != declared and self._faults.strike("strict-length", now):
            return STALLED
        gap = self._faults.strike("write-gap", now)
        too_soon = gap is not None and now - self._last_write < gap.amount
        self._last_write = now
        if not too_soon and not self._faults.strike("ignore", now, report_id):
            self._unit.write(kind, report_id, data[self._id_bytes :])
        return Reply(Status.OK)

    def _failure(self, report_id: int, now: float) -> Reply | None:
        if self._faults.strike("stall", now, report_id):
            return STALLED
        if self._faults.strike("timeout", now, report_id):
            return NEVER
        if (hang := self._faults.strike("hang", now, report_id)) is not None:
            self.lost = int(hang.amount)
            return NEVER
        if self._faults.strike("io", now, report_id):
            return Reply(Status.IO)
        if self._faults.strike("empty", now, report_id):
            return Reply(Status.OK)
        return None

    def _distorted(self, data: bytes, report_id: int, now: float) -> bytes:
        if self._faults.strike("zero", now, report_id):
            data = data[: self._id_bytes] + bytes(len(data) - self._id_bytes)
        if (other := self._faults.strike("misnumber", now, report_id)) is not None:
            data = bytes([int(other.amount) & 0xFF]) + data[1:]
        if (short := self._faults.strike("short", now, report_id)) is not None:
            data = data[: int(short.amount)]
        return data

    def _unknown(self, verb: str, setup: Setup) -> Reply:
        kind = _KINDS.get(setup.high)
        name = kind.name.lower() if kind else f"type {setup.high}"
        self._log.unknown.add(f"{verb} {name} {setup.low:02x}")
        return STALLED


class Interrupts:
    """The interrupt IN endpoint: ``packet`` is its wMaxPacketSize."""

    def __init__(self, unit: Unit, faults: Faults, packet: int) -> None:
        self._unit = unit
        self._faults = faults
        self._packet = packet
        self._rest = b""
        self._last_flood = -math.inf
        self._flooded = 0
        self.halted = False

    def take(self, length: int, now: float) -> Reply | None:
        """What a transfer of ``length`` bytes brings now; None: it goes on waiting."""
        if self._faults.strike("interrupt-dead", now) or self._faults.strike("wedge", now):
            return None
        if self.halted or self._faults.strike("interrupt-stall", now):
            self.halted = True
            return STALLED
        if self._faults.strike("interrupt-error", now) or self._faults.strike("errors", now):
            return Reply(Status.IO, after=INTERVAL)
        data = self._rest or self._next(now)
        if not data:
            return None
        if len(data) > length and length % self._packet:
            self._rest = b""
            return Reply(Status.OVERFLOW)
        self._rest = data[length:]
        return Reply(Status.OK, data[:length])

    def clear_halt(self) -> None:
        """The host cleared the halt."""
        self.halted = False
        self._faults.clear("interrupt-stall")

    def forget(self) -> None:
        """What waited to be sent is dropped."""
        self._rest = b""
        self._unit.forget_inputs()

    def _next(self, now: float) -> bytes:
        changed = self._unit.next_input()
        if changed is not None:
            return _on_wire(self._unit, Kind.INPUT, changed[0])
        flood = self._faults.strike("flood", now)
        if flood is None or flood.amount <= 0 or now - self._last_flood < 1.0 / flood.amount:
            return b""
        self._last_flood = now
        ids = [number for kind, number in self._unit.reports.keys if kind is Kind.INPUT]
        self._flooded += 1
        return _on_wire(self._unit, Kind.INPUT, ids[self._flooded % len(ids)]) if ids else b""
