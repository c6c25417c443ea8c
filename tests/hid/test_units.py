"""Units: exponents, interpolation, and rounding that no timer may suffer from."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usbhidups.hid.field import Field, ReportType
from usbhidups.hid.units import grain, to_logical, to_physical

VOLT, WATT, AMPERE, SECOND = 0x00F0D121, 0x0000D121, 0x00100001, 0x00001001
KELVIN, HERTZ, AMPERE_SECOND, JOULE = 0x00010001, 0x0000F001, 0x00101001, 0x0000E121


def field(
    unit: int = 0,
    exponent: int = 0,
    limits: tuple[int, int] = (0, 65535),
    physical: tuple[int | None, int | None] = (None, None),
) -> Field:
    return Field(
        report_type=ReportType.FEATURE,
        report_id=1,
        offset=0,
        size=16,
        path=(0x00840004, 0x00840030),
        flags=2,
        logical_minimum=limits[0],
        logical_maximum=limits[1],
        physical_minimum=physical[0],
        physical_maximum=physical[1],
        unit=unit,
        exponent=exponent,
    )


# A timer of CyberPower: logical -1..32767 are physical -60..1966020 s (hid-power-device.md section 4)
MINUTES = field(SECOND, 0, (-1, 32767), (-60, 1966020))


@pytest.mark.parametrize(
    ("unit", "exponent", "value", "physical"),
    [
        (0, 0, 97, 97.0),
        (0, -1, 97, 9.7),
        (0, 2, 97, 9700.0),
        (VOLT, 7, 230, 230.0),
        (VOLT, 6, 2301, 230.1),
        (VOLT, 5, 220, 2.2),  # 5131:2007 as it declares itself
        (VOLT, 0, 230, 230e-7),
        (WATT, 7, 900, 900.0),
        (WATT, 6, 9000, 900.0),
        (AMPERE, -2, 123, 1.23),
        (SECOND, 0, 2580, 2580.0),
        (KELVIN, -1, 2981, 298.1),
        (HERTZ, -1, 500, 50.0),
        (HERTZ, -2, 4998, 49.98),
        (AMPERE_SECOND, 0, 25200, 25200.0),
        (JOULE, 7, 5, 5.0),  # by the specification; NUT knows no joule
        (0x1234, -1, 5, 0.5),  # nobody knows this unit: its number counts
    ],
)
def test_units(unit: int, exponent: int, value: int, physical: float) -> None:
    assert to_physical(field(unit, exponent), value) == physical
    assert to_logical(field(unit, exponent), physical) == value


@pytest.mark.parametrize(
    ("limits", "physical", "value", "expected"),
    [
        ((0, 255), (0, 100), 255, 100.0),
        ((0, 255), (0, 100), 51, 20.0),
        ((0, 100), (0, 300), 50, 150.0),
        ((10, 20), (100, 200), 15, 150.0),
        ((-1, 32767), (-60, 1966020), -1, -60.0),
        ((-1, 32767), (-60, 1966020), 2, 120.0),
        ((0, 100), (0, 300), 120, 300.0),  # clamped to the physical limits
        ((0, 100), (5, 300), -3, 5.0),
        # physical limits that say nothing
        ((0, 100), (0, 0), 50, 50.0),
        ((0, 100), (None, 300), 50, 50.0),
        ((0, 100), (0, None), 50, 50.0),
        ((0, 100), (300, 0), 50, 50.0),
        ((0, 100), (7, 7), 50, 50.0),
        ((100, 0), (0, 300), 50, 50.0),
        ((5, 5), (0, 300), 50, 50.0),
    ],
)
def test_interpolation(
    limits: tuple[int, int], physical: tuple[int | None, int | None], value: int, expected: float
) -> None:
    assert to_physical(field(0, 0, limits, physical), value) == pytest.approx(expected, abs=1e-9)


def test_a_quotient_just_below_a_step_is_that_step() -> None:
    assert 0.3 / 0.1 < 3  # what makes NUT lose a step
    assert to_logical(field(0, -1), 0.3) == 3
    assert to_logical(field(0, -1), 0.3, round_up=True) == 3
    assert to_logical(field(0, -1, (0, 100), (0, 10)), 0.07, round_up=True) == 7


@pytest.mark.parametrize(
    ("physical", "nearest", "up"),
    [
        (0, 0, 0),
        (1, 0, 1),
        (20, 0, 1),
        (59, 1, 1),
        (60, 1, 1),
        (61, 1, 2),
        (119, 2, 2),
        (120, 2, 2),
        (119940, 1999, 1999),
        (-60, -1, -1),
        (-1, -1, -1),  # never 0, which would mean at once
        (-0.5, -1, -1),
    ],
)
def test_timers_that_count_minutes(physical: float, nearest: int, up: int) -> None:
    assert to_logical(MINUTES, physical) == nearest
    assert to_logical(MINUTES, physical, round_up=True) == up
    assert grain(MINUTES) == 60.0


def test_all_whole_minutes_are_exact() -> None:
    for minutes in range(2000):
        assert to_logical(MINUTES, 60.0 * minutes, round_up=True) == minutes
        assert to_physical(MINUTES, minutes) == pytest.approx(60 * minutes, abs=1e-6)


@pytest.mark.parametrize(
    ("limits", "physical"), [((0, 65535), (None, None)), ((0, 32767), (0, 32767))]
)
def test_nothing_is_clamped_on_the_way_to_the_device(
    limits: tuple[int, int], physical: tuple[int | None, int | None]
) -> None:
    timer = field(SECOND, 0, limits, physical)
    assert to_logical(timer, -1) == -1
    assert to_logical(timer, 70000) == 70000


@pytest.mark.parametrize(
    ("timer", "step"),
    [
        (field(), 1.0),
        (field(VOLT, 6), 0.1),
        (field(0, 1), 10.0),
        (field(0, 0, (0, 100), (0, 300)), 3.0),
        (field(0, -1, (0, 100), (0, 1000)), 1.0),
    ],
)
def test_grain(timer: Field, step: float) -> None:
    assert grain(timer) == pytest.approx(step)


@pytest.mark.parametrize("physical", [math.nan, math.inf, -math.inf, 1e306])
def test_what_cannot_be_counted_is_refused(physical: float) -> None:
    with pytest.raises(ValueError, match="no value that a field could take"):
        to_logical(field(VOLT, 0), physical)


def test_numbers_beyond_a_float_are_infinite_or_clamped() -> None:
    huge = 1 << 4000
    assert to_physical(field(), huge) == math.inf
    assert to_physical(field(), -huge) == -math.inf
    clamped = field(0, 0, (-5, 10), (0, 10))
    assert (to_physical(clamped, huge), to_physical(clamped, -huge)) == (10.0, 0.0)


@given(
    st.sampled_from([0, VOLT, WATT, SECOND, JOULE, 0x77]),
    st.integers(-8, 7),
    st.integers(-(1 << 31), 1 << 31),
)
def test_back_and_forth(unit: int, exponent: int, value: int) -> None:
    plain = field(unit, exponent)
    assert to_logical(plain, to_physical(plain, value)) == value
    assert to_logical(plain, to_physical(plain, value), round_up=True) == value


@given(
    st.integers(-1000, 1000),
    st.integers(1, 70000),
    st.integers(-100000, 100000),
    st.integers(1, 2000000),
    st.floats(0, 1),
)
def test_back_and_forth_between_limits(
    low: int, span: int, start: int, width: int, where: float
) -> None:
    mapped = field(0, 0, (low, low + span), (start, start + width))
    value = low + round(where * span)
    physical = to_physical(mapped, value)
    if physical >= 0:
        assert to_logical(mapped, physical) == value
    assert abs(to_logical(mapped, physical) - value) <= 1
