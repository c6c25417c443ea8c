"""One USB/IP client's conversation with simulated devices, without a socket: bytes in, bytes out.

A transfer that has to wait (an interrupt endpoint with nothing to say, a slow answer, one that never comes)
stays here until it can be answered or the client takes it back. Control answers leave in the order asked.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from dataclasses import dataclass

from usbhidups.errors import ClientError
from usbhidups.simulator.device import SimulatedDevice
from usbhidups.simulator.transfers import Reply, Status
from usbhidups.simulator.wire import (
    DevlistRequest,
    ImportRequest,
    ImportStatus,
    Reader,
    Submit,
    Unlink,
    devlist_reply,
    import_refusal,
    import_reply,
    submit_reply,
    unlink_reply,
)

__all__ = ["Hub", "Session"]


class Hub:
    """The devices by bus id, and which session has which."""

    def __init__(self, devices: Mapping[str, SimulatedDevice]) -> None:
        self.devices = devices
        self._holders: dict[str, Session] = {}

    def claim(self, busid: str, session: Session) -> SimulatedDevice | ImportStatus:
        """Give a device to a session, or say why not."""
        device = self.devices.get(busid)
        if device is None or not device.gadget.present:
            return ImportStatus.NO_DEVICE
        if busid in self._holders:
            return ImportStatus.BUSY
        self._holders[busid] = session
        return device

    def holder(self, busid: str) -> str:
        """Who has a device now, "" for nobody."""
        session = self._holders.get(busid)
        return "" if session is None else session.peer

    def release(self, session: Session) -> None:
        """Take back what a session holds."""
        for busid, holder in self._holders.items():
            if holder is session:
                self.devices[busid].close()
        self._holders = {b: holder for b, holder in self._holders.items() if holder is not session}


@dataclass(slots=True)
class _Waiting:
    """A transfer that is not answered yet: ``reply`` at ``due``, or None while nothing is known."""

    submit: Submit
    reply: Reply | None = None
    due: float = 0.0


class Session:
    """One client; ``peer`` is who it is, for people. ``closed``: the device left the bus, hang up."""

    def __init__(self, hub: Hub, *, peer: str = "a host") -> None:
        self._hub = hub
        self.peer = peer
        self._reader = Reader()
        self._device: SimulatedDevice | None = None
        self._waiting: dict[int, _Waiting] = {}
        self._busy_until = 0.0
        self.closed = False

    def receive(self, data: bytes, now: float) -> bytes:
        """Take the client's bytes, give back what is to be sent. ClientError: hang up."""
        self._reader.feed(data)
        out = bytearray()
        while not self.closed and (message := self._reader.next()) is not None:
            match message:
                case DevlistRequest():
                    out += self._devlist(now)
                case ImportRequest(busid):
                    out += self._import(busid, now)
                case Submit():
                    out += self._submit(message, now)
                case Unlink(seqnum, _devid, target):
                    taken_back = self._waiting.pop(target, None) is not None
                    out += unlink_reply(seqnum, -errno.ECONNRESET if taken_back else 0)
        return bytes(out)

    def poll(self, now: float) -> bytes:
        """What has become due."""
        if self._device is None:
            return b""
        self._device.advance(now)
        if not self._device.gadget.present:
            self.closed = True
            return b""
        out = bytearray()
        for seqnum, waiting in list(self._waiting.items()):
            if waiting.reply is None and waiting.submit.endpoint:
                waiting.reply = self._interrupt(waiting.submit, now)
                waiting.due = now + (waiting.reply.after if waiting.reply else 0.0)
            if (
                waiting.reply is not None
                and now >= waiting.due
                and waiting.reply.status is not Status.NEVER
            ):
                del self._waiting[seqnum]
                out += _answer(waiting.submit, waiting.reply)
        return bytes(out)

    def next_due(self, now: float, tick: float) -> float | None:
        """When to poll next at the latest; ``tick`` is how often an open device is looked after."""
        if self._device is None:
            return None
        due = [
            w.due for w in self._waiting.values() if w.reply and w.reply.status is not Status.NEVER
        ]
        return min([now + tick, *due])

    def end(self) -> None:
        """The client is gone."""
        self._hub.release(self)
        self._waiting.clear()
        self.closed = True

    def _devlist(self, now: float) -> bytes:
        for device in self._hub.devices.values():
            device.advance(now)
        gadgets = [device.gadget for device in self._hub.devices.values()]
        return devlist_reply([gadget.record for gadget in gadgets if gadget.present])

    def _import(self, busid: str, now: float) -> bytes:
        if (device := self._hub.devices.get(busid)) is not None:
            device.advance(now)
        claimed = self._hub.claim(busid, self)
        if isinstance(claimed, ImportStatus):
            return import_refusal(claimed)
        self._device = claimed
        self._reader.imported()
        claimed.open(now, who=self.peer)
        return import_reply(claimed.gadget.record)

    def _submit(self, submit: Submit, now: float) -> bytes:
        if self._device is None:
            raise ClientError("a transfer before an import")
        if submit.seqnum in self._waiting:
            raise ClientError(f"sequence number {submit.seqnum} twice")
        if submit.endpoint:
            if not submit.inbound:
                return _answer(submit, Reply(Status.STALL))
            self._waiting[submit.seqnum] = _Waiting(submit)
            return self.poll(now)
        reply = self._device.control(submit.setup, submit.data, now)
        if reply.status is Status.GONE:
            self.closed = True
            return b""
        due = max(now, self._busy_until) + reply.after
        if reply.status is not Status.NEVER:
            self._busy_until = due
            if due <= now:
                return _answer(submit, reply)
        self._waiting[submit.seqnum] = _Waiting(submit, reply, due)
        return b""

    def _interrupt(self, submit: Submit, now: float) -> Reply | None:
        if self._device is None:
            return None
        return self._device.interrupt(submit.endpoint, submit.length, now)


def _answer(submit: Submit, reply: Reply) -> bytes:
    status = reply.status.value or 0
    if status or not submit.inbound:
        return submit_reply(submit.seqnum, status, actual=0 if status else len(submit.data))
    data = reply.data[: submit.length]
    return submit_reply(submit.seqnum, 0, actual=len(data), data=data)
