"""Is what we know still true? Stale is declared when freshness cannot be proven, and only then.

Three proofs count: the mains' report was read lately or announced, the device was not gone for long, and its
measurements still move as they used to (``movement``). An unchanged value and a silent endpoint prove nothing,
neither health nor death.

Time is an argument (seconds of one monotonic clock).
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass

from usbhidups.ups.reading.failures import Failures
from usbhidups.ups.reading.freeze import FreezeDetector

__all__ = ["NEVER", "Freshness", "Health", "Proof", "Trust"]

NEVER = -math.inf
"""The moment of what has not happened."""

GRACE = 4.0
"""Seconds by which a proof may be late before the data are stale, or for which a device may be gone: two cycles
of NUT's default."""

HEALING = 2.0
"""Seconds for which a stale device must do well before it is fresh again; not after it was gone."""

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
    """The mains' state was read or announced ``at`` some time (or NEVER); the next is ``expected`` s later.

    ``asked``: it is read; otherwise it comes when the device likes.
    """

    at: float
    expected: float
    asked: bool = True


class Freshness:
    """Whether the data of one device are good; it outlives a reconnection.

    It looks at ``movement`` and ``failures`` and changes neither.
    """

    def __init__(self, movement: FreezeDetector, failures: Failures) -> None:
        self._movement = movement
        self._failures = failures
        self._lost_at: float | None = None
        self._first_lost_at = math.inf
        self._was_gone = False
        self._returned = False
        self._late = False
        self._proof_seen = NEVER
        self._late_after = NEVER
        self._good_since: float | None = None
        self._woken_at = NEVER

    # -- what happened -----------------------------------------------------------------------

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
            self._first_lost_at = min(self._first_lost_at, now)
            self._was_gone = not self._failures.nothing_works(now)

    def reconnected(self, *, now: float) -> None:
        """The device was opened again."""
        self._lost_at = None
        if self._movement.frozen:
            self._woken_at = now
        else:
            self._returned = self._was_gone

    @property
    def healed_at(self) -> float | None:
        """When a device that answers again will have done well for long enough; None: it need not."""
        return self._good_since + HEALING if self._late and self._good_since is not None else None

    # -- what follows ------------------------------------------------------------------------

    def good_until(self, proof: Proof) -> float:
        """When the data will be stale unless something more is heard; see ``stale``."""
        return min(proof.at + proof.expected, self._first_lost_at) + GRACE

    def stale(self, proof: Proof, *, now: float) -> str:
        """Why freshness is not proven; "" where it is.

        What was stale becomes fresh by an answer only: by the first of a device that was gone, otherwise by one
        that comes when the device has done well for a while (where none can be asked for: by that while). That
        the next may take longer, now that many transfers fail, heals nothing. Nor does the loss of a device
        that was stale: the grace of a lost one is for what was good until then.
        """
        self._proof_seen = proof.at
        if proof.at == NEVER:
            return "the state of the mains was not read yet"
        if proof.at > self._first_lost_at:
            self._proven_again(proof.at)
        reason = self._lapse(proof, now)
        if reason:
            self._lapse_of(NEVER if self._movement.frozen else proof.at)
            return reason
        return self._hurt(proof, now) if self._late else ""

    def reopen(self, *, now: float) -> str:
        """Why the device should be closed and opened again; "" where it should not."""
        if self._lost_at is not None:
            return ""
        return self._failures.nothing_works(now) or self._to_be_woken(now)

    def doubt(self, proof: Proof, *, now: float) -> str:
        """What is suspicious about a device that is not stale; "" where nothing is."""
        if self._lost_at is not None:
            return "the device is being reconnected"
        suspicious = self._movement.suspicious
        if suspicious:
            return suspicious
        late = now - proof.at > proof.expected + GRACE / 2
        return "the device answers late" if late or self._failures.several else ""

    # -- inside ------------------------------------------------------------------------------

    def _proven_again(self, proof_at: float) -> None:
        """The first proof after a loss."""
        self._first_lost_at = math.inf if self._lost_at is None else self._lost_at
        if self._returned:
            self._good_since = proof_at - HEALING
        self._returned = False

    def _lapse(self, proof: Proof, now: float) -> str:
        """Why even data that were good until now are not any more."""
        if now - self._first_lost_at > GRACE:
            return "the device is not connected"
        if now - proof.at > proof.expected + GRACE:
            return _last_read(proof.at, now)
        return self._movement.frozen if self._first_lost_at == math.inf else ""

    def _lapse_of(self, proof_at: float) -> None:
        self._late = True
        self._late_after = proof_at
        self._good_since = None

    def _hurt(self, proof: Proof, now: float) -> str:
        """Why data that were stale are not good yet."""
        if self._lost_at is not None:
            return "the device is not connected"
        if proof.at <= self._late_after:
            return _last_read(proof.at, now)
        well_until = proof.at if proof.asked else now
        if self._good_since is None:
            self._good_since = well_until
        if well_until < self._good_since + HEALING or self._failures.nothing_works(now):
            return "answers again, not for long yet"
        self._late = False
        return ""

    def _to_be_woken(self, now: float) -> str:
        rests = now - self._woken_at <= REOPEN_AGAIN
        return "" if rests else self._movement.frozen


def _last_read(proof_at: float, now: float) -> str:
    return f"the state of the mains was last read {now - proof_at:.0f} s ago"
