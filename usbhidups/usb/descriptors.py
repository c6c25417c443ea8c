"""Device, configuration, HID and string descriptors as bytes: taken apart, never asked for.

Bounded by the bytes given; what is malformed is left out, not guessed. (USB 2.0 chapter 9, HID 1.11
section 6.2.1, failure-catalogue.md A02 to A05)
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = [
    "DeviceDescriptor",
    "Endpoint",
    "HidInterface",
    "device_descriptor",
    "hid_interfaces",
    "report_length",
    "string_text",
]

DEVICE = 0x01
CONFIGURATION = 0x02
STRING = 0x03
INTERFACE = 0x04
ENDPOINT = 0x05
HID = 0x21
REPORT = 0x22
HID_CLASS = 3

_DEVICE = struct.Struct("<2xHBBBBHHHBBBB")


@dataclass(frozen=True, slots=True)
class DeviceDescriptor:
    """What is used of a device descriptor; 0 for a string index means that there is no such string."""

    vendor_id: int
    product_id: int
    release: int
    manufacturer_index: int
    product_index: int
    serial_index: int


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An interrupt IN endpoint: ``address`` with the direction bit, ``packet`` in bytes."""

    address: int
    packet: int
    interval: int


@dataclass(frozen=True, slots=True)
class HidInterface:
    """A HID interface (its first alternate setting).

    ``report_length`` is what the HID descriptor inside the configuration says of the report descriptor,
    0 where it says nothing. ``endpoint`` None: it has no interrupt IN endpoint.
    """

    number: int
    report_length: int = 0
    endpoint: Endpoint | None = None


def device_descriptor(data: bytes) -> DeviceDescriptor | None:
    """The device descriptor at the start of ``data``; None where there is no whole one."""
    if len(data) < 18 or data[0] < 18 or data[1] != DEVICE:
        return None
    _, _, _, _, _, vendor, product, release, manufacturer, name, serial, _ = _DEVICE.unpack_from(
        data
    )
    return DeviceDescriptor(
        vendor_id=vendor,
        product_id=product,
        release=release,
        manufacturer_index=manufacturer,
        product_index=name,
        serial_index=serial,
    )


def hid_interfaces(configuration: bytes) -> tuple[HidInterface, ...]:
    """The HID interfaces of one configuration descriptor (with all that follows it), in order.

    ``configuration`` may be preceded by a device descriptor, as in the kernel's sysfs file, and may hold
    several configurations; only the first is looked at.
    """
    found: list[HidInterface] = []
    current: HidInterface | None = None
    configurations = 0
    for kind, body in _split(configuration):
        if kind == CONFIGURATION:
            configurations += 1
            if configurations > 1:
                break
        elif kind == INTERFACE and len(body) >= 9:
            if current is not None:
                found.append(current)
            first = body[3] == 0 and all(known.number != body[2] for known in found)
            current = HidInterface(body[2]) if first and body[5] == HID_CLASS else None
        elif current is None:
            continue
        elif kind == HID:
            current = HidInterface(current.number, report_length(body), current.endpoint)
        elif kind == ENDPOINT and len(body) >= 7 and current.endpoint is None:
            address, attributes, packet, interval = struct.unpack_from("<BBHB", body, 2)
            if address & 0x80 and attributes & 3 == 3:
                endpoint = Endpoint(address, packet & 0x7FF or 8, interval)
                current = HidInterface(current.number, current.report_length, endpoint)
    if current is not None:
        found.append(current)
    return tuple(found)


def report_length(hid: bytes) -> int:
    """The length of the (first) report descriptor by a HID descriptor, 0 where it does not say."""
    if len(hid) < 9 or hid[1] != HID:
        return 0
    for at in range(6, min(len(hid), 6 + 3 * hid[5]) - 2, 3):
        if hid[at] == REPORT:
            return hid[at + 1] | hid[at + 2] << 8
    return 0


def string_text(data: bytes) -> str | None:
    """The text of a string descriptor as received, None where it is none (failure A12: ``02 03``).

    A length byte that promises more than came is believed as far as it goes; half characters and broken
    pairs become U+FFFD. Ends of line and NULs at the end are dropped.
    """
    if len(data) < 2 or data[1] != STRING:
        return None
    units = data[2 : max(2, min(data[0], len(data)))]
    text = units[: len(units) & ~1].decode("utf-16-le", "replace")
    return text.rstrip("\0\r\n") or None


def _split(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 2 <= len(data) and data[at] >= 2:
        body = data[at : at + data[at]]
        yield data[at + 1], body
        at += data[at]
