"""The USB descriptors of a simulated device, made from its fixture.

Device, configuration (with interface, HID and endpoint descriptors) and strings. When the fixture's HID
interface is not interface 0, decoys stand before it: a HID interface of 27 vendor bytes, then vendor-specific
ones without endpoints. Sources: USB 2.0 chapter 9, HID 1.11 sections 6.2.1 and 7.1; decoy as in failure A05.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

from usbhidups.simulator.layout import Kind, read_layout
from usbhidups.simulator.wire import DeviceRecord, InterfaceClass, Speed
from usbhidups.usb.fixture import Fixture

__all__ = [
    "CONFIGURATION",
    "DECOY",
    "DEVICE",
    "HID_DESCRIPTOR",
    "REPORT_DESCRIPTOR",
    "STRING",
    "Descriptors",
    "describe",
    "hid_descriptor",
]

DEVICE = 0x01
CONFIGURATION = 0x02
STRING = 0x03
HID_DESCRIPTOR = 0x21
REPORT_DESCRIPTOR = 0x22

DECOY = bytes.fromhex("0600ff 0901 a101 1500 26ff00 6500 7508 9508 0901 8102 0902 9102 c0")
"""A report descriptor of 27 vendor bytes that has nothing to do with power."""

_HID_CLASS = InterfaceClass(3, 0, 0)
_VENDOR_CLASS = InterfaceClass(0xFF, 0, 0)
_ENGLISH = 0x0409


@dataclass(frozen=True, slots=True)
class Descriptors:
    """What one simulated device says of itself.

    ``hid`` is the 9-byte HID descriptor of the power interface, ``report`` its report descriptor,
    ``strings`` maps an index to the text, ``packet`` is the interrupt endpoint's wMaxPacketSize.
    """

    device: bytes
    configuration: bytes
    hid: bytes
    report: bytes
    strings: dict[int, str]
    interface: int
    endpoint: int
    packet: int
    record: DeviceRecord

    def string(self, index: int) -> bytes | None:
        """String descriptor ``index`` as sent, None where there is none; texts are cut at 126 units."""
        if index == 0:
            return struct.pack("<BBH", 4, STRING, _ENGLISH)
        text = self.strings.get(index)
        if text is None:
            return None
        units = text.encode("utf-16-le")[:252]
        return bytes((2 + len(units), STRING)) + units

    def placed(self, busid: str, bus: int, address: int) -> Descriptors:
        """The same device, plugged in at a place."""
        return replace(self, record=replace(self.record, busid=busid, bus=bus, address=address))


def hid_descriptor(report_length: int) -> bytes:
    """The 9 bytes that announce one report descriptor of that length (taken modulo 65536)."""
    return struct.pack("<BBHBBBH", 9, HID_DESCRIPTOR, 0x0110, 0, 1, 0x22, report_length & 0xFFFF)


def describe(fixture: Fixture, *, configured_length: int | None = None) -> Descriptors:
    """Make the descriptors of a fixture's device.

    ``configured_length``: the report descriptor's length as the copy of the HID descriptor inside the
    configuration shall say (failures A02, A03); the true one by default.
    """
    device = fixture.device
    length = len(fixture.descriptor)
    hid = hid_descriptor(length)
    embedded = hid if configured_length is None else hid_descriptor(configured_length)
    speed, packet = _pace(fixture)
    strings = dict(device.strings)
    indices = [
        _index_of(text, strings) for text in (device.manufacturer, device.product, device.serial)
    ]
    decoys = [
        _interface(
            0,
            _HID_CLASS,
            hid=hid_descriptor(len(DECOY)),
            endpoint=_spare(device.endpoint_in),
            packet=8,
        )
        if number == 0
        else _interface(number, _VENDOR_CLASS)
        for number in range(device.interface)
    ]
    body = b"".join(decoys) + _interface(
        device.interface, _HID_CLASS, hid=embedded, endpoint=device.endpoint_in, packet=packet
    )
    count = device.interface + 1
    head = struct.pack("<BBHBBBBB", 9, CONFIGURATION, 9 + len(body), count, 1, 0, 0xA0, 50)
    classes = [_HID_CLASS if n in (0, device.interface) else _VENDOR_CLASS for n in range(count)]
    release = device.release or 0
    return Descriptors(
        device=struct.pack(
            "<BBHBBBBHHHBBBB",
            18,
            DEVICE,
            0x0110 if speed is Speed.LOW else 0x0200,
            0,
            0,
            0,
            8 if speed is Speed.LOW else 64,
            device.vendor_id,
            device.product_id,
            release,
            *indices,
            1,
        ),
        configuration=head + body,
        hid=hid,
        report=fixture.descriptor,
        strings=strings,
        interface=device.interface,
        endpoint=device.endpoint_in,
        packet=packet,
        record=DeviceRecord(
            busid="1-1",
            bus=1,
            address=1,
            speed=speed,
            vendor_id=device.vendor_id,
            product_id=device.product_id,
            release=release,
            interfaces=tuple(classes),
        ),
    )


def _pace(fixture: Fixture) -> tuple[Speed, int]:
    """Low speed with packets of 8 bytes, as nearly all UPSes, unless an input report needs more at once."""
    layout = read_layout(fixture.descriptor)
    longest = max(
        (
            length + layout.numbered
            for (kind, _), length in layout.lengths.items()
            if kind is Kind.INPUT
        ),
        default=0,
    )
    if longest <= 8:
        return Speed.LOW, 8
    return Speed.FULL, 64


def _index_of(text: str | None, strings: dict[int, str]) -> int:
    """The index under which the device descriptor finds ``text``; added to ``strings`` where new."""
    if text is None:
        return 0
    for index, known in sorted(strings.items()):
        if known == text:
            return index
    index = next(n for n in range(1, 256) if n not in strings)
    strings[index] = text
    return index


def _spare(endpoint: int) -> int:
    return 0x82 if endpoint == 0x81 else 0x81


def _interface(
    number: int,
    kind: InterfaceClass,
    *,
    hid: bytes = b"",
    endpoint: int | None = None,
    packet: int = 8,
) -> bytes:
    ends = b"" if endpoint is None else struct.pack("<BBBBHB", 7, 5, endpoint, 3, packet, 10)
    return (
        struct.pack(
            "<BBBBBBBBB",
            9,
            4,
            number,
            0,
            0 if endpoint is None else 1,
            kind.interface_class,
            kind.subclass,
            kind.protocol,
            0,
        )
        + hid
        + ends
    )
