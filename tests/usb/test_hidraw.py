"""The hidraw transport: a socket pair is the node's input, a table answers its ioctls."""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.usb.bytes import KEYBOARD, UNNUMBERED, UPS, string
from usbhidups.errors import (
    AccessDenied,
    DescriptorError,
    DeviceGone,
    TransferFailed,
    TransferKind,
)
from usbhidups.identity import Identity
from usbhidups.usb.hidraw import HidrawTransport, open_hidraw
from usbhidups.usb.ioctls import (
    HIDIOCGRAWINFO,
    HIDIOCGRDESC,
    HIDIOCGRDESCSIZE,
    USBDEVFS_CONTROL,
    USBDEVFS_RESET,
    ControlTransfer,
    hid_get_feature,
    hid_get_input,
    hid_set_feature,
)
from usbhidups.usb.usbfs import UsbNode, open_node

IDENTITY = Identity(vendor_id=0x0764, product_id=0x0501, port_path="1-1")
PATIENCE = 10.0


class Kernel:
    """What stands behind the node. ``reports`` answer by kind and id, as bytes or an errno."""

    def __init__(self, descriptor: bytes = UPS) -> None:
        self.descriptor = descriptor
        self.ids = (0x0764, 0x0501)
        self.reports: dict[tuple[str, int], bytes | int] = {}
        self.strings: dict[tuple[int, int], bytes] = {(0, 0): bytes.fromhex("04 03 09 04")}
        self.asked: list[tuple[str, int, int]] = []
        self.written: list[bytes] = []
        self.resets = 0

    def __call__(self, fd: int, request: int, argument: bytearray | int) -> int:
        if isinstance(argument, int):
            assert request == USBDEVFS_RESET
            self.resets += 1
            return 0
        size = len(argument)
        if request == HIDIOCGRDESCSIZE:
            argument[:] = struct.pack("=I", len(self.descriptor))
        elif request == HIDIOCGRDESC:
            argument[4 : 4 + len(self.descriptor)] = self.descriptor
        elif request == HIDIOCGRAWINFO:
            argument[:] = struct.pack("=IHH", 3, *self.ids)
        elif request == hid_set_feature(size):
            self.written.append(bytes(argument))
        elif request in (hid_get_feature(size), hid_get_input(size)):
            kind = "feature" if request == hid_get_feature(size) else "input"
            self.asked.append((kind, argument[0], size))
            return self.answer(kind, argument)
        elif request == USBDEVFS_CONTROL:
            return self.control(ControlTransfer.from_buffer(argument))
        else:
            raise AssertionError(f"unknown ioctl {request:#x}")
        return 0

    def answer(self, kind: str, argument: bytearray) -> int:
        answer = self.reports.get((kind, argument[0]), errno.EPIPE)
        if isinstance(answer, int):
            raise OSError(answer, os.strerror(answer))
        if len(answer) > len(argument):
            raise OSError(errno.EOVERFLOW, "too much")
        argument[: len(answer)] = answer
        return len(answer)

    def control(self, transfer: ControlTransfer) -> int:
        assert (transfer.request_type, transfer.request, transfer.value >> 8) == (0x80, 6, 3)
        text = self.strings.get((transfer.value & 0xFF, transfer.index))
        if text is None:
            raise OSError(errno.EPIPE, "stall")
        text = text[: transfer.length]
        ctypes.memmove(transfer.data, text, len(text))
        return len(text)


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, int]]:
    """The device's end of the node's input, and the other end, which becomes the transport's."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    theirs.settimeout(0.0)
    with ours:
        yield ours, theirs.detach()


@pytest.fixture
def device(ends: tuple[socket.socket, int]) -> socket.socket:
    return ends[0]


Open = Callable[..., HidrawTransport]


def transport_on(fd: int, kernel: Kernel, usb_node: str = "") -> HidrawTransport:
    return HidrawTransport(
        fd,
        "/dev/hidraw7",
        IDENTITY,
        kernel.descriptor,
        usb_node=usb_node,
        strings={1: "CPS"},
        ioctl=kernel,
    )


@pytest.fixture
def opened(ends: tuple[socket.socket, int]) -> Iterator[Open]:
    transports: list[HidrawTransport] = []

    def once(kernel: Kernel, usb_node: str = "") -> HidrawTransport:
        transports.append(transport_on(ends[1], kernel, usb_node))
        return transports[0]

    yield once
    transports[0].close()


@pytest.fixture
def node(tmp_path: Path) -> str:
    path = tmp_path / "hidraw7"
    path.touch()
    return str(path)


def test_opening_a_node(node: str) -> None:
    transport = open_hidraw(node, IDENTITY, ioctl=Kernel())
    assert transport.report_descriptor() == UPS
    assert transport.identity is IDENTITY
    transport.close()
    transport.close()
    with pytest.raises(DeviceGone, match="closed"):
        transport.get_feature(0x0C, 2)


def test_a_node_of_another_device(node: str) -> None:
    kernel = Kernel()
    kernel.ids = (0x046D, 0xC31C)
    with pytest.raises(DeviceGone, match="now belongs to 046d:c31c"):
        open_hidraw(node, IDENTITY, ioctl=kernel)


def test_a_node_of_a_keyboard(node: str) -> None:
    with pytest.raises(DescriptorError, match="no Power Device"):
        open_hidraw(node, IDENTITY, ioctl=Kernel(KEYBOARD))


def test_nodes_that_cannot_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DeviceGone, match="No such file"):
        open_node(str(tmp_path / "none"))

    def denied(path: str, flags: int) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", denied)  # root may open everything
    with pytest.raises(AccessDenied) as caught:
        open_node("/dev/hidraw7")
    assert caught.value.node == "/dev/hidraw7"


def test_reports(opened: Open) -> None:
    kernel = Kernel()
    kernel.reports = {("feature", 0x0C): b"\x0c\x64", ("input", 0x0C): b"\x0c\x64\x08"}
    transport = opened(kernel)
    assert transport.get_feature(0x0C, 2) == b"\x0c\x64"
    assert transport.get_input(0x0C, 4) == b"\x0c\x64\x08"
    transport.set_feature(b"\x15\x3c\x00")
    assert kernel.asked == [("feature", 0x0C, 2), ("input", 0x0C, 4)]
    assert kernel.written == [b"\x15\x3c\x00"]


def test_the_kernel_wants_two_bytes_at_least(opened: Open) -> None:
    kernel = Kernel()
    kernel.reports = {("feature", 0x0C): b"\x0c"}
    assert opened(kernel).get_feature(0x0C, 1) == b"\x0c"
    assert kernel.asked == [("feature", 0x0C, 2)]


def test_a_report_longer_than_declared(opened: Open) -> None:
    kernel = Kernel()
    kernel.reports = {("feature", 0x0B): b"\x0b\1\2\3\4\5\6\7"}
    transport = opened(kernel)
    assert transport.get_feature(0x0B, 2) == b"\x0b\1"
    assert [size for _, _, size in kernel.asked] == [2, 64]


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.EPIPE, TransferKind.STALL),
        (errno.ETIMEDOUT, TransferKind.TIMEOUT),
        (errno.EIO, TransferKind.IO),
        (errno.EPROTO, TransferKind.IO),
        (errno.EINVAL, TransferKind.IO),
    ],
)
def test_failed_requests(opened: Open, number: int, kind: TransferKind) -> None:
    kernel = Kernel()
    kernel.reports = {("feature", 0x0C): number}
    with pytest.raises(TransferFailed) as caught:
        opened(kernel).get_feature(0x0C, 2)
    assert (caught.value.kind, caught.value.errno) == (kind, number)


def test_a_request_to_a_lost_device(opened: Open) -> None:
    kernel = Kernel()
    kernel.reports = {("feature", 0x0C): errno.ENODEV}
    with pytest.raises(DeviceGone):
        opened(kernel).get_feature(0x0C, 2)


def test_input_reports(opened: Open, device: socket.socket) -> None:
    transport = opened(Kernel())
    assert transport.wait_input(0) is None
    device.send(b"\x0c\x64\x08\x07")
    device.send(b"\x0c\x63\x08\x07")
    assert transport.wait_input(PATIENCE) == b"\x0c\x64\x08\x07"
    assert transport.wait_input(PATIENCE) == b"\x0c\x63\x08\x07"
    assert transport.wait_input(0) is None


def test_input_reports_without_ids(opened: Open, device: socket.socket) -> None:
    transport = opened(Kernel(UNNUMBERED))
    device.send(b"\1\2\3\4\5")
    assert transport.wait_input(PATIENCE) == b"\0\1\2\3\4\5"


def test_a_wait_is_ended_from_another_thread(opened: Open) -> None:
    transport = opened(Kernel())
    caller = threading.Timer(0.01, transport.interrupt)
    caller.start()
    assert transport.wait_input(PATIENCE * 100) is None
    caller.join()


def test_a_report_is_not_lost_to_a_call(opened: Open, device: socket.socket) -> None:
    transport = opened(Kernel())
    transport.interrupt()
    device.send(b"\x0c\x64")
    assert transport.wait_input(PATIENCE) == b"\x0c\x64"
    assert transport.wait_input(PATIENCE * 100) is None
    assert transport.wait_input(0) is None


def test_a_node_that_hangs_up() -> None:
    reader, writer = os.pipe()  # hangs up without input, as a lost node does
    transport = transport_on(reader, Kernel())
    os.close(writer)
    with pytest.raises(DeviceGone, match="hidraw7"):
        transport.wait_input(PATIENCE)
    transport.close()


def test_a_node_whose_read_fails() -> None:
    directory = os.open("/", os.O_RDONLY)  # readable by poll, EISDIR by read; a lost node says EIO
    transport = transport_on(directory, Kernel())
    with pytest.raises(DeviceGone, match="hidraw7"):
        transport.wait_input(PATIENCE)
    transport.close()


def test_strings(opened: Open, node: str) -> None:
    kernel = Kernel()
    kernel.strings[9, 0x0409] = string("PbAcid")
    transport = opened(kernel, usb_node=node)
    assert transport.string(1) == "CPS"
    assert transport.string(9) == "PbAcid"


def test_strings_without_the_right_to_ask(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    transport = opened(Kernel(), usb_node="/dev/bus/usb/001/002")
    tries: list[str] = []

    def denied(path: str, flags: int) -> int:
        tries.append(path)
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", denied)
    assert transport.string(9) is None
    assert transport.string(9) is None
    assert transport.string(1) == "CPS"
    assert tries == ["/dev/bus/usb/001/002"]
    transport.reset()


def test_strings_without_a_usb_node(opened: Open) -> None:
    transport = opened(Kernel())
    assert transport.string(1) == "CPS"
    assert transport.string(9) is None
    transport.reset()
    transport.clear_halt()


def test_a_reset(opened: Open, node: str) -> None:
    kernel = Kernel()
    opened(kernel, usb_node=node).reset()
    assert kernel.resets == 1


def test_the_usb_node_tells_failures(node: str) -> None:
    def gone(fd: int, request: int, argument: bytearray | int) -> int:
        raise OSError(errno.ENODEV, "No such device")

    with pytest.raises(DeviceGone, match="reset port"):
        UsbNode(node, ioctl=gone).reset()
