"""Timers that hold minutes and seconds in one number (vendor-quirks.md 13)."""

from __future__ import annotations

from usbhidups.ups.convert.rules import Access
from usbhidups.ups.evidence import Reading
from usbhidups.ups.options import Options
from usbhidups.ups.profile import VariableRow

__all__ = [
    "shutdown_seconds",
    "shutdown_timer",
    "startup_seconds",
    "startup_timer",
    "stay_off_timer",
]

_RESTART = 0x40  # of the seconds' byte: come back with the mains
_STAY_OFF = 0x80
_LARGEST_MINUTES = 255

# What "discrete delay" firmwares (Raptor, Smart KING Pro) offer: index 1 … 18 and the seconds it means.
_DISCRETE = (12, 18, 24, 30, 36, 42, 48, 54, *(60 * minutes for minutes in range(1, 11)))


def startup_seconds(row: VariableRow, reading: Reading, access: Access) -> str | None:
    """Minutes with their two bytes exchanged."""
    return str(60 * _swapped(reading.logical))


def shutdown_seconds(row: VariableRow, reading: Reading, access: Access) -> str | None:
    """Minutes in the high byte, seconds in the low one (the reverse with the fallback option)."""
    value = reading.logical
    if access.options.powercom_sdcmd_byte_order_fallback:
        value = _swapped(value)
    return str(60 * (value >> 8 & 0xFF) + (value & 0xFF))


def startup_timer(seconds: int, options: Options) -> int:
    """The logical value that starts the load after ``seconds``; whole minutes count."""
    _refuse_never(seconds)
    minutes = seconds // 60
    if minutes > 0xFFFF:
        raise ValueError(f"{seconds} s is more than the device can count")
    return minutes if options.powercom_sdcmd_discrete_delay else _swapped(minutes)


def shutdown_timer(seconds: int, options: Options) -> int:
    """The logical value that cuts the load after ``seconds`` until the mains are back."""
    _refuse_never(seconds)
    if options.powercom_sdcmd_discrete_delay:
        longer = (index for index, delay in enumerate(_DISCRETE, 1) if delay >= seconds)
        return next(longer, len(_DISCRETE))
    return _minutes_and_seconds(seconds, _RESTART, options)


def stay_off_timer(seconds: int, options: Options) -> int:
    """The logical value that cuts the load after ``seconds`` for good."""
    _refuse_never(seconds)
    return _minutes_and_seconds(seconds, _STAY_OFF, options)


def _minutes_and_seconds(seconds: int, then: int, options: Options) -> int:
    """0 would mean the longest delay, so it becomes 1."""
    minutes, rest = divmod(max(seconds, 1), 60)
    if minutes > _LARGEST_MINUTES:
        raise ValueError(f"{seconds} s is more than the device can count")
    value = minutes << 8 | rest | then
    return _swapped(value) if options.powercom_sdcmd_byte_order_fallback else value


def _refuse_never(seconds: int) -> None:
    if seconds < 0:
        raise ValueError("there is no value that means: no countdown")


def _swapped(value: int) -> int:
    return (value & 0xFF) << 8 | value >> 8 & 0xFF
