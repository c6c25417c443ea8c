"""USB/IP bytes, both directions, from the examples of the kernel's usbip_protocol document."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usbhidups.errors import DeviceBusy, DeviceGone, DeviceNotFound
from usbhidups.usb.usbip_wire import (
    ExportedDevice,
    OperationReader,
    Submitted,
    TransferReader,
    Unlinked,
    devlist_request,
    import_request,
    submit,
    unlink,
)

RET_INTERRUPT_IN = bytes.fromhex(
    "00000003 00000d05 00000000 00000000 00000000 00000000 00000040 ffffffff 00000000 00000000"
    "00000000 00000000"
    "ffffffff860011a784ce5ae2123763612891b102010000040000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000"
)
RET_INTERRUPT_OUT = bytes.fromhex(
    "00000003 00000d06 00000000 00000000 00000000 00000000 00000040 ffffffff 00000000 00000000"
    "00000000 00000000"
)
RET_STALL = bytes.fromhex(
    "00000003 00000007 00000000 00000000 00000000 ffffffe0 00000000 00000000 00000000 00000000"
    "00000000 00000000"
)
RET_UNLINKED = bytes.fromhex(
    "00000004 00000009 00000000 00000000 00000000 ffffff98 00000000 00000000 00000000 00000000"
    "00000000 00000000"
)
RET_TOO_LATE = bytes.fromhex("00000004 0000000a") + bytes(40)

BLOCK = (
    b"/sys/devices/pci0000:00/0000:00:14.0/usb1/1-1".ljust(256, b"\0")
    + b"1-1".ljust(32, b"\0")
    + bytes.fromhex("00000001 0000000f 00000001 0764 0501 0001 00 00 00 01 01")
)
"""The 312 bytes of a device but the last, the number of interfaces."""

DEVICE = ExportedDevice("1-1", 1, 15, 1, 0x0764, 0x0501, 1, 1)


def test_operations() -> None:
    assert devlist_request() == bytes.fromhex("0111 8005 00000000")
    assert import_request("1-1.3") == bytes.fromhex("0111 8003 00000000") + b"1-1.3".ljust(
        32, b"\0"
    )
    assert len(import_request("x" * 99)) == 40
    assert import_request("x" * 99).endswith(b"x\0")


def test_submits() -> None:
    assert submit(
        seqnum=0xD05, devid=0x1000F, endpoint=0x81, length=64, interval=4
    ) == bytes.fromhex(
        "00000001 00000d05 0001000f 00000001 00000001 00000200 00000040 00000000 00000000 00000004"
        "00000000 00000000"
    )
    setup = bytes.fromhex("a1 01 08 03 00 00 06 00")
    assert submit(seqnum=1, devid=0x10002, endpoint=0, length=6, setup=setup) == bytes.fromhex(
        "00000001 00000001 00010002 00000001 00000000 00000200 00000006 00000000 00000000 00000000"
        "a1010803 00000600"
    )
    setup = bytes.fromhex("21 09 15 03 00 00 03 00")
    written = submit(seqnum=2, devid=0x10002, endpoint=0, length=9, setup=setup, data=b"\x15\x3c\0")
    assert written == bytes.fromhex(
        "00000001 00000002 00010002 00000000 00000000 00000000 00000003 00000000 00000000 00000000"
        "21091503 00000300 153c00"
    )


def test_unlinks() -> None:
    assert unlink(seqnum=9, devid=0x1000F, target=0xD05) == bytes.fromhex(
        "00000002 00000009 0001000f 00000000 00000000 00000d05"
    ) + bytes(24)


def feed(reader: TransferReader, data: bytes, step: int) -> list[object]:
    found: list[object] = []
    for at in range(0, len(data), step):
        reader.feed(data[at : at + step])
        while (message := reader.next()) is not None:
            found.append(message)
    return found


@pytest.mark.parametrize("step", [1, 7, 48, 10_000])
def test_answers_whole_split_and_joined(step: int) -> None:
    reader = TransferReader()
    reader.expect(0xD05)
    stream = RET_INTERRUPT_OUT + RET_INTERRUPT_IN + RET_STALL + RET_UNLINKED + RET_TOO_LATE
    assert feed(reader, stream, step) == [
        Submitted(0xD06, 0, b"", 64),
        Submitted(0xD05, 0, RET_INTERRUPT_IN[48:], 64),
        Submitted(7, -32, b"", 0),
        Unlinked(9, -104),
        Unlinked(10, 0),
    ]


def test_what_came_behind_the_import_is_not_lost() -> None:
    reader = TransferReader(RET_STALL)
    assert reader.next() == Submitted(7, -32, b"", 0)


def test_a_forgotten_read_brings_no_data() -> None:
    reader = TransferReader()
    reader.expect(0xD06)
    reader.forget(0xD06)
    assert feed(reader, RET_INTERRUPT_OUT + RET_STALL, 1000)[0] == Submitted(0xD06, 0, b"", 64)


@pytest.mark.parametrize(
    "nonsense",
    [
        bytes.fromhex("00000005 00000001") + bytes(40),
        bytes.fromhex("00000003 00000001 00000000 00000000 00000000 00000000 00010001") + bytes(20),
        bytes.fromhex("00000003 00000001 00000000 00000000 00000000 00000000 ffffffff") + bytes(20),
    ],
)
def test_a_stream_that_lost_its_place(nonsense: bytes) -> None:
    reader = TransferReader(nonsense)
    with pytest.raises(DeviceGone, match="usbip"):
        reader.next()


def operation(data: bytes, step: int = 1000) -> OperationReader:
    reader = OperationReader()
    for at in range(0, len(data), step):
        reader.feed(data[at : at + step])
    return reader


def test_an_import() -> None:
    reply = bytes.fromhex("0111 0003 00000000") + BLOCK + b"\x01"
    for length in range(len(reply)):
        assert operation(reply[:length]).imported("1-1") is None
    reader = operation(reply + b"more")
    assert reader.imported("1-1") == DEVICE
    assert reader.rest() == b"more"
    assert DEVICE.devid == 0x1000F


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (1, DeviceNotFound),
        (2, DeviceBusy),
        (3, DeviceNotFound),
        (4, DeviceNotFound),
        (99, DeviceNotFound),
    ],
)
def test_a_refused_import(status: int, error: type[Exception]) -> None:
    with pytest.raises(error, match="1-1"):
        operation(bytes.fromhex(f"0111 0003 {status:08x}")).imported("1-1")


def test_a_list_of_devices() -> None:
    interfaces = bytes.fromhex("03 00 00 00 ff 01 02 00")
    reply = (
        bytes.fromhex("0111 0005 00000000 00000002")
        + BLOCK
        + b"\x02"
        + interfaces
        + BLOCK
        + b"\x00"
    )
    for length in range(len(reply)):
        assert operation(reply[:length]).devlist() is None
    first, second = operation(reply).devlist() or ()
    assert first.interfaces == ((3, 0, 0), (0xFF, 1, 2))
    assert second == DEVICE


@pytest.mark.parametrize(
    "reply",
    [
        "0106 0005 00000000 00000000",
        "0111 0003 00000000 00000000",
        "48545450 2f312e31",  # HTTP/1.1
        "0111 0005 00000001 00000000",
        "0111 0005 00000000 00000401",
    ],
)
def test_a_list_that_is_none(reply: str) -> None:
    with pytest.raises(DeviceGone, match="usbip"):
        operation(bytes.fromhex(reply)).devlist()


@given(st.lists(st.binary(max_size=60), max_size=20))
def test_any_stream_gives_answers_or_device_gone(pieces: list[bytes]) -> None:
    reader = TransferReader()
    for number in range(5):
        reader.expect(number)
    with contextlib.suppress(DeviceGone):
        for piece in pieces:
            reader.feed(piece)
            while (message := reader.next()) is not None:
                assert message.seqnum >= 0


@given(st.binary(max_size=400), st.sampled_from([b"\x01\x11\x00\x05", b"\x01\x11\x00\x03", b""]))
def test_any_reply_gives_devices_or_typed_errors(data: bytes, start: bytes) -> None:
    with contextlib.suppress(DeviceGone):
        operation(start + data).devlist()
    with contextlib.suppress(DeviceGone, DeviceBusy, DeviceNotFound):
        operation(start + data).imported("1-1")


@given(
    seqnum=st.integers(0, 2**32 - 1),
    devid=st.integers(0, 2**32 - 1),
    endpoint=st.integers(0, 255),
    length=st.integers(0, 65_535),
    data=st.none() | st.binary(max_size=100),
)
def test_submits_have_a_header_of_48_bytes(
    seqnum: int, devid: int, endpoint: int, length: int, data: bytes | None
) -> None:
    sent = submit(seqnum=seqnum, devid=devid, endpoint=endpoint, length=length, data=data)
    assert len(sent) == 48 + len(data or b"")
    assert sent[4:12] == seqnum.to_bytes(4, "big") + devid.to_bytes(4, "big")
