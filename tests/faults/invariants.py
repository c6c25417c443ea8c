"""The invariants of the failure catalogue as judges of a recorded history. Each tells what broke it, in words.

They compare what was published with what was so with the simulated UPS, and with the faults that somebody
arranged; they know nothing of how the driver works. A fault counts as over ``RECOVERY`` after its end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.faults.history import History, Said, Truth, spans

__all__ = ["CHECKS", "violations"]

RECOVERY = 20.0
"""Seconds after the end of a fault in which its traces may still be seen: the longest pause between two
openings of a device that was lost many times, and the time to open it and to trust it again."""

PATIENCE = 15.0
"""Seconds that upsmon bears stale data while on battery (DEADTIME)."""

SEEN = 6.0
"""Seconds for which what was so may still be what is said (a beat, a second look, a slow transfer)."""

OUTAGE_SHOWN = 3.0
"""Seconds in which an outage must be published (invariant I3)."""

GLITCH = 2.5
"""Seconds below which a flag on mains must not be shown (invariant I2)."""

CONFIRMED = 40.0
"""Seconds that the driver may take to believe a flag that contradicts everything else."""

FROZEN = 60.0
"""Seconds after which a frozen device must be called stale (invariant I6)."""

_ABSENCES = ("disconnect", "bounce")
"""Faults that consist in leaving the bus."""

_WITHOUT = ("init.waiting", "reconnect.trying")
"""States in which a driver has no device."""

Check = Callable[[History], Iterator[str]]

_FLAGS: dict[str, Callable[[Truth], bool]] = {
    "LB": lambda truth: truth.low,
    "RB": lambda truth: truth.replace or truth.no_battery,
    "OFF": lambda truth: truth.off,
}


def violations(history: History, *, but: frozenset[str] = frozenset()) -> list[str]:
    """Everything that is wrong with a history, each line with the invariant's name."""
    return [
        f"{name}: {text}"
        for name, check in CHECKS.items()
        if name not in but
        for text in check(history)
    ]


def _evidence(history: History) -> Iterator[str]:
    """No OB, LB, RB, OFF appears that was not so a moment before."""
    for moment, _, said, before in _fresh(history):
        new = set(said.words) - set(before.words if before else ())
        if "OB" in new and all(
            truth.mains for truth in history.truths_between(moment - SEEN, moment)
        ):
            yield f"{moment:.1f}: OB while mains were there"
        for word, holds in _FLAGS.items():
            truths = history.truths_between(moment - CONFIRMED, moment)
            if word in new and not any(map(holds, truths)):
                yield f"{moment:.1f}: {word} out of nothing"


def _glitches(history: History) -> Iterator[str]:
    """On mains no flag is shown that lasted no longer than a glitch."""
    for moment, _, said, before in _fresh(history):
        new = set(said.words) - set(before.words if before else ())
        for word in new & _FLAGS.keys():
            lasting = [
                min(end, moment) - begin
                for begin, end, truth in _merged(history, _FLAGS[word])
                if truth and begin <= moment and end >= moment - CONFIRMED
            ]
            on_mains = all(t.mains for t in history.truths_between(moment - SEEN, moment))
            if on_mains and lasting and max(lasting) <= GLITCH:
                yield f"{moment:.1f}: {word} after {max(lasting):.1f} s on mains"


def _outages(history: History) -> Iterator[str]:
    """An outage is shown soon, and its end too, when nothing stands in the way."""
    for begin, end, mains in _merged(history, lambda truth: truth.mains):
        if begin <= history.began:
            continue
        if end - begin <= OUTAGE_SHOWN or history.disturbed(begin - RECOVERY, begin + OUTAGE_SHOWN):
            continue
        wanted = "OL" if mains else "OB"
        until = begin + OUTAGE_SHOWN
        if not any(
            said.fresh and wanted in said.words and start <= until and stop >= begin
            for start, stop, said in spans(history.said, history.ended)
        ):
            yield f"{begin:.1f}: {wanted} was not shown within {OUTAGE_SHOWN:g} s"


def _truthful(history: History) -> Iterator[str]:
    """What is called fresh and stays so is true."""
    mains = list(_merged(history, lambda truth: truth.mains))
    for begin, end, said, _ in _fresh(history):
        for start, stop, there in mains:
            first, last = max(begin, start), min(end, stop)
            wrong = "OB" in said.words if there else "OL" in said.words and "OB" not in said.words
            if not wrong or last - first <= SEEN:
                continue
            if not history.disturbed(first - RECOVERY, last) or last - first > FROZEN + RECOVERY:
                yield f"{first:.1f}: {' '.join(said.words)} for {last - first:.1f} s, not so"


def _staleness(history: History) -> Iterator[str]:
    """Data are stale only because of a fault, and no longer than it and its budget."""
    for begin, _, said in spans(history.said, history.ended):
        if said.fresh or begin < history.began + 5.0:
            continue
        if not history.disturbed(begin - RECOVERY, begin):
            yield f"{begin:.1f}: stale without a fault ({said.reason})"
    for begin, end in _stale(history):
        faults = [f for f in history.faults if f.begins <= end and f.ends + RECOVERY >= begin]
        over = max((fault.ends for fault in faults), default=begin)
        if end - over > RECOVERY:
            yield f"{begin:.1f}: stale until {end:.1f}, the fault was over at {over:.1f}"


def _proofs(history: History) -> Iterator[str]:
    """What was stale becomes fresh by an answer only, so not while the driver says that it has no device."""
    before: Said | None = None
    for begin, _, said in spans(history.said, history.ended):
        if said.fresh and before is not None and not before.fresh and said.state in _WITHOUT:
            yield f"{begin:.1f}: fresh again in {said.state}"
        before = said


def _unplugged(history: History) -> Iterator[str]:
    """A device that is away is called stale in time."""
    for begin, end, present in _merged(history, lambda truth: truth.present):
        if present or end - begin < 2 * RECOVERY:
            continue
        for start, stop, said in spans(history.said, history.ended):
            if said.fresh and min(stop, end) - max(start, begin) > RECOVERY:
                yield f"{begin:.1f}: still fresh {min(stop, end) - begin:.1f} s after it was unplugged"


def _bounces(history: History) -> Iterator[str]:
    """A bounce of 8 s in an outage leaves upsmon's 15 s untouched.

    A device that the driver itself resets is away for a moment too, but for another fault: that is no bounce.
    """
    for begin, end, present in _merged(history, lambda truth: truth.present):
        if present or end - begin > 8.0 or history.was(begin).mains:
            continue
        around = [
            fault
            for fault in history.faults
            if fault.begins < end + RECOVERY and fault.ends > begin - RECOVERY
        ]
        if len(around) != 1 or around[0].what.split()[0] not in _ABSENCES:
            continue
        for start, stop in _stale(history):
            if start <= end and stop >= begin and stop - start >= PATIENCE:
                yield f"{start:.1f}: stale for {stop - start:.1f} s by a bounce of {end - begin:.1f} s"


CHECKS: dict[str, Check] = {
    "I1 evidence": _evidence,
    "I2 glitches": _glitches,
    "I3 outages": _outages,
    "I4 bounces": _bounces,
    "I6 truth": _truthful,
    "I6 staleness": _staleness,
    "I6 proofs": _proofs,
    "I6 unplugged": _unplugged,
}
"""Those that a history of one device can show; the others are measured by tests of their own."""


def _fresh(history: History) -> Iterator[tuple[float, float, Said, Said | None]]:
    """Begin, end and words of what was published as fresh, with what was fresh before it."""
    before: Said | None = None
    for begin, end, said in spans(history.said, history.ended):
        if said.fresh:
            yield begin, end, said, before
            before = said


def _stale(history: History) -> Iterator[tuple[float, float]]:
    begun: float | None = None
    for begin, _, said in spans(history.said, history.ended):
        if not said.fresh:
            begun = begin if begun is None else begun
        elif begun is not None:
            yield begun, begin
            begun = None
    if begun is not None:
        yield begun, history.ended


def _merged(
    history: History, holds: Callable[[Truth], bool]
) -> Iterator[tuple[float, float, bool]]:
    """Stretches in which something held or not."""
    current: tuple[float, float, bool] | None = None
    for begin, end, truth in spans(history.truths, history.ended):
        value = holds(truth)
        if current is not None and current[2] == value:
            current = (current[0], end, value)
        else:
            if current is not None:
                yield current
            current = (begin, end, value)
    if current is not None:
        yield current
