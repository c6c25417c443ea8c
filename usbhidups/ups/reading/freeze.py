"""Do the measurements of a device still move as they used to? A controller may hang while its USB part answers.

It finds old bytes that are given out for new ones (failure B08). An unchanged value alone proves nothing, so
the pause between two changes is compared with the longest pause this very device has ever made. Only a device
whose numbers go up and down can be called frozen, and only while its flags are as they were when that was
learnt: a battery that drains or fills moves steadily, and rests when it is done.

Time is an argument (seconds of one monotonic clock).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from usbhidups.hid.descriptor import Field
from usbhidups.hid.report import extract
from usbhidups.ups.reading.wanted import Key

__all__ = ["FreezeDetector", "Life"]

STILL_AT_LEAST = 30.0
STILL_FACTOR = 3.0
"""The pause in which nothing moves that calls a device frozen: so many seconds, and so many times the
longest pause seen. Where pauses end at random, the chance of ever calling a living device frozen is below
1 in 1000 with these and TURNS_TO_LEARN; where the longest is below 10 s, a frozen one is called so within
the 60 s of invariant I6."""

SUSPICIOUS = 0.7
"""The part of that pause after which a device looks suspicious."""

PULSE = 8.0
PULSE_HURRIED = 3.0
"""Seconds between reads of the report that moves most, the same as of the slow cross-check of what is
announced, so that they go together; the second once a read saw it rest longer than ever."""

TURNS_TO_LEARN = 40
"""Turns of a number (up after down, or down after up), at different moments, after which the pauses of a
device count as known."""


@dataclass(slots=True)
class Life:
    """How one report has moved: number of changes and of reads, its numbers, and whether each rose last."""

    changes: int = 0
    reads: int = 0
    numbers: tuple[int | None, ...] = ()
    rose: dict[int, bool] = field(default_factory=dict)

    def turned(self, numbers: tuple[int | None, ...]) -> bool:
        """Take in the numbers; tell whether one of them went the other way than the last time it moved."""
        turned = False
        for place, (old, new) in enumerate(zip(self.numbers, numbers, strict=False)):
            if old is not None and new is not None and old != new:
                turned = turned or self.rose.get(place, new > old) is not (new > old)
                self.rose[place] = new > old
        self.numbers = numbers
        return turned


class FreezeDetector:
    """How the reports of one device move; it outlives a reconnection."""

    def __init__(self, *, now: float) -> None:
        self._lives: dict[Key, Life] = {}
        self._last_bytes: dict[Key, bytes] = {}
        self._moved_at: float | None = None
        self._still_until = now
        self._longest_pause = 0.0
        self._turns = 0
        self._turned_at = now

    # -- what happened -----------------------------------------------------------------------

    def heard(self, key: Key, data: bytes, *, measured: Collection[Field] = (), now: float) -> None:
        """A well-formed report came; the numbers in ``measured`` may be expected to move."""
        before = self._last_bytes.get(key)
        self._last_bytes[key] = bytes(data)
        moved = before is not None and before != data
        if measured:
            life = self._lives.setdefault(key, Life())
            life.reads += 1
            if before != data:
                life.changes += moved
                numbers = tuple(extract(field, data) for field in measured)
                if life.turned(numbers) and now > self._turned_at + 0.5:
                    self._turns += 1
                    self._turned_at = now
            elif life.changes:
                self._still_until = now
        if moved:
            if self._turns:
                self._longest_pause = max(self._longest_pause, self._still())
            self._moved_at = self._still_until = now

    def changed_flags(self, *, now: float) -> None:
        """The UPS does something else now: how its numbers move has to be learnt anew."""
        self._turns = 0
        self._begin_anew(now)

    def lost(self, key: Key) -> None:
        """This report has failed for long: whether it moves is not looked at any more."""
        self._lives.pop(key, None)
        self._last_bytes.pop(key, None)

    def was_away(self, *, now: float) -> None:
        """The device is back: pauses during an absence do not count, a freeze still does."""
        if not self.frozen:
            self._begin_anew(now)

    # -- what follows ------------------------------------------------------------------------

    @property
    def frozen(self) -> str:
        """Why the device must be taken to hang; "" where it need not."""
        limit = self._limit()
        if limit is None or self._still() <= limit:
            return ""
        return (
            f"frozen: no measured value has moved for {self._still():.0f} s, the longest pause"
            f" before was {self._longest_pause:.0f} s"
        )

    @property
    def suspicious(self) -> str:
        """Why it may soon have to be called so; "" where it looks well."""
        limit = self._limit()
        if limit is None or self._still() <= SUSPICIOUS * limit:
            return ""
        return f"no measured value has moved for {self._still():.0f} s"

    def pulse(self) -> tuple[Collection[Key], float]:
        """Reports whose movement is watched, and the seconds between their reads."""
        moving = [
            (life.changes / life.reads, key)
            for key, life in self._lives.items()
            if life.changes and life.reads
        ]
        if not moving:
            return (), PULSE
        moving.sort(key=lambda item: (-item[0], item[1][1]))
        if self._still() > 0.5 * max(PULSE, self._longest_pause) and self._worth_a_hurry():
            return [key for _, key in moving[:4]], PULSE_HURRIED
        return [moving[0][1]], PULSE

    # -- inside ------------------------------------------------------------------------------

    def _begin_anew(self, now: float) -> None:
        if self._moved_at is not None:
            self._moved_at = self._still_until = now

    def _worth_a_hurry(self) -> bool:
        """Whether it matters when exactly something moves again: a freeze may be under way, or the pauses of a
        device that moves often are being learnt."""
        if self._limit() is not None:
            return True
        often = STILL_FACTOR * self._longest_pause < STILL_AT_LEAST
        return often and self._still() < STILL_AT_LEAST

    def _still(self) -> float:
        """Seconds from the last movement to the newest read that saw none: stillness that was looked at."""
        return 0.0 if self._moved_at is None else self._still_until - self._moved_at

    def _limit(self) -> float | None:
        """Seconds of stillness that prove a freeze; None while too little is known of this device."""
        if self._turns < TURNS_TO_LEARN:
            return None
        return max(STILL_AT_LEAST, STILL_FACTOR * self._longest_pause)
