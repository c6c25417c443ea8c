"""Which fixtures can have their power cut, and what their firmware makes of it.

Everything that is not listed cannot: it has no timers, or its family has no commands (nut-driver-contract.md
6.5). What is listed and does not say otherwise counts seconds as the Power Device standard means them.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.driver_tools import FIXTURES
from tests.killpower.stage import Night
from usbhidups.usb.fixture import load

__all__ = ["ABLE", "ALL", "PROVABLE", "Family", "night"]

ABOUT_A_MINUTE = (40.0, 90.0)
AT_ONCE = (-1.0, 5.0)
"""DelayBeforeReboot: off now, on again after that time (Power Device usage tables 4.3)."""


@dataclass(frozen=True, slots=True)
class Family:
    """One fixture. ``shows``: its timer can be read back. ``quirks`` are commands of docs/simulator.md."""

    fixture: str
    cut: tuple[float, float] = ABOUT_A_MINUTE
    shows: bool = True
    quirks: tuple[str, ...] = ()


_POWERCOM = ("quirk minute-second-timers on",)
_EVER = (
    "quirk fixed-off-time 10",
)  # it has no start delay: shutdown.return is said to return by itself

_RESTING = ("set PowerSummary.DelayBeforeReboot 65535",)  # it rests at 58 by chance

ABLE = (
    Family("0463-ffff-eaton-3s"),
    Family("0463-ffff-mge-described-rich"),
    Family("0463-ffff-mge-described-model-evolution650"),
    Family("050d-0f51-belkin-described-rich"),
    Family("051d-0002-apc-back-ups-bk650m2-ch", shows=False),
    Family("051d-0002-apc-back-ups-cs-500", shows=False),
    Family("051d-0002-apc-back-ups-cs-750-rs", shows=False),
    Family("051d-0002-apc-back-ups-rs-1000g", shows=False),
    Family("05dd-041b-delta-described-rich"),
    Family("06da-ffff-idowell-described-goldenmate"),
    Family("06da-ffff-liebert-described-rich"),
    Family("075d-0300-idowell-described-rich"),
    Family("0764-0501-cps-described-rich"),
    Family("0764-0501-cyberpower-cp1350c"),
    Family("0764-0501-cyberpower-cp1500epfclcd"),
    Family("0764-0501-cyberpower-ec850lcd"),
    Family("0764-0601-cyberpower-cst135uc2"),
    Family("09ae-3012-tripplite-described-rich"),
    Family("0d9f-0004-powercom-spd-750u", shows=False, quirks=_POWERCOM),
    Family("0d9f-00a4-powercom-described-rich", shows=False, quirks=_POWERCOM),
    Family("1cb0-0032-legrand-described-rich"),
    Family("2341-8036-arduino-described-rich", quirks=_RESTING),
    Family("2341-8036-arduino-hidpowerdevice", AT_ONCE),
    Family("2e51-ffff-ever-described-rich", quirks=_EVER),
    Family("2e8a-0005-pico-hid-ups", AT_ONCE),
)

PROVABLE = tuple(each for each in ABLE if each.shows)

ALL = tuple(sorted(path.stem for path in FIXTURES.glob("*.toml")))

_KNOWN = {each.fixture: each for each in ABLE}


def night(fixture: str, *options: str) -> Night:
    """A night for one fixture, with its firmware's ways."""
    made = Night(load(FIXTURES / f"{fixture}.toml"), options)
    family = _KNOWN.get(fixture)
    for quirk in () if family is None else family.quirks:
        made.do(quirk)
    return made
