"""Descriptor fixes on recorded descriptors, and on the fields that issues describe."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.ups.build import descriptor, evidence, field
from usbhidups.hid.descriptor import Descriptor, ReportType, parse
from usbhidups.hid.usages import Names
from usbhidups.ups.fixes import repaired

FIXTURES = Path(__file__).parents[2] / "fixtures" / "hid-descriptors"


def recorded(name: str) -> Descriptor:
    text = (FIXTURES / f"{name}.toml").read_text(encoding="utf-8")
    return parse(bytes.fromhex(tomllib.loads(text)["report_descriptor"]["hex"]))


def limits(declared: Descriptor, path: str) -> set[tuple[int, int]]:
    wanted = Names().path(path)
    return {
        (item.logical_minimum, item.logical_maximum)
        for item in declared.fields
        if item.path == wanted
    }


def test_cyberpower_output_voltage_with_the_limits_of_a_transfer_voltage() -> None:
    """NUT issue 439: report 0x12 says 238, limits say 260..270."""
    declared = recorded("0764-0501-cyberpower-cp1500epfclcd")
    assert limits(declared, "UPS.Output.Voltage") == {(260, 270)}
    mended, repairs = repaired(declared, ["cps-voltage-limits"])
    assert limits(mended, "UPS.Output.Voltage") == {(0, 511)}
    assert [repair.text for repair in repairs] == [
        "UPS.Input.Voltage (feature report 0x0f): limits 0..255 taken as 0..511",
        "UPS.Output.Voltage (feature report 0x12): limits 260..270 taken as 0..511",
    ]


def test_cyberpower_nominal_power_is_not_cut() -> None:
    declared = recorded("0764-0501-cyberpower-cp1350c")
    mended, repairs = repaired(declared, ["cps-nominal-power"])
    assert limits(declared, "UPS.Output.ConfigActivePower") == {(0, 450)}
    assert limits(mended, "UPS.Output.ConfigActivePower") == {(0, 2048)}
    assert len(repairs) == 1


def test_cyberpower_maximum_that_was_written_as_minus_one() -> None:
    voltage = field("UPS.Output.Voltage", report_id=0x12, limits=(0, 255))._replace(
        assumed_maximum=True
    )
    mended, _ = repaired(descriptor(voltage), ["cps-voltage-limits"])
    assert limits(mended, "UPS.Output.Voltage") == {(0, 511)}


def test_apc_input_voltage_with_the_limits_of_a_nominal_voltage() -> None:
    """Back-UPS XS 1400U at 230 V, NUT issue 1189: Input.Voltage ends at what ConfigVoltage can hold."""
    fields = (
        field("UPS.Input.ConfigVoltage", report_id=0x30, size=8, limits=(0, 230)),
        field("UPS.Input.Voltage", report_id=0x31, limits=(0, 230)),
        field("UPS.Input.Voltage", report_id=0x31, limits=(0, 230), report_type=ReportType.INPUT),
        field("UPS.Input.HighVoltageTransfer", report_id=0x33, limits=(266, 300)),
    )
    mended, repairs = repaired(descriptor(*fields), ["apc-input-limits"])
    assert limits(mended, "UPS.Input.Voltage") == {(0, 600)}  # Feature and Input alike
    assert limits(mended, "UPS.Input.ConfigVoltage") == {(0, 255)}
    assert len(repairs) == 3
    said = evidence(mended, "31 f0 00")
    got = said.reading(mended.fields[1])
    assert got is not None
    assert (got.logical, got.in_range) == (240, True)


def test_one_usage_for_many_fields_is_one_repair() -> None:
    """BK650M2-CH declares 23 fields for one usage."""
    declared = recorded("051d-0002-apc-back-ups-bk650m2-ch")
    _, repairs = repaired(declared, ["apc-input-limits"])
    assert [repair.text for repair in repairs] == [
        "UPS.Input.Voltage (feature report 0x31): limits 0..255 taken as 0..556"
    ]


def test_limits_with_their_bytes_reversed() -> None:
    """27 FF FF FF FE, failure A07."""
    declared = recorded("075d-0300-idowell-described-limits")
    before = limits(declared, "UPS.PowerSummary.Voltage")
    mended, repairs = repaired(declared, ["limits-wider-than-field"])
    assert before == {(0, 0xFEFFFFFF)}
    assert limits(mended, "UPS.PowerSummary.Voltage") == {(0, 0xFFFF)}
    assert {repair.fix for repair in repairs} == {"limits-wider-than-field"}


def test_limits_of_one_byte_on_fields_of_two() -> None:
    """Minuteman, NUT pull request 1848: 19 57 02 is 599, of which a maximum of 255 leaves 87."""
    declared = recorded("05dd-a0a0-minuteman-pro1500rt2u")
    mended, repairs = repaired(declared, ["limits-of-a-byte"])
    frequency = Names().path("UPS.PowerConverter.Input.Frequency")

    def reading(said: Descriptor) -> tuple[int, bool]:
        item = next(item for item in said.fields if item.path == frequency)
        got = evidence(said, "19 57 02").reading(item)
        assert got is not None
        return got.logical, got.in_range

    assert reading(declared) == (87, True)
    assert reading(mended) == (599, True)
    assert {item.report_id for item in mended.fields if item.logical_maximum == 0xFF} == {
        0x01, 0x02, 0x1E, 0x2A, 0x2C, 0x33, 0x34, 0x36, 0x37, 0x38, 0x41, 0x62,
    }  # fmt: skip
    assert len(repairs) == 7


def test_the_exponent_of_tenths() -> None:
    """The same device: 18 d1 04 are 123.3 V, 19 57 02 are 59.9 Hz, 46 16 00 are 2.2 A."""
    mended, repairs = repaired(
        recorded("05dd-a0a0-minuteman-pro1500rt2u"), ["limits-of-a-byte", "exponent-of-tenths"]
    )
    said = evidence(mended, "18 d1 04", "19 57 02", "46 16 00")
    values = []
    for path in ("Input.Voltage", "Input.Frequency", "Output.Current"):
        wanted = Names().path(f"UPS.PowerConverter.{path}")
        got = said.reading(next(item for item in mended.fields if item.path == wanted))
        assert got is not None
        values.append(got.physical)
    assert values == pytest.approx([123.3, 59.9, 2.2])
    assert "UPS.PowerConverter.Input.Voltage (feature report 0x18): unit exponent 1 taken as 6" in [
        repair.text for repair in repairs
    ]


def test_a_descriptor_that_needs_nothing_stays_as_it_is() -> None:
    declared = recorded("2e8a-0005-pico-hid-ups")
    mended, repairs = repaired(
        declared, ["apc-input-limits", "cps-voltage-limits", "cps-nominal-power"]
    )
    assert mended.fields == declared.fields
    assert repairs == ()
