"""Logical numbers to physical ones and back, in plain units: volts, watts, seconds, amperes, kelvins.

HID 1.11 section 6.2.2.7 and hid-power-device.md section 4. The descriptor's word is taken as it is; the
many descriptors whose units are wrong are put right per firmware family, not here.
"""

from __future__ import annotations

import math

from usbhidups.hid.field import Field

__all__ = ["grain", "to_logical", "to_physical"]

# HID counts in centimetres and grams, so a joule is 10^7 of its own units. Codes that are not listed
# (ampere, second, kelvin, hertz, ampere-second, none, and what nobody knows) need no correction.
_POWERS_OF_TEN_IN_SI_UNIT = {
    0x00F0D121: 7,  # volt
    0x0000D121: 7,  # watt, volt-ampere
    0x0000E121: 7,  # joule (NUT takes 0 here; the table of HID 1.11 says 7)
}

# How far from a whole number of steps a quotient of floats may be and still mean that number.
_STEP_TOLERANCE = 1e-9


def to_physical(field: Field, logical: int) -> float:
    """The physical value of a logical one.

    With usable physical limits the value is interpolated between them and never leaves them; without, the
    logical number itself counts. Then the unit exponent applies. A number that no float can hold becomes
    an infinity of its sign.
    """
    limits = _physical_limits(field)
    if limits is None:
        try:
            value = float(logical)
        except OverflowError:
            value = math.inf if logical > 0 else -math.inf
    else:
        width, span, minimum = limits
        inside = min(max(logical, field.logical_minimum), field.logical_maximum)
        value = (inside - field.logical_minimum) * width / span + minimum
    return _scaled(value, _exponent(field))


def to_logical(field: Field, physical: float, *, round_up: bool = False) -> int:
    """The logical value for a physical one, to the nearest step; not clamped to the field's limits.

    ``round_up`` is for delays, which must not become shorter than asked: away from zero to the next step.
    A negative number is always rounded that way, because "-1, no countdown" must never become 0, "at once".
    For the same reason nothing is clamped here: the caller checks with ``report.in_range`` and refuses.
    ValueError when ``physical`` is not finite, or too large to count.
    """
    steps = _scaled(physical, -_exponent(field))
    start = 0
    if (limits := _physical_limits(field)) is not None:
        width, span, minimum = limits
        steps = (steps - minimum) * span / width
        start = field.logical_minimum
    if not math.isfinite(steps):
        raise ValueError(f"{physical} is no value that a field could take")
    nearest = round(steps)
    if abs(steps - nearest) > _STEP_TOLERANCE * max(1.0, abs(steps)):
        if physical < 0:
            nearest = math.floor(steps)
        elif round_up:
            nearest = math.ceil(steps)
    return nearest + start


def grain(field: Field) -> float:
    """The physical difference that one logical step makes (60.0 for a timer that counts minutes)."""
    limits = _physical_limits(field)
    return _scaled(1.0 if limits is None else limits[0] / limits[1], _exponent(field))


def _physical_limits(field: Field) -> tuple[int, int, int] | None:
    """Physical width, logical span and physical minimum; None where the limits say nothing.

    They do not when one was never given, both are 0, or either pair is not in order.
    """
    minimum, maximum = field.physical_minimum, field.physical_maximum
    if minimum is None or maximum is None or maximum <= minimum:
        return None
    span = field.logical_maximum - field.logical_minimum
    return (maximum - minimum, span, minimum) if span > 0 else None


def _exponent(field: Field) -> int:
    return field.exponent - _POWERS_OF_TEN_IN_SI_UNIT.get(field.unit, 0)


def _scaled(value: float, exponent: int) -> float:
    """Times ten to a power; a negative power divides, since 3 / 10 is 0.3 and 3 * 0.1 is not."""
    if exponent < 0:
        return value / 10.0**-exponent
    return value * 10.0**exponent
