"""What devices, kernels and USB/IP servers send, and fixtures from strangers."""

from __future__ import annotations

import contextlib
from pathlib import Path

from tests.hid.recordings import FIXTURES, load
from usbhidups.errors import ClientError, DeviceBusy, DeviceGone, DeviceNotFound, FixtureError
from usbhidups.simulator.descriptors import describe
from usbhidups.simulator.wire import (
    ImportStatus,
    Message,
    Reader,
    devlist_reply,
    import_refusal,
    import_reply,
    submit_reply,
    unlink_reply,
)
from usbhidups.usb import descriptors, fixture, uevents
from usbhidups.usb.reportscan import LONGEST, scan
from usbhidups.usb.usbip_wire import (
    LONGEST_TRANSFER,
    OperationReader,
    TransferReader,
    devlist_request,
    import_request,
    submit,
    unlink,
)

__all__ = [
    "configuration",
    "configuration_seeds",
    "fixtures",
    "fixtures_seeds",
    "uevent",
    "uevent_seeds",
    "usbip",
    "usbip_seeds",
    "usbip_server",
    "usbip_server_seeds",
]

_DIRECTORY = Path(__file__).parents[2] / "fixtures" / "hid-descriptors"
_BENCH = sorted(_DIRECTORY.glob("0764-0501-cyberpower*.toml"))[0]


def configuration(data: bytes) -> None:
    """Any bytes are a device, a configuration, a HID and a string descriptor, and a report descriptor."""
    descriptors.device_descriptor(data)
    for interface in descriptors.hid_interfaces(data):
        assert 0 <= interface.number <= 255
        assert 0 <= interface.report_length <= 65535
        assert interface.endpoint is None or interface.endpoint.packet > 0
    assert 0 <= descriptors.report_length(data) <= 65535
    text = descriptors.string_text(data)
    assert text is None or len(text) <= 127
    found = scan(data)
    assert found.longest_input <= LONGEST * 255


def configuration_seeds() -> list[bytes]:
    """The descriptors that the simulator makes of a recording, and the recorded report descriptors."""
    made = describe(fixture.load(_BENCH))
    strings = [made.string(index) or b"" for index in range(4)]
    return [made.device, made.configuration, made.hid, *strings]


def usbip(data: bytes) -> None:
    """A server's bytes in pieces: devices, an import and answers come of it, or one of the typed errors.

    The first byte says how long the pieces are, the second which numbers are reads.
    """
    if len(data) < 2:
        return
    piece, reads, stream = data[0] % 61 + 1, data[1], data[2:]
    pieces = [stream[at : at + piece] for at in range(0, len(stream), piece)]
    for ask in ("devlist", "imported"):
        reader = OperationReader()
        with contextlib.suppress(DeviceGone, DeviceNotFound, DeviceBusy):
            for each in pieces:
                reader.feed(each)
                if (reader.devlist() if ask == "devlist" else reader.imported("1-1")) is not None:
                    break
    transfers = TransferReader()
    for number in range(1, 5):
        if reads >> number & 1:
            transfers.expect(number)
    with contextlib.suppress(DeviceGone):
        for each in pieces:
            transfers.feed(each)
            while (answer := transfers.next()) is not None:
                assert len(getattr(answer, "data", b"")) <= LONGEST_TRANSFER


def usbip_seeds() -> list[bytes]:
    """What our own simulator answers."""
    record = describe(fixture.load(_BENCH)).placed("1-1", 1, 2).record
    answers = [
        devlist_reply([record]),
        import_reply(record),
        import_refusal(ImportStatus.BUSY),
        submit_reply(1, 0, actual=8, data=b"\x01\x64\x00\x00\x00\x00\x00\x00"),
        submit_reply(2, -32, actual=0) + unlink_reply(3, -104),
    ]
    return [b"\x3c\xff" + answer for answer in answers]


def usbip_server(data: bytes) -> None:
    """A client's bytes in pieces: messages come of them, the same however they are cut, or ClientError.

    The first byte says how long the pieces are, and whether a device was imported before.
    """
    if data:
        piece, stream = data[0] // 2 + 1, data[1:]
        pieces = [stream[at : at + piece] for at in range(0, len(stream), piece)]
        imported = data[0] % 2 == 1
        assert _client_messages(pieces, imported=imported) == _client_messages(
            [stream], imported=imported
        )


def _client_messages(pieces: list[bytes], *, imported: bool) -> list[Message]:
    reader = Reader()
    if imported:
        reader.imported()
    heard: list[Message] = []
    with contextlib.suppress(ClientError):
        for each in pieces:
            reader.feed(each)
            while (message := reader.next()) is not None:
                heard.append(message)
    return heard


def usbip_server_seeds() -> list[bytes]:
    """What our own transport asks."""
    setup, value = bytes.fromhex("21090c0300000200"), b"\x0c\x64"
    read = submit(seqnum=1, devid=65538, endpoint=1, length=8)
    write = submit(seqnum=2, devid=65538, endpoint=0, length=2, setup=setup, data=value)
    taken_back = unlink(seqnum=3, devid=65538, target=1)
    asked = devlist_request() + import_request("1-1")
    return [b"\x0e" + asked, b"\xff" + read + write + taken_back]


def uevent(data: bytes) -> None:
    """Any datagram is an event or nothing."""
    event = uevents.parse(data)
    if event is not None:
        assert isinstance(event.plugged, bool)
        assert len(event.port_path) < len(data) + 1


def uevent_seeds() -> list[bytes]:
    """As the kernel sends them."""
    path = "/devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1.3"
    return [
        f"add@{path}\0ACTION=add\0DEVPATH={path}\0SUBSYSTEM=usb\0DEVTYPE=usb_device\0".encode(),
        f"remove@{path}\0ACTION=remove\0DEVPATH={path}\0SUBSYSTEM=usb\0".encode(),
        f"bind@{path}/1-1.3:1.0\0ACTION=bind\0SUBSYSTEM=usb\0DRIVER=usbhid\0".encode(),
        b"libudev\0\xfe\xed\xca\xfe",
    ]


def fixtures(data: bytes) -> None:
    """Any text is a fixture that survives being written out again, or a FixtureError."""
    with contextlib.suppress(FixtureError):
        parsed = fixture.parse(data.decode("utf-8", "replace"), "fuzz.toml")
        assert fixture.parse(fixture.dumps(parsed), "again.toml") == parsed


def fixtures_seeds() -> list[bytes]:
    """Short ones of the project's own, and those parts that are rare in them."""
    small = [path.read_bytes() for path in _DIRECTORY.glob("*.toml") if path.stat().st_size < 4000]
    written = fixture.dumps(fixture.load(_BENCH)).encode()[:4000]
    assert load(FIXTURES)
    return [*small[:5], written]
