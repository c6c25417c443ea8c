"""A UPS as a thing: mains, battery, load, outputs and self-test over its own time. No USB and no HID here.

Between two events (a timer, the battery empty or full, a test over) everything runs in straight lines, so a
thousand hours cost no more than the events in them.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, field

from usbhidups.simulator.output import Cause, Output
from usbhidups.simulator.quirks import Quirks

__all__ = ["FLAGS", "Test", "Ups"]

RECHARGE = 4 * 3600.0
"""Seconds from empty to full."""
QUICK_TEST = 10.0
TEST_OFF = 8.0
DEEP_TEST_FLOOR = 25.0
LOWEST_VOLTAGE = 0.80
HIGHEST_VOLTAGE = 1.20
REGULATED_LOW = 0.92
REGULATED_HIGH = 1.08
IMMINENT = 3.0
"""Percent of charge below which a UPS on battery says that it is about to go off."""
MAIN = 1

FLAGS = frozenset(
    {
        "replace",
        "overload",
        "no-battery",
        "fault",
        "hot",
        "comm-lost",
        "low",
        "off",
        "time-limit",
        "imminent",
        "awaiting",
        "frequency",
    }
)
"""Flags that can be forced on by name, for as long as wanted."""


class Test(enum.IntEnum):
    """Results and states of a self-test, as usage Test reads (Power Device usage tables)."""

    PASSED = 1
    WARNING = 2
    ERROR = 3
    ABORTED = 4
    RUNNING = 5
    NONE = 6


@dataclass(slots=True)
class Ups:
    """The state. ``voltage`` is a fraction of the nominal one, ``charge``, ``load`` and limits are percent,
    ``runtime_full`` seconds from full to empty at ``reference_load``. Times count from 0."""

    quirks: Quirks = field(default_factory=Quirks)
    now: float = 0.0
    mains: bool = True
    voltage: float = 1.0
    charge: float = 100.0
    charging: bool = False
    load: float = 20.0
    reference_load: float = 20.0
    runtime_full: float = 1800.0
    low_charge: float = 20.0
    low_runtime: float = 0.0
    automatic_restart: bool = True
    test: Test = Test.NONE
    test_started: float = 0.0
    deep_test: bool = False
    forced: dict[str, float] = field(default_factory=dict)
    outputs: dict[int, Output] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.outputs.setdefault(MAIN, Output(self.quirks))

    @property
    def main(self) -> Output:
        """The output that feeds the host."""
        return self.outputs[MAIN]

    @property
    def mains_good(self) -> bool:
        """There is mains, and of a voltage that can be used."""
        return self.mains and LOWEST_VOLTAGE <= self.voltage <= HIGHEST_VOLTAGE

    @property
    def testing(self) -> bool:
        return self.test is Test.RUNNING

    @property
    def draining(self) -> bool:
        """Current flows out of the battery."""
        return (not self.mains_good or self.testing) and self.main.on

    @property
    def runtime(self) -> float:
        """Seconds until empty at the present load."""
        return self.charge / 100.0 * self.runtime_full * self.reference_load / max(self.load, 1.0)

    @property
    def still(self) -> bool:
        """Time alone changes nothing: no timer, no test, no glitch, and the battery stays as it is."""
        return (
            not self.testing
            and self._rate() == 0.0
            and all(until == math.inf for until in self.forced.values())
            and all(output.next_event(self.now) is None for output in self.outputs.values())
        )

    def flag(self, name: str) -> bool:
        """Is this flag forced on now? A glitch ends by itself."""
        until = self.forced.get(name)
        return until is not None and self.now < until

    def force(self, name: str, *, on: bool, seconds: float = math.inf) -> None:
        """Force a flag of ``FLAGS`` on, for ever or for some seconds, or let it go."""
        if on:
            self.forced[name] = self.now + seconds
        else:
            self.forced.pop(name, None)

    def set_runtime(self, seconds: float) -> None:
        """Make the full battery last ``seconds`` at the present load."""
        self.runtime_full = max(1.0, seconds)
        self.reference_load = max(self.load, 1.0)

    def set_mains(self, *, on: bool, voltage: float = 1.0) -> None:
        """Mains fails, returns, or changes its voltage (a fraction of the nominal one)."""
        was_good = self.mains_good
        self.mains, self.voltage = on, voltage
        self._mains_edge(was_good=was_good)

    def _mains_edge(self, *, was_good: bool) -> None:
        if self.mains_good and not was_good:
            self.charging = self.charge < 100.0
            if self.charge >= self.quirks.restart_charge:
                self._return_outputs()
        elif was_good and not self.mains_good:
            self.charging = False
            self.stop_test()
            if self.charge <= 0.0:
                self._battery_empty()
        self._act()

    def start_test(self, *, deep: bool) -> None:
        """Begin a self-test, unless one runs; it aborts at once without mains or charge to spare."""
        if self.testing:
            return
        spare = self.charge > DEEP_TEST_FLOOR and not self.flag("no-battery")
        if not self.mains_good or not spare:
            self.test = Test.ABORTED
            return
        self.test, self.test_started, self.deep_test = Test.RUNNING, self.now, deep
        self.charging = False

    def stop_test(self) -> None:
        """Abort a running test."""
        if self.testing:
            self._end_test(Test.ABORTED)

    def set_charge(self, percent: float) -> None:
        """Put the battery at a charge, as if time had passed."""
        self.charge = max(0.0, min(100.0, percent))
        self.charging = self.mains_good and not self.testing and self.charge < 100.0
        if not self.mains_good and self.charge <= 0.0:
            self._battery_empty()

    def advance(self, seconds: float) -> None:
        """Let time pass, event by event."""
        end = self.now + seconds
        while (moment := self._next_event()) is not None and moment <= end:
            self._drift(moment - self.now)
            self.now = moment
            self._happen()
        self._drift(end - self.now)
        self.now = end
        self.forced = {name: until for name, until in self.forced.items() if until > end}

    def _rate(self) -> float:
        """Percent of charge per second, negative while draining."""
        if self.draining:
            return -100.0 * max(self.load, 1.0) / (self.runtime_full * self.reference_load)
        return 100.0 / RECHARGE if self.charging else 0.0

    def _drift(self, seconds: float) -> None:
        self.charge = max(0.0, min(100.0, self.charge + self._rate() * seconds))

    def _next_event(self) -> float | None:
        times = [t for out in self.outputs.values() if (t := out.next_event(self.now)) is not None]
        rate = self._rate()
        if rate < 0:
            floor = DEEP_TEST_FLOOR if self.testing and self.deep_test and self.mains_good else 0.0
            times.append(self.now + max(self.charge - floor, 0.0) / -rate)
        elif rate > 0:
            times.append(self.now + (100.0 - self.charge) / rate)
            if self.charge < self.quirks.restart_charge:
                times.append(self.now + (self.quirks.restart_charge - self.charge) / rate)
        if self.testing and not self.deep_test:
            times.append(max(self.now, self.test_started + QUICK_TEST))
        return min(times, default=None)

    def _happen(self) -> None:
        tiny = 1e-6
        done = (
            self.charge <= DEEP_TEST_FLOOR + tiny
            if self.deep_test
            else self.now >= self.test_started + QUICK_TEST
        )
        if self.testing and done:
            self._end_test(Test.PASSED)
        if self.charging and self.charge >= 100.0 - tiny:
            self.charge, self.charging = 100.0, False
        if self.draining and self.charge <= tiny:
            self.charge = 0.0
            self._battery_empty()
        threshold = self.quirks.restart_charge
        if self.charging and threshold and threshold <= self.charge + tiny:
            self.charge = max(self.charge, threshold)
            self._return_outputs()
        self._act()

    def _act(self) -> None:
        may_start = self.mains_good and self.charge >= self.quirks.restart_charge
        for output in self.outputs.values():
            output.act(self.now, mains=self.mains_good, may_start=may_start)

    def _return_outputs(self) -> None:
        for output in self.outputs.values():
            output.mains_returned(self.now, automatic=self.automatic_restart)

    def _battery_empty(self) -> None:
        for output in self.outputs.values():
            output.switch(on=False, cause=Cause.EMPTY, now=self.now, mains=self.mains_good)

    def _end_test(self, result: Test) -> None:
        self.test = Test.WARNING if result is Test.PASSED and self.flag("replace") else result
        self.charging = self.mains_good and self.charge < 100.0
