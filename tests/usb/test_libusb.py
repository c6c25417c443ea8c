"""The libusb pipe over a backend that is a table; the real pyusb is in test_libusb_standin.py."""

from __future__ import annotations

import array
import errno
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from usbhidups.errors import (
    AccessDenied,
    ConfigError,
    DeviceBusy,
    DeviceGone,
    TransferFailed,
    TransferKind,
    UsbHidUpsError,
)
from usbhidups.usb.descriptors import Endpoint
from usbhidups.usb.handle import Setup
from usbhidups.usb.libusb import Libusb, LibusbHandle

GET = Setup(0xA1, 0x01, 0x0308, 0, "get feature 0x08")
ENDPOINT = Endpoint(0x84, 8, 10)


class Table:
    """A backend that notes what it is asked and fails where it is told to (by name, errnos in turn)."""

    def __init__(self, *, bound: bool = True) -> None:
        self.lib: Any = SimpleNamespace()
        self.ctx: Any = None
        self.calls: list[tuple[object, ...]] = []
        self.failures: dict[str, list[int | None]] = {}
        self.bound = bound
        self.answer = b""
        self.inputs: list[bytes | int | None] = []
        self.devices: list[Any] = []

    def _note(self, name: str, *arguments: object) -> None:
        self.calls.append((name, *arguments))
        if self.failures.get(name):
            number = self.failures[name].pop(0)
            if number != 0:
                raise OSError(number, "scripted")

    def enumerate_devices(self) -> Iterator[Any]:
        return iter(self.devices)

    def get_device_descriptor(self, dev: Any) -> Any:
        self._note("descriptor")
        return dev

    def get_configuration_descriptor(self, dev: Any, config: int) -> Any:
        return SimpleNamespace(bNumInterfaces=len(dev.classes))

    def get_interface_descriptor(self, dev: Any, intf: int, alt: int, config: int) -> Any:
        return SimpleNamespace(bInterfaceClass=dev.classes[intf])

    def open_device(self, dev: Any) -> Any:
        self._note("open")
        return "handle"

    def close_device(self, dev_handle: Any) -> None:
        self._note("close")

    def claim_interface(self, dev_handle: Any, intf: int) -> None:
        self._note("claim", intf)

    def release_interface(self, dev_handle: Any, intf: int) -> None:
        self._note("release", intf)

    def is_kernel_driver_active(self, dev_handle: Any, intf: int) -> bool:
        self._note("active?", intf)
        return self.bound

    def detach_kernel_driver(self, dev_handle: Any, intf: int) -> None:
        self._note("detach", intf)
        self.bound = False

    def attach_kernel_driver(self, dev_handle: Any, intf: int) -> None:
        self._note("attach", intf)

    def clear_halt(self, dev_handle: Any, ep: int) -> None:
        self._note("clear halt", ep)

    def reset_device(self, dev_handle: Any) -> None:
        self._note("reset")

    def ctrl_transfer(
        self,
        dev_handle: Any,
        bmRequestType: int,
        bRequest: int,
        wValue: int,
        wIndex: int,
        data: array.array[int],
        timeout: int,
    ) -> int:
        head = ("control", bmRequestType, bRequest, wValue, wIndex)
        self._note(*head, data.tobytes(), timeout)
        if not bmRequestType & 0x80:
            return len(data)
        data[: len(self.answer)] = array.array("B", self.answer)
        return len(self.answer)

    @property
    def names(self) -> list[object]:
        return [call[0] for call in self.calls]


class Reading:
    """The read of an endpoint: what the table has, in its turn."""

    def __init__(self, table: Any, handle: Any, endpoint: int, length: int) -> None:
        self._table = table
        table.calls.append(("stand", handle, endpoint, length))

    def read(self, timeout: float) -> bytes | None:
        self._table.calls.append(("read", timeout))
        got = self._table.inputs.pop(0) if self._table.inputs else None
        if isinstance(got, int):
            raise OSError(got, "scripted")
        return got

    def call(self) -> None:
        self._table.calls.append(("call",))

    def cancel(self) -> None:
        self._table.calls.append(("cancel",))

    def free(self) -> None:
        self._table.calls.append(("free",))


def pipe_on(backend: Table) -> LibusbHandle:
    return LibusbHandle(backend, "handle", node="/dev/bus/usb/001/007", stand=Reading)


def test_a_bound_driver_is_taken_away_and_given_back() -> None:
    backend = Table()
    pipe = pipe_on(backend)
    pipe.claim(1)
    pipe.close()
    pipe.close()
    assert backend.calls == [
        ("active?", 1),
        ("detach", 1),
        ("claim", 1),
        ("release", 1),
        ("attach", 1),
        ("close",),
    ]


def test_no_driver_is_no_matter_and_nothing_is_given_back() -> None:
    backend = Table(bound=False)
    pipe = pipe_on(backend)
    pipe.claim(0)
    pipe.close()
    assert backend.names == ["active?", "claim", "close"]


@pytest.mark.parametrize("number", [errno.ENOENT, errno.ENODATA])
def test_a_driver_that_left_meanwhile_is_success(number: int) -> None:
    backend = Table()  # failure C12
    backend.failures["detach"] = [number]
    pipe_on(backend).claim(0)
    assert backend.names == ["active?", "detach", "claim"]


def test_systems_without_detaching(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = Table()

    def no_such_thing(handle: Any, interface: int) -> bool:
        raise NotImplementedError

    monkeypatch.setattr(backend, "is_kernel_driver_active", no_such_thing)
    pipe_on(backend).claim(0)
    assert backend.names == ["claim"]


def test_claiming_is_tried_three_times() -> None:
    backend = Table()
    backend.failures["claim"] = [errno.EBUSY, errno.EBUSY, 0]
    pipe_on(backend).claim(0)
    assert backend.names.count("claim") == 3
    backend = Table()
    backend.failures["claim"] = [errno.EBUSY] * 3
    with pytest.raises(DeviceBusy):
        pipe_on(backend).claim(0)


def test_the_wrong_interface_is_given_back_at_once() -> None:
    backend = Table()
    pipe = pipe_on(backend)
    pipe.claim(0)
    pipe.release(0)
    pipe.close()
    assert backend.names == ["active?", "detach", "claim", "release", "attach", "close"]


def test_a_driver_that_does_not_come_back_is_only_noted() -> None:
    backend = Table()
    backend.failures = {"release": [errno.EIO], "attach": [errno.EBUSY]}
    pipe = pipe_on(backend)
    pipe.claim(0)
    pipe.close()
    assert backend.names[-1] == "close"


def test_control_requests() -> None:
    backend = Table()
    backend.answer = b"\x08\x64"
    pipe = pipe_on(backend)
    assert pipe.control_in(GET, 6, timeout=5) == b"\x08\x64"
    pipe.control_out(Setup(0x21, 9, 0x0308, 0, "set"), b"\x08\x01", timeout=0.0001)
    assert backend.calls == [
        ("control", 0xA1, 1, 0x0308, 0, bytes(6), 5000),
        ("control", 0x21, 9, 0x0308, 0, b"\x08\x01", 1),  # 0 would be "no limit"
    ]


@pytest.mark.parametrize(
    ("number", "error", "kind"),
    [
        (errno.EPIPE, TransferFailed, TransferKind.STALL),
        (errno.ETIMEDOUT, TransferFailed, TransferKind.TIMEOUT),
        (errno.EOVERFLOW, TransferFailed, TransferKind.OVERFLOW),
        (errno.EIO, TransferFailed, TransferKind.IO),
        (errno.EINTR, TransferFailed, TransferKind.IO),
        (None, TransferFailed, TransferKind.IO),  # libusb's "other"
        (errno.ENODEV, DeviceGone, None),
        (errno.ENOENT, DeviceGone, None),
        (errno.ENOMEM, DeviceGone, None),
        (errno.EACCES, AccessDenied, None),
        (errno.EBUSY, DeviceBusy, None),
    ],
)
def test_errors_by_what_comes_next(
    number: int | None, error: type[UsbHidUpsError], kind: TransferKind | None
) -> None:
    backend = Table()
    backend.failures["control"] = [number]
    with pytest.raises(error) as caught:
        pipe_on(backend).control_in(GET, 6, timeout=5)
    assert getattr(caught.value, "kind", None) is kind


def test_nothing_is_asked_of_a_device_that_is_gone() -> None:
    backend = Table()
    pipe = pipe_on(backend)
    pipe.claim(0)
    backend.failures["control"] = [errno.ENODEV]
    with pytest.raises(DeviceGone):
        pipe.control_in(GET, 6, timeout=5)
    with pytest.raises(DeviceGone):
        pipe.control_in(GET, 6, timeout=5)
    pipe.close()
    assert backend.names == ["active?", "detach", "claim", "control", "close"]


def listening(backend: Table) -> LibusbHandle:
    pipe = pipe_on(backend)
    pipe.listen(ENDPOINT, 16)
    return pipe


def test_input_reports() -> None:
    backend = Table()
    backend.inputs = [b"\x0b\x11", None, errno.EPIPE, errno.ENODEV]
    pipe = listening(backend)
    assert pipe.read(0.75) == b"\x0b\x11"
    assert pipe.read(0.5) is None
    with pytest.raises(TransferFailed) as caught:
        pipe.read(0)
    assert caught.value.kind is TransferKind.STALL
    with pytest.raises(DeviceGone):
        pipe.read(0)
    with pytest.raises(DeviceGone):
        pipe.read(0)
    reads = [("read", seconds) for seconds in (0.75, 0.5, 0, 0)]
    assert backend.calls == [("stand", "handle", 0x84, 16), *reads]


def test_a_call_ends_the_read() -> None:
    backend = Table()
    pipe = listening(backend)
    pipe.read(0)
    pipe.interrupt()
    assert backend.names == ["stand", "read", "call"]


def test_the_read_is_taken_back_before_and_freed_after_the_device_is_closed() -> None:
    backend = Table(bound=False)
    pipe = listening(backend)
    pipe.read(0)
    pipe.close()
    assert backend.names == ["stand", "read", "cancel", "close", "free"]


def test_nothing_is_taken_back_from_a_device_that_is_gone() -> None:
    backend = Table()
    backend.inputs = [errno.ENODEV]
    pipe = listening(backend)
    with pytest.raises(DeviceGone):
        pipe.read(0)
    pipe.close()
    assert backend.names == ["stand", "read", "close", "free"]


def test_without_endpoint_a_read_only_waits() -> None:
    pipe = pipe_on(Table())
    caller = threading.Timer(0.01, pipe.interrupt)
    caller.start()
    assert pipe.read(1000) is None
    caller.join()
    pipe.clear_halt()


def test_mending() -> None:
    backend = Table()
    pipe = listening(backend)
    pipe.clear_halt()
    pipe.reset()
    assert backend.calls == [("clear halt", 0x84), ("reset",)]
    pipe.read(0)
    backend.calls.clear()
    pipe.clear_halt()
    pipe.reset()
    assert backend.names == ["cancel", "clear halt", "cancel", "reset"]
    backend.failures = {"clear halt": [errno.EIO], "reset": [errno.ENOENT]}
    with pytest.raises(TransferFailed):
        pipe.clear_halt()
    with pytest.raises(DeviceGone):  # it came back as another device
        pipe.reset()


# -- finding and opening -------------------------------------------------------------------------


def device(address: int, classes: tuple[int, ...], ports: tuple[int, ...] | None = (1, 3)) -> Any:
    return SimpleNamespace(
        idVendor=0x0764,
        idProduct=0x0501,
        bcdDevice=1,
        bus=1,
        address=address,
        port_numbers=ports,
        classes=classes,
    )


def test_the_list_of_devices() -> None:
    backend = Table()
    backend.devices = [device(7, (2, 3)), device(8, (8,), None), device(9, ())]
    backend.failures["descriptor"] = [0, 0, errno.EIO]
    first, second = Libusb(backend).listed()
    assert (first.address, first.ports, first.hid) == (7, (1, 3), True)
    assert (second.address, second.ports, second.hid) == (8, (), False)


def test_opening_by_address() -> None:
    backend = Table()
    backend.devices = [device(7, (3,))]
    libusb = Libusb(backend)
    libusb.open_address(1, 7).close()
    assert backend.names == ["descriptor", "open", "close"]
    with pytest.raises(DeviceGone, match="001/008"):
        libusb.open_address(1, 8)
    backend.failures["open"] = [errno.EACCES]
    with pytest.raises(AccessDenied) as caught:
        libusb.open_address(1, 7, node="/dev/bus/usb/001/007")
    assert caught.value.node == "/dev/bus/usb/001/007"


def test_opening_by_node(tmp_path: Path) -> None:
    node = tmp_path / "007"
    node.touch()
    backend = Table()
    assert Libusb(backend).open_node(str(node)) is None  # an old libusb
    taken: list[int] = []

    def wrap(context: object, fd: Any, handle: object) -> int:
        taken.append(fd.value)
        return code

    backend.lib = SimpleNamespace(libusb_wrap_sys_device=wrap)
    code = -12
    assert Libusb(backend).open_node(str(node)) is None
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(taken.pop())
    code = 0
    pipe = Libusb(backend).open_node(str(node))
    assert pipe is not None
    assert os.fstat(taken[0]).st_ino == node.stat().st_ino
    pipe.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(taken[0])
    with pytest.raises(DeviceGone, match="No such file"):
        Libusb(backend).open_node(str(tmp_path / "none"))


def test_missing_libraries_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    modules: dict[str, ModuleType | None] = {}

    def load(name: str) -> ModuleType:
        module = modules.get(name)
        if module is None:
            raise ImportError(name)
        return module

    monkeypatch.setattr("usbhidups.usb.libusb.importlib.import_module", load)
    with pytest.raises(ConfigError, match="python3-usb"):
        Libusb().backend()
    pyusb = ModuleType("usb.backend.libusb1")
    found: dict[object, Table | None] = {None: None}
    tried: list[str] = []

    def get_backend(find_library: object = None) -> Table | None:
        if callable(find_library):
            tried.append(find_library("usb-1.0"))
            return None
        return found[find_library]

    pyusb.get_backend = get_backend  # type: ignore[attr-defined]
    modules["usb.backend.libusb1"] = pyusb
    with pytest.raises(ConfigError, match=r"libusb-1\.0-0"):
        Libusb().backend()
    assert tried == ["libusb-1.0.so.0"]
    package = ModuleType("libusb_package")
    package.find_library = "finder"  # type: ignore[attr-defined]
    modules["libusb_package"] = package
    found["finder"] = Table()
    lib = Libusb()
    assert lib.backend() is found["finder"]
    assert lib.backend() is found["finder"]
