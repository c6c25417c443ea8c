"""The first look at a report descriptor."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.usb.bytes import KEYBOARD, NO_SUMMARY, UNNUMBERED, UPS
from usbhidups.usb.fixture import Fixture, OriginKind, load
from usbhidups.usb.reportscan import Scan, scan

FIXTURES = [
    fixture
    for path in sorted((Path(__file__).parents[2] / "fixtures/hid-descriptors").glob("*.toml"))
    if (fixture := load(path)).origin.kind is OriginKind.RECORDED
]


@pytest.mark.parametrize(
    ("descriptor", "expected"),
    [
        (UPS, Scan(power=True, power_summary=True, whole=True, numbered=True, longest_input=4)),
        (NO_SUMMARY, Scan(power=True, whole=True, numbered=True)),
        (UNNUMBERED, Scan(power=True, power_summary=True, whole=True, longest_input=5)),
        (KEYBOARD, Scan(whole=True, longest_input=8)),
        (UPS[:-1], Scan(power=True, power_summary=True, numbered=True, longest_input=4)),
        (UPS[:4], Scan()),
        (b"", Scan()),
        (UPS + b"\x26\xff", Scan(power=True, power_summary=True, numbered=True, longest_input=4)),
    ],
)
def test_known_descriptors(descriptor: bytes, expected: Scan) -> None:
    assert scan(descriptor) == expected


@pytest.mark.parametrize(
    "start",
    [
        "05 84 09 05 a1 01",  # power supply
        "0b 04 00 84 00 a1 01",  # a usage with its own page
        "06 84 00 09 04 a1 01",  # a page of two bytes
        "05 02 09 04 a1 01",  # an old family's page (hid-power-device.md section 10)
        "05 84 09 04 09 05 a1 01",  # the first of several usages counts
    ],
)
def test_starts_of_power_devices(start: str) -> None:
    assert scan(bytes.fromhex(start) + b"\xc0").power


@pytest.mark.parametrize(
    "start",
    [
        "05 84 09 04 a1 00",  # a physical collection
        "05 84 09 24 a1 01",
        "05 85 09 04 a1 01",
        "09 21 10 01 00 01 22 e0" + "05 84 09 04 a1 01",  # stray bytes in front (failure A01)
        "c0 05 84 09 04 a1 01",
        "05 01 09 06 a1 01 c0 05 84 09 04 a1 01",
    ],
)
def test_what_is_no_power_device(start: str) -> None:
    assert not scan(bytes.fromhex(start) + b"\xc0").power


def test_pushed_sizes_come_back() -> None:
    pushed = bytes.fromhex("75 08 95 04 85 01 a4 75 01 95 01 b4 81 02")
    assert scan(UPS[:6] + pushed + b"\xc0").longest_input == 5


def test_a_long_item_is_skipped() -> None:
    assert scan(UPS[:-1] + bytes.fromhex("fe 02 00 a1 01") + b"\xc0").whole


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda fixture: Path(fixture.where).stem)
def test_recorded_descriptors_are_whole_and_cut_ones_are_not(fixture: Fixture) -> None:
    descriptor = fixture.descriptor
    found = scan(descriptor)
    assert found.power
    assert found.whole
    assert found.power_summary
    assert not any(scan(descriptor[:length]).whole for length in range(len(descriptor)))


def test_a_hostile_descriptor_has_no_absurd_sizes() -> None:
    huge = (b"\x95\xff\x77\xff\xff\xff\xff\xa4\x81\x02\xa1\x01" * 6000)[:65_535]
    found = scan(huge)
    assert found.longest_input <= 16_385


@given(st.binary(max_size=300))
def test_anything_gives_a_scan(data: bytes) -> None:
    assert 0 <= scan(data).longest_input <= 16_385
    assert scan(UPS[:6] + data).power
