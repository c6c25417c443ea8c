"""The kernel's hidraw node: a UPS read beside the kernel's driver, without taking the device from it.

Why the node itself and not hidapi: poll() gives finite waits, a report is seen the moment the kernel has
it, and another thread ends a wait at once; hidapi has neither an interruptible wait nor typed errors
(it gives -1 and a sentence), and allocates on every read. With the node there is nothing left that
hidapi would add on Linux, so it is no dependency.

What to know: the kernel gives each control transfer 5 s, whatever the caller's timeout. It knows the
descriptor it parsed when the device was plugged in, 4096 bytes at most. Kernels from 7.0 on drop input
reports that are shorter than declared, so feature reports must be polled as well (failure B06). Strings
besides the three of the device descriptor, and a reset, go through the device's usbfs node where that may
be opened. (the kernel's Documentation/hid/hidraw.rst)
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import select
import struct
import time
from collections.abc import Callable, Mapping

from usbhidups.errors import AccessDenied, DescriptorError, DeviceBusy, DeviceGone, TransferFailed
from usbhidups.identity import Identity
from usbhidups.usb.handle import failure
from usbhidups.usb.ioctls import (
    HIDIOCGRAWINFO,
    HIDIOCGRDESC,
    HIDIOCGRDESCSIZE,
    hid_get_feature,
    hid_get_input,
    hid_set_feature,
)
from usbhidups.usb.reports import FEATURE, INPUT, ReportReader
from usbhidups.usb.reportscan import scan
from usbhidups.usb.strings import StringReader
from usbhidups.usb.transport import CONTROL_TIMEOUT
from usbhidups.usb.usbfs import Ioctl, UsbNode, kernel_ioctl, open_node
from usbhidups.usb.wake import Wake

__all__ = ["HidrawTransport", "open_hidraw"]

_log = logging.getLogger(__name__)

LONGEST_READ = 16_384  # the kernel's HID_MAX_BUFFER_SIZE
LEAST_LENGTH = 2  # the kernel refuses to ask for less


def open_hidraw(
    node: str,
    identity: Identity,
    *,
    usb_node: str = "",
    strings: Mapping[int, str] | None = None,
    ioctl: Ioctl = kernel_ioctl,
) -> HidrawTransport:
    """Open ``/dev/hidrawN`` of the device that ``identity`` describes.

    ``usb_node`` is its node under /dev/bus/usb, "" where there is none; ``strings`` the kernel's copies
    by index. Raises AccessDenied, DeviceGone (also when another device took the node over), DescriptorError.
    """
    fd = open_node(node)
    try:
        _check_ids(fd, node, identity, ioctl)
        descriptor = _descriptor(fd, node, ioctl)
        if not scan(descriptor).power:
            raise DescriptorError(f"{node}: its report descriptor is no Power Device's")
        return HidrawTransport(
            fd, node, identity, descriptor, usb_node=usb_node, strings=strings or {}, ioctl=ioctl
        )
    except BaseException:
        os.close(fd)
        raise


def _check_ids(fd: int, node: str, identity: Identity, ioctl: Ioctl) -> None:
    info = bytearray(8)
    _call(ioctl, fd, HIDIOCGRAWINFO, info, f"{node}: get ids")
    _, vendor, product = struct.unpack("=IHH", info)
    if (vendor, product) != (identity.vendor_id, identity.product_id):
        raise DeviceGone(f"{node} now belongs to {vendor:04x}:{product:04x}")


def _descriptor(fd: int, node: str, ioctl: Ioctl) -> bytes:
    size = bytearray(4)
    _call(ioctl, fd, HIDIOCGRDESCSIZE, size, f"{node}: get length of report descriptor")
    whole = size + bytearray(4096)
    _call(ioctl, fd, HIDIOCGRDESC, whole, f"{node}: get report descriptor")
    (length,) = struct.unpack("=I", size)
    return bytes(whole[4 : 4 + min(length, 4096)])


def _call(ioctl: Ioctl, fd: int, request: int, data: bytearray, words: str) -> int:
    try:
        return ioctl(fd, request, data)
    except OSError as error:
        raise failure(error.errno or errno.EIO, words) from None


class HidrawTransport:
    """An open hidraw node; satisfies ``transport.Transport``."""

    def __init__(
        self,
        fd: int,
        node: str,
        identity: Identity,
        descriptor: bytes,
        *,
        usb_node: str,
        strings: Mapping[int, str],
        ioctl: Ioctl = kernel_ioctl,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``fd`` becomes the transport's own."""
        self._fd = fd
        self._node = node
        self._identity = identity
        self._report_descriptor = descriptor
        self._numbered = scan(descriptor).numbered
        self._ioctl = ioctl
        self._clock = clock
        self._usb = UsbNode(usb_node, ioctl=ioctl) if usb_node else None
        self._copies = strings
        self._strings = StringReader(self._usb.control_in, strings) if self._usb else None
        self._reports = ReportReader()
        self._wake = Wake()
        self._poll = select.poll()
        self._poll.register(fd, select.POLLIN)
        self._poll.register(self._wake, select.POLLIN)

    @property
    def identity(self) -> Identity:
        """Who it is, as sysfs says."""
        return self._identity

    def report_descriptor(self) -> bytes:
        """The kernel's copy."""
        return self._report_descriptor

    def get_feature(self, report_id: int, size: int, *, timeout: float = CONTROL_TIMEOUT) -> bytes:
        """As Transport, but the timeout is the kernel's 5 s."""
        return self._get(FEATURE, hid_get_feature, report_id, size)

    def get_input(self, report_id: int, size: int, *, timeout: float = CONTROL_TIMEOUT) -> bytes:
        """As get_feature; before Linux 5.11 every call fails."""
        return self._get(INPUT, hid_get_input, report_id, size)

    def set_feature(self, data: bytes, *, timeout: float = CONTROL_TIMEOUT) -> None:
        """As Transport, but the timeout is the kernel's 5 s."""
        words = f"set feature {data[0]:#04x}"
        self._request(hid_set_feature(len(data)), bytearray(data), words)

    def wait_input(self, timeout: float) -> bytes | None:
        """As Transport; ends at once when ``interrupt`` is called."""
        ready = dict(self._poll.poll(max(0.0, timeout) * 1000))
        events = ready.get(self._fd, 0)
        if events & select.POLLIN:
            data = self._read()
            if data:
                return data if self._numbered else b"\0" + data
        elif events:
            raise DeviceGone(f"{self._node}: the device is gone")
        if self._wake.fileno() in ready:
            self._wake.clear()
        return None

    def string(self, index: int, *, timeout: float = CONTROL_TIMEOUT) -> str | None:
        """As Transport: the kernel's copy, else through the usbfs node; None where that may not be opened."""
        if self._strings is None:
            return self._copies.get(index)
        try:
            return self._strings.read(index, timeout)
        except (AccessDenied, DeviceBusy) as error:
            _log.info("%s; strings besides those in sysfs are not read", error)
            self._strings = None
            return None

    def clear_halt(self) -> None:
        """The kernel's driver does that by itself."""

    def reset(self) -> None:
        """As Transport, through the usbfs node; a refusal is only logged."""
        if self._usb is not None:
            try:
                self._usb.reset()
            except (AccessDenied, DeviceBusy, TransferFailed) as error:
                _log.debug("%s", error)

    def interrupt(self) -> None:
        """As Transport, at once."""
        self._wake.call()

    def close(self) -> None:
        """As Transport; there is no driver to give back."""
        self._wake.close()
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                os.close(self._fd)
            self._fd = -1

    def _read(self) -> bytes:
        try:
            return os.read(self._fd, LONGEST_READ)
        except BlockingIOError:
            return b""
        except OSError as error:  # the kernel says EIO when the device is gone
            raise DeviceGone(f"{self._node}: {error.strerror or error}") from None

    def _get(self, kind: int, request: Callable[[int], int], report_id: int, size: int) -> bytes:
        def ask(length: int, words: str) -> bytes:
            data = bytearray(max(LEAST_LENGTH, length))
            data[0] = report_id
            got = self._request(request(len(data)), data, words)
            return bytes(data[: max(0, got)])

        return self._reports.read(ask, kind, report_id, size)

    def _request(self, request: int, data: bytearray, words: str) -> int:
        if self._fd < 0:
            raise DeviceGone(f"{self._node}: closed")
        return _call(self._ioctl, self._fd, request, data, words)
