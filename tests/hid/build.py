"""Descriptors and reports written down by hand for tests; shares no code with ``usbhidups.hid``.

Items are written as HID 1.11 section 6.2.2.2 lays them out, bits one at a time.
"""

from __future__ import annotations

from collections.abc import Sequence

INPUT, OUTPUT, FEATURE = 0x80, 0x90, 0xB0
COLLECTION, END = 0xA0, 0xC0
PAGE, LOGICAL_MIN, LOGICAL_MAX, PHYSICAL_MIN, PHYSICAL_MAX = 0x04, 0x14, 0x24, 0x34, 0x44
EXPONENT, UNIT, SIZE, REPORT_ID, COUNT, PUSH, POP = 0x54, 0x64, 0x74, 0x84, 0x94, 0xA4, 0xB4
USAGE, USAGE_MIN, USAGE_MAX, DELIMITER = 0x08, 0x18, 0x28, 0xA8
DATA, VARIABLE = 0x00, 0x02


def item(tag: int, value: int = 0, size: int = 1) -> bytes:
    """One short item with ``size`` data bytes (0, 1, 2 or 4)."""
    code = {0: 0, 1: 1, 2: 2, 4: 3}[size]
    return bytes([tag | code]) + (value % (1 << 8 * size)).to_bytes(size, "little")


def ups(*parts: bytes) -> bytes:
    """Items inside an application collection UPS, with page 0x84, report id 1, one field of 8 bits."""
    head = (
        item(PAGE, 0x84)
        + item(USAGE, 0x04)
        + item(COLLECTION, 1)
        + item(REPORT_ID, 1)
        + item(LOGICAL_MIN, 0)
        + item(LOGICAL_MAX, 100)
        + item(SIZE, 8)
        + item(COUNT, 1)
    )
    return head + b"".join(parts) + item(END, size=0)


def bits(report: bytes, first: int, count: int) -> int:
    """``count`` bits of a report with its id byte, ``first`` counted after that byte, one by one."""
    value = 0
    for place in range(count):
        position = 8 + first + place
        value += (report[position // 8] // 2 ** (position % 8) % 2) * 2**place
    return value


def with_bits(report: bytes, first: int, pattern: Sequence[int]) -> bytes:
    """The report with single bits (least significant first) written from bit ``first`` on."""
    changed = list(report)
    for place, bit in enumerate(pattern):
        position = 8 + first + place
        weight = 2 ** (position % 8)
        had = changed[position // 8] // weight % 2
        changed[position // 8] += (bit - had) * weight
    return bytes(changed)
