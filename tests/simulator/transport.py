"""A Transport that talks to a SimulatedDevice in the same thread, on a clock that only transfers move.

The recipe of docs/simulator.md: no network, no threads, so a thousand simulated hours run in seconds.
"""

from __future__ import annotations

from usbhidups.errors import DeviceGone, TransferFailed, TransferKind
from usbhidups.identity import Identity
from usbhidups.simulator.device import SimulatedDevice
from usbhidups.simulator.transfers import Reply, Status
from usbhidups.usb.fixture import Fixture
from usbhidups.usb.transport import CONTROL_TIMEOUT

__all__ = ["DirectTransport", "VirtualClock"]

FAILURES = {
    Status.STALL: TransferKind.STALL,
    Status.IO: TransferKind.IO,
    Status.OVERFLOW: TransferKind.OVERFLOW,
    Status.NEVER: TransferKind.TIMEOUT,
}


class VirtualClock:
    """Seconds that pass only when somebody says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class DirectTransport:
    """An open simulated device; a transfer takes as much of the clock as it would take on a wire."""

    def __init__(self, fixture: Fixture, device: SimulatedDevice, clock: VirtualClock) -> None:
        self._fixture = fixture
        self._device = device
        self._clock = clock
        if not device.gadget.present:
            raise DeviceGone("not on the bus")
        device.open(clock.now)

    @property
    def identity(self) -> Identity:
        device = self._fixture.device
        return Identity(
            vendor_id=device.vendor_id,
            product_id=device.product_id,
            release=device.release or 0,
            manufacturer=device.manufacturer,
            product=device.product,
            serial=device.serial,
            interface=device.interface,
            endpoint_in=device.endpoint_in,
        )

    def report_descriptor(self) -> bytes:
        return self._control(0x81, 0x06, 0x2200, 4096, CONTROL_TIMEOUT, "report descriptor")

    def get_feature(self, report_id: int, size: int, *, timeout: float = CONTROL_TIMEOUT) -> bytes:
        return self._report(3, report_id, size, timeout)

    def get_input(self, report_id: int, size: int, *, timeout: float = CONTROL_TIMEOUT) -> bytes:
        return self._report(1, report_id, size, timeout)

    def set_feature(self, data: bytes, *, timeout: float = CONTROL_TIMEOUT) -> None:
        wire = data if self._numbered else data[1:]
        self._control(0x21, 0x09, 0x0300 | data[0], len(wire), timeout, "set feature", wire)

    def wait_input(self, timeout: float) -> bytes | None:
        reply = self._interrupt()
        if reply is None:
            self._clock.sleep(timeout)
            reply = self._interrupt()
        if reply is None:
            return None
        data = self._data(reply, timeout, "input")
        return data if self._numbered else b"\0" + data

    def string(self, index: int, *, timeout: float = CONTROL_TIMEOUT) -> str | None:
        try:
            raw = self._control(0x80, 0x06, 0x0300 | index, 255, timeout, "string", index=0x0409)
        except TransferFailed:
            return None
        return raw[2:].decode("utf-16-le", "replace")

    def clear_halt(self) -> None:
        endpoint = self._fixture.device.endpoint_in
        self._control(0x02, 0x01, 0, 0, CONTROL_TIMEOUT, "clear halt", index=endpoint)

    def reset(self) -> None:
        self._device.gadget.disconnect(self._clock.now, 0.1)

    def interrupt(self) -> None:
        return None

    def close(self) -> None:
        return None

    @property
    def _numbered(self) -> bool:
        return self._device.gadget.unit.layout.numbered

    def _report(self, kind: int, report_id: int, size: int, timeout: float) -> bytes:
        length = size if self._numbered else size - 1
        what = f"get report {report_id:#04x}"
        data = self._control(0xA1, 0x01, kind << 8 | report_id, length, timeout, what)
        return data if self._numbered else bytes([report_id]) + data

    def _interrupt(self) -> Reply | None:
        return self._device.interrupt(self._fixture.device.endpoint_in, 64, self._clock.now)

    def _control(
        self,
        request_type: int,
        request: int,
        value: int,
        length: int,
        timeout: float,
        what: str,
        data: bytes = b"",
        index: int | None = None,
    ) -> bytes:
        where = self._fixture.device.interface if index is None else index
        setup = bytes((request_type, request)) + b"".join(
            number.to_bytes(2, "little") for number in (value, where, length)
        )
        return self._data(self._device.control(setup, data, self._clock.now), timeout, what)

    def _data(self, reply: Reply, timeout: float, what: str) -> bytes:
        if reply.status is Status.GONE:
            raise DeviceGone(what)
        if reply.status is Status.NEVER or reply.after > timeout:
            self._clock.sleep(timeout)
            raise TransferFailed(TransferKind.TIMEOUT, what)
        self._clock.sleep(reply.after)
        if reply.status is not Status.OK:
            raise TransferFailed(FAILURES[reply.status], what)
        return reply.data
