"""One switched output of a simulated UPS: on or off, its three timers, and a record of every switching.

Times are the UPS's own seconds (``ups.Ups.now``). Timer meanings are those of the Power Device usages
DelayBeforeShutdown, DelayBeforeStartup and DelayBeforeReboot; what firmwares make of them is ``Quirks``.
"""

from __future__ import annotations

import enum
from collections import deque
from dataclasses import dataclass, field

from usbhidups.simulator.quirks import Quirks

__all__ = ["Cause", "Output", "Switching"]

HISTORY = 10_000
MINIMUM_OFF = 5.0
"""Seconds without output that a power supply needs to notice; shorter reboots are stretched to it."""


class Cause(enum.Enum):
    """Why an output was switched."""

    SHUTDOWN = "shutdown timer"
    REBOOT = "reboot timer"
    SWITCH = "switch command"
    EMPTY = "battery empty"
    STARTUP = "startup timer"
    MAINS = "mains returned"
    FIRMWARE = "firmware crash"
    PERSON = "by hand"


@dataclass(frozen=True, slots=True)
class Switching:
    """The output went ``on`` or off ``at`` a time, with mains present or not."""

    at: float
    on: bool
    cause: Cause
    mains: bool

    @property
    def cut_on_mains(self) -> bool:
        """The load was cut although mains was there; ``cause`` says whether that was asked for."""
        return not self.on and self.mains


@dataclass(slots=True)
class Output:
    """Times are absolute; None: the timer is idle. ``waiting``: will come on as soon as mains allows."""

    quirks: Quirks
    on: bool = True
    shutdown_at: float | None = None
    startup_at: float | None = None
    reboot_at: float | None = None
    reboot_until: float | None = None
    waiting: bool = False
    stay_off: bool = False
    off_since: float = 0.0
    _off_time: float = 0.0
    history: deque[Switching] = field(default_factory=lambda: deque(maxlen=HISTORY))

    def order_shutdown(self, seconds: float, now: float, *, mains: bool) -> None:
        """Off in ``seconds``; a negative number cancels."""
        if seconds < 0:
            if not self.quirks.no_cancel:
                self.shutdown_at = None
            return
        if mains and self.quirks.deaf_on_mains:
            return
        if self.quirks.fixed_shutdown_delay is not None:
            seconds = self.quirks.fixed_shutdown_delay
        if self.quirks.minute_grain:
            seconds = seconds // 60 * 60
        if self.on:
            self.shutdown_at = now + seconds

    def order_startup(self, seconds: float, now: float) -> None:
        """On in ``seconds``; 0: as soon as there is mains; a negative number: not by itself."""
        if self.quirks.no_startup_timer:
            return
        self.startup_at = None
        self.waiting = False
        self.stay_off = seconds < 0
        if self.quirks.minute_grain:
            seconds = seconds // 60 * 60
        if seconds > 0:
            self.startup_at = now + seconds
        elif seconds == 0:
            self.waiting = True

    def order_reboot(self, seconds: float, now: float, *, mains: bool, grace: float = 0.0) -> None:
        """Off after ``grace``, on again ``seconds`` later; a negative number cancels nothing."""
        if seconds < 0 or not self.on or (mains and self.quirks.deaf_on_mains):
            return
        wait = grace if self.quirks.reboot_delay is None else self.quirks.reboot_delay
        self.reboot_at, self._off_time = now + wait, seconds
        self._reboot(now, mains=mains)

    def _reboot(self, now: float, *, mains: bool) -> None:
        if self.reboot_at is not None and self.reboot_at <= now:
            self.switch(on=False, cause=Cause.REBOOT, now=now, mains=mains)
            self.reboot_until = now + max(self._off_time, MINIMUM_OFF)

    def switch(self, *, on: bool, cause: Cause, now: float, mains: bool) -> None:
        """Switch and write it down; nothing happens when it is so already."""
        if on == self.on:
            return
        self.on = on
        self.shutdown_at = self.reboot_at = None
        if on:
            self.startup_at = self.reboot_until = None
            self.waiting = self.stay_off = False
        else:
            self.off_since = now
        self.history.append(Switching(now, on, cause, mains))

    def next_event(self, now: float) -> float | None:
        """When a timer acts next, if no mains edge comes before."""
        timers = (self.shutdown_at, self.startup_at, self.reboot_at, self.reboot_until)
        times = [t for t in timers if t is not None]
        if not self.on and self.waiting and self.earliest_return > now:
            times.append(self.earliest_return)
        return min(times, default=None)

    @property
    def earliest_return(self) -> float:
        """No sooner than this does the output come back."""
        fixed = self.quirks.fixed_off_time
        return self.off_since + (MINIMUM_OFF if fixed is None else fixed)

    def act(self, now: float, *, mains: bool, may_start: bool) -> None:
        """Let the timers act that are due at ``now``. ``may_start``: mains, and charge enough."""
        if self.startup_at is not None and self.startup_at <= now:
            self.startup_at = None
            if not self.on:
                self.waiting = True
        if self.reboot_until is not None and self.reboot_until <= now:
            self.reboot_until = None
            self.waiting = True
        self._reboot(now, mains=mains)
        if self.shutdown_at is not None and self.shutdown_at <= now:
            self.switch(on=False, cause=Cause.SHUTDOWN, now=now, mains=mains)
            if self.quirks.fixed_off_time is not None:
                self.waiting = True
        allowed = may_start or self.quirks.start_without_mains
        if not self.on and self.waiting and allowed and now >= self.earliest_return:
            self.switch(on=True, cause=Cause.STARTUP, now=now, mains=mains)

    def mains_returned(self, now: float, *, automatic: bool) -> None:
        """Mains is back (or the charge is enough again): without an order of its own the output comes on."""
        timed = self.startup_at is not None or self.waiting or self.reboot_until is not None
        if not self.on and automatic and not self.stay_off and not timed:
            self.switch(on=True, cause=Cause.MAINS, now=now, mains=True)
