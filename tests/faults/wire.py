"""The USB side of the rig: a pipe to a simulated device in virtual time, below the driver's HandleTransport."""

from __future__ import annotations

import struct
from collections.abc import Callable

from tests.faults.timeline import Timeline
from usbhidups.errors import DeviceGone, TransferFailed, TransferKind, UsbHidUpsError
from usbhidups.simulator.device import SimulatedDevice
from usbhidups.simulator.transfers import Reply, Status
from usbhidups.usb.descriptors import Endpoint
from usbhidups.usb.handle import Setup

__all__ = ["LATENCY", "Left", "SimulatedPipe"]

LATENCY = 0.001
"""Seconds that the shortest transfer takes: a frame of a full-speed bus."""

_KINDS = {
    Status.STALL: TransferKind.STALL,
    Status.IO: TransferKind.IO,
    Status.OVERFLOW: TransferKind.OVERFLOW,
}


class Left(BaseException):
    """A thread that is stuck in the kernel was left behind: what it did after that is of no interest."""


class SimulatedPipe:
    """An open simulated device; satisfies ``usb.pipe.UsbHandle``.

    ``wait(until)`` lets time pass up to a moment, or less, and returns whether somebody called;
    ``stuck()`` tells whether transfers hang in the kernel, ``left()`` whether their thread was left behind.
    """

    def __init__(
        self,
        device: SimulatedDevice,
        clock: Timeline,
        *,
        wait: Callable[[float], bool],
        stuck: Callable[[], bool],
        left: Callable[[], bool],
    ) -> None:
        self._device = device
        self._clock = clock
        self._wait = wait
        self._stuck = stuck
        self._left = left
        self._endpoint: Endpoint | None = None
        self._length = 0
        self._number = device.gadget.address
        device.open(clock.now)

    def claim(self, interface: int) -> None:
        self._check()

    def release(self, interface: int) -> None:
        return

    def control_in(self, setup: Setup, length: int, *, timeout: float) -> bytes:
        return self._control(setup, b"", length, timeout)[:length]

    def control_out(self, setup: Setup, data: bytes, *, timeout: float) -> None:
        self._control(setup, data, len(data), timeout)

    def listen(self, endpoint: Endpoint, length: int) -> None:
        self._endpoint, self._length = endpoint, length

    def read(self, timeout: float) -> bytes | None:
        deadline = self._clock.now + timeout
        while True:
            self._hang()
            self._check()
            if self._endpoint is not None:
                reply = self._device.interrupt(
                    self._endpoint.address, self._length, self._clock.now
                )
                if reply is not None:
                    return self._outcome(reply, timeout, "interrupt read")
            if self._clock.now >= deadline or self._wait(deadline):
                return None

    def clear_halt(self) -> None:
        address = self._endpoint.address if self._endpoint else 0x81
        self.control_out(Setup(0x02, 0x01, 0, address, "clear halt"), b"", timeout=5.0)

    def reset(self) -> None:
        self._check()
        self._device.gadget.disconnect(self._clock.now, 0.1)
        raise DeviceGone("reset: ENODEV")

    def interrupt(self) -> None:
        return

    def close(self) -> None:
        self._endpoint = None

    def _control(self, setup: Setup, data: bytes, length: int, timeout: float) -> bytes:
        self._hang()
        self._check()
        raw = struct.pack(
            "<BBHHH", setup.request_type, setup.request, setup.value, setup.index, length
        )
        return self._outcome(self._device.control(raw, data, self._clock.now), timeout, setup.words)

    def _outcome(self, reply: Reply, timeout: float, words: str) -> bytes:
        error: UsbHidUpsError | None = None
        if reply.status is Status.GONE:
            error, seconds = DeviceGone(f"{words}: ENODEV"), LATENCY
        elif reply.status is Status.NEVER or reply.after > timeout:
            error, seconds = TransferFailed(TransferKind.TIMEOUT, words), timeout
        else:
            seconds = max(LATENCY, reply.after)
            if reply.status is not Status.OK:
                error = TransferFailed(_KINDS[reply.status], words)
        self._clock.sleep(seconds)
        self._check()
        if error is not None:
            raise error
        return reply.data

    def _check(self) -> None:
        gadget = self._device.gadget
        if not gadget.present or gadget.address != self._number:
            raise DeviceGone("ENODEV")

    def _hang(self) -> None:
        while self._stuck():
            if self._left():
                raise Left
            self._clock.sleep(1.0)
