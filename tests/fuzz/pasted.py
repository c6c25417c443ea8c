"""What strangers paste for ``usbhidups probe --decode``, and recordings for ``--replay``."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path

from usbhidups.errors import ConfigError, DescriptorError, FixtureError
from usbhidups.tools.probe.card import field_lines
from usbhidups.tools.probe.clock import MadeUpClock
from usbhidups.tools.probe.decode import decode
from usbhidups.tools.probe.finding import Finding
from usbhidups.tools.probe.look import Plan
from usbhidups.tools.probe.pasted import read_pasted
from usbhidups.tools.probe.replay import look_at_fixture
from usbhidups.tools.probe.shape import dumps
from usbhidups.ups.loading.library import Library
from usbhidups.usb import fixture

__all__ = ["pasted", "pasted_seeds", "recording", "recording_seeds"]

_LIBRARY = Library()
_PLAN = Plan(everything=True, patience=60.0)
_ROOT = Path(__file__).parents[2]
_FIXTURES = _ROOT / "fixtures" / "hid-descriptors"
_SHORT = bytes.fromhex(
    "05 84 09 04 a1 01 09 24 a1 00 85 0c 05 85 09 66 75 08 95 01 15 00 25 64 b1 02 c0 c0"
)
_ITEMS = """\
Bus 001 Device 004: ID 051d:0002 American Power Conversion Uninterruptible Power Supply
  bcdDevice            1.06
  iProduct                2 Back-UPS RS 900G
          Report Descriptor: (length is 11)
            Item(Global): Usage Page, data= [ 0x84 ] 132
            Item(Local ): Usage, data= [ 0x04 ] 4
            Item(Main  ): Collection, data= [ 0x01 ] 1
            Item(Global): Report ID, data= [ 0x0c ] 12
            Item(Global): Logical Maximum, data= [ 0xff 0x00 ] 255
            Item(Main  ): Feature, data= [ 0x02 ] 2
            Item(Main  ): End Collection, data=none
"""


def pasted(data: bytes) -> None:
    """Any text is devices whose card and JSON can be written, or a ConfigError or DescriptorError."""
    with contextlib.suppress(ConfigError, DescriptorError):
        for paste in read_pasted(data, where="fuzz")[:2]:
            for table in (paste.feature, paste.input):
                assert all(report[0] == number for number, report in table.items())
            _written(decode(paste, _LIBRARY, _PLAN, where="fuzz"))


def pasted_seeds() -> list[bytes]:
    """One of each form."""
    log = (_ROOT / "tests/probe/pasted/usbhid-ups-2.8.0.log").read_text(encoding="utf-8")
    lines = [f" {_SHORT[:16].hex(' ').upper()}", f" {_SHORT[16:].hex(' ').upper()}"]
    dump = ["001:004:000:DESCRIPTOR 1.1", *lines, "", "001:004:000:STREAM 2.0", " 0C 63", ""]
    offsets = [f"{at:08x}: {_SHORT[at : at + 16].hex(' ', 2)}  .ab" for at in (0, 16)]
    recorder = f"R: {len(_SHORT)} {_SHORT.hex(' ')}\nN: UPS\nI: 3 051d 0002\nE: 0.0 2 0c 64\n"
    short_log = (
        "0.1\t- VendorID: 051d\n0.000001\t[D3] Report Descriptor: (28 bytes) =>"
        + "".join(f" {byte:02x}" for byte in _SHORT)
        + "\n0.000002\t[D3] Report[get]: (2 bytes) => 0c 64\n"
        "0.000003\t[D1] Path: UPS.PowerSummary.RemainingCapacity, Type: Feature, ReportID: 0x0c, Offset: 0\n"
    )
    texts = [
        log[2900:4100],
        short_log,
        _ITEMS,
        "\n".join(dump),
        "\n".join(offsets),
        recorder,
        "static const uint8_t d[] = { // UPS\n  " + ", ".join(f"0x{b:02x}" for b in _SHORT) + " };",
        "Report Descriptors:\n ** UNAVAILABLE **\n",
    ]
    return [_SHORT, *(text.encode() for text in texts)]


def recording(data: bytes) -> None:
    """Any text is a recording that can be looked at, or a FixtureError or DescriptorError."""
    with contextlib.suppress(FixtureError, DescriptorError):
        parsed = fixture.parse(data.decode("utf-8", "replace"), "fuzz.toml")
        _written(look_at_fixture(parsed, _LIBRARY, _PLAN, MadeUpClock()))


def recording_seeds() -> list[bytes]:
    """The shortest of the project's own, with and without reports."""
    short = min(_FIXTURES.glob("*.toml"), key=lambda path: path.stat().st_size)
    bare = replace(fixture.load(short), expected=None)
    reports: dict[int, bytes | fixture.Failure] = {
        7: b"\x07\x0c\x01",
        12: b"\x0c\x64",
        13: fixture.Failure.STALL,
    }
    made = replace(bare, feature=reports, input={12: b"\x0c\x63"})
    return [fixture.dumps(each).encode()[:1500] for each in (bare, made)]


def _written(found: Finding) -> None:
    assert dumps([found]).isascii()
    for line in field_lines(found, width=80):
        assert all(each.isprintable() or each == "\n" for each in line.plain)
