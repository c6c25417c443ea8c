"""Numbers: what counts as one, how it is printed, and scales that firmwares get wrong."""

from __future__ import annotations

import math
import re
from bisect import bisect_right

from usbhidups.ups.convert.rules import Access
from usbhidups.ups.evidence import Reading
from usbhidups.ups.options import Options
from usbhidups.ups.profile import VariableRow

__all__ = [
    "ampere_hours",
    "at_most_100",
    "celsius",
    "formatted",
    "is_sentinel",
    "masked",
    "percent_of_full",
    "plain",
    "revision_letter",
    "thermistor",
    "version_nibbles",
    "whole_minutes",
    "write_plain",
]

_DIGITS = re.compile(r"\.([0-9])f")

_SENTINEL_BITS = 16  # narrower fields have too few values to spare one

_AMPERE_SECONDS = 0x00101001
_FULL_CHARGE_CAPACITY = 0x00850067
_DESIGN_CAPACITY = 0x00850083
_WHOLE = 100.0
_SECONDS_PER_HOUR = 3600
_LEAST_CAPACITY = 3600.0  # ampere-seconds: no UPS has less than 1 Ah

_COUNTDOWNS = ("ups.timer.", "ups.delay.")

_KELVIN_RANGE = (273.0, 373.0)
_KELVIN_ZERO = 273.15

# hundredths of the thermistor's voltage at -40 degrees Celsius and every five degrees on (vendor-quirks.md 12)
_THERMISTOR = (
    49, 64, 83, 104, 130, 160, 195, 233, 275, 319, 366, 415, 463, 512, 559, 604, 646,
    686, 723, 756, 786, 813, 837, 858, 877, 894, 908, 921, 933, 943, 951, 959, 966, 972,
)  # fmt: skip
_THERMISTOR_START = -40
_THERMISTOR_STEP = 5


def masked(value: int, mask: int | None) -> int:
    """The bits of a value that a mask names, moved down to bit 0; the value itself without a mask."""
    if not mask:
        return value
    return (value & mask) // (mask & -mask)


def is_sentinel(row: VariableRow, reading: Reading) -> bool:
    """Whether the number means "unknown" (failure E01): all bits set, or -1 where nothing is negative.

    Countdowns have a -1 that means "none runs" (``formatted``); a nominal value of 0 was never filled in
    (E06).
    """
    if row.name.startswith(_COUNTDOWNS) or row.mask is not None:
        return False
    if row.name.endswith(".nominal") and reading.logical == 0:
        return True
    if not row.name.endswith(("current", "temperature")) and reading.logical == -1:
        return True
    return _is_all_ones(reading)


def _is_all_ones(reading: Reading) -> bool:
    size = reading.field.size
    return size >= _SENTINEL_BITS and reading.raw == (1 << size) - 1 and reading.logical > 0


def formatted(row: VariableRow, reading: Reading, factor: float = 1.0) -> str | None:
    """The number by the row's scale, mask and format; None for what is no number."""
    value = reading.physical
    if row.mask is not None:
        value = float(masked(reading.logical, row.mask))
    if row.name.startswith(_COUNTDOWNS) and (reading.logical == -1 or _is_all_ones(reading)):
        return "-1"  # none runs, whatever -1 is in the unit of the field (E02), and declared unsigned too
    value *= row.scale * factor
    return _printed(row.format, value) if math.isfinite(value) else None


def _printed(form: str, value: float) -> str:
    """The number by a printf format, rounded as people do it: 37.15 becomes 37.2, whatever its bits say."""
    match = _DIGITS.search(form)
    digits = int(match[1]) if match else 0
    whole, _, rest = repr(abs(value)).partition(".")
    if "e" in rest or len(rest) <= digits or rest[digits] != "5":
        return form % round(value, digits)
    kept = int(whole + rest[:digits]) + 1
    return form % math.copysign(kept / 10**digits, value)


def plain(row: VariableRow, reading: Reading, access: Access) -> str | None:
    """The number itself, for conversions that only offer other choices."""
    return None if is_sentinel(row, reading) else formatted(row, reading)


def write_plain(row: VariableRow, text: str, access: Access) -> float:
    """The number itself."""
    return float(text) / row.scale


def celsius(row: VariableRow, reading: Reading, access: Access) -> str | None:
    """Kelvin or degrees Celsius by range (failure E04): 273 to 373 can only be kelvin."""
    value = reading.physical * row.scale
    if is_sentinel(row, reading) or not math.isfinite(value):
        return None
    low, high = _KELVIN_RANGE
    return _printed("%.1f", round(value - _KELVIN_ZERO, 6) if low <= value <= high else value)


def at_most_100(row: VariableRow, reading: Reading, access: Access) -> str | None:
    """A percentage whose firmware counts on above 100 while it charges."""
    if is_sentinel(row, reading):
        return None
    return f"{min(reading.physical, 100.0):.0f}"


def percent_of_full(row: VariableRow, reading: Reading, access: Access) -> str | None:
    """A capacity in percent; one in ampere-seconds is divided by the battery's full capacity.

    CapacityMode of the Power Device class 4.2.2 has both; some firmware gives no CapacityMode but the unit.
    """
    if is_sentinel(row, reading):
        return None
    if reading.field.unit == _AMPERE_SECONDS and reading.field.logical_maximum > _WHOLE:
        for usage in (_FULL_CHARGE_CAPACITY, _DESIGN_CAPACITY):
            full = access.sibling(reading.field, usage)
            if full is not None and full.field.unit == _AMPERE_SECONDS and full.physical > _WHOLE:
                return formatted(row, reading, _WHOLE / full.physical)
    return formatted(row, reading)


def ampere_hours(row: VariableRow, reading: Reading, access: Access) -> str | None:
    """A battery's capacity in ampere-hours; a percentage is none, whatever unit its item inherits."""
    if is_sentinel(row, reading) or reading.field.unit != _AMPERE_SECONDS:
        return None
    if reading.physical < _LEAST_CAPACITY:
        return None
    return formatted(row, reading, 1 / _SECONDS_PER_HOUR)


def thermistor(row: VariableRow, reading: Reading, access: Access) -> str | None:
    """A voltage over a thermistor, in degrees Celsius between the points of its table."""
    if is_sentinel(row, reading) or not math.isfinite(reading.physical):
        return None
    hundredths = round(reading.physical * 100)
    if hundredths <= _THERMISTOR[0]:
        return str(_THERMISTOR_START)
    last = len(_THERMISTOR) - 1
    if hundredths >= _THERMISTOR[last]:
        return str(_THERMISTOR_START + last * _THERMISTOR_STEP)
    index = bisect_right(_THERMISTOR, hundredths) - 1
    below, above = _THERMISTOR[index], _THERMISTOR[index + 1]
    degrees = _THERMISTOR_START + index * _THERMISTOR_STEP
    if hundredths == below:
        return str(degrees)
    return f"{degrees + _THERMISTOR_STEP * (hundredths - below) / (above - below):.2f}"


def version_nibbles(row: VariableRow, reading: Reading, access: Access) -> str | None:
    """``v<major>.<minor>b<build>`` from two hexadecimal digits and a byte."""
    value = reading.logical
    return f"v{value >> 12 & 15:X}.{value >> 8 & 15:X}b{value & 255:02d}"


def revision_letter(row: VariableRow, reading: Reading, access: Access) -> str | None:
    """``rev.<letter>v<number>`` from two bytes; letter 0 is written ``0``, 1 is A."""
    letter, number = reading.logical >> 8 & 255, reading.logical & 255
    return f"rev.{chr(ord('@') + letter) if letter else '0'}v{number:02d}"


def whole_minutes(seconds: int, options: Options) -> int:
    """A delay for a timer that counts minutes, rounded up; 0 and -1 keep their meanings."""
    return -(-seconds // 60) if seconds > 0 else seconds
