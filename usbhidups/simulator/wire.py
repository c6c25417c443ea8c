"""The server's side of USB/IP 1.1.1 as bytes: what clients send, taken apart, and what they get, put together.

No sockets and no devices here. Numbers are big-endian, the eight setup bytes are as on the USB.
Source: the kernel's Documentation/usb/usbip_protocol.rst; status codes of import from its usbip tools.
"""

from __future__ import annotations

import enum
import struct
from dataclasses import dataclass

from usbhidups.errors import ClientError

__all__ = [
    "DeviceRecord",
    "DevlistRequest",
    "ImportRequest",
    "ImportStatus",
    "InterfaceClass",
    "Message",
    "Reader",
    "Speed",
    "Submit",
    "Unlink",
    "devlist_reply",
    "import_refusal",
    "import_reply",
    "submit_reply",
    "unlink_reply",
]

VERSION = 0x0111
REQ_DEVLIST = 0x8005
REP_DEVLIST = 0x0005
REQ_IMPORT = 0x8003
REP_IMPORT = 0x0003
CMD_SUBMIT = 1
CMD_UNLINK = 2
RET_SUBMIT = 3
RET_UNLINK = 4

MAX_OUT = 65536
"""Bytes that one OUT transfer may carry; a UPS needs a few hundred."""

_OPERATION = struct.Struct(">HHI")
_BUSID = struct.Struct(">32s")
_DEVICE = struct.Struct(">256s32sIIIHHHBBBBBB")
_BASIC = struct.Struct(">IIIII")
_SUBMIT = struct.Struct(">IiIii8s")
_RET_SUBMIT = struct.Struct(">IIIIIiiiii8x")
_UNLINK = struct.Struct(">I24x")
_RET_UNLINK = struct.Struct(">IIIIIi24x")
_HEADER = 48


class Speed(enum.IntEnum):
    """USB speeds, with the kernel's numbers."""

    LOW = 1
    FULL = 2


class ImportStatus(enum.IntEnum):
    """Why an import is refused (status of OP_REP_IMPORT)."""

    BUSY = 2
    NO_DEVICE = 4


@dataclass(frozen=True, slots=True)
class InterfaceClass:
    """Class, subclass and protocol of one interface, as OP_REP_DEVLIST lists them."""

    interface_class: int
    subclass: int
    protocol: int


@dataclass(frozen=True, slots=True)
class DeviceRecord:
    """One exported device. ``busid`` is at most 31 bytes of ASCII; ``devid`` names it in transfers."""

    busid: str
    bus: int
    address: int
    speed: Speed
    vendor_id: int
    product_id: int
    release: int
    interfaces: tuple[InterfaceClass, ...]
    configuration: int = 1

    @property
    def devid(self) -> int:
        """Bus number and address in one number, as CMD_SUBMIT carries it."""
        return self.bus << 16 | self.address

    def block(self) -> bytes:
        """The 312 bytes that OP_REP_DEVLIST and OP_REP_IMPORT share."""
        path = f"/sys/devices/platform/usbhidups/usb{self.bus}/{self.busid}"
        return _DEVICE.pack(
            path.encode("ascii"),
            self.busid.encode("ascii"),
            self.bus,
            self.address,
            self.speed,
            self.vendor_id,
            self.product_id,
            self.release,
            0,  # class, subclass and protocol are those of the interfaces
            0,
            0,
            self.configuration,
            1,
            len(self.interfaces),
        )


@dataclass(frozen=True, slots=True)
class DevlistRequest:
    """OP_REQ_DEVLIST."""


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """OP_REQ_IMPORT of one bus id."""

    busid: str


@dataclass(frozen=True, slots=True)
class Submit:
    """CMD_SUBMIT. ``length`` is the buffer's size, ``data`` what an OUT transfer carries."""

    seqnum: int
    devid: int
    inbound: bool
    endpoint: int
    length: int
    setup: bytes
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Unlink:
    """CMD_UNLINK: take back the transfer whose sequence number is ``target``."""

    seqnum: int
    devid: int
    target: int


Message = DevlistRequest | ImportRequest | Submit | Unlink


class Reader:
    """One client's bytes, whole, split or joined, as messages. A client begins with operations; after
    ``imported()`` it sends transfers. ClientError: it talks nonsense, hang up."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._imported = False

    def feed(self, data: bytes) -> None:
        """Take what arrived."""
        self._buffer += data

    def imported(self) -> None:
        """From here on the client sends transfers."""
        self._imported = True

    def next(self) -> Message | None:
        """The next whole message; None when more bytes are needed."""
        return self._transfer() if self._imported else self._operation()

    def _operation(self) -> Message | None:
        if len(self._buffer) < _OPERATION.size:
            return None
        version, code, _status = _OPERATION.unpack_from(self._buffer)
        if version != VERSION:
            raise ClientError(f"USB/IP version {version:#06x}, expected {VERSION:#06x}")
        if code == REQ_DEVLIST:
            del self._buffer[: _OPERATION.size]
            return DevlistRequest()
        if code != REQ_IMPORT:
            raise ClientError(f"unknown USB/IP operation {code:#06x}")
        end = _OPERATION.size + _BUSID.size
        if len(self._buffer) < end:
            return None
        busid = bytes(self._buffer[_OPERATION.size : end]).partition(b"\0")[0]
        del self._buffer[:end]
        return ImportRequest(busid.decode("ascii", "replace"))

    def _transfer(self) -> Message | None:
        if len(self._buffer) < _HEADER:
            return None
        command, seqnum, devid, direction, endpoint = _BASIC.unpack_from(self._buffer)
        if command == CMD_UNLINK:
            (target,) = _UNLINK.unpack_from(self._buffer, _BASIC.size)
            del self._buffer[:_HEADER]
            return Unlink(seqnum, devid, target)
        if command != CMD_SUBMIT:
            raise ClientError(f"unknown USB/IP command {command}")
        _flags, length, _frame, packets, _interval, setup = _SUBMIT.unpack_from(
            self._buffer, _BASIC.size
        )
        if packets not in (0, -1):
            raise ClientError("isochronous transfers are no business of a UPS")
        if length < 0 or direction not in (0, 1) or (not direction and length > MAX_OUT):
            raise ClientError(f"transfer of {length} bytes, direction {direction}")
        end = _HEADER + (0 if direction else length)
        if len(self._buffer) < end:
            return None
        data = bytes(self._buffer[_HEADER:end])
        del self._buffer[:end]
        return Submit(seqnum, devid, bool(direction), endpoint, length, setup, data)


def devlist_reply(records: list[DeviceRecord]) -> bytes:
    """OP_REP_DEVLIST."""
    parts = [_OPERATION.pack(VERSION, REP_DEVLIST, 0), struct.pack(">I", len(records))]
    for record in records:
        parts.append(record.block())
        parts += [
            struct.pack(">BBBx", each.interface_class, each.subclass, each.protocol)
            for each in record.interfaces
        ]
    return b"".join(parts)


def import_reply(record: DeviceRecord) -> bytes:
    """OP_REP_IMPORT: the device is the client's now."""
    return _OPERATION.pack(VERSION, REP_IMPORT, 0) + record.block()


def import_refusal(status: ImportStatus) -> bytes:
    """OP_REP_IMPORT without a device."""
    return _OPERATION.pack(VERSION, REP_IMPORT, status)


def submit_reply(seqnum: int, status: int, *, actual: int, data: bytes = b"") -> bytes:
    """RET_SUBMIT: ``status`` is 0 or a negative errno; ``data`` is what an IN transfer brought."""
    return _RET_SUBMIT.pack(RET_SUBMIT, seqnum, 0, 0, 0, status, actual, 0, 0, 0) + data


def unlink_reply(seqnum: int, status: int) -> bytes:
    """RET_UNLINK: ``status`` is -ECONNRESET when the transfer was taken back, 0 when it had ended before."""
    return _RET_UNLINK.pack(RET_UNLINK, seqnum, 0, 0, 0, status)
