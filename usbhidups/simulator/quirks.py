"""What firmwares do with orders that the standard did not mean: switches for one simulated UPS."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["QUIRKS", "Quirks"]


@dataclass(slots=True)
class Quirks:
    """All off by default; ``QUIRKS`` says what each does, and in what unit its number is."""

    start_without_mains: bool = False
    deaf_on_mains: bool = False
    no_cancel: bool = False
    no_startup_timer: bool = False
    minute_grain: bool = False
    minute_second_timers: bool = False
    fixed_shutdown_delay: float | None = None
    reboot_delay: float | None = None
    fixed_off_time: float | None = None
    restart_charge: float = 0.0
    hovers: bool = False
    floats: bool = False
    blind_to_mains: bool = False
    nervous: bool = False
    off_at_test: bool = False

    def set(self, name: str, value: str) -> None:
        """Set by name (dashes for underscores): a number, or on / off. ValueError names what is wrong."""
        key = name.replace("-", "_")
        if key not in QUIRKS:
            raise ValueError(f"unknown quirk {name!r}")
        if isinstance(getattr(self, key), bool):
            if value not in ("on", "off"):
                raise ValueError(f"quirk {name} is on or off")
            setattr(self, key, value == "on")
        elif value == "off":
            setattr(self, key, getattr(Quirks(), key))
        else:
            setattr(self, key, float(value))


QUIRKS = MappingProxyType(
    {
        "start_without_mains": "the startup timer does not wait for mains (F04)",
        "deaf_on_mains": "shutdown and reboot are acknowledged and ignored while mains is there (F05)",
        "no_cancel": "-1 does not stop a running shutdown timer (F10)",
        "no_startup_timer": "the startup delay is ignored",
        "minute_grain": "delays are cut down to whole minutes: 20 s is now (F03)",
        "minute_second_timers": "16-bit timers: minutes high, seconds low, bit 6 returns, bit 7 stays off;"
        " startup in minutes, bytes swapped (F09)",
        "fixed_shutdown_delay": "SECONDS: the same delay whatever was asked (F09)",
        "reboot_delay": "SECONDS: so long before a reboot begins, where the standard says at once and Back-UPS"
        " wait a minute",
        "fixed_off_time": "SECONDS: off that long, then on, whatever was asked (F07)",
        "restart_charge": "PERCENT: no start below this charge (F11)",
        "hovers": "says discharging while on mains and full (D02); learnt from the fixture",
        "floats": "says charging while on mains and full (D10); learnt from the fixture",
        "blind_to_mains": "says that mains is there whatever happens (D02)",
        "nervous": "says shutdown imminent as soon as it discharges (D05)",
        "off_at_test": "says off for the first 8 s of a self-test (D03)",
    }
)
"""What each quirk does, by field name; letters in brackets are rows of the failure catalogue."""
