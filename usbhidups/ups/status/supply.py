"""What the numbers say of battery and input: plausibility, trend, and an input that is gone.

Small memories over time that the status tables need beside the flags (failures D01, D02). Time is an argument.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from usbhidups.ups.status.rules import Battery, Trend

__all__ = ["Numbers", "Supply"]

TREND_HOLDS = 120.0
"""Seconds for which a change of the charge still counts as its trend."""

_COMFORT_CHARGE = 50.0  # percent: a low flag above it is implausible on mains
_COMFORT_RUNTIME = 300.0  # seconds: likewise
_DEAD_INPUT = 0.15  # of the voltage seen before: below it the input is gone
_LEAST_INPUT = 50.0  # volts: what counts as having seen an input at all


@dataclass(frozen=True, slots=True)
class Numbers:
    """What the device says now; None where unknown. ``input_at`` is when the voltage was read."""

    charge: float | None = None
    charge_low: float | None = None
    runtime: float | None = None
    runtime_low: float | None = None
    input_voltage: float | None = None
    input_at: float | None = None
    charge_pending: bool = False

    @property
    def low_is_plausible(self) -> bool:
        """Whether a low battery would fit: charge or runtime are low, or neither is known."""
        known = False
        if self.charge is not None:
            known = True
            if self.charge < max(_COMFORT_CHARGE, (self.charge_low or 0.0) + 10):
                return True
        if self.runtime is not None:
            known = True
            if self.runtime < max(_COMFORT_RUNTIME, 2 * (self.runtime_low or 0.0)):
                return True
        return not known


class Supply:
    """The numbers' memory of one device."""

    def __init__(self) -> None:
        self._charge: float | None = None
        self._trend: Trend | None = None
        self._trend_at = 0.0
        self._input_seen = 0.0
        self._odd_since: float | None = None
        self._dead_at: set[float] = set()

    def battery(
        self, numbers: Numbers, *, mains: bool | None, discharging: bool, now: float
    ) -> Battery:
        """Take in the newest numbers and say what the tables need."""
        self._follow_charge(numbers.charge, now)
        self._follow_input(numbers, mains=mains, discharging=discharging, now=now)
        if now > self.holds_until:
            self._trend = None
        return Battery(
            charge=numbers.charge,
            charge_low=numbers.charge_low,
            runtime=numbers.runtime,
            runtime_low=numbers.runtime_low,
            trend=self._trend,
            input_dead=len(self._dead_at) >= 2,
            charge_pending=numbers.charge_pending,
        )

    @property
    def holds_until(self) -> float:
        """When what was said is no longer so though nothing more is heard: a trend of the charge ends."""
        return math.inf if self._trend is None else self._trend_at + TREND_HOLDS

    @property
    def wants_input(self) -> bool:
        """Whether the input voltage should be read soon: the device discharges on mains (D02)."""
        return self._odd_since is not None and self._input_seen > 0 and len(self._dead_at) < 2

    def _follow_charge(self, charge: float | None, now: float) -> None:
        if charge is None:
            return
        if self._charge is not None and charge != self._charge:
            self._trend = Trend.RISING if charge > self._charge else Trend.FALLING
            self._trend_at = now
        self._charge = charge

    def _follow_input(
        self, numbers: Numbers, *, mains: bool | None, discharging: bool, now: float
    ) -> None:
        voltage, at = numbers.input_voltage, numbers.input_at
        if not (mains and discharging):
            self._odd_since = None
            self._dead_at.clear()
            if mains and voltage is not None and voltage >= _LEAST_INPUT:
                self._input_seen = max(voltage, 0.9 * self._input_seen)
            return
        if self._odd_since is None:
            self._odd_since = now
        if voltage is None or at is None or at < self._odd_since or not self._input_seen:
            return
        if voltage < _DEAD_INPUT * self._input_seen:
            self._dead_at = {*sorted(self._dead_at)[-1:], at}
        else:
            self._dead_at.clear()
