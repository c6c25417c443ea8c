"""The kernel's own node of a USB device: requests to the device as a whole while a kernel driver holds it.

Such requests (string descriptors, a port reset) need no interface to be claimed, so the hidraw transport
can make them beside the kernel's driver. Each call opens and closes the node. (linux/usbdevice_fs.h)
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
from collections.abc import Callable

from usbhidups.errors import AccessDenied, DeviceGone
from usbhidups.usb.handle import Setup, failure
from usbhidups.usb.ioctls import USBDEVFS_CONTROL, USBDEVFS_RESET, ControlTransfer

__all__ = ["Ioctl", "UsbNode", "kernel_ioctl", "open_node"]

Ioctl = Callable[[int, int, bytearray | int], int]
"""One ioctl whose buffer is changed in place; raises OSError."""


def kernel_ioctl(fd: int, request: int, argument: bytearray | int) -> int:
    """The kernel's."""
    return fcntl.ioctl(fd, request, argument)


def open_node(node: str) -> int:
    """Open a device node for reading and writing, not blocking.

    Raises AccessDenied, DeviceGone (the node is not there, or nothing is behind it), DeviceBusy.
    """
    try:
        return os.open(node, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM):
            raise AccessDenied("may not be opened", node=node) from None
        if error.errno == errno.EBUSY:
            raise failure(errno.EBUSY, f"open {node}") from None
        raise DeviceGone(f"{node}: {error.strerror or error}") from None


class UsbNode:
    """``/dev/bus/usb/BBB/DDD`` of one device."""

    def __init__(self, node: str, *, ioctl: Ioctl = kernel_ioctl) -> None:
        self._node = node
        self._ioctl = ioctl

    def control_in(self, setup: Setup, length: int, *, timeout: float) -> bytes:
        """A control read without data from us. Raises TransferFailed, AccessDenied, DeviceGone."""
        data = ctypes.create_string_buffer(max(1, length))
        request = ControlTransfer(
            setup.request_type,
            setup.request,
            setup.value,
            setup.index,
            length,
            max(1, int(timeout * 1000)),
            ctypes.addressof(data),
        )
        packed = bytearray(request)
        got = self._call(USBDEVFS_CONTROL, packed, setup.words)
        return data.raw[: min(max(0, got), length)]

    def reset(self) -> None:
        """Reset the device's port. Raises TransferFailed, AccessDenied, DeviceGone."""
        self._call(USBDEVFS_RESET, 0, "reset port")

    def _call(self, request: int, argument: bytearray | int, words: str) -> int:
        fd = open_node(self._node)
        try:
            return self._ioctl(fd, request, argument)
        except OSError as error:
            raise failure(error.errno or errno.EIO, words, node=self._node) from None
        finally:
            os.close(fd)
