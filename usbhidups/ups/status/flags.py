"""Which status flags are set, and who says so: many reports' words become one answer for each flag.

A flag is set while at least one source says so, clear while at least one says it is not and none says it
is, and unknown otherwise: the row that happens to be read last does not win (corpus/synthetic/INDEX.md 8).
Mains are one question with one answer: ACPresent rules, after it the first row of the profile that has
an flag_report (INDEX.md 9). Nothing here knows of time beyond carrying along when a report was read.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

__all__ = ["Flag", "FlagReport", "FlagState", "Mains", "gather", "mains_of"]

_AC_PRESENT = ("ACPresent", "TLACPresent")


class Flag(enum.Enum):
    """The flags behind ups.status and ups.alarm; the values are the words of profile rows."""

    ONLINE = "online"
    OFFLINE = "offline"
    DISCHARGING = "dischrg"
    CHARGING = "chrg"
    LOW_BATTERY = "lowbatt"
    TIME_LIMIT = "timelimitexp"
    SHUTDOWN_IMMINENT = "shutdownimm"
    OVERLOAD = "overload"
    REPLACE_BATTERY = "replacebatt"
    NO_BATTERY = "nobattery"
    FULLY_CHARGED = "fullycharged"
    DEPLETED = "depleted"
    TRIM = "trim"
    BOOST = "boost"
    OFF = "off"
    CALIBRATING = "cal"
    BYPASS_AUTO = "bypassauto"
    BYPASS_MANUAL = "bypassman"
    VOLTAGE_RANGE = "vrange"
    FREQUENCY_RANGE = "frange"
    OVERHEAT = "overheat"
    FAULT = "commfault"
    AWAITING_POWER = "awaitingpower"
    FAN_FAILURE = "fanfail"
    CHARGER_FAILURE = "chargerfail"
    BATTERY_VOLTAGE_LOW = "battvoltlo"
    BATTERY_VOLTAGE_HIGH = "battvolthi"
    ECO_MODE = "ecomode"
    ESS_MODE = "essmode"


_MAINS_WORDS: Mapping[str, bool] = {
    "online": True,
    "!offline": True,
    "offline": False,
    "!online": False,
}
_CLEARS: Mapping[str, tuple[Flag, ...]] = {
    "notfullycharged": (Flag.FULLY_CHARGED,),
    "normal": (Flag.ECO_MODE, Flag.ESS_MODE),
}
_BY_WORD: Mapping[str, Flag] = {flag.value: flag for flag in Flag}


@dataclass(frozen=True, slots=True)
class FlagReport:
    """What one row says now: the words for its present value, and when its report was read (seconds).

    ``source`` is the row's path. A row whose value means nothing has no words and no flag_report.
    """

    source: str
    words: tuple[str, ...]
    at: float


@dataclass(frozen=True, slots=True)
class FlagState:
    """The answer for one flag: set or not, the paths that say so, and the time of the newest of them."""

    value: bool
    sources: tuple[str, ...]
    at: float


@dataclass(frozen=True, slots=True)
class Mains:
    """Whether mains are there: ``present`` None where no report has said so. ``source`` is the path."""

    present: bool | None = None
    source: str = ""
    at: float | None = None


def gather(opinions: Iterable[FlagReport]) -> dict[Flag, FlagState]:
    """Every flag that some source knows of. Mains are not in it: see ``mains_of``."""
    claims: dict[Flag, FlagState] = {}
    for flag_report in opinions:
        for word in flag_report.words:
            for flag, value in _statements(word):
                claims[flag] = _merge(
                    claims.get(flag), FlagState(value, (flag_report.source,), flag_report.at)
                )
    return claims


def mains_of(opinions: Iterable[FlagReport]) -> Mains:
    """The mains, from the most trustworthy row with an flag_report.

    ``!online`` from a real report means on battery (vendor-quirks.md 0.6; NUT from 2.8.5 shows nothing).
    Rows of equal rank that contradict each other count as on battery.
    """
    found: list[tuple[bool, Mains]] = []
    for flag_report in opinions:
        direct = flag_report.source.rsplit(".", 1)[-1] in _AC_PRESENT
        for word in flag_report.words:
            present = _MAINS_WORDS.get(word)
            if present is not None:
                mains = Mains(present=present, source=flag_report.source, at=flag_report.at)
                found.append((direct, mains))
    said_directly = [mains for direct, mains in found if direct]
    if said_directly:
        return next((mains for mains in said_directly if not mains.present), said_directly[0])
    return found[0][1] if found else Mains()


def _statements(word: str) -> Iterable[tuple[Flag, bool]]:
    if word in _CLEARS:
        return [(flag, False) for flag in _CLEARS[word]]
    flag = _BY_WORD.get(word.removeprefix("!"))
    if flag is None or flag in (Flag.ONLINE, Flag.OFFLINE):
        return ()
    return ((flag, not word.startswith("!")),)


def _merge(old: FlagState | None, new: FlagState) -> FlagState:
    if old is None or (new.value and not old.value):
        return new
    if old.value and not new.value:
        return old
    return FlagState(old.value, (*old.sources, *new.sources), max(old.at, new.at))
