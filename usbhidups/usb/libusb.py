"""libusb by way of pyusb's backend interface: the way that needs no kernel driver, and takes one away.

Only the power interface is claimed; a kernel driver on it is detached for that time and given back at
``close``. pyusb is imported when the first device is opened and only its thin backend is used, no device
objects: nothing is cached, nothing is left to a finalizer, and one libusb context serves all connections.

A device whose node is known is opened by the node, so neither udev nor libusb's list of devices has to
know of it (a device that was plugged in again is found although no udevd runs). Otherwise it is looked
up in libusb's list.

The interrupt endpoint is read by ``standing``. Never fork with a device open (failure B19).
(failure-catalogue.md A16, B18, C12; nut-driver-contract.md 5.4)
"""

from __future__ import annotations

import array
import contextlib
import ctypes
import errno
import importlib
import logging
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from usbhidups.errors import ConfigError, DeviceGone, UsbHidUpsError
from usbhidups.usb.descriptors import HID_CLASS, Endpoint
from usbhidups.usb.handle import Setup, failure
from usbhidups.usb.interrupt_transfer import InterruptEndpoint, InterruptTransfer
from usbhidups.usb.usbfs import open_node

__all__ = ["Backend", "Libusb", "LibusbHandle", "Listed"]

SONAME = "libusb-1.0.so.0"

_log = logging.getLogger(__name__)

CLAIM_TRIES = 3

_NOT_BOUND = (errno.ENOENT, errno.ENODATA, errno.EINVAL, errno.ENOSYS)
"""What detaching says when there is no kernel driver to detach (failure C12), or no such thing at all."""


class Backend(Protocol):
    """The part of pyusb's usb.backend.IBackend that is used. Errors are OSErrors with the kernel's errno."""

    lib: Any
    ctx: Any

    def enumerate_devices(self) -> Iterator[Any]: ...
    def get_device_descriptor(self, dev: Any) -> Any: ...
    def get_configuration_descriptor(self, dev: Any, config: int) -> Any: ...
    def get_interface_descriptor(self, dev: Any, intf: int, alt: int, config: int) -> Any: ...
    def open_device(self, dev: Any) -> Any: ...
    def close_device(self, dev_handle: Any) -> None: ...
    def claim_interface(self, dev_handle: Any, intf: int) -> None: ...
    def release_interface(self, dev_handle: Any, intf: int) -> None: ...
    def is_kernel_driver_active(self, dev_handle: Any, intf: int) -> bool: ...
    def detach_kernel_driver(self, dev_handle: Any, intf: int) -> None: ...
    def attach_kernel_driver(self, dev_handle: Any, intf: int) -> None: ...
    def clear_halt(self, dev_handle: Any, ep: int) -> None: ...
    def reset_device(self, dev_handle: Any) -> None: ...
    def ctrl_transfer(
        self,
        dev_handle: Any,
        bmRequestType: int,
        bRequest: int,
        wValue: int,
        wIndex: int,
        data: array.array[int],
        timeout: int,
    ) -> int: ...


@dataclass(frozen=True, slots=True)
class Listed:
    """One device of libusb's own list, for hosts without sysfs. ``device`` is pyusb's, ``ports`` the path."""

    vendor_id: int
    product_id: int
    release: int
    bus: int
    address: int
    ports: tuple[int, ...]
    hid: bool
    device: Any


class Libusb:
    """libusb, loaded when first needed; keep one for the life of the process."""

    def __init__(self, backend: Backend | None = None) -> None:
        self._backend = backend

    def listed(self) -> list[Listed]:
        """All devices that libusb knows, none of them opened. Raises ConfigError without pyusb or libusb."""
        backend = self.backend()
        found: list[Listed] = []
        for device in backend.enumerate_devices():
            try:
                facts = backend.get_device_descriptor(device)
            except OSError as error:
                _log.debug("libusb: %s", error)
                continue
            found.append(
                Listed(
                    vendor_id=facts.idVendor,
                    product_id=facts.idProduct,
                    release=facts.bcdDevice,
                    bus=facts.bus,
                    address=facts.address,
                    ports=tuple(facts.port_numbers or ()),
                    hid=_has_hid(backend, device),
                    device=device,
                )
            )
        return found

    def open_node(self, node: str) -> LibusbHandle | None:
        """Open a device by its node; None where this libusb cannot do so.

        Raises AccessDenied, DeviceGone, DeviceBusy, ConfigError.
        """
        backend = self.backend()
        wrap = getattr(backend.lib, "libusb_wrap_sys_device", None)
        if wrap is None:
            return None
        fd = open_node(node)
        handle = ctypes.c_void_p()
        code = wrap(backend.ctx, ctypes.c_ssize_t(fd), ctypes.byref(handle))
        if code:
            os.close(fd)
            _log.debug("%s: libusb cannot take over an open node (%d)", node, code)
            return None
        return LibusbHandle(backend, _Handle(handle), node=node, fd=fd)

    def open_address(self, bus: int, address: int, *, node: str = "") -> LibusbHandle:
        """Open a device of libusb's list. Raises AccessDenied, DeviceGone, DeviceBusy, ConfigError."""
        for listed in self.listed():
            if (listed.bus, listed.address) == (bus, address):
                return self.open_listed(listed, node=node)
        raise DeviceGone(f"libusb does not know device {bus:03d}/{address:03d}")

    def open_listed(self, listed: Listed, *, node: str = "") -> LibusbHandle:
        """As open_address, for a device that was listed before."""
        backend = self.backend()
        try:
            handle = backend.open_device(listed.device)
        except OSError as error:
            raise _typed(error, f"open {listed.bus:03d}/{listed.address:03d}", node) from None
        return LibusbHandle(backend, handle, node=node)

    def backend(self) -> Backend:
        """pyusb's backend. Raises ConfigError, saying what to install."""
        if self._backend is None:
            self._backend = _load()
        return self._backend


def _load() -> Backend:
    try:
        libusb1 = importlib.import_module("usb.backend.libusb1")
    except ImportError:
        raise ConfigError(
            "pyusb is not installed (Debian: apt install python3-usb; else pip install pyusb)",
            key="transport",
        ) from None
    # By its name first: looking for it starts ldconfig, or a compiler, and costs a megabyte.
    backend: Backend | None = libusb1.get_backend(find_library=lambda _: SONAME)
    if backend is None:
        backend = libusb1.get_backend()
    if backend is None:
        with contextlib.suppress(ImportError):
            package = importlib.import_module("libusb_package")
            backend = libusb1.get_backend(find_library=package.find_library)
    if backend is None:
        raise ConfigError(
            "libusb-1.0 is not installed (Debian: apt install libusb-1.0-0; else pip install libusb-package)",
            key="transport",
        )
    return backend


def _has_hid(backend: Backend, device: Any) -> bool:
    try:
        count = backend.get_configuration_descriptor(device, 0).bNumInterfaces
        return any(
            backend.get_interface_descriptor(device, number, 0, 0).bInterfaceClass == HID_CLASS
            for number in range(count)
        )
    except (OSError, IndexError):
        return False


@dataclass(slots=True)
class _Handle:
    """A libusb handle in the shape in which pyusb's backend expects it."""

    handle: ctypes.c_void_p


def _typed(error: OSError, words: str, node: str = "") -> UsbHidUpsError:
    """Errors of pyusb carry the errno that goes with libusb's code, or none."""
    return failure(error.errno or errno.EIO, words, node=node)


def _stand(backend: Backend, handle: Any, endpoint: int, length: int) -> InterruptEndpoint:
    return InterruptTransfer(backend.lib, backend.ctx, handle.handle, endpoint, length)


class LibusbHandle:
    """An open device; satisfies ``pipe.UsbHandle``."""

    def __init__(
        self,
        backend: Backend,
        handle: Any,
        *,
        node: str = "",
        fd: int = -1,
        stand: Callable[[Backend, Any, int, int], InterruptEndpoint] = _stand,
    ) -> None:
        """``fd`` is the node's descriptor where we opened it ourselves; it becomes the pipe's.

        ``stand`` makes the read of an endpoint: backend, handle, address, length.
        """
        self._backend = backend
        self._handle = handle
        self._node = node
        self._fd = fd
        self._claimed: set[int] = set()
        self._detached: set[int] = set()
        self._stand = stand
        self._endpoint, self._length = 0, 0
        self._standing: InterruptEndpoint | None = None
        self._called = threading.Event()
        self._gone = False
        self._closed = False

    def claim(self, interface: int) -> None:
        """As UsbHandle. A driver that is not bound is success; DeviceBusy when somebody else holds it."""
        for tries in range(1, CLAIM_TRIES + 1):
            self._detach(interface)
            try:
                self._backend.claim_interface(self._handle, interface)
            except OSError as error:
                if error.errno == errno.EBUSY and tries < CLAIM_TRIES:
                    continue
                raise self._failed(error, f"claim interface {interface}") from None
            self._claimed.add(interface)
            return

    def release(self, interface: int) -> None:
        """As UsbHandle: give the interface and its kernel driver back."""
        if interface in self._claimed:
            self._claimed.discard(interface)
            with contextlib.suppress(OSError):
                self._backend.release_interface(self._handle, interface)
        if interface in self._detached:
            self._detached.discard(interface)
            try:
                self._backend.attach_kernel_driver(self._handle, interface)
            except OSError as error:
                _log.debug(
                    "interface %d: the kernel driver did not come back: %s", interface, error
                )

    def control_in(self, setup: Setup, length: int, *, timeout: float) -> bytes:
        """As UsbHandle."""
        buffer = array.array("B", bytes(length))
        got = self._control(setup, buffer, timeout)
        return buffer[:got].tobytes()

    def control_out(self, setup: Setup, data: bytes, *, timeout: float) -> None:
        """As UsbHandle."""
        self._control(setup, array.array("B", data), timeout)

    def listen(self, endpoint: Endpoint, length: int) -> None:
        """As UsbHandle."""
        self._endpoint, self._length = endpoint.address, length

    def read(self, timeout: float) -> bytes | None:
        """As UsbHandle."""
        if not self._endpoint:
            self._called.wait(timeout)
            self._called.clear()
            return None
        handle = self._open()
        try:
            if self._standing is None:
                self._standing = self._stand(self._backend, handle, self._endpoint, self._length)
            return self._standing.read(timeout)
        except OSError as error:
            raise self._failed(error, f"read endpoint {self._endpoint:#04x}") from None

    def clear_halt(self) -> None:
        """As UsbHandle."""
        if self._endpoint:
            handle = self._open()
            try:
                if self._standing is not None:
                    self._standing.cancel()
                self._backend.clear_halt(handle, self._endpoint)
            except OSError as error:
                raise self._failed(error, "clear halt") from None

    def reset(self) -> None:
        """As UsbHandle; DeviceGone when it comes back as another device."""
        handle = self._open()
        try:
            if self._standing is not None:
                self._standing.cancel()
            self._backend.reset_device(handle)
        except OSError as error:
            raise self._failed(error, "reset port") from None

    def interrupt(self) -> None:
        """As UsbHandle, at once."""
        self._called.set()
        if self._standing is not None:
            self._standing.call()

    def close(self) -> None:
        """As UsbHandle. Nothing is asked of a device that is gone: that was seen to hang (failure B18)."""
        if self._closed:
            return
        self._closed = True
        if not self._gone:
            if self._standing is not None:
                with contextlib.suppress(OSError):
                    self._standing.cancel()
            for interface in sorted(self._detached):
                self.release(interface)
        self._backend.close_device(self._handle)
        if self._standing is not None:
            self._standing.free()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _detach(self, interface: int) -> None:
        try:
            if self._backend.is_kernel_driver_active(self._handle, interface):
                self._backend.detach_kernel_driver(self._handle, interface)
                self._detached.add(interface)
        except NotImplementedError:
            return
        except OSError as error:
            if error.errno not in _NOT_BOUND:
                raise self._failed(
                    error, f"detach the kernel driver of interface {interface}"
                ) from None

    def _control(self, setup: Setup, buffer: array.array[int], timeout: float) -> int:
        try:
            return self._backend.ctrl_transfer(
                self._open(),
                setup.request_type,
                setup.request,
                setup.value,
                setup.index,
                buffer,
                _milliseconds(timeout),
            )
        except OSError as error:
            raise self._failed(error, setup.words) from None

    def _open(self) -> Any:
        if self._closed or self._gone:
            raise DeviceGone("the device is closed")
        return self._handle

    def _failed(self, error: OSError, words: str) -> UsbHidUpsError:
        typed = _typed(error, words, self._node)
        self._gone = self._gone or isinstance(typed, DeviceGone)
        return typed


def _milliseconds(seconds: float) -> int:
    """libusb takes 0 for "no limit": at least 1."""
    return max(1, round(seconds * 1000))
