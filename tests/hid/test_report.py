"""Bits of fields: out of reports and back, against a writer and reader of single bits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hid import build
from usbhidups.hid.field import Field, ReportType
from usbhidups.hid.report import extract, folded, in_range, insert, logical


def field(offset: int = 0, size: int = 8, limits: tuple[int, int] = (0, 255)) -> Field:
    return Field(
        report_type=ReportType.FEATURE,
        report_id=1,
        offset=offset,
        size=size,
        path=(0x00840004, 0x00840030),
        flags=2,
        logical_minimum=limits[0],
        logical_maximum=limits[1],
        physical_minimum=None,
        physical_maximum=None,
        unit=0,
        exponent=0,
    )


@pytest.mark.parametrize(
    ("report", "offset", "size", "raw"),
    [
        ("01 64", 0, 8, 100),
        ("01 31 05", 0, 4, 1),
        ("01 31 05", 4, 4, 3),
        ("01 31 05", 8, 1, 1),
        ("01 31 05", 9, 1, 0),
        ("01 00 90 01 00", 8, 24, 400),
        ("01 ff ff ff ff", 0, 32, 0xFFFFFFFF),
        ("01 80 01", 7, 2, 3),  # straddles a byte
        ("01 00 f0 0f 00", 12, 8, 255),
        ("01 11 22 33 44 55 66 77 88 99", 0, 72, 0x998877665544332211),
        # the field is not all there
        ("01", 0, 8, None),
        ("", 0, 1, None),
        ("01 64", 1, 8, None),
        ("01 90 01", 0, 24, None),
        ("01 64", 800, 8, None),
    ],
)
def test_extract(report: str, offset: int, size: int, raw: int | None) -> None:
    assert extract(field(offset, size), bytes.fromhex(report)) == raw


@pytest.mark.parametrize(
    ("size", "limits", "raw", "value"),
    [
        (8, (0, 255), 0xFF, 255),
        (8, (0, 100), 0xFF, 255),  # outside its limits, but not negative
        (8, (-1, 100), 0xFF, -1),
        (16, (-1, 32767), 0xFFFF, -1),
        (16, (-1, 32767), 0x00FF, 255),
        (16, (-60, 32767), 0x8000, -32768),
        (24, (-1, 8388607), 0xFFFFFF, -1),
        (32, (-1, 2147483647), 0xFFFFFFFF, -1),
        (16, (0, 65535), 0xFFFF, 65535),
        (1, (-1, 0), 1, -1),
    ],
)
def test_a_field_is_signed_exactly_when_its_minimum_is_negative(
    size: int, limits: tuple[int, int], raw: int, value: int
) -> None:
    assert logical(field(0, size, limits), raw) == value


@pytest.mark.parametrize(
    ("limits", "raw", "value"),
    [
        ((0, 100), 0xC8, 72),  # the example of hid-power-device.md section 3
        ((90, 255), 282, 26),  # issue 815 before NUT clamps
        ((0, 255), 0x1FF, 255),
        ((0, 1), 0xFE, 0),
        ((0, 0), 0xFF, 0),
        ((-1, 100), 0xFF, -1),
        ((-1, 100), 0x7F, 127),
        ((-1, 32767), 0xFFFF, -1),
        ((-128, 127), 0x80, -128),
        ((-128, 127), 0xF80, -128),  # junk above the sign
        ((-1, 0), 1, -1),
        ((-60, 1), 0x40, -64),
    ],
)
def test_folded_keeps_the_bits_that_the_limits_need(
    limits: tuple[int, int], raw: int, value: int
) -> None:
    assert folded(field(0, 16, limits), raw) == value


@pytest.mark.parametrize(
    ("limits", "value", "inside"),
    [
        ((0, 100), 0, True),
        ((0, 100), 100, True),
        ((0, 100), 101, False),
        ((0, 100), -1, False),
        ((-1, 5), -1, True),
        ((5, 0), 77, True),  # limits in disorder exclude nothing
    ],
)
def test_in_range(limits: tuple[int, int], value: int, *, inside: bool) -> None:
    assert in_range(field(limits=limits), value) == inside


@pytest.mark.parametrize(
    ("report", "offset", "size", "value", "expected"),
    [
        ("01 00", 0, 8, 100, "01 64"),
        ("01 ff ff", 4, 8, 0, "01 0f f0"),
        ("01 00 00 00", 0, 24, -1, "01 ff ff ff"),
        ("01 00 00 aa", 0, 16, -1, "01 ff ff aa"),
        ("01 55 55", 0, 16, 0x12345, "01 45 23"),  # the low bits are stored
        ("01 00", 3, 1, 1, "01 08"),
        ("00 00 7f", 8, 8, 128, "00 00 80"),
    ],
)
def test_insert(report: str, offset: int, size: int, value: int, expected: str) -> None:
    assert insert(field(offset, size), bytes.fromhex(report), value) == bytes.fromhex(expected)


@pytest.mark.parametrize("report", ["", "01", "01 00", "01 00 00"])
def test_insert_refuses_a_report_that_does_not_hold_the_field(report: str) -> None:
    with pytest.raises(ValueError, match="does not hold the field"):
        insert(field(12, 8), bytes.fromhex(report), 1)


PLACED = st.tuples(
    st.binary(min_size=1, max_size=40), st.integers(0, 300), st.integers(1, 80), st.integers()
)


@given(PLACED)
def test_extract_agrees_with_a_reader_of_single_bits(
    placed: tuple[bytes, int, int, int],
) -> None:
    report, offset, size, _ = placed
    fits = 8 + offset + size <= 8 * len(report)
    expected = build.bits(report, offset, size) if fits else None
    assert extract(field(offset, size), report) == expected


@given(PLACED)
def test_insert_agrees_with_a_writer_of_single_bits(
    placed: tuple[bytes, int, int, int],
) -> None:
    report, offset, size, value = placed
    report += bytes(max(0, (8 + offset + size + 7) // 8 - len(report)))
    pattern = [value // 2**place % 2 for place in range(size)]
    expected = build.with_bits(report, offset, pattern)
    assert insert(field(offset, size), report, value) == expected


@given(PLACED)
def test_what_is_inserted_is_extracted(placed: tuple[bytes, int, int, int]) -> None:
    report, offset, size, value = placed
    report += bytes(max(0, (8 + offset + size + 7) // 8 - len(report)))
    signed = field(offset, size, (-(2 ** (size - 1)), 2 ** (size - 1) - 1))
    value = value % 2**size - (2**size if value % 2**size >= 2 ** (size - 1) else 0)
    raw = extract(signed, insert(signed, report, value))
    assert raw is not None
    assert logical(signed, raw) == value
    assert folded(signed, raw) == value


def test_worked_example() -> None:
    """hid-power-device.md section 9: Feature and Input of one id differ."""
    feature = bytes.fromhex("0B3105900100280000040000010000DC00900100900100")
    event = bytes.fromhex("0b900100000001")
    expected = [
        (feature, 0, 4, 1),
        (feature, 4, 4, 3),
        (feature, 8, 1, 1),
        (feature, 9, 1, 0),
        (feature, 10, 1, 1),
        (feature, 16, 24, 400),
        (feature, 40, 24, 40),
        (feature, 64, 24, 4),
        (feature, 88, 24, 1),
        (feature, 112, 16, 220),
        (feature, 128, 24, 400),
        (feature, 152, 24, 400),
        (event, 0, 24, 400),
        (event, 24, 16, 0),
        (event, 40, 1, 1),
        (event, 41, 1, 0),
        (event, 42, 1, 0),
        (event, 43, 1, 0),
    ]
    for report, offset, size, raw in expected:
        assert extract(field(offset, size), report) == raw, (offset, size)
