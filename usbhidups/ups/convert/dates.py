"""Dates in the ways devices keep them. An impossible date is no date."""

from __future__ import annotations

import re
from datetime import date, datetime, time

from usbhidups.ups.convert.rules import Access
from usbhidups.ups.evidence import Reading
from usbhidups.ups.profile import VariableRow

__all__ = [
    "bcd_date",
    "packed_date",
    "unix_date",
    "unix_time",
    "write_bcd_date",
    "write_packed_date",
    "write_unix_date",
    "write_unix_time",
]

_DATE = re.compile(r"([0-9]{4})/([0-9]{2})/([0-9]{2})")
_NOT_SET = "not set"
_FIRST_PACKED_YEAR = 1980
_LAST_PACKED_YEAR = _FIRST_PACKED_YEAR + 127
_CENTURY_TURN = 70  # two-digit years from here on are of the last century


def packed_date(row: VariableRow, reading: Reading, access: Access) -> str | None:
    """ManufacturerDate of the Smart Battery specification: (year - 1980) * 512 + month * 32 + day."""
    value = reading.logical
    return _text(_FIRST_PACKED_YEAR + (value >> 9), value >> 5 & 15, value & 31, is_set=value != 0)


def write_packed_date(row: VariableRow, text: str, access: Access) -> float:
    """The packed number of YYYY/MM/DD."""
    day = _parsed(text)
    if not _FIRST_PACKED_YEAR <= day.year <= _LAST_PACKED_YEAR:
        raise ValueError(f"{text}: the year must be {_FIRST_PACKED_YEAR} to {_LAST_PACKED_YEAR}")
    return float((day.year - _FIRST_PACKED_YEAR) << 9 | day.month << 5 | day.day)


def bcd_date(row: VariableRow, reading: Reading, access: Access) -> str | None:
    """A date as hexadecimal digits MMDDYY."""
    value = reading.logical
    year, month, day = (_two_digits(value >> shift & 255) for shift in (0, 16, 8))
    if year is None or month is None or day is None:
        return None
    return _text(year + (1900 if year >= _CENTURY_TURN else 2000), month, day, is_set=value != 0)


def write_bcd_date(row: VariableRow, text: str, access: Access) -> float:
    """The digits MMDDYY of YYYY/MM/DD as a hexadecimal number."""
    day = _parsed(text)
    if not 1900 + _CENTURY_TURN <= day.year < 2000 + _CENTURY_TURN:
        raise ValueError(f"{text}: the year must be 1970 to 2069")
    return float(int(f"{day.month:02d}{day.day:02d}{day.year % 100:02d}", 16))


def unix_date(row: VariableRow, reading: Reading, access: Access) -> str | None:
    """The date of the device's clock, which counts seconds since 1970."""
    clock = _clock(reading, access)
    return None if clock is None else f"{clock:%Y/%m/%d}"


def unix_time(row: VariableRow, reading: Reading, access: Access) -> str | None:
    """The time of day of the device's clock."""
    clock = _clock(reading, access)
    return None if clock is None else f"{clock:%H:%M:%S}"


def write_unix_date(row: VariableRow, text: str, access: Access) -> float:
    """A new date with the time that the device has now."""
    now = access.text("ups.time")
    if now is None:
        raise ValueError("the device's time is not known")
    return _seconds(_parsed(text), time.fromisoformat(now), access)


def write_unix_time(row: VariableRow, text: str, access: Access) -> float:
    """A new time of day on the date that the device has now."""
    today = access.text("ups.date")
    if today is None:
        raise ValueError("the device's date is not known")
    return _seconds(_parsed(today), time.fromisoformat(text), access)


def _seconds(day: date, clock: time, access: Access) -> float:
    return datetime.combine(day, clock, tzinfo=access.zone).timestamp()


def _clock(reading: Reading, access: Access) -> datetime | None:
    try:
        return datetime.fromtimestamp(reading.logical, tz=access.zone)
    except (OverflowError, ValueError, OSError):
        return None


def _text(year: int, month: int, day: int, *, is_set: bool) -> str | None:
    if not is_set:
        return _NOT_SET
    try:
        return f"{date(year, month, day):%Y/%m/%d}"
    except ValueError:
        return None


def _parsed(text: str) -> date:
    match = _DATE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no date: YYYY/MM/DD")
    year, month, day = map(int, match.groups())
    return date(year, month, day)


def _two_digits(byte: int) -> int | None:
    high, low = byte >> 4, byte & 15
    return high * 10 + low if high < 10 and low < 10 else None
