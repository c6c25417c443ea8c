"""Choosing and opening a local device: a made-up sysfs, and a libusb whose devices are tables."""

from __future__ import annotations

import array
import errno
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.usb.bytes import KEYBOARD, NO_SUMMARY, UPS
from tests.usb.pipes import TablePipe, ups_pipe
from tests.usb.sysfs import Part, Plug, plug, unplug
from usbhidups.errors import (
    AccessDenied,
    ConfigError,
    DescriptorError,
    DeviceBusy,
    DeviceGone,
    DeviceNotFound,
    TransferFailed,
)
from usbhidups.identity import Identity
from usbhidups.usb import candidates
from usbhidups.usb.candidates import Backend
from usbhidups.usb.handle import Setup
from usbhidups.usb.handle_transport import Choice
from usbhidups.usb.libusb import Libusb
from usbhidups.usb.local import Host, LocalPort
from usbhidups.usb.transport import Transport


class Bus:
    """A libusb backend with devices by (bus, address): a pipe, or the errno with which opening fails."""

    def __init__(self) -> None:
        self.lib: Any = SimpleNamespace()
        self.ctx: Any = None
        self.devices: dict[tuple[int, int], TablePipe | int] = {}
        self.busy: set[tuple[int, int]] = set()
        self.opened: list[tuple[int, int]] = []
        self.closed: list[tuple[int, int]] = []

    def enumerate_devices(self) -> Iterator[Any]:
        return iter(self.devices)

    def get_device_descriptor(self, dev: Any) -> Any:
        return SimpleNamespace(
            idVendor=0x0764,
            idProduct=0x0501,
            bcdDevice=1,
            bus=dev[0],
            address=dev[1],
            port_numbers=(dev[1],),
        )

    def get_configuration_descriptor(self, dev: Any, config: int) -> Any:
        return SimpleNamespace(bNumInterfaces=1)

    def get_interface_descriptor(self, dev: Any, intf: int, alt: int, config: int) -> Any:
        return SimpleNamespace(bInterfaceClass=3)

    def open_device(self, dev: Any) -> Any:
        device = self.devices[dev]
        if isinstance(device, int):
            raise OSError(device, "scripted")
        self.opened.append(dev)
        return dev

    def close_device(self, dev_handle: Any) -> None:
        self.closed.append(dev_handle)

    def claim_interface(self, dev_handle: Any, intf: int) -> None:
        if dev_handle in self.busy:
            raise OSError(errno.EBUSY, "scripted")

    def release_interface(self, dev_handle: Any, intf: int) -> None: ...
    def is_kernel_driver_active(self, dev_handle: Any, intf: int) -> bool:
        return False

    def detach_kernel_driver(self, dev_handle: Any, intf: int) -> None: ...
    def attach_kernel_driver(self, dev_handle: Any, intf: int) -> None: ...
    def clear_halt(self, dev_handle: Any, ep: int) -> None: ...
    def reset_device(self, dev_handle: Any) -> None: ...
    def intr_read(
        self, dev_handle: Any, ep: int, intf: int, buff: array.array[int], timeout: int
    ) -> int:
        return 0

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
        device = self.devices[dev_handle]
        if isinstance(device, int):
            raise OSError(device, "scripted")
        setup = Setup(bmRequestType, bRequest, wValue, wIndex, "")
        try:
            answer = device.control_in(setup, len(data), timeout=1)
        except TransferFailed:
            raise OSError(errno.EPIPE, "stall") from None
        data[: len(answer)] = array.array("B", answer)
        return len(answer)


class Serial:
    """The criterion ``serial``, as nut.upsconf has it."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern

    def mismatches(self, identity: Identity, *, strings: bool = True) -> Sequence[str]:
        fits = not strings or re.fullmatch(self.pattern, identity.serial or "")
        return () if fits else (f"serial {identity.serial!r} is not {self.pattern!r}",)


@pytest.fixture
def bus() -> Bus:
    return Bus()


MakePort = Callable[..., LocalPort]


@pytest.fixture
def port(tmp_path: Path, bus: Bus) -> Iterator[MakePort]:
    made: list[LocalPort] = []

    def make(**options: Any) -> LocalPort:
        known = options.pop("known", True)
        options.setdefault("way", Backend.LIBUSB)
        host = Host(sysfs=tmp_path / "sys", dev=tmp_path / "dev", libusb=Libusb(bus))
        made.append(LocalPort(maybe=lambda vendor, product: known, host=host, **options))
        return made[-1]

    yield make
    for each in made:
        each.close()


def place(transport: Transport) -> str:
    transport.close()
    return transport.identity.port_path


def test_the_only_ups(tmp_path: Path, bus: Bus, port: MakePort) -> None:
    plug(tmp_path, Plug(control="auto"))
    plug(tmp_path, Plug(port="1-2", address=8, parts=[Part(descriptor=KEYBOARD, hidraw="hidraw9")]))
    bus.devices = {(1, 7): ups_pipe(UPS), (1, 8): ups_pipe(KEYBOARD)}
    transport = port().open()
    assert transport.identity.port_path == "1-1"
    assert transport.identity.product == "CP1500"
    assert transport.report_descriptor() == UPS
    transport.close()
    assert bus.opened == bus.closed == [(1, 7)]
    pipe = bus.devices[1, 7]
    assert isinstance(pipe, TablePipe)
    assert pipe.asked == [(0x81, 0x06, 0x2200, 0, len(UPS))]
    assert (tmp_path / "sys/bus/usb/devices/1-1/power/control").read_text() == "on"


def test_none_tells_of_each_device_why(tmp_path: Path, port: MakePort) -> None:
    plug(tmp_path, Plug(port="1-1", parts=[Part(descriptor=KEYBOARD)]))
    plug(tmp_path, Plug(port="1-2", address=8))
    with pytest.raises(DeviceNotFound) as caught:
        port(match=Serial("AAAA")).open()
    assert str(caught.value) == (
        "no UPS found on this host's USB; "
        "1-1 0764:0501 CPS CP1500: its HID interfaces are no Power Device; "
        "1-2 0764:0501 CPS CP1500: serial '0000' is not 'AAAA'"
    )


def test_two_that_match_are_refused_by_name(tmp_path: Path, bus: Bus, port: MakePort) -> None:
    plug(tmp_path, Plug(port="1-1", address=7))  # failure C10
    plug(tmp_path, Plug(port="1-2", address=8))
    with pytest.raises(DeviceNotFound, match=r"2 UPSes match \(1-1 .*, 1-2 .*\): say which one"):
        port().open()
    assert bus.opened == []


def test_two_told_apart_by_a_criterion(tmp_path: Path, bus: Bus, port: MakePort) -> None:
    plug(tmp_path, Plug(port="1-1", address=7))
    plug(tmp_path, Plug(port="1-2", address=8, strings={"serial": "BBBB"}))
    bus.devices = {(1, 7): ups_pipe(UPS), (1, 8): ups_pipe(UPS)}
    assert place(port(match=Serial("B+")).open()) == "1-2"


def test_the_place_is_kept_when_a_twin_appears(tmp_path: Path, bus: Bus, port: MakePort) -> None:
    plug(tmp_path, Plug(port="1-2", address=7))
    bus.devices = {(1, 7): ups_pipe(UPS), (1, 8): ups_pipe(UPS), (1, 9): ups_pipe(UPS)}
    made = port()
    assert place(made.open()) == "1-2"
    unplug(tmp_path, Plug(port="1-2", address=7))
    plug(tmp_path, Plug(port="1-1", address=8))
    plug(tmp_path, Plug(port="1-2", address=9))  # back, with another number
    transport = made.open()
    assert (place(transport), transport.identity.address) == ("1-2", 9)


def test_a_device_that_moved_is_found_by_its_strings(
    tmp_path: Path, bus: Bus, port: MakePort
) -> None:
    mine = {"manufacturer": "CPS", "product": "CP1500", "serial": "MINE"}
    plug(tmp_path, Plug(port="1-1", address=7, strings=mine))
    bus.devices = {(1, number): ups_pipe(UPS) for number in (7, 8, 9)}
    made = port()
    assert place(made.open()) == "1-1"
    unplug(tmp_path, Plug(port="1-1", address=7))
    plug(tmp_path, Plug(port="1-3", address=8))
    plug(tmp_path, Plug(port="1-4", address=9, strings=mine))
    assert place(made.open()) == "1-4"


def test_duplicates_take_the_first_that_is_free(
    tmp_path: Path, bus: Bus, port: MakePort, monkeypatch: pytest.MonkeyPatch
) -> None:
    plug(tmp_path, Plug(port="1-1", address=7))
    plug(tmp_path, Plug(port="1-2", address=8))
    bus.devices = {(1, 7): ups_pipe(UPS), (1, 8): ups_pipe(UPS)}
    bus.busy = {(1, 7)}
    assert place(port(duplicates=True).open()) == "1-2"
    bus.busy = {(1, 7), (1, 8)}
    monkeypatch.setattr(candidates, "holders", lambda node: (f"pid 12 ({Path(node).name})",))
    with pytest.raises(DeviceBusy, match=r"1-1 .* \(held by pid 12 \(007\)\); 1-2 ") as caught:
        port(duplicates=True).open()
    assert caught.value.holder == "pid 12 (007), pid 12 (008)"
    assert bus.opened.count((1, 7)) == bus.closed.count((1, 7)) == 2


def test_two_drivers_do_not_share_a_device(tmp_path: Path, bus: Bus, port: MakePort) -> None:
    plug(tmp_path, Plug())
    bus.devices = {(1, 7): ups_pipe(UPS)}
    first, second = port(lock_dir=tmp_path), port(lock_dir=tmp_path)
    first.open().close()
    with pytest.raises(DeviceBusy, match=r"1-1 is in use \(held by pid \d+ "):
        second.open()
    first.open().close()  # its own lock does not keep it out
    first.close()
    second.open().close()


def test_a_device_that_is_not_ours_yet_is_not_kept_locked(
    tmp_path: Path, bus: Bus, port: MakePort
) -> None:
    plug(tmp_path, Plug())
    bus.devices = {(1, 7): errno.EACCES}
    with pytest.raises(AccessDenied):
        port(lock_dir=tmp_path).open()
    bus.devices = {(1, 7): ups_pipe(UPS)}
    port(lock_dir=tmp_path).open().close()


def test_that_locking_is_impossible_is_said_once(
    tmp_path: Path, bus: Bus, port: MakePort, caplog: pytest.LogCaptureFixture
) -> None:
    plug(tmp_path, Plug())
    bus.devices = {(1, 7): ups_pipe(UPS)}
    made = port(lock_dir=tmp_path / "none")
    made.open().close()
    made.open().close()
    assert caplog.text.count("this device is not locked") == 1


def test_missing_rights_name_the_node(tmp_path: Path, bus: Bus, port: MakePort) -> None:
    plug(tmp_path, Plug())
    bus.devices = {(1, 7): errno.EACCES}
    with pytest.raises(
        AccessDenied, match=r"1-1 0764:0501 CPS CP1500: .*dev/bus/usb/001/007"
    ) as caught:
        port().open()
    assert caught.value.node == str(tmp_path / "dev/bus/usb/001/007")


def test_a_ups_that_is_none_after_all(tmp_path: Path, bus: Bus, port: MakePort) -> None:
    plug(tmp_path, Plug(parts=[Part(descriptor=None, driver="")]))
    bus.devices = {(1, 7): ups_pipe(KEYBOARD)}
    with pytest.raises(DescriptorError, match=r"1-1 .*: interface 0 is no Power Device"):
        port().open()
    assert bus.closed == [(1, 7)]


def test_a_device_lost_while_it_is_opened(tmp_path: Path, bus: Bus, port: MakePort) -> None:
    plug(tmp_path, Plug())
    with pytest.raises(DeviceGone, match="libusb does not know"):
        port().open()


def test_unseen_descriptors_need_known_ids(tmp_path: Path, bus: Bus, port: MakePort) -> None:
    plug(tmp_path, Plug(parts=[Part(descriptor=None, driver="")]))
    bus.devices = {(1, 7): ups_pipe(UPS)}
    with pytest.raises(DeviceNotFound, match="no known UPS's"):
        port(known=False).open()
    assert place(port(known=True).open()) == "1-1"


# -- which way -----------------------------------------------------------------------------------


class Ways:
    """Notes which ways were tried, and lets those in ``shut`` fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.tried: list[str] = []
        self.shut: dict[str, Exception] = {}
        for name in ("_hidraw", "_by_libusb"):
            monkeypatch.setattr(
                candidates.SysfsCandidate, name, self._way(name.strip("_").replace("by_", ""))
            )

    def _way(self, name: str) -> Callable[[candidates.SysfsCandidate], Transport]:
        def tried(candidate: candidates.SysfsCandidate) -> Transport:
            self.tried.append(name)
            if name in self.shut:
                raise self.shut[name]
            opened: Any = SimpleNamespace(identity=candidate.identity)
            transport: Transport = opened
            return transport

        return tried


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> Ways:
    return Ways(monkeypatch)


@pytest.mark.parametrize(
    ("part", "first"),
    [
        pytest.param(Part(), "hidraw", id="the kernel's driver is bound"),
        pytest.param(Part(hidraw=""), "libusb", id="no hidraw node"),
        pytest.param(Part(descriptor=None, driver=""), "libusb", id="A16: no driver"),
        pytest.param(
            Part(descriptor=NO_SUMMARY), "libusb", id="A02: the kernel's copy lacks the status"
        ),
        pytest.param(Part(descriptor=UPS[:-1]), "libusb", id="A02: the kernel's copy is cut"),
    ],
)
def test_auto_prefers(tmp_path: Path, port: MakePort, ways: Ways, part: Part, first: str) -> None:
    plug(tmp_path, Plug(parts=[part]))
    port(way=Backend.AUTO).open()
    assert ways.tried == [first]


def test_auto_tries_the_other_way(tmp_path: Path, port: MakePort, ways: Ways) -> None:
    plug(tmp_path, Plug())
    ways.shut = {"hidraw": AccessDenied("hidraw0 is root:root 0600")}
    port(way=Backend.AUTO).open()
    assert ways.tried == ["hidraw", "libusb"]
    ways.shut["libusb"] = ConfigError("pyusb is not installed", key="transport")
    with pytest.raises(AccessDenied, match=r"hidraw0 is root:root 0600; transport: pyusb is not"):
        port(way=Backend.AUTO).open()


def test_auto_with_choices_made_by_hand_uses_libusb(
    tmp_path: Path, port: MakePort, ways: Ways
) -> None:
    plug(tmp_path, Plug())
    port(way=Backend.AUTO, choice=Choice(descriptor_index=1)).open()
    assert ways.tried == ["libusb"]


@pytest.mark.parametrize(("way", "tried"), [(Backend.HIDRAW, "hidraw"), (Backend.LIBUSB, "libusb")])
def test_a_way_that_was_asked_for_is_the_only_one(
    tmp_path: Path, port: MakePort, ways: Ways, way: Backend, tried: str
) -> None:
    plug(tmp_path, Plug())
    ways.shut = {"hidraw": DeviceGone("gone"), "libusb": DeviceGone("gone")}
    with pytest.raises(DeviceGone):
        port(way=way).open()
    assert ways.tried == [tried]


def test_hidraw_without_a_node(tmp_path: Path, port: MakePort) -> None:
    plug(tmp_path, Plug(parts=[Part(descriptor=UPS, driver="usbfs", hidraw="")]))
    with pytest.raises(DeviceNotFound, match="no hidraw node: its driver is usbfs"):
        port(way=Backend.HIDRAW).open()


def test_hidraw_gets_what_sysfs_knows(
    tmp_path: Path, port: MakePort, monkeypatch: pytest.MonkeyPatch
) -> None:
    plug(tmp_path, Plug(control="auto"))
    asked: dict[str, object] = {}

    def open_hidraw(node: str, identity: Identity, **more: object) -> Transport:
        asked.update(node=node, **more)
        opened: Any = SimpleNamespace(identity=identity)
        transport: Transport = opened
        return transport

    monkeypatch.setattr(candidates, "open_hidraw", open_hidraw)
    assert port(way=Backend.HIDRAW).open().identity.port_path == "1-1"
    assert asked == {
        "node": str(tmp_path / "dev/hidraw0"),
        "usb_node": str(tmp_path / "dev/bus/usb/001/007"),
        "strings": {1: "CPS", 2: "CP1500", 3: "0000"},
    }
    assert (tmp_path / "sys/bus/usb/devices/1-1/power/control").read_text() == "on"


def test_hidraw_without_the_right_to_open_it(
    tmp_path: Path, port: MakePort, monkeypatch: pytest.MonkeyPatch
) -> None:
    plug(tmp_path, Plug())

    def open_hidraw(node: str, identity: Identity, **more: object) -> Transport:
        raise AccessDenied("may not be opened", node=node)

    monkeypatch.setattr(candidates, "open_hidraw", open_hidraw)
    with pytest.raises(
        AccessDenied, match=r"1-1 0764:0501 CPS CP1500: .*dev/hidraw0: may not be opened"
    ):
        port(way=Backend.HIDRAW).open()


def test_a_port_that_may_not_be_kept_awake_is_told(
    tmp_path: Path,
    bus: Bus,
    port: MakePort,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    plug(tmp_path, Plug(control="auto"))
    bus.devices = {(1, 7): ups_pipe(UPS)}
    monkeypatch.setattr(candidates, "keep_awake", lambda candidate: False)
    with caplog.at_level("INFO"):
        port().open().close()
    assert "the kernel may suspend its port" in caplog.text


# -- hosts without sysfs -------------------------------------------------------------------------


def test_without_sysfs_libusb_lists(bus: Bus, port: MakePort) -> None:
    bus.devices = {(3, 2): ups_pipe(UPS)}
    transport = port(way=Backend.AUTO).open()
    assert transport.identity.port_path == "3-2"
    assert transport.identity.product == "CP1500"
    transport.close()
    with pytest.raises(DeviceNotFound, match="3-2 0764:0501: its ids are no known UPS's"):
        port(way=Backend.AUTO, known=False).open()
    with pytest.raises(DeviceNotFound, match="serial '0000' is not 'X'"):
        port(way=Backend.AUTO, match=Serial("X")).open()
    assert bus.opened == bus.closed
    with pytest.raises(DeviceNotFound):
        port(way=Backend.HIDRAW).open()


def test_a_listed_device_that_breaks_while_opening(bus: Bus, port: MakePort) -> None:
    broken = ups_pipe(UPS)
    broken.table[0x80, 0x06, 0x0100, 0] = b""
    bus.devices = {(3, 2): broken}
    with pytest.raises(DescriptorError, match="no device descriptor"):
        port(way=Backend.AUTO).open()
    assert bus.opened == bus.closed == [(3, 2)]


def test_without_sysfs_and_libusb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(self: Libusb) -> list[Any]:
        raise ConfigError("pyusb is not installed", key="transport")

    monkeypatch.setattr(Libusb, "listed", missing)
    made = LocalPort(maybe=lambda vendor, product: True, host=Host(sysfs=tmp_path, dev=tmp_path))
    with pytest.raises(DeviceNotFound, match="pyusb is not installed"):
        made.open()
