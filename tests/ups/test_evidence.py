"""What the device said last: newest bytes, junk bits, wrong limits, short reports."""

from __future__ import annotations

import pytest

from tests.ups.build import descriptor, evidence, field, reading
from usbhidups.hid.descriptor import ReportType

VOLTAGE = field("UPS.Input.Voltage")


def test_a_reading_keeps_raw_beside_decoded() -> None:
    item = field("UPS.PowerSummary.Voltage", exponent=6, unit=0x00F0D121)
    got = reading(item, "01 f0 00")
    assert (got.raw, got.logical, got.physical, got.in_range) == (240, 240, 24.0, True)


@pytest.mark.parametrize(
    ("limits", "size", "raw", "logical", "in_range"),
    [
        ((0, 100), 8, "c8", 72, True),  # APC BF500: junk above the bits that 100 needs
        ((260, 270), 16, "ee 00", 238, False),  # CyberPower: limits of another item (NUT issue 439)
        (
            (90, 255),
            16,
            "1a 01",
            282,
            False,
        ),  # folded to 26 this would be below the minimum (issue 815)
        ((0, 99999), 32, "30 30 3f 3f", 77872, True),  # Powercom report 0x24, as NUT decodes it
        ((-1, 32767), 16, "ff ff", -1, True),
        ((0, 255), 8, "ff", 255, True),
    ],
)
def test_limits_are_neither_obeyed_blindly_nor_ignored(
    limits: tuple[int, int], size: int, raw: str, logical: int, *, in_range: bool
) -> None:
    got = reading(field("UPS.Input.Voltage", size=size, limits=limits), f"01 {raw}")
    assert (got.logical, got.in_range) == (logical, in_range)


def test_nothing_is_known_before_something_was_said() -> None:
    said = evidence(descriptor(VOLTAGE))
    assert said.reading(VOLTAGE) is None
    assert not said.refused(VOLTAGE)


def test_a_refused_report_is_remembered_until_it_comes() -> None:
    said = evidence(descriptor(VOLTAGE))
    said.refuse(ReportType.FEATURE, 1, 1.0)
    assert said.refused(VOLTAGE)
    said.feed(ReportType.FEATURE, bytes.fromhex("01e600"), 2.0)
    assert not said.refused(VOLTAGE)
    said.refuse(ReportType.FEATURE, 1, 3.0)
    assert not said.refused(VOLTAGE)  # what it said before stays, and ages
    kept = said.reading(VOLTAGE)
    assert kept is not None
    assert (kept.logical, kept.at) == (230, 2.0)


def test_a_short_report_gives_the_fields_that_arrived_whole() -> None:
    second = field("UPS.Output.Voltage", offset=16)
    said = evidence(descriptor(VOLTAGE, second), "01 e6 00 e7")
    assert said.reading(VOLTAGE) is not None
    assert said.reading(second) is None


@pytest.mark.parametrize("data", ["", "7f 01 02"])
def test_nothing_and_unknown_reports_are_no_evidence(data: str) -> None:
    said = evidence(descriptor(VOLTAGE), data)
    assert said.reading(VOLTAGE) is None


def test_the_newer_of_feature_and_input_counts() -> None:
    event = VOLTAGE._replace(report_type=ReportType.INPUT)
    said = evidence(descriptor(VOLTAGE, event))
    said.feed(ReportType.INPUT, bytes.fromhex("01e800"), 1.0)
    first = said.reading(VOLTAGE, event)
    said.feed(ReportType.FEATURE, bytes.fromhex("01e600"), 2.0)
    second = said.reading(VOLTAGE, event)
    said.feed(ReportType.INPUT, bytes.fromhex("01e700"), 2.0)
    third = said.reading(VOLTAGE, event)
    assert [got.logical for got in (first, second, third) if got] == [232, 230, 230]


def test_forgetting() -> None:
    said = evidence(descriptor(VOLTAGE), "01 e6 00")
    said.forget()
    assert said.reading(VOLTAGE) is None
    assert said.report(ReportType.FEATURE, 1) is None
