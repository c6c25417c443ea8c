"""A made-up standard Power Device for the tests of ups/: its descriptor, its bits, its numbers.

Report 1 holds the flags of PresentStatus, as Feature and Input; 2 charge and run time; 3, 4, 5 the delays
before start, shutdown and reboot (16 bit, -1 rests); 6 the input voltage; 7 the beeper; 8 load in percent;
9 the charge limit (settable).
"""

from __future__ import annotations

from collections.abc import Iterable

from tests.ups.reports import ReportDevice, library
from usbhidups.hid.descriptor import ReportType, parse
from usbhidups.identity import Identity
from usbhidups.ups.device import Ups, attach
from usbhidups.ups.options import Options

__all__ = ["FLAGS", "IDENTITY", "announce", "flags", "made", "say"]

IDENTITY = Identity(vendor_id=0x1234, product_id=0x5678, manufacturer="Maker", product="Made")

FLAGS = {
    "ac": 0x008500D0,
    "charging": 0x00850044,
    "discharging": 0x00850045,
    "below": 0x00850042,
    "time": 0x00850043,
    "imminent": 0x00840069,
    "replace": 0x0085004B,
    "present": 0x008500D1,
    "overload": 0x00840065,
    "good": 0x00840061,
}
"""The bits of report 1 in order, by short names."""


def _item(prefix: int, value: int, size: int) -> bytes:
    code = {0: 0, 1: 1, 2: 2, 4: 3}[size]
    return bytes([prefix | code]) + (value & (1 << 8 * size) - 1).to_bytes(size, "little")


def _usage(usage: int) -> bytes:
    return _item(0x08, usage, 4)


def _collection(usage: int, kind: int, *content: bytes) -> bytes:
    return _usage(usage) + bytes([0xA1, kind]) + b"".join(content) + b"\xc0"


def _field(
    report: int, usage: int, size: int, low: int, high: int, *, kind: int = 0xB1, unit: int = 0
) -> bytes:
    return b"".join(
        (
            _item(0x84, report, 1),
            _item(0x74, size, 1),
            _item(0x94, 1, 1),
            _item(0x14, low, 4),
            _item(0x24, high, 4),
            _item(0x64, unit, 4),
            _item(0x54, 7 if unit == 0x00F0D121 else 0, 1),
            _usage(usage),
            bytes([kind, 0x02]),
        )
    )


def _flags(names: Iterable[str], kind: int) -> bytes:
    bits = b"".join(_field(1, FLAGS[name], 1, 0, 1, kind=kind) for name in names)
    padding = _item(0x74, 16 - len(FLAGS), 1) + bytes([kind, 0x03])
    return bits + padding


DESCRIPTOR = _item(0x04, 0x84, 1) + _collection(
    0x00840004,
    1,
    _collection(
        0x00840024,
        0,
        _collection(0x00840002, 2, _flags(FLAGS, 0xB1), _flags(FLAGS, 0x81)),
        _field(2, 0x00850066, 8, 0, 100),
        _field(2, 0x00850068, 16, 0, 65534, unit=0x1001),
        _field(3, 0x00840056, 16, -1, 32767, unit=0x1001),
        _field(4, 0x00840057, 16, -1, 32767, unit=0x1001),
        _field(5, 0x00840055, 16, -1, 32767, unit=0x1001),
        _field(7, 0x0084005A, 8, 1, 3),
        _field(8, 0x00840035, 8, 0, 255),
        _field(9, 0x00850029, 8, 0, 100),
    ),
    _collection(0x0084001A, 0, _field(6, 0x00840030, 16, 0, 1000, unit=0x00F0D121)),
)


def flags(*names: str) -> bytes:
    """Report 1 with these bits set."""
    value = sum(1 << number for number, name in enumerate(FLAGS) if name in names)
    return bytes([1]) + value.to_bytes(2, "little")


HEALTHY = ("ac", "present", "good")
"""Mains there, battery there, output on."""


def made(options: Options | None = None, *, now: float = 0.0) -> tuple[ReportDevice, Ups]:
    """The device on mains at full charge, and the UPS that the generic profile makes of it; nothing read."""
    device = ReportDevice(
        IDENTITY,
        {
            1: flags(*HEALTHY),
            2: bytes([2, 100]) + (1800).to_bytes(2, "little"),
            3: b"\x03\xff\xff",
            4: b"\x04\xff\xff",
            5: b"\x05\xff\xff",
            6: b"\x06" + (230).to_bytes(2, "little"),
            7: b"\x07\x02",
            8: b"\x08\x14",
            9: b"\x09\x14",
        },
        {},
        {},
    )
    device.now = now
    ups = attach(
        IDENTITY, parse(DESCRIPTOR), library().load("generic"), options or Options(), now=now
    )
    return device, ups


def say(device: ReportDevice, *names: str) -> None:
    """Set the flags that a control read gives."""
    device.feature[1] = flags(*names)


def announce(device: ReportDevice, ups: Ups, *names: str) -> None:
    """Set the flags and have the interrupt endpoint announce them."""
    say(device, *names)
    ups.got_report(ReportType.INPUT, flags(*names), now=device.now)
