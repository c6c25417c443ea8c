"""A pipe to one USB device: control requests and one interrupt endpoint, without knowing what they mean.

``libusb`` and ``usbip`` are pipes; ``piped`` makes a Transport of one. Errors are already the typed ones.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import Protocol

from usbhidups.errors import (
    AccessDenied,
    DeviceBusy,
    DeviceGone,
    TransferFailed,
    TransferKind,
    UsbHidUpsError,
)
from usbhidups.usb.descriptors import Endpoint

__all__ = ["Setup", "UsbHandle", "failure"]


@dataclass(frozen=True, slots=True)
class Setup:
    """A control request without its data; ``words`` says for people what it asks for."""

    request_type: int
    request: int
    value: int
    index: int
    words: str

    def __str__(self) -> str:
        return self.words


class UsbHandle(Protocol):
    """An open device below the HID requests. Timeouts in seconds; one thread uses it at a time."""

    def claim(self, interface: int) -> None:
        """Take an interface from the kernel and for us alone. Raises DeviceBusy, AccessDenied, DeviceGone."""
        ...

    def release(self, interface: int) -> None:
        """Give it back; never raises."""
        ...

    def control_in(self, setup: Setup, length: int, *, timeout: float) -> bytes:
        """Ask for up to ``length`` bytes; fewer may come, even none. Raises TransferFailed, DeviceGone."""
        ...

    def control_out(self, setup: Setup, data: bytes, *, timeout: float) -> None:
        """Send ``data``; returns once the device acknowledged it. Raises as control_in."""
        ...

    def listen(self, endpoint: Endpoint, length: int) -> None:
        """From now on ``read`` reads this endpoint, ``length`` bytes at most at a time."""
        ...

    def read(self, timeout: float) -> bytes | None:
        """One transfer of the interrupt endpoint; None when none came in time or ``interrupt`` was called.

        Without ``listen`` before it only waits.
        """
        ...

    def clear_halt(self) -> None:
        """Clear a halt of the interrupt endpoint."""
        ...

    def reset(self) -> None:
        """Reset the device's port; raises DeviceGone when it has to be opened anew."""
        ...

    def interrupt(self) -> None:
        """From any thread: make a ``read`` that is under way return soon."""
        ...

    def close(self) -> None:
        """Give everything back; never raises, bounded in time."""
        ...


_KINDS = {
    errno.EPIPE: TransferKind.STALL,
    errno.ETIMEDOUT: TransferKind.TIMEOUT,
    errno.EOVERFLOW: TransferKind.OVERFLOW,
    errno.EREMOTEIO: TransferKind.SHORT,
}
_GONE = {errno.ENODEV, errno.ESHUTDOWN, errno.ENXIO, errno.ENOENT, errno.ECONNRESET, errno.EBADF}


def failure(number: int, request: str, *, node: str = "") -> UsbHidUpsError:
    """The typed error for a transfer that ended with an errno of the kernel (positive).

    (nut-driver-contract.md 5.4; a device without memory, ENOMEM, is opened again as NUT does)
    """
    if number in _GONE or number == errno.ENOMEM:
        return DeviceGone(f"{request}: {errno.errorcode.get(number, number)}")
    if number in (errno.EACCES, errno.EPERM):
        return AccessDenied(request, node=node)
    if number == errno.EBUSY:
        return DeviceBusy(f"{request}: the interface is taken")
    return TransferFailed(_KINDS.get(number, TransferKind.IO), request, errno=number)
