"""Time for looking: the machine's for a device, a made-up one for a recording, which then costs no time."""

from __future__ import annotations

import time
from typing import Protocol

__all__ = ["Clock", "MadeUpClock", "RealClock"]


class Clock(Protocol):
    """Seconds of one monotonic clock, and waiting on it."""

    def now(self) -> float: ...
    def sleep(self, seconds: float) -> None: ...


class RealClock:
    """The machine's clock."""

    def now(self) -> float:
        """Seconds since some moment."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class MadeUpClock:
    """A clock that only moves when somebody waits on it."""

    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        """Seconds waited so far."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Move on at once."""
        self._now += max(0.0, seconds)
