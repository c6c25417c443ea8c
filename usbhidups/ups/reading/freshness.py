"""Is what we know still true? Stale is declared when freshness cannot be proven, and only then.

Three proofs count: the mains' report was read lately (or announced), not everything fails, and the device's
measurements still move as they used to. The last one finds a controller that hangs while its USB part goes
on answering with old bytes (failure B08): an unchanged value alone proves nothing, so the pause between two
changes is compared with the longest pause this very device has ever made. Only a device whose numbers go up
and down can be called frozen, and only while its flags are as they were when that was learnt: a battery that
drains or fills moves steadily, and rests when it is done.

Time is an argument (seconds of one monotonic clock).
"""

from __future__ import annotations

import enum
import math
from collections.abc import Collection
from dataclasses import dataclass, field

from usbhidups.errors import TransferKind
from usbhidups.hid.descriptor import Field
from usbhidups.hid.report import extract
from usbhidups.ups.reading.wanted import Key

__all__ = ["Freshness", "Health", "Life", "Proof", "Trust"]

GRACE = 4.0
"""Seconds by which a proof may be late before the data are stale, or for which a device may be gone: two cycles
of NUT's default."""

FAILURES_TO_REOPEN = 3
FAILING_TO_REOPEN = 1.0
AT_ONCE_TO_REOPEN = 8
"""Transfers that fail in a row, with no answer in between, and the seconds that this lasts, before the device
is opened again; and the number that is enough at once. Of twenty reads in one round three in a row fail by
chance where many fail; and a device that fails is not asked more than one that is well (failure B09)."""

STILL_AT_LEAST = 30.0
STILL_FACTOR = 3.0
"""The pause in which nothing moves that calls a device frozen: so many seconds, and so many times the
longest pause seen. Where pauses end at random, the chance of ever calling a living device frozen is below
1 in 1000 with these and TURNS_TO_LEARN; where the longest is below 10 s, a frozen one is called so within
the 60 s of invariant I6."""

PULSE = 8.0
PULSE_HURRIED = 3.0
"""Seconds between reads of the report that moves most, the same as of the slow cross-check of what is
announced, so that they go together; the second once a read saw it rest longer than ever."""

TURNS_TO_LEARN = 40
"""Turns of a number (up after down, or down after up), at different moments, after which the pauses of a
device count as known."""

HEALING = 2.0
"""Seconds for which a stale device must do well before it is fresh again; not after a reconnection."""

REOPEN_AGAIN = 60.0
"""Seconds between two attempts to wake a frozen device by opening it anew."""


class Health(enum.Enum):
    """How much the data may be trusted, and what the owner of the device should do."""

    FRESH = "fresh"
    DOUBTFUL = "doubtful"  # late, or suspiciously still: published as fresh, shown as doubtful
    STALE = "stale"  # freshness is not proven
    REOPEN = "reopen"  # stale or about to be: close the device and open it again


@dataclass(frozen=True, slots=True)
class Trust:
    """How things stand at one moment.

    ``reason`` says why the health is not FRESH. ``stale`` says why freshness is not proven, "" where it is (a
    device that is to be opened again may still be fresh). At ``good_until`` the data are stale unless
    something more is heard.
    """

    health: Health
    reason: str
    stale: str
    good_until: float


@dataclass(frozen=True, slots=True)
class Proof:
    """The mains' state was read or announced ``at`` some time (None: never); the next is ``expected`` s later.

    ``asked``: it is read; otherwise it comes when the device likes.
    """

    at: float | None
    expected: float
    asked: bool = True


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


class Freshness:
    """The proofs of one device; they outlive a reconnection."""

    def __init__(self, *, now: float) -> None:
        self._lives: dict[Key, Life] = {}
        self._last_bytes: dict[Key, bytes] = {}
        self._moved_at: float | None = None
        self._still_until = now
        self._longest_pause = 0.0
        self._turns = 0
        self._turned_at = now
        self._answers = False
        self._failing: list[Key] = []
        self._failing_since: float | None = None
        self._lost_at: float | None = None
        self._first_lost_at = math.inf
        self._late = False
        self._gone = False
        self._returned = False
        self._proof_seen: float | None = None
        self._late_after: float | None = None
        self._good_since: float | None = None
        self._woken_at: float | None = None

    # -- what happened -----------------------------------------------------------------------

    def heard(
        self,
        key: Key,
        data: bytes,
        *,
        measured: Collection[Field] = (),
        announced: bool = False,
        now: float,
    ) -> None:
        """A well-formed report came, asked for or ``announced``; the numbers in ``measured`` may move.

        That a device announces things is no sign that it answers again, if ever it answered. (failure B04)
        """
        self._answers = self._answers or not announced
        if not (announced and self._answers):
            self._failing.clear()
            self._failing_since = None
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
            self._woken_at = None

    def changed_flags(self, *, now: float) -> None:
        """The UPS does something else now: how its numbers move has to be learnt anew."""
        self._turns = 0
        if self._moved_at is not None:
            self._moved_at = self._still_until = now

    def failed(self, key: Key, kind: TransferKind, *, supported: bool, now: float) -> None:
        """A control read failed. A report that never worked and is refused says nothing of the device."""
        if kind is TransferKind.STALL and not supported:
            return
        self._failing.append(key)
        if self._failing_since is None:
            self._failing_since = now

    def lost(self, key: Key) -> None:
        """This report has failed for long: whether it moves is not looked at any more."""
        self._lives.pop(key, None)
        self._last_bytes.pop(key, None)

    def lapsed(self) -> None:
        """A proof came too late; whoever waited for it called the data stale meanwhile."""
        self._lapse_of(self._proof_seen)

    def unproven(self) -> None:
        """The mains' report failed: who has to do well for a while begins again, with another proof."""
        self._returned = False
        if self._late and self._good_since is not None:
            self._lapse_of(self._proof_seen)

    def disconnected(self, *, now: float) -> None:
        """The device is not open any more: gone, or closed because it does not answer."""
        if self._lost_at is None:
            self._lost_at = now
            self._gone = not self._all_fail(now)
            self._first_lost_at = min(self._first_lost_at, now)

    def reconnected(self, *, now: float) -> None:
        """The device was opened again: pauses during the absence do not count, a freeze still does."""
        frozen = bool(self._freeze())
        self._lost_at = None
        self._failing.clear()
        self._failing_since = None
        if frozen:
            self._woken_at = now
            return
        self._returned = self._gone
        if self._moved_at is not None:
            self._moved_at = self._still_until = now

    @property
    def failing(self) -> int:
        """Transfers that failed in a row, with nothing heard in between."""
        return len(self._failing)

    @property
    def healed_at(self) -> float | None:
        """When a device that answers again will have done well for long enough; None: it need not."""
        return self._good_since + HEALING if self._late and self._good_since is not None else None

    # -- what follows ------------------------------------------------------------------------

    def good_until(self, proof: Proof) -> float:
        """When the data will be stale unless something more is heard; see ``stale``."""
        if proof.at is None:
            return -math.inf
        return min(proof.at + proof.expected, self._first_lost_at) + GRACE

    def stale(self, proof: Proof, *, now: float) -> str:
        """Why freshness is not proven; "" where it is.

        What was stale becomes fresh by an answer only: by the first of a device that was gone, otherwise by one
        that comes when the device has done well for a while (where none can be asked for: by that while). That
        the next may take longer, now that many transfers fail, heals nothing. Nor does the loss of a device
        that was stale: the grace of a lost one is for what was good until then.
        """
        self._proof_seen = proof.at
        reason = self._lapse(proof, now)
        if proof.at is None:
            return reason
        if reason:
            self._lapse_of(None if self._freeze() else proof.at)
            return reason
        if not self._late:
            return ""
        if self._lost_at is not None:
            return "the device is not connected"
        if self._late_after is not None and proof.at <= self._late_after:
            return _last_read(proof.at, now)
        if self._good_since is None:
            self._good_since = proof.at if proof.asked else now
        well_until = proof.at if proof.asked else now
        if well_until < self._good_since + HEALING or self._all_fail(now):
            return "answers again, not for long yet"
        self._late = False
        return ""

    def reopen(self, *, now: float) -> str:
        """Why the device should be closed and opened again; "" where it should not."""
        if self._lost_at is not None:
            return ""
        if self._all_fail(now):
            return f"nothing is answered any more ({len(self._failing)} transfers failed)"
        frozen = self._freeze()
        if frozen and (self._woken_at is None or now - self._woken_at > REOPEN_AGAIN):
            return frozen
        return ""

    def doubt(self, proof: Proof, *, now: float) -> str:
        """What is suspicious about a device that is not stale; "" where nothing is."""
        if self._lost_at is not None:
            return "the device is being reconnected"
        limit = self._still_limit()
        still = self._still()
        if limit is not None and still > 0.7 * limit:
            return f"no measured value has moved for {still:.0f} s"
        late = proof.at is not None and now - proof.at > proof.expected + GRACE / 2
        if late or len(self._failing) >= FAILURES_TO_REOPEN:
            return "the device answers late"
        return ""

    def pulse(self, *, now: float) -> tuple[Collection[Key], float]:
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

    def _worth_a_hurry(self) -> bool:
        """Whether it matters when exactly something moves again: a freeze may be under way, or the pauses of a
        device that moves often are being learnt."""
        if self._still_limit() is not None:
            return True
        often = STILL_FACTOR * self._longest_pause < STILL_AT_LEAST
        return often and self._still() < STILL_AT_LEAST

    def _lapse_of(self, proof_at: float | None) -> None:
        self._late = True
        self._late_after = proof_at
        self._good_since = None

    def _lapse(self, proof: Proof, now: float) -> str:
        if proof.at is None:
            return "the state of the mains was not read yet"
        if proof.at > self._first_lost_at:
            self._first_lost_at = math.inf if self._lost_at is None else self._lost_at
            if self._returned:
                self._good_since = proof.at - HEALING
            self._returned = False
        if now - self._first_lost_at > GRACE:
            return "the device is not connected"
        if now - proof.at > proof.expected + GRACE:
            return _last_read(proof.at, now)
        return self._freeze() if self._first_lost_at == math.inf else ""

    def _freeze(self) -> str:
        limit = self._still_limit()
        if limit is None or self._still() <= limit:
            return ""
        return (
            f"frozen: no measured value has moved for {self._still():.0f} s, the longest pause"
            f" before was {self._longest_pause:.0f} s"
        )

    def _still(self) -> float:
        """Seconds from the last movement to the newest read that saw none: stillness that was looked at."""
        return 0.0 if self._moved_at is None else self._still_until - self._moved_at

    def _all_fail(self, now: float) -> bool:
        """Several reports in a row fail, or one that is all there is; slow failures count for more."""
        number = len(self._failing)
        if self._failing_since is None or number < 2:
            return False
        lasting = now - self._failing_since
        enough = FAILING_TO_REOPEN if number >= FAILURES_TO_REOPEN else GRACE
        if lasting < enough and number < AT_ONCE_TO_REOPEN:
            return False
        return len(set(self._failing)) >= 2 or lasting > 2 * GRACE

    def _still_limit(self) -> float | None:
        """Seconds of stillness that prove a freeze; None while too little is known of this device."""
        if self._turns < TURNS_TO_LEARN:
            return None
        return max(STILL_AT_LEAST, STILL_FACTOR * self._longest_pause)


def _last_read(proof_at: float, now: float) -> str:
    return f"the state of the mains was last read {now - proof_at:.0f} s ago"
