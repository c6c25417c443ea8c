"""The kernel's messages about devices."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usbhidups.usb.uevents import Action, Uevent, UeventListener, parse

DEVPATH = "/devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1.3"


def message(action: str, path: str, **facts: str) -> bytes:
    parts = [f"{action}@{path}", f"ACTION={action}", f"DEVPATH={path}"]
    parts += [f"{key}={value}" for key, value in facts.items()]
    return "".join(f"{part}\0" for part in parts).encode()


ADDED = message(
    "add",
    DEVPATH,
    SUBSYSTEM="usb",
    DEVTYPE="usb_device",
    PRODUCT="764/501/1",
    BUSNUM="001",
    DEVNUM="007",
)


def test_a_device_was_plugged_in() -> None:
    event = parse(ADDED)
    assert event is not None
    assert event.action is Action.ADD
    assert event.subsystem == "usb"
    assert event.facts["PRODUCT"] == "764/501/1"
    assert event.plugged
    assert event.port_path == "1-1.3"


@pytest.mark.parametrize(
    ("action", "subsystem", "plugged"),
    [
        ("bind", "usb", True),
        ("add", "hidraw", True),
        ("add", "hid", True),
        ("change", "usb", True),
        ("remove", "usb", False),
        ("unbind", "hid", False),
        ("add", "block", False),
        ("offline", "cpu", False),
    ],
)
def test_what_counts_as_plugged_in(action: str, subsystem: str, *, plugged: bool) -> None:
    event = parse(message(action, DEVPATH, SUBSYSTEM=subsystem))
    assert event is not None
    assert event.plugged is plugged


@pytest.mark.parametrize(
    ("path", "port"),
    [
        (f"{DEVPATH}/1-1.3:1.0/0003:0764:0501.0004/hidraw/hidraw2", "1-1.3"),
        (f"{DEVPATH}/1-1.3:1.0", "1-1.3"),
        ("/devices/pci0000:00/0000:00:14.0/usb1", ""),
        ("/devices/virtual/misc/uhid/0003:0764:0501.0005", ""),
        ("/devices/system/cpu/cpu1", ""),
    ],
)
def test_port_paths(path: str, port: str) -> None:
    event = parse(message("add", path))
    assert event is not None
    assert event.port_path == port


@pytest.mark.parametrize(
    "other",
    [
        b"",
        b"libudev\0\xfe\xed\xca\xfe",
        b"add",
        b"explode@/devices/x\0",
        b"\0\0\0\0",
        ADDED + b"X=" + b"x" * 20_000,
    ],
)
def test_what_is_no_message(other: bytes) -> None:
    assert parse(other) is None


@given(st.binary(max_size=200))
def test_any_bytes_are_borne(data: bytes) -> None:
    event = parse(data)
    assert event is None or event.port_path is not None
    assert parse(b"add@" + data) is not None


@pytest.fixture
def pair() -> Iterator[tuple[UeventListener, socket.socket]]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    ours.settimeout(0.0)
    listener = UeventListener(ours)
    with theirs:
        yield listener, theirs
    listener.close()


def test_reading_what_is_there(pair: tuple[UeventListener, socket.socket]) -> None:
    listener, kernel = pair
    assert listener.read() == ()
    kernel.send(ADDED)
    kernel.send(b"libudev\0")
    kernel.send(message("remove", DEVPATH, SUBSYSTEM="usb"))
    assert [event.action for event in listener.read()] == [Action.ADD, Action.REMOVE]
    assert listener.read() == ()
    assert listener.fileno() >= 0


class Overrun(socket.socket):
    def recvfrom(self, *_: object) -> tuple[bytes, object]:
        raise OSError(errno.ENOBUFS, os.strerror(errno.ENOBUFS))


class Forged(socket.socket):
    def recvfrom(self, *_: object) -> tuple[bytes, object]:
        self.left = getattr(self, "left", 3) - 1
        if self.left < 0:
            raise BlockingIOError
        return ADDED, (4711 if self.left else 0, 1)


def test_lost_messages_count_as_news() -> None:
    listener = UeventListener(Overrun())
    (event,) = listener.read()
    assert event == Uevent(Action.ADD, "", "usb")
    assert event.plugged
    listener.close()


def test_messages_of_other_processes_are_dropped() -> None:
    listener = UeventListener(Forged())
    assert len(listener.read()) == 1
    listener.close()


def test_the_kernels_socket_or_the_reason() -> None:
    listener, reason = UeventListener.open()
    if listener is None:
        assert reason
    else:
        assert reason == ""
        assert listener.fileno() >= 0
        listener.close()


def test_a_system_that_forbids_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object) -> socket.socket:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket, "socket", forbidden)
    assert UeventListener.open() == (None, "no socket for the kernel's events: Permission denied")


def test_a_system_that_forbids_to_listen(monkeypatch: pytest.MonkeyPatch) -> None:
    class Deaf(socket.socket):
        def __init__(self, *_: object) -> None:
            super().__init__()

        def bind(self, address: object) -> None:
            raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(socket, "socket", Deaf)
    listener, reason = UeventListener.open()
    assert listener is None
    assert reason == "the kernel's events may not be listened to: Operation not permitted"
