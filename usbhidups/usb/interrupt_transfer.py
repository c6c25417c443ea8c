"""A read of the interrupt endpoint that is always under way, by libusb's asynchronous interface.

pyusb waits for an interrupt report by a transfer with a timeout, which has to be made and taken back for every
wait and which nothing but its end can interrupt. Here one transfer stays with the host controller until a
report comes, whatever else is asked meanwhile: a wait costs a poll, ends at once when called, and a report
is taken the moment the device has it. (libusb's documentation, "Asynchronous device I/O")

One libusb context serves several devices and threads: whichever of them handles events completes the
transfers of all, and wakes the thread whose ``completed`` was set.
"""

from __future__ import annotations

import ctypes
import errno
import time
from ctypes import CFUNCTYPE, POINTER, c_int, c_long, c_ubyte, c_uint, c_void_p
from typing import Any, Protocol

__all__ = ["InterruptEndpoint", "InterruptTransfer"]

CANCEL_PATIENCE = 1.0
"""Seconds in which a transfer that is taken back should end; libusb drops it when the device is closed."""

SHORTEST_WAIT = 0.001
"""Seconds that a transfer gets to bring what the device has ready."""

LONGEST_WAIT = 1.0
"""Seconds of one wait where this libusb cannot be called (before 1.0.21)."""

_INTERRUPT = 3  # LIBUSB_TRANSFER_TYPE_INTERRUPT
_COMPLETED = 0
_ERRNOS = {2: errno.ETIMEDOUT, 3: errno.EINTR, 4: errno.EPIPE, 5: errno.ENODEV, 6: errno.EOVERFLOW}
"""What a transfer came to (enum libusb_transfer_status) as the kernel would say it; else EIO."""

_CODES = {-3: errno.EACCES, -4: errno.ENODEV, -6: errno.EBUSY, -11: errno.ENOMEM}
"""What a call returned (enum libusb_error); else EIO."""


class InterruptEndpoint(Protocol):
    """The read of one endpoint. Errors are OSErrors with the kernel's errno."""

    def read(self, timeout: float) -> bytes | None:
        """What came; None when nothing came in time (seconds), or ``call`` was called."""
        ...

    def call(self) -> None:
        """From any thread: end the ``read`` that is under way, or the next one."""
        ...

    def cancel(self) -> None:
        """Take the transfer back; the next ``read`` starts another. Bounded in time."""
        ...

    def free(self) -> None:
        """Give the memory back; after the device was closed."""
        ...


class _Transfer(ctypes.Structure):
    """struct libusb_transfer, without the packets of isochronous ones."""


_Callback = CFUNCTYPE(None, POINTER(_Transfer))

_Transfer._fields_ = [
    ("dev_handle", c_void_p),
    ("flags", c_ubyte),
    ("endpoint", c_ubyte),
    ("type", c_ubyte),
    ("timeout", c_uint),
    ("status", c_int),
    ("length", c_int),
    ("actual_length", c_int),
    ("callback", _Callback),
    ("user_data", c_void_p),
    ("buffer", c_void_p),
    ("num_iso_packets", c_int),
]


class _Timeval(ctypes.Structure):
    _fields_ = (("seconds", c_long), ("microseconds", c_long))


class InterruptTransfer:
    """``handle`` is libusb's handle of an open device; ``length`` the most bytes of one report."""

    def __init__(self, lib: Any, context: Any, handle: Any, endpoint: int, length: int) -> None:
        self._context = context
        self._submit = CFUNCTYPE(c_int, c_void_p)(("libusb_submit_transfer", lib))
        self._take_back = CFUNCTYPE(c_int, c_void_p)(("libusb_cancel_transfer", lib))
        self._free = CFUNCTYPE(None, c_void_p)(("libusb_free_transfer", lib))
        self._handle_events = CFUNCTYPE(c_int, c_void_p, POINTER(_Timeval), POINTER(c_int))(
            ("libusb_handle_events_timeout_completed", lib)
        )
        self._rouse = (
            CFUNCTYPE(None, c_void_p)(("libusb_interrupt_event_handler", lib))
            if hasattr(lib, "libusb_interrupt_event_handler")
            else None
        )
        self._buffer = ctypes.create_string_buffer(length)
        self._completed = c_int(0)
        self._callback = _Callback(self._ended)
        self._under_way = False
        self._arrived = False
        self._called = False
        self._address: int | None = CFUNCTYPE(c_void_p, c_int)(("libusb_alloc_transfer", lib))(0)
        if self._address is None:
            raise OSError(errno.ENOMEM, "libusb_alloc_transfer")
        self._transfer = _Transfer.from_address(self._address)
        self._transfer.dev_handle = handle
        self._transfer.endpoint = endpoint
        self._transfer.type = _INTERRUPT
        self._transfer.timeout = 0
        self._transfer.length = length
        self._transfer.callback = self._callback
        self._transfer.user_data = ctypes.addressof(self._completed)
        self._transfer.buffer = ctypes.addressof(self._buffer)

    def read(self, timeout: float) -> bytes | None:
        """As InterruptEndpoint."""
        if not (self._under_way or self._arrived):
            self._check(self._submit(self._address))
            self._under_way = True
        left = max(timeout, SHORTEST_WAIT)
        until = time.monotonic() + left
        while True:
            self._completed.value = 0  # before looking: who sets it has said why
            if self._arrived:
                return self._taken()
            if self._called or left <= 0:
                self._called = False
                return None
            self._handle(left)
            left = until - time.monotonic()

    def call(self) -> None:
        """As InterruptEndpoint."""
        self._called = True
        self._completed.value = 1
        if self._rouse is not None:
            self._rouse(self._context)

    def cancel(self) -> None:
        """As InterruptEndpoint; what comes meanwhile is lost."""
        until = time.monotonic() + CANCEL_PATIENCE
        if self._under_way and self._take_back(self._address) == 0:
            while self._under_way and time.monotonic() < until:
                self._completed.value = 0
                self._handle(until - time.monotonic())
        self._arrived = False

    def free(self) -> None:
        """As InterruptEndpoint."""
        if self._address is not None:
            self._free(self._address)
            self._address = None

    def _handle(self, seconds: float) -> None:
        """Handle libusb's events for so long at most, or until there is something for us."""
        if self._rouse is None:
            seconds = min(seconds, LONGEST_WAIT)
        microseconds = max(0, int(seconds * 1e6))
        interval = _Timeval(*divmod(microseconds, 1_000_000))
        code = self._handle_events(self._context, interval, self._completed)
        if code != 0:
            self._check(code)

    def _ended(self, _transfer: object) -> None:
        """Called by whichever thread handles libusb's events."""
        self._under_way = False
        self._arrived = True
        self._completed.value = 1

    def _taken(self) -> bytes:
        self._arrived = False
        status = self._transfer.status
        if status != _COMPLETED:
            raise OSError(_ERRNOS.get(status, errno.EIO), "interrupt transfer")
        return self._buffer.raw[: self._transfer.actual_length]

    @staticmethod
    def _check(code: int) -> None:
        if code:
            raise OSError(_CODES.get(code, errno.EIO), f"libusb error {code}")
