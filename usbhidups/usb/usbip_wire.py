"""The client's side of USB/IP 1.1.1 as bytes: requests put together, answers taken apart. No sockets here.

Two phases: operations (list of devices, import of one), then transfers on the same connection. Numbers
are big-endian, the eight setup bytes are as on the USB. What a server may send is bounded; nonsense is a
DeviceGone, since a connection that lost its place cannot be mended.
(the kernel's Documentation/usb/usbip_protocol.rst)
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

from usbhidups.errors import DeviceBusy, DeviceGone, DeviceNotFound

__all__ = [
    "LONGEST_TRANSFER",
    "ExportedDevice",
    "OperationReader",
    "Submitted",
    "TransferReader",
    "Unlinked",
    "devlist_request",
    "import_request",
    "submit",
    "unlink",
]

VERSION = 0x0111
REQ_DEVLIST, REP_DEVLIST = 0x8005, 0x0005
REQ_IMPORT, REP_IMPORT = 0x8003, 0x0003
CMD_SUBMIT, CMD_UNLINK, RET_SUBMIT, RET_UNLINK = 1, 2, 3, 4
DIRECTION_OUT, DIRECTION_IN = 0, 1
URB_DIR_IN = 0x200

LONGEST_TRANSFER = 65_536
MOST_DEVICES = 1024
LONGEST_BUSID = 31

_OPERATION = struct.Struct(">HHI")
_DEVICE = struct.Struct(">256s32sIIIHHHBBBBBB")
_COUNT = struct.Struct(">I")
_HEADER = struct.Struct(">IIIII28x")
_SUBMIT = struct.Struct(">IIIIIIiiii8s")
_UNLINK = struct.Struct(">IIIIII24x")
_RET_SUBMIT = struct.Struct(">IIIIIiiiii8x")
_RET_UNLINK = struct.Struct(">IIIIIi24x")


@dataclass(frozen=True, slots=True)
class ExportedDevice:
    """One device of a server. ``interfaces`` are class, subclass, protocol; empty in an import's reply."""

    busid: str
    bus: int
    address: int
    speed: int
    vendor_id: int
    product_id: int
    release: int
    configuration: int
    interfaces: tuple[tuple[int, int, int], ...] = ()

    @property
    def devid(self) -> int:
        """How transfers name it."""
        return self.bus << 16 | self.address


@dataclass(frozen=True, slots=True)
class Submitted:
    """RET_SUBMIT: the transfer ``seqnum`` ended with ``status`` (0, or minus an errno)."""

    seqnum: int
    status: int
    data: bytes
    length: int


@dataclass(frozen=True, slots=True)
class Unlinked:
    """RET_UNLINK to the request ``seqnum``: status 0 means the transfer had ended before."""

    seqnum: int
    status: int


def devlist_request() -> bytes:
    """OP_REQ_DEVLIST."""
    return _OPERATION.pack(VERSION, REQ_DEVLIST, 0)


def import_request(busid: str) -> bytes:
    """OP_REQ_IMPORT of one bus id (at most 31 ASCII characters)."""
    name = busid.encode("ascii", "replace")[:LONGEST_BUSID]
    return _OPERATION.pack(VERSION, REQ_IMPORT, 0) + name.ljust(32, b"\0")


def submit(
    *,
    seqnum: int,
    devid: int,
    endpoint: int,
    length: int,
    setup: bytes = bytes(8),
    data: bytes | None = None,
    interval: int = 0,
) -> bytes:
    """CMD_SUBMIT. ``data`` None: a read of ``length`` bytes; else a write of ``data``."""
    inbound = data is None
    return _SUBMIT.pack(
        CMD_SUBMIT,
        seqnum,
        devid,
        DIRECTION_IN if inbound else DIRECTION_OUT,
        endpoint & 0x0F,
        URB_DIR_IN if inbound else 0,
        length if data is None else len(data),
        0,  # start_frame
        0,  # number_of_packets: as the kernel's client does for all that is not isochronous
        interval,
        setup,
    ) + (data or b"")


def unlink(*, seqnum: int, devid: int, target: int) -> bytes:
    """CMD_UNLINK: take back the transfer whose number is ``target``."""
    return _UNLINK.pack(CMD_UNLINK, seqnum, devid, DIRECTION_OUT, 0, target)


class OperationReader:
    """Collects the reply to one operation."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> None:
        """Add what came from the socket."""
        self._buffer += data

    def rest(self) -> bytes:
        """What came behind the reply: it belongs to the transfers."""
        return bytes(self._buffer)

    def devlist(self) -> tuple[ExportedDevice, ...] | None:
        """The devices, None while more has to come. Raises DeviceGone on nonsense."""
        head = _OPERATION.size + _COUNT.size
        status = self._status(REP_DEVLIST)
        if status is None:
            return None
        if status:
            raise DeviceGone(f"usbip: the list of devices was refused with status {status}")
        if len(self._buffer) < head:
            return None
        (count,) = _COUNT.unpack_from(self._buffer, _OPERATION.size)
        if count > MOST_DEVICES:
            raise DeviceGone(f"usbip: a list of {count} devices is not believed")
        devices: list[ExportedDevice] = []
        at = head
        for _ in range(count):
            if len(self._buffer) < at + _DEVICE.size:
                return None
            device, interfaces = _device(self._buffer, at)
            at += _DEVICE.size
            end = at + 4 * interfaces
            if len(self._buffer) < end:
                return None
            kinds = tuple(
                (self._buffer[n], self._buffer[n + 1], self._buffer[n + 2])
                for n in range(at, end, 4)
            )
            devices.append(replace(device, interfaces=kinds))
            at = end
        del self._buffer[:at]
        return tuple(devices)

    def imported(self, busid: str) -> ExportedDevice | None:
        """The imported device, None while more has to come.

        Raises DeviceBusy, DeviceNotFound as the server says, DeviceGone on nonsense.
        """
        status = self._status(REP_IMPORT)
        if status is None:
            return None
        if status == 2:
            raise DeviceBusy(f"usbip: device {busid} is in use by another client")
        if status:
            raise DeviceNotFound(
                f"usbip: the server has no device {busid} to give (status {status})"
            )
        end = _OPERATION.size + _DEVICE.size
        if len(self._buffer) < end:
            return None
        device, _ = _device(self._buffer, _OPERATION.size)
        del self._buffer[:end]
        return device

    def _status(self, expected: int) -> int | None:
        if len(self._buffer) < _OPERATION.size:
            return None
        version, code, status = _OPERATION.unpack_from(self._buffer)
        if version != VERSION or code != expected:
            raise DeviceGone(
                f"usbip: not a USB/IP server, or not version 1.1.1 ({version:#06x} {code:#06x})"
            )
        return int(status)


def _device(buffer: bytearray, at: int) -> tuple[ExportedDevice, int]:
    _, busid, bus, address, speed, vendor, product, release, _, _, _, value, _, interfaces = (
        _DEVICE.unpack_from(buffer, at)
    )
    device = ExportedDevice(
        busid=busid.split(b"\0", 1)[0].decode("ascii", "replace"),
        bus=bus & 0xFFFF,
        address=address & 0xFFFF,
        speed=speed,
        vendor_id=vendor,
        product_id=product,
        release=release,
        configuration=value,
    )
    return device, interfaces


class TransferReader:
    """Takes RET_SUBMIT and RET_UNLINK out of a stream of bytes.

    Which transfers were reads is not in the answer, so the caller says of each number it submitted
    whether data comes back (``expect``).
    """

    def __init__(self, start: bytes = b"") -> None:
        self._buffer = bytearray(start)
        self._reads: set[int] = set()

    def expect(self, seqnum: int) -> None:
        """Transfer ``seqnum`` is a read."""
        self._reads.add(seqnum)

    def forget(self, seqnum: int) -> None:
        """Transfer ``seqnum`` was taken back for certain: no data will come."""
        self._reads.discard(seqnum)

    def feed(self, data: bytes) -> None:
        """Add what came from the socket."""
        self._buffer += data

    def next(self) -> Submitted | Unlinked | None:
        """The next whole answer, None while more has to come. Raises DeviceGone on nonsense."""
        if len(self._buffer) < _HEADER.size:
            return None
        command, seqnum = struct.unpack_from(">II", self._buffer)
        if command == RET_UNLINK:
            status = _RET_UNLINK.unpack_from(self._buffer)[5]
            del self._buffer[: _HEADER.size]
            return Unlinked(seqnum, status)
        if command != RET_SUBMIT:
            raise DeviceGone(f"usbip: unknown answer {command:#x}")
        _, _, _, _, _, status, length, _, _, _ = _RET_SUBMIT.unpack_from(self._buffer)
        if not 0 <= length <= LONGEST_TRANSFER:
            raise DeviceGone(f"usbip: a transfer of {length} bytes is not believed")
        end = _HEADER.size + (length if seqnum in self._reads else 0)
        if len(self._buffer) < end:
            return None
        data = bytes(self._buffer[_HEADER.size : end])
        del self._buffer[:end]
        self._reads.discard(seqnum)
        return Submitted(seqnum, status, data, length)
