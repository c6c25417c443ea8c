"""Descriptors written out by hand, for the tests of this package."""

from __future__ import annotations

UPS = bytes.fromhex(
    "05 84 09 04 a1 01"  # UPS (application)
    "  09 24 a1 02"  # PowerSummary
    "    85 0c 05 85 09 66 75 08 95 01 15 00 25 64 b1 02"  # feature 0c: charge
    "    09 66 81 02 09 68 75 10 27 ff ff 00 00 81 02"  # input 0c: charge, run time: 4 bytes with the id
    "  c0"
    "c0"
)
"""A whole UPS with numbered reports."""

NO_SUMMARY = bytes.fromhex("05 84 09 04 a1 01 09 10 a1 00 85 01 75 08 95 01 09 66 b1 02 c0 c0")
"""Whole, but it has battery data only."""

UNNUMBERED = bytes.fromhex(
    "05 84 09 04 a1 01 09 24 a1 02 75 08 95 05 05 85 09 66 81 02 b1 02 c0 c0"
)
"""No report ids; five bytes of Input and of Feature."""

KEYBOARD = bytes.fromhex("05 01 09 06 a1 01 75 08 95 08 05 07 19 00 29 ff 81 00 c0")

DEVICE = bytes.fromhex("12 01 00 02 00 00 00 08 64 07 01 05 34 12 01 02 03 01")
"""0764:0501, release 1234, strings 1, 2 and 3."""


def hid(length: int) -> bytes:
    """A HID descriptor that announces one report descriptor."""
    return bytes((9, 0x21, 0x10, 0x01, 0, 1, 0x22)) + length.to_bytes(2, "little")


def interface(number: int, *, kind: int = 3, alternate: int = 0, ends: int = 1) -> bytes:
    """An interface descriptor."""
    return bytes((9, 4, number, alternate, ends, kind, 0, 0, 0))


def endpoint(
    address: int = 0x81, *, attributes: int = 3, packet: int = 8, interval: int = 10
) -> bytes:
    """An endpoint descriptor."""
    return bytes((7, 5, address, attributes)) + packet.to_bytes(2, "little") + bytes((interval,))


def configuration(*parts: bytes) -> bytes:
    """A configuration descriptor with what follows it."""
    body = b"".join(parts)
    total = (9 + len(body)).to_bytes(2, "little")
    return bytes((9, 2)) + total + bytes((1, 1, 0, 0xA0, 50)) + body


def plain(length: int = len(UPS)) -> bytes:
    """The configuration of a UPS with one interface."""
    return configuration(interface(0), hid(length), endpoint())


def string(text: str) -> bytes:
    """A string descriptor."""
    units = text.encode("utf-16-le")
    return bytes((2 + len(units), 3)) + units
