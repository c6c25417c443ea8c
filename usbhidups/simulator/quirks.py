"""What firmwares do with orders that the standard did not mean: switches for one simulated UPS."""

from __future__ import annotations

from dataclasses import dataclass, fields

__all__ = ["Quirks"]


@dataclass(slots=True)
class Quirks:
    """All off by default. Numbers are seconds, percent for ``restart_charge``; None: not so.

    Letters in brackets are rows of the failure catalogue in docs/simulator.md.
    """

    start_without_mains: bool = False  # the startup timer does not wait for mains (F04)
    deaf_on_mains: bool = False  # shutdown and reboot are acknowledged and ignored on mains (F05)
    no_cancel: bool = False  # -1 does not stop a running timer (F10)
    no_startup_timer: bool = False  # the startup delay is ignored
    minute_grain: bool = False  # delays are cut down to whole minutes (F03)
    minute_second_timers: bool = (
        False  # 16 bits: minutes high, seconds low, bit 6 return, bit 7 stay off (F09)
    )
    fixed_shutdown_delay: float | None = None  # the same delay whatever was asked (F09)
    fixed_off_time: float | None = None  # off that long, then on, whatever was asked (F07)
    restart_charge: float = 0.0  # no start below this charge (F11)
    hovers: bool = False  # says discharging while on mains and full (D02)
    floats: bool = False  # says charging while on mains and full (D10)
    nervous: bool = False  # says shutdown imminent as soon as it discharges (D05)
    off_at_test: bool = False  # says off for the first 8 s of a self-test (D03)

    def set(self, name: str, value: str) -> None:
        """Set by name (dashes for underscores): a number, or on / off. ValueError names what is wrong."""
        key = name.replace("-", "_")
        if key not in (field.name for field in fields(self)):
            raise ValueError(f"unknown quirk {name!r}")
        if isinstance(getattr(self, key), bool):
            if value not in ("on", "off"):
                raise ValueError(f"quirk {name} is on or off")
            setattr(self, key, value == "on")
        elif value == "off":
            setattr(self, key, 0.0 if key == "restart_charge" else None)
        else:
            setattr(self, key, float(value))
