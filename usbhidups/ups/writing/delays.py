"""ups.delay.shutdown and ups.delay.start: the defaults, the administrator's wishes, and the device's grain.

Rounding is up to the device's grain and never down to 0, which means "at once" (failure F03). The load must
come back later than it goes: a start delay at or below the shutdown delay is told to the administrator, and
lengthened when it is sent.
"""

from __future__ import annotations

from dataclasses import dataclass

from usbhidups.ups.options import Options
from usbhidups.ups.profile import Profile

__all__ = ["DEFAULT_OFF", "DEFAULT_START", "Delays", "conflict", "delays", "effective", "rounded"]

DEFAULT_OFF = 60
DEFAULT_START = 120
"""Seconds after the kill-power step at which the load goes and may come back (issue "Commands, settings …")."""


@dataclass(frozen=True, slots=True)
class Delays:
    """Seconds, as they will be sent: already a multiple of the device's grain. ``start`` may be -1 (never)."""

    off: int
    start: int


def delays(profile: Profile, options: Options) -> Delays:
    """What is published at the beginning; the administrator's words rule, rounded as the device needs."""
    off = options.offdelay if options.offdelay is not None else max(DEFAULT_OFF, profile.offdelay)
    start = options.ondelay if options.ondelay is not None else max(DEFAULT_START, profile.ondelay)
    return Delays(rounded(off, profile.delay_step), rounded(start, profile.delay_step))


def rounded(seconds: int, step: int) -> int:
    """Up to the next multiple of ``step``; 0 and negative numbers have meanings of their own and stay."""
    if seconds <= 0 or step <= 1:
        return seconds
    return -(-seconds // step) * step


def conflict(wanted: Delays) -> str:
    """Why these delays would let the load come back before it went; "" where they are in order.

    0 and -1 as start delay (when mains return; never) are no plain timers.
    """
    if wanted.start <= 0 or wanted.start > wanted.off:
        return ""
    return (
        f"ondelay {wanted.start} s is not greater than offdelay {wanted.off} s:"
        " both count from the same moment, the load would not come back"
    )


def effective(wanted: Delays) -> Delays:
    """The same, with the start delay lengthened where it would come first."""
    if not conflict(wanted):
        return wanted
    return Delays(wanted.off, wanted.off + max(60, wanted.off))
