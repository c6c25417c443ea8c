"""What to read next: status in a steady beat, values in their turn, constants once, nothing too fast.

The beat of the mains' report is about half of pollinterval, so that a change which the device does not
announce is seen after a quarter of it on average; other flags follow in their turn, and at once when that
report changes. Where the interrupt endpoint has been seen to announce every change, control reads become
a slow cross-check. The request rate falls as errors rise (invariant I7); a report that times out twice is
left alone for minutes (B12). What can wait is read together with the beat, so that the thread wakes seldom.

Time is an argument (seconds of one monotonic clock).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from usbhidups.errors import TransferKind
from usbhidups.ups.plan import ReadRequest
from usbhidups.ups.reading.wanted import Key, Rank, Wanted

__all__ = ["CROSS_CHECK", "PollIntervals", "Schedule"]

CROSS_CHECK = 8.0
"""Seconds between control reads of a report that the interrupt endpoint is proven to announce; short
enough to keep awake the controllers that reset without traffic (C03)."""

BEAT = 0.55
"""The beat of the mains' report, of pollinterval."""

LEEWAY = 1 / 6
LEEWAY_MOST = 5.0
"""By how much of its interval, and by how many seconds at most, a report may be read late (or early, where
it would be later than that) to go with the beat."""

MOST_LATE = 5.0
"""Seconds by which the answers of a device that is slow by nature may be late without being missed (B02)."""

ONE_MORE_FAILURE = 2.0
"""Seconds that one more transfer without an answer takes: to be reckoned with where many fail (D11)."""

SHORTEST_TURN = 4.0
"""Seconds, at the least, of which delays are parts when it is chosen what comes first: flags that should be
read each second are not worth so much more than the charge that it comes after minutes."""

READS_TO_KNOW = 10
"""Reads in which a value never moved once, after which it is read half as often: ratings, results of tests,
countdowns that do not run."""

BATCH = 6
"""Reports of lower rank read at once, so that jobs and events are never far away."""

QUARANTINE = 100.0
QUARANTINE_MOST = 3600.0
"""Seconds for which a report that timed out twice is not asked for; doubled each time."""

VITAL_REST = 3.0
VITAL_REST_MOST = 12.0
"""Seconds between tries of a status report that hangs but has answered before: without it nothing is known.
What hung may have been the whole device for a moment, so the rest is short at first and doubled each time; on
battery, where upsmon gives up a UPS that is silent for 15 s, it stays short."""

UNSUPPORTED = 600.0
"""Seconds between tries of a report that was refused from the first."""

_PROOFS_NEEDED = 2  # announced changes after which announcements are trusted
_ERROR_WEIGHT = 0.1  # of the newest transfer in the running error rate


@dataclass(frozen=True, slots=True)
class PollIntervals:
    """Seconds between reads. ``status`` is pollinterval, ``full`` pollfreq; ``gap`` between transfers."""

    status: float = 2.0
    full: float = 30.0
    gap: float = 0.0

    def interval(self, rank: Rank, *, on_battery: bool) -> float:
        """Seconds between two reads of a report of this rank that nothing announces."""
        beat = BEAT * self.status
        if rank is Rank.MAINS:
            return beat
        if rank is Rank.STATUS:
            return beat if on_battery else 6 * self.status
        if rank is Rank.QUICK:
            return 2 * self.status if on_battery else self.full
        if rank is Rank.VALUE:
            return min(10.0, self.full) if on_battery else self.full
        return 20 * self.full


@dataclass(slots=True)
class _Entry:
    wanted: Wanted
    due: float
    last_ok: float | None = None
    last_control: float | None = None
    tried: bool = False
    failures: int = 0
    timeouts: int = 0
    quarantines: int = 0
    revivals: int = 0  # tries because something else answered, since it answered itself
    reads: int = 0
    moved: bool = False  # in any of these reads
    asked: bool = False
    first: bool = False  # of what can be read now, after the mains
    interval: float = 0.0  # after which the next answer was to come, when the last one came
    urgent: bool = True  # its time is to be kept exactly
    latest: float = 0.0  # when it is read even where no beat is due that it could go with

    def plan(self, due: float, *, asked: bool = False, first: bool = False) -> None:
        """Have it read at ``due``, or somewhat later where it can wait."""
        self.due, self.asked, self.first = due, asked, first
        rank = self.wanted.rank
        self.urgent = asked or rank is Rank.MAINS or (rank is Rank.STATUS and not self.tried)
        waits = self.tried and not self.urgent
        self.latest = due + min(LEEWAY * self.interval, LEEWAY_MOST) if waits else due

    @property
    def quarantined(self) -> bool:
        """Whether it is better not asked for: it hung twice in a row.

        Never the status once it has answered: without it nothing is known, so it is tried on and on. What
        hung may have been the whole device, not this report.
        """
        vital = self.wanted.rank <= Rank.STATUS and self.last_ok is not None
        return self.timeouts >= 2 and not vital


class Schedule:
    """The reports of one connection and when each is due."""

    def __init__(self, beat: PollIntervals) -> None:
        self.beat = beat
        self._entries: dict[Key, _Entry] = {}
        self._announcing: dict[Key, int] = {}
        self._suspected: set[Key] = set()
        self._soonest: float | None = None  # the first entry's latest; None: to be worked out
        self._last_transfer: float | None = None
        self._last_key: Key | None = None
        self._resting: set[Key] = set()
        self._error_rate = 0.0
        self._on_battery = False
        self._listening = True
        self._lateness = 0.0

    # -- what is wanted ----------------------------------------------------------------------

    def want(self, reports: Iterable[Wanted], *, now: float) -> None:
        """Replace the list of reports; what is known of those that stay is kept.

        One that is wanted more often than before: its new interval counts from its last answer.
        """
        entries: dict[Key, _Entry] = {}
        for wanted in reports:
            entry = self._entries.get(wanted.key) or _Entry(wanted, now)
            due = entry.due
            if wanted.rank is not entry.wanted.rank:
                entry.wanted = wanted
                due = self._hurried(entry)
            entry.wanted = wanted
            self._plan(entry, due, asked=entry.asked, first=entry.first)
            entries[wanted.key] = entry
        self._entries = entries
        self._soonest = None

    def restart(self, *, now: float) -> None:
        """The device was opened anew: status at once, and what was refused gets a chance.

        A report that timed out keeps its name for it until it answers: it may be the one that made the
        opening necessary (failure B12). Errors count on, so that a new connection is no new storm (I7).
        """
        self._last_transfer = None
        self._suspected.clear()
        self._announcing.clear()  # what was reset has to prove anew that it tells of changes
        for entry in self._entries.values():
            entry.failures = 0
            if entry.wanted.rank > Rank.STATUS and entry.quarantined:
                continue
            if entry.wanted.rank <= Rank.STATUS:
                entry.timeouts = 0
            if entry.wanted.rank <= Rank.STATUS:
                entry.tried = False
                self._plan(entry, now)
            elif entry.wanted.rank is not Rank.CONSTANT or entry.last_ok is None:
                self._plan(entry, min(entry.due, now + 1.0))

    def on_battery(self, *, yes: bool, now: float) -> None:
        """The mains went or came back: new values belong to it, and on battery all is read more often."""
        if yes is self._on_battery:
            return
        self._on_battery = yes
        if yes:
            self._hurry()
        for key, entry in self._entries.items():
            if entry.wanted.rank is Rank.VALUE and entry.last_ok is not None and not entry.failures:
                self.ask(key, at=now)

    def listening(self, *, yes: bool) -> None:
        """Whether anybody waits on the interrupt endpoint; announcements count only while somebody does."""
        if self._listening and not yes:
            self._listening = False
            self._hurry()
        self._listening = yes

    def ask(self, key: Key, *, at: float) -> bool:
        """Have a report read no later than ``at``; False: it is unknown or hangs, and is not."""
        entry = self._entries.get(key)
        if entry is None or entry.timeouts >= 2:
            return False
        self._plan(entry, min(entry.due, at), asked=True, first=True)
        return True

    def ask_status(self, *, at: float) -> None:
        """Have every report that holds flags or countdowns read no later than ``at``: something changed."""
        for key, entry in self._entries.items():
            if entry.wanted.rank <= Rank.QUICK:
                self.ask(key, at=at)

    def ask_within(self, key: Key, seconds: float) -> None:
        """Have a report read again within ``seconds`` of its last answer; one that fails keeps its pauses."""
        entry = self._entries.get(key)
        if entry is not None and entry.last_ok is not None and not entry.failures:
            due = min(entry.due, entry.last_ok + seconds * self.slowness)
            self._plan(entry, due, asked=True, first=entry.first)

    def ask_another(self, key: Key, *, at: float) -> None:
        """Ask for any other report that has worked: is it this report, or the whole device?"""
        for other, entry in self._entries.items():
            if other != key and entry.last_ok is not None and not entry.failures:
                self.ask(other, at=at)
                return

    # -- what happened -----------------------------------------------------------------------

    def answered(self, key: Key, *, moved: bool = True, now: float) -> None:
        """A control read of the report succeeded; ``moved``: with other bytes than the last time."""
        self._transferred(key, now, failed=False)
        self._resting.discard(key)
        if self._resting:
            self._revive(now)
        entry = self._entries.get(key)
        if entry is None:
            return
        entry.tried = True
        entry.reads += 1
        entry.moved = entry.moved or moved
        entry.failures = entry.timeouts = entry.quarantines = entry.revivals = 0
        self._lateness = max(0.8 * self._lateness, now - entry.latest)
        entry.last_ok = entry.last_control = now
        entry.interval = self._interval(entry)
        self._plan(entry, now + entry.interval)

    def announced(self, key: Key, *, now: float) -> None:
        """The interrupt endpoint brought a report: those with the same content need no read this time."""
        for entry in self._entries.values():
            if key in (entry.wanted.announced_by, entry.wanted.key):
                entry.last_ok = now
                last = entry.last_control
                if last is not None and now - last < CROSS_CHECK:
                    entry.interval = self._interval(entry)
                    due = max(entry.due, now + entry.interval)
                    self._plan(entry, due, asked=entry.asked, first=entry.first)

    def failed(self, key: Key, kind: TransferKind, *, now: float) -> None:
        """A control read of the report failed."""
        entry = self._entries.get(key)
        unsupported = kind is TransferKind.STALL and (entry is None or entry.last_ok is None)
        self._transferred(key, now, failed=not unsupported)
        if entry is None:
            return
        entry.tried = True
        entry.failures += 1
        if kind is TransferKind.TIMEOUT:
            entry.timeouts += 1
        pause = self._interval(entry) * min(2 ** (entry.failures - 1), 32)
        if entry.quarantined:
            pause = min(QUARANTINE * 2**entry.quarantines, QUARANTINE_MOST)
            entry.quarantines += 1
        elif unsupported and entry.failures > 1:
            pause = UNSUPPORTED
        elif entry.wanted.rank <= Rank.STATUS:
            pause = min(pause, 5.0)
            if entry.timeouts >= 2:
                doubled = 0 if self._on_battery else min(entry.timeouts - 2, 8)
                pause = min(VITAL_REST * 2**doubled, VITAL_REST_MOST)
                self._resting.add(key)
        else:
            pause = min(pause, 60.0)
        self._plan(entry, now + pause)

    def proof(self, key: Key) -> None:
        """The interrupt endpoint announced a change of this report, and a control read confirmed it."""
        self._announcing[key] = self._announcing.get(key, 0) + 1
        self._suspected.discard(key)

    def suspicion(self, key: Key) -> None:
        """A control read saw a change of this report first: it is polled until it is known whether the
        announcement was only a little late."""
        self._suspected.add(key)
        self._sooner(key)

    def disproof(self, key: Key) -> None:
        """A control read saw a change of this report that had not been announced."""
        self._announcing[key] = 0
        self._suspected.discard(key)
        self._sooner(key)

    # -- what is due -------------------------------------------------------------------------

    def due(self, now: float) -> tuple[ReadRequest, ...]:
        """Reports to read now: the mains', what was asked for, then a few of the others.

        Until each status report was tried once nothing else is read, so that the first view holds them. A
        slow device is asked for the mains again before all is done: so what has waited longest, measured by
        how often it is wanted, comes first, and none is forgotten for the sake of others.
        """
        if self.next_due(now):
            return ()
        entries = self._entries.values()
        urgent = [entry for entry in entries if entry.urgent and entry.due <= now]
        if any(not entry.tried and entry.wanted.rank <= Rank.STATUS for entry in urgent):
            chosen = urgent
        else:
            beats = [entry.interval for entry in urgent if entry.wanted.rank is Rank.MAINS]
            beat = min(beats, default=0.0)  # until the next one
            others = [
                entry
                for entry in entries
                if not entry.urgent and (entry.due <= now or entry.latest < now + beat)
            ]
            others.sort(key=lambda entry: self._turn(entry, now))
            mains = [entry for entry in urgent if entry.wanted.rank is Rank.MAINS]
            rest = [entry for entry in urgent if entry.wanted.rank is not Rank.MAINS]
            rest = sorted([*rest, *others[:BATCH]], key=lambda entry: self._turn(entry, now))
            chosen = [*mains, *rest]
        if self.beat.gap:  # one at a time, but never the same again while others wait
            chosen = [e for e in chosen if e.wanted.key != self._last_key][:1] or chosen[:1]
        return tuple(entry.wanted.request for entry in chosen)

    def next_due(self, now: float) -> float:
        """Seconds until ``due`` has something, 0.0 when it has now."""
        soonest = self._soonest
        if soonest is None:
            soonest = self._soonest = min(
                [entry.latest for entry in self._entries.values()], default=now + self.beat.full
            )
        if self._last_transfer is not None:
            soonest = max(soonest, self._last_transfer + self.beat.gap)
        return max(0.0, soonest - now)

    # -- what is known -----------------------------------------------------------------------

    def tried(self, key: Key) -> bool:
        """Whether the report was answered or refused since the connection began."""
        entry = self._entries.get(key)
        return entry is not None and entry.tried

    def works(self, key: Key) -> bool:
        """Whether the report was answered, or not asked for yet."""
        entry = self._entries.get(key)
        return entry is None or not entry.tried or entry.last_ok is not None

    def can_answer(self, key: Key) -> bool:
        """Whether control reads bring this report, as far as is known."""
        entry = self._entries.get(key)
        return entry is not None and (not entry.tried or entry.last_control is not None)

    def status_tried(self) -> bool:
        """Whether every report of the status ranks was answered or refused at least once."""
        return all(
            entry.tried or entry.last_ok is not None
            for entry in self._entries.values()
            if entry.wanted.rank <= Rank.STATUS
        )

    def expected(self, key: Key) -> float:
        """Seconds after the last answer in which the next is to come, when all is well."""
        entry = self._entries.get(key)
        if entry is None:
            return self.beat.full
        late = min(self._lateness, MOST_LATE) + (ONE_MORE_FAILURE if self.slowness > 1 else 0.0)
        return max(entry.interval, self._interval(entry)) + late

    def lost(self, now: float) -> Mapping[Key, float]:
        """Reports that have failed for so long that their values are worth nothing, and since when."""
        return {
            key: entry.last_ok
            for key, entry in self._entries.items()
            if entry.failures
            and entry.last_ok is not None
            and now - entry.last_ok > max(90.0, 3 * self._interval(entry))
        }

    @property
    def slowness(self) -> float:
        """By how much the beat is stretched because of errors: 1.0 when there are none."""
        for limit, factor in ((0.6, 8.0), (0.3, 4.0), (0.1, 2.0)):
            if self._error_rate > limit:
                return factor
        return 1.0

    def _interval(self, entry: _Entry) -> float:
        rank = entry.wanted.rank
        if rank is Rank.CONSTANT:
            return float("inf")
        seconds = self.beat.interval(rank, on_battery=self._on_battery) * self.slowness
        if rank in (Rank.QUICK, Rank.VALUE) and not self._on_battery:
            seconds *= 2 if entry.reads >= READS_TO_KNOW and not entry.moved else 1
        if self._listening and self._announces(entry.wanted.key):
            seconds = max(seconds, CROSS_CHECK)
        return seconds

    def _announces(self, key: Key) -> bool:
        return key not in self._suspected and self._announcing.get(key, 0) >= _PROOFS_NEEDED

    def _turn(self, entry: _Entry, now: float) -> tuple[bool, float, Rank]:
        """Its place among those that can be read now."""
        usual = self._interval(entry) if entry.tried else self.beat.full
        return not entry.first, (entry.due - now) / max(usual, SHORTEST_TURN), entry.wanted.rank

    def _plan(self, entry: _Entry, due: float, *, asked: bool = False, first: bool = False) -> None:
        entry.plan(due, asked=asked, first=first)
        self._soonest = None

    def _revive(self, now: float) -> None:
        """Something answered: try the resting status reports, at once the first time, then later and later.

        What hung may have been the whole device, and it is back; or it is this report, and others answer.
        """
        for key in tuple(self._resting):
            self._resting.discard(key)
            entry = self._entries.get(key)
            if entry is not None:
                due = now + VITAL_REST * (2**entry.revivals - 1)
                entry.revivals = min(entry.revivals + 1, 8)
                self._plan(entry, min(entry.due, due))

    def _hurry(self) -> None:
        """Intervals became shorter: they count from the last answer on."""
        for key in self._entries:
            self._sooner(key)

    def _sooner(self, key: Key) -> None:
        entry = self._entries.get(key)
        if entry is not None:
            self._plan(entry, self._hurried(entry), asked=entry.asked, first=entry.first)

    def _hurried(self, entry: _Entry) -> float:
        """When it is due if its interval counts from its last answer; one that fails keeps its pauses."""
        if entry.last_ok is None or entry.failures:
            return entry.due
        return min(entry.due, entry.last_ok + self._interval(entry))

    def _transferred(self, key: Key, now: float, *, failed: bool) -> None:
        self._last_transfer, self._last_key = now, key
        self._error_rate += _ERROR_WEIGHT * ((1.0 if failed else 0.0) - self._error_rate)
