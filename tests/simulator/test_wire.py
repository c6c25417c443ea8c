"""USB/IP byte for byte; the literal transfers are the example of the kernel's usbip_protocol.rst."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usbhidups.errors import ClientError
from usbhidups.simulator.wire import (
    DeviceRecord,
    DevlistRequest,
    ImportRequest,
    ImportStatus,
    InterfaceClass,
    Message,
    Reader,
    Speed,
    Submit,
    Unlink,
    devlist_reply,
    import_refusal,
    import_reply,
    submit_reply,
    unlink_reply,
)

RECORD = DeviceRecord(
    busid="1-1",
    bus=1,
    address=15,
    speed=Speed.LOW,
    vendor_id=0x1209,
    product_id=0x0001,
    release=0x0102,
    interfaces=(InterfaceClass(3, 0, 0), InterfaceClass(0xFF, 1, 2)),
)
BLOCK = (
    b"/sys/devices/platform/usbhidups/usb1/1-1".ljust(256, b"\0")
    + b"1-1".ljust(32, b"\0")
    + bytes.fromhex("00000001 0000000f 00000001 1209 0001 0102 00 00 00 01 01 02")
)

CMD_INTR_IN = bytes.fromhex(
    "00000001 00000d05 0001000f 00000001 00000001"
    "00000200 00000040 ffffffff 00000000 00000004 00000000 00000000"
)
CMD_INTR_OUT_DATA = bytes.fromhex("ffffffff860008a784ce5ae212376300") + bytes(48)
CMD_INTR_OUT = (
    bytes.fromhex(
        "00000001 00000d06 0001000f 00000000 00000001"
        "00000000 00000040 ffffffff 00000000 00000004 00000000 00000000"
    )
    + CMD_INTR_OUT_DATA
)
CMD_UNLINK = bytes.fromhex("00000002 00000d07 0001000f 00000000 00000000 00000d05") + bytes(24)
IMPORT = bytes.fromhex("0111 8003 00000000") + b"1-1".ljust(32, b"\0")

SUBMIT_IN = Submit(
    seqnum=0xD05, devid=0x1000F, inbound=True, endpoint=1, length=0x40, setup=bytes(8)
)
SUBMIT_OUT = Submit(
    seqnum=0xD06,
    devid=0x1000F,
    inbound=False,
    endpoint=1,
    length=0x40,
    setup=bytes(8),
    data=CMD_INTR_OUT_DATA,
)


def messages(*blocks: bytes, imported: bool) -> list[Message]:
    reader = Reader()
    if imported:
        reader.imported()
    found = []
    for block in blocks:
        reader.feed(block)
        while (message := reader.next()) is not None:
            found.append(message)
    return found


def test_operations_are_read() -> None:
    assert messages(bytes.fromhex("0111 8005 00000000"), imported=False) == [DevlistRequest()]
    assert messages(IMPORT, imported=False) == [ImportRequest("1-1")]


def test_transfers_are_read() -> None:
    assert messages(CMD_INTR_IN + CMD_INTR_OUT + CMD_UNLINK, imported=True) == [
        SUBMIT_IN,
        SUBMIT_OUT,
        Unlink(seqnum=0xD07, devid=0x1000F, target=0xD05),
    ]


@given(st.lists(st.integers(1, 200), max_size=40))
def test_however_it_is_cut(cuts: list[int]) -> None:
    stream = CMD_INTR_IN + CMD_INTR_OUT + CMD_UNLINK
    blocks = []
    for cut in cuts:
        blocks.append(stream[:cut])
        stream = stream[cut:]
    assert len(messages(*blocks, stream, imported=True)) == 3


def test_control_setup_is_kept() -> None:
    raw = bytearray(CMD_INTR_IN)
    raw[40:48] = bytes.fromhex("a1010c0300000200")
    (message,) = messages(bytes(raw), imported=True)
    assert isinstance(message, Submit)
    assert message.setup == bytes.fromhex("a1010c0300000200")


def test_not_isochronous_in_either_spelling() -> None:
    raw = bytearray(CMD_INTR_IN)
    raw[32:36] = b"\xff\xff\xff\xff"
    assert messages(bytes(raw), imported=True) == [SUBMIT_IN]


@pytest.mark.parametrize(
    ("imported", "raw"),
    [
        (False, "0100 8005 00000000"),  # another version
        (False, "0111 8004 00000000"),  # unknown operation
        (True, "00000005" + 44 * "00"),  # unknown command
        (True, "00000001 00000001 0001000f 00000001 00000001 00000000 80000000" + 20 * "00"),
        (True, "00000001 00000001 0001000f 00000000 00000000 00000000 00010001" + 20 * "00"),
        (True, "00000001 00000001 0001000f 00000002 00000001 00000000 00000001" + 20 * "00"),
        (
            True,
            "00000001 00000001 0001000f 00000001 00000001 00000000 00000001 00000000 00000001"
            + 12 * "00",
        ),
    ],
)
def test_nonsense_ends_the_connection(imported: bool, raw: str) -> None:  # noqa: FBT001
    with pytest.raises(ClientError):
        messages(bytes.fromhex(raw), imported=imported)


@given(st.binary(max_size=400), st.booleans())
def test_no_bytes_raise_anything_else(raw: bytes, imported: bool) -> None:  # noqa: FBT001
    try:
        messages(raw, imported=imported)
    except ClientError:
        return


def test_devlist() -> None:
    assert devlist_reply([]) == bytes.fromhex("0111 0005 00000000 00000000")
    assert devlist_reply([RECORD, RECORD]) == (
        bytes.fromhex("0111 0005 00000000 00000002")
        + 2 * (BLOCK + bytes.fromhex("03000000 ff010200"))
    )


def test_import() -> None:
    assert len(BLOCK) == 312
    assert import_reply(RECORD) == bytes.fromhex("0111 0003 00000000") + BLOCK
    assert import_refusal(ImportStatus.BUSY) == bytes.fromhex("0111 0003 00000002")
    assert import_refusal(ImportStatus.NO_DEVICE) == bytes.fromhex("0111 0003 00000004")


def test_transfer_replies() -> None:
    assert submit_reply(0xD05, 0, actual=4, data=b"abcd") == (
        bytes.fromhex("00000003 00000d05 00000000 00000000 00000000 00000000 00000004")
        + bytes(20)
        + b"abcd"
    )
    assert submit_reply(0xD06, -32, actual=0) == (
        bytes.fromhex("00000003 00000d06 00000000 00000000 00000000 ffffffe0 00000000") + bytes(20)
    )
    assert unlink_reply(0xD07, -104) == (
        bytes.fromhex("00000004 00000d07 00000000 00000000 00000000 ffffff98") + bytes(24)
    )


def test_devid_is_bus_and_address() -> None:
    assert RECORD.devid == 0x1000F
