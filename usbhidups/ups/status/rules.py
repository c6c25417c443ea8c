"""ups.status and ups.alarm from settled flags: the decision tables of nut-driver-contract.md 4.3 to 4.5.

Pure tables: what goes in is already debounced (``debounce``), what comes out is complete. Where this differs
from NUT it is because NUT is wrong there: nothing is said before the mains were really read, ``!online``
is on battery, CHRG is not shown on battery, and ALARM is formed at every update.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from usbhidups.ups.status.flags import Flag, Mains

__all__ = ["Battery", "Settled", "Status", "StatusRules", "Trend", "decide"]

LOW_FLAGS = (Flag.LOW_BATTERY, Flag.TIME_LIMIT, Flag.SHUTDOWN_IMMINENT)
"""The flags that mean LB."""

_SIMPLE_WORDS: tuple[tuple[str, tuple[Flag, ...]], ...] = (
    ("TRIM", (Flag.TRIM,)),
    ("BOOST", (Flag.BOOST,)),
    ("BYPASS", (Flag.BYPASS_AUTO, Flag.BYPASS_MANUAL)),
    ("OFF", (Flag.OFF,)),
)

_ALARMS: tuple[tuple[Flag, str], ...] = (
    (Flag.REPLACE_BATTERY, "Replace battery!"),
    (Flag.SHUTDOWN_IMMINENT, "Shutdown imminent!"),
    (Flag.FAN_FAILURE, "Fan failure!"),
    (Flag.NO_BATTERY, "No battery installed!"),
    (Flag.BATTERY_VOLTAGE_LOW, "Battery voltage too low!"),
    (Flag.BATTERY_VOLTAGE_HIGH, "Battery voltage too high!"),
    (Flag.CHARGER_FAILURE, "Battery charger fail!"),
    (Flag.OVERHEAT, "Temperature too high!"),
    (Flag.FAULT, "Internal UPS fault!"),
    (Flag.AWAITING_POWER, "Awaiting power!"),
    (Flag.BYPASS_AUTO, "Automatic bypass mode!"),
    (Flag.BYPASS_MANUAL, "Manual bypass mode!"),
)


class Trend(enum.Enum):
    """Which way the charge goes, where the device has no flag for it."""

    RISING = "rising"
    FALLING = "falling"


@dataclass(frozen=True, slots=True)
class Battery:
    """Numbers of the battery and the input that the tables look at; None where unknown.

    ``charge`` and ``charge_low`` in percent, ``runtime`` and ``runtime_low`` in seconds. ``input_dead``
    tells that the input voltage, which used to be there, is gone in reports read since discharging began;
    ``charge_pending`` that the device has a charge which was not read yet.
    """

    charge: float | None = None
    charge_low: float | None = None
    runtime: float | None = None
    runtime_low: float | None = None
    trend: Trend | None = None
    input_dead: bool = False
    charge_pending: bool = False


@dataclass(frozen=True, slots=True)
class Settled:
    """Flags after debouncing: ``known`` value of each flag that any report spoke of, and who said so."""

    mains: Mains
    known: Mapping[Flag, bool] = field(default_factory=dict)
    sources: Mapping[Flag, tuple[str, ...]] = field(default_factory=dict)

    def has(self, *flags: Flag) -> bool:
        """Whether any of the flags is set."""
        return any(self.known.get(flag, False) for flag in flags)


@dataclass(frozen=True, slots=True)
class StatusRules:
    """The options that change the tables (nut-driver-contract.md 2.4)."""

    ignore_low_flags: bool = False
    online_discharge_is_battery: bool = False
    online_discharge_is_calibration: bool = False


@dataclass(frozen=True, slots=True)
class Status:
    """``words`` None: nothing may be said yet, ``reason`` says why. Otherwise ups.status in NUT's order.

    ``reasons`` gives, for words that people ask about (LB, RB, OFF, OVER, OB, OL), the paths or values
    that caused them; ``held`` the flags that are set but deliberately not shown, with the reason.
    """

    words: tuple[str, ...] | None
    alarms: tuple[str, ...] = ()
    transfer_reason: str | None = None
    modes: tuple[str, ...] = ()
    reasons: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    held: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""

    @property
    def text(self) -> str | None:
        """ups.status as published, ALARM first; None where nothing may be said."""
        if self.words is None:
            return None
        return " ".join(("ALARM", *self.words) if self.alarms else self.words)


def decide(
    settled: Settled,
    battery: Battery,
    rules: StatusRules,
    *,
    free_alarms: tuple[str, ...] = (),
) -> Status:
    """Apply the tables. ``free_alarms`` are texts that profile rows raise."""
    alarms = tuple(
        dict.fromkeys([*(text for flag, text in _ALARMS if settled.has(flag)), *free_alarms])
    )
    transfer = _transfer_reason(settled)
    modes = tuple(
        f"vendor:default:{word}"
        for word, flag in (("ECO", Flag.ECO_MODE), ("ESS", Flag.ESS_MODE))
        if settled.has(flag)
    )
    supply, reasons = _supply(settled, battery, rules)
    if supply is None:
        return Status(None, alarms, transfer, modes, reason="mains state not read yet")
    on_battery = "OB" in supply
    held: dict[str, str] = {}
    words = [*supply, *_charging(settled, battery, on_battery=on_battery, held=held)]
    low = _low(settled, battery, rules, on_battery=on_battery, held=held)
    if low:
        words.append("LB")
        reasons["LB"] = low
    for word, flags in (
        ("OVER", (Flag.OVERLOAD,)),
        ("RB", (Flag.REPLACE_BATTERY, Flag.NO_BATTERY)),
        *_SIMPLE_WORDS,
    ):
        causes = _sources(settled, flags)
        if causes:
            words.append(word)
            reasons[word] = causes
    return Status(tuple(words), alarms, transfer, modes, reasons, held)


def _supply(
    settled: Settled, battery: Battery, rules: StatusRules
) -> tuple[tuple[str, ...] | None, dict[str, tuple[str, ...]]]:
    """CAL, OB and OL; None where the supply is unknown."""
    calibrating = ("CAL",) if settled.has(Flag.CALIBRATING) else ()
    discharging = settled.has(Flag.DISCHARGING)
    mains = settled.mains
    if mains.present is False:
        return (*calibrating, "OB"), {"OB": (mains.source,)}
    if mains.present is None:
        if discharging:
            return (*calibrating, "OB"), {"OB": settled.sources.get(Flag.DISCHARGING, ())}
        if settled.has(Flag.CHARGING):
            return (*calibrating, "OL"), {"OL": settled.sources.get(Flag.CHARGING, ())}
        return None, {}
    if discharging and (rules.online_discharge_is_battery or rules.online_discharge_is_calibration):
        words = (
            *(("CAL",) if calibrating or rules.online_discharge_is_calibration else ()),
            *(("OB",) if rules.online_discharge_is_battery else ()),
        )
        return words, {word: settled.sources.get(Flag.DISCHARGING, ()) for word in words}
    if discharging and battery.input_dead:
        causes = (*settled.sources.get(Flag.DISCHARGING, ()), "input.voltage is gone")
        return (*calibrating, "OB"), {"OB": causes}
    return (*calibrating, "OL"), {"OL": (mains.source,)}


def _charging(
    settled: Settled, battery: Battery, *, on_battery: bool, held: dict[str, str]
) -> list[str]:
    """DISCHRG and CHRG: flags rule; the trend of the charge speaks only where the device has no flag."""
    words: list[str] = []
    charge = battery.charge
    if settled.has(Flag.DISCHARGING):
        if not settled.has(Flag.DEPLETED):
            words.append("DISCHRG")
    elif Flag.DISCHARGING not in settled.known and on_battery and battery.trend is Trend.FALLING:
        words.append("DISCHRG")
    full = settled.known.get(Flag.FULLY_CHARGED)
    at_full = full if full else (charge is not None and charge >= 100)
    if settled.has(Flag.CHARGING):
        if on_battery:
            held["CHRG"] = "the charger says charging, but the mains are away"
        elif full is None and battery.charge_pending:
            held["CHRG"] = "the charge was not read yet"
        elif at_full:
            held["CHRG"] = "the battery is full"
        else:
            words.append("CHRG")
    elif (
        Flag.CHARGING not in settled.known
        and not on_battery
        and not at_full
        and battery.trend is Trend.RISING
        and "DISCHRG" not in words
    ):
        words.append("CHRG")
    return words


def _low(
    settled: Settled,
    battery: Battery,
    rules: StatusRules,
    *,
    on_battery: bool,
    held: dict[str, str],
) -> tuple[str, ...]:
    """What makes LB, () when nothing does."""
    flagged = _sources(settled, LOW_FLAGS)
    if rules.ignore_low_flags:
        if flagged:
            held["LB"] = f"{', '.join(flagged)} (ignorelb)"
        return _low_by_numbers(battery)
    if not flagged:
        return ()
    if (
        not on_battery
        and settled.has(Flag.CHARGING)
        and not settled.has(Flag.DISCHARGING, Flag.SHUTDOWN_IMMINENT)
    ):
        held["LB"] = f"{', '.join(flagged)} (recharging on mains)"
        return ()
    return flagged


def _low_by_numbers(battery: Battery) -> tuple[str, ...]:
    """nut-driver-contract.md 4.4: charge or runtime below its limit, whole numbers by truncation."""
    pairs = (
        ("battery.charge", battery.charge, battery.charge_low),
        ("battery.runtime", battery.runtime, battery.runtime_low),
    )
    return tuple(
        f"{name} is below {name}.low"
        for name, value, limit in pairs
        if value is not None and limit is not None and int(value) < int(limit)
    )


def _sources(settled: Settled, flags: tuple[Flag, ...]) -> tuple[str, ...]:
    return tuple(
        source for flag in flags if settled.has(flag) for source in settled.sources.get(flag, ())
    )


def _transfer_reason(settled: Settled) -> str | None:
    if settled.has(Flag.VOLTAGE_RANGE):
        return "input voltage out of range"
    if settled.has(Flag.FREQUENCY_RANGE):
        return "input frequency out of range"
    return None
