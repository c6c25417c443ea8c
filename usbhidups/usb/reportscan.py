"""A first look at a report descriptor: is it a UPS's, is it whole, how long are its Input reports.

Just enough to choose an interface, to tell a good copy from a bad one and to size a buffer; what the
fields mean is the business of the ``hid`` package. Never raises: a mangled descriptor gives a scan that
says so. (hid-power-device.md sections 1 and 2)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["LONGEST", "Scan", "scan"]

LONGEST = 6144
"""Bytes of the longest report descriptor that is believed, as NUT's MAX_REPORT_SIZE."""

_MOST_INPUT = 16_384  # the kernel's HID_MAX_BUFFER_SIZE
_POWER_SUMMARY = 0x0084_0024
_POWER_APPLICATIONS = {
    0x0084_0004,  # UPS
    0x0084_0005,  # Power Supply
    0x0002_0004,  # an old firmware family puts its whole tree on page 2 (hid-power-device.md section 10)
}
_APPLICATION = 0x01
_ENDING = (0x00, 0x0C)
"""Main items, and the type that does not exist: they end the local items before them."""


@dataclass(frozen=True, slots=True)
class Scan:
    """What a first look shows.

    ``power``: it begins with the application collection of a Power Device. ``power_summary``: the
    standard collection with status and charge is there. ``whole``: the last item is complete and every
    collection (there is one) is closed. ``numbered``: its reports carry ids. ``longest_input``: bytes of
    the longest Input report with its id byte (of numbered devices only), 0 where it declares none.
    """

    power: bool = False
    power_summary: bool = False
    whole: bool = False
    numbered: bool = False
    longest_input: int = 0


def scan(descriptor: bytes) -> Scan:
    """Look at a report descriptor of any length, in one pass."""
    page = size = count = report_id = depth = 0
    usage: int | None = None
    stack: list[tuple[int, int, int, int]] = []
    bits: dict[int, int] = {}
    power: bool | None = None
    summary = sound = numbered = False
    for prefix, value in _items(descriptor):
        sound = prefix is not None
        match prefix:
            case 0x04:
                page = value & 0xFFFF
            case 0x74:
                size = value
            case 0x84:
                report_id = value & 0xFF
                numbered = True
            case 0x94:
                count = value
            case 0xA4 if len(stack) < 64:
                stack.append((page, size, count, report_id))
            case 0xB4 if stack:
                page, size, count, report_id = stack.pop()
            case 0x08 if usage is None:
                usage = value if value > 0xFFFF else page << 16 | value
            case 0xA0:
                if power is None:
                    power = value == _APPLICATION and usage in _POWER_APPLICATIONS
                summary = summary or usage == _POWER_SUMMARY
                depth += 1
            case 0xC0:
                depth -= 1
            case 0x80:
                bits[report_id] = min(bits.get(report_id, 0) + size * count, _MOST_INPUT * 8)
        if prefix is None or prefix & 0x0C in _ENDING:
            usage = None
            power = bool(
                power
            )  # whatever stands before the first collection, no UPS begins like that
    longest = max(((total + 7) // 8 + numbered for total in bits.values()), default=0)
    return Scan(
        power=bool(power),
        power_summary=summary,
        whole=sound and power is not None and depth == 0,
        numbered=numbered,
        longest_input=longest,
    )


def _items(descriptor: bytes) -> Iterator[tuple[int | None, int]]:
    """Prefix without its size bits, and the data as an unsigned number; None for an item that is cut off."""
    at = 0
    while at < len(descriptor):
        prefix = descriptor[at]
        if prefix == 0xFE:  # a long item: its length, its tag, its data
            length = 2 + (descriptor[at + 1] if at + 1 < len(descriptor) else 0)
            data = b""
        else:
            length = (0, 1, 2, 4)[prefix & 3]
            data = descriptor[at + 1 : at + 1 + length]
        at += 1 + length
        if at > len(descriptor):
            yield None, 0
            return
        yield prefix & 0xFC, int.from_bytes(data, "little")
