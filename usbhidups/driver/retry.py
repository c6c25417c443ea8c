"""When a lost device is looked for again: soon at first, ever more slowly, and never sooner than it bears.

Three things make a pause: the last attempts failed, the device was lost again and again without having been
well in between (invariant I7), or somebody asks for a rest: the profile (failure B10) or the administrator.
NUT's reconnect_max_tries and reconnect_report_freq count one try per pollinterval at most, as NUT makes them,
however often the bus is looked at. Time is an argument.
"""

from __future__ import annotations

import enum

from usbhidups.nut.upsconf import DriverOptions

__all__ = ["LOOKED_FOR", "Loss", "Retry"]

FIRST = 0.1
ABSENT = 0.25
MOST = 5.0
"""Seconds between attempts: doubled from the first to the most. A device that is not there is looked for more
often for a while, since looking costs nothing and it may be back any moment."""

RELAPSE_MOST = 15.0
"""Seconds before a device is opened again that was lost many times without having been well; on mains."""

RELAPSES_MOST = 16
"""Relapses after which more make no difference."""

STEADY = 10.0
"""Seconds for which a device that was closed by ourselves must be well before that is forgotten: one that is
well until something fails, and then has to be opened again, is no better for it."""

LOOKED_FOR = 120.0
"""Seconds for which a device that left is looked for often."""


class Loss(enum.Enum):
    """How a connection ended."""

    GONE = "gone"  # the device left, or somebody else took it
    CLOSED = "closed"  # by ourselves, since it does not answer
    RESET = "reset"  # by ourselves too, and it will appear on the bus anew without anybody having plugged it in


class Retry:
    """The attempts to open one device. ``options`` may be replaced while running."""

    def __init__(self, options: DriverOptions, *, now: float) -> None:
        self.options = options
        self.losses = 0
        self._not_before = now
        self._rest_until = now
        self._lost_at = now
        self._steady_at = now
        self._steady = 0.0
        self._pause = FIRST
        self._relapses = 0
        self._tries = 0
        self._tried_at: float | None = None

    def due(self, now: float) -> bool:
        """Whether to try now."""
        return now >= self._not_before

    def wait(self, now: float) -> float:
        """Seconds until the next attempt."""
        return max(0.0, self._not_before - now)

    def failed(self, now: float, *, absent: bool) -> int:
        """An attempt failed. Returns the number of this try where it counts as one, else 0."""
        self._not_before = now + self._pause
        often = absent and now - self._lost_at < LOOKED_FOR
        self._pause = min(self._pause * 2, ABSENT if often else MOST)
        if self._tried_at is not None and now - self._tried_at < self.options.pollinterval:
            return 0
        self._tried_at = now
        self._tries += 1
        return self._tries

    def opened(self, now: float) -> None:
        """It is open; whether it is well remains to be seen."""
        self._steady_at = now + self._steady
        self._pause = FIRST
        self._tries = 0
        self._tried_at = None

    def well(self, now: float) -> bool:
        """It is open and its data are good; say whether this has lasted long enough to forget the past."""
        if now < self._steady_at:
            return False
        self._relapses = 0
        return True

    def lost(self, loss: Loss, *, rest: float, urgent: bool, now: float) -> None:
        """The connection was lost; the device must not be opened for ``rest`` seconds.

        ``urgent``: it was on battery, where upsmon's patience is 15 s. That a device appears on the bus after a
        reset is no reason to try at once.
        """
        self.losses += 1
        self._lost_at = now
        relapse = min(FIRST * 2**self._relapses, MOST if urgent else RELAPSE_MOST)
        rest = max(rest, relapse if loss is Loss.RESET else 0.0)
        self._rest_until = now + max(rest, self.options.waitbeforereconnect)
        self._not_before = max(self._rest_until, now + relapse)
        self._relapses = min(self._relapses + 1, RELAPSES_MOST)
        self._steady = 0.0 if loss is Loss.GONE else STEADY
        self._pause = FIRST

    def plugged(self, now: float) -> None:
        """Something appeared on the bus: try at once, when the device has rested."""
        self._not_before = max(self._rest_until, now)
        self._pause = FIRST

    @property
    def exhausted(self) -> bool:
        """Whether the administrator wants no more tries; asked only while a device is lost."""
        return 0 <= self.options.reconnect_max_tries <= self._tries

    def worth_a_line(self, tries: int) -> bool:
        """Whether this try is to be logged (reconnect_report_freq)."""
        every = self.options.reconnect_report_freq
        return every > 0 and tries > 0 and tries % every == 0
