"""A day of mixed faults in virtual time, from a seed: ``python -m tests.faults.day --hours 1000``.

Each stretch takes one fixture, lets faults, outages, glitches and absences happen by chance, and judges the
history by the invariants. A seed that fails is printed with the command that plays it again.

No time is passed over: the driver turns through every second of it, as it would by the clock of the wall.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.faults.invariants import violations
from tests.faults.rig import FIXTURES, Rig
from usbhidups.errors import AccessDenied, DeviceBusy

__all__ = ["Outcome", "fixtures", "grown", "main", "play"]

STRETCH = 6 * 3600.0
"""Virtual seconds of one stretch: one fixture, one seed."""

GRAIN = 1.0
CALM = 40.0
"""Seconds without anything arranged after a happening, at least."""

QUIET = 120.0
"""Seconds that are added to them, on the average."""

MIXED = 0.25
"""How often a second thing happens while the first goes on."""

GROWTH = 48 * 1024
"""Bytes by which the driver's objects may be heavier at the end of a stretch than after a third of it:
texts and lists of bounded length are fuller or emptier, and dictionaries and sets that get one name more than
ever double. The largest device, of 750 kB, has gained 30 kB so, and stayed there for 14 hours."""

PAGES = 24.0
"""Megabytes by which a process may grow in the later half of its stretches."""

Happening = Callable[[Rig, random.Random], tuple[str, float]]
"""Arranges something; returns what it is and the seconds after which it is over."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one stretch.

    ``asked`` and ``seconds``: how long it was to be, and was. ``heavier``: bytes that the driver's objects
    gained in the later two thirds. ``megabytes`` and ``descriptors`` are the process's.
    """

    name: str
    seed: int
    asked: float
    seconds: float
    requests: int
    happened: Counter[str]
    wrong: tuple[str, ...]
    heavier: int
    process: int
    megabytes: float
    descriptors: int

    @property
    def again(self) -> str:
        """The command that plays it again."""
        return (
            f"python -m tests.faults.day --fixture {self.name} --seed {self.seed}"
            f" --stretch {self.asked / 3600:g} --only --show"
        )


def fixtures() -> list[str]:
    """Every fixture that begins on mains, by name."""
    names = sorted(path.stem for path in FIXTURES.glob("*.toml"))
    return [name for name in names if not name.endswith(("-on-battery", "-low", "-replace"))]


def play(name: str, seed: int, *, seconds: float = STRETCH, show: bool = False) -> Outcome:
    """One stretch; nothing but the name and the seed decides what happens."""
    chance = random.Random(f"{name} {seed}")
    rig = Rig(name, seed=seed, grain=GRAIN, events=chance.random() < 0.7)
    rig.run(60.0)
    baseline = rig.history.said[-1][1]
    began = rig.clock.now
    happened: Counter[str] = Counter()
    light: int | None = None
    while rig.clock.now < began + seconds:
        over = 0.0
        for happening in _together(chance):
            begun = rig.clock.now
            what, lasts = happening(rig, chance)
            over = max(over, lasts)
            happened[what] += 1
            if show:
                print(f"{begun:9.1f} {what} ({lasts:.1f} s)")
        rig.run(over + CALM + chance.expovariate(1 / QUIET))
        if light is None and rig.clock.now > began + seconds / 3:
            light = rig.weight
    wrong = [*violations(rig.history)]
    end = rig.history.said[-1][1]
    if rig.device.cuts_on_mains():
        wrong.append("the load was cut on mains")
    if baseline.fresh and not end.fresh:
        wrong.append(f"stale at the end: {end.reason}")
    heavier = 0 if light is None else rig.weight - light
    if heavier > GROWTH:
        wrong.append(f"the driver's objects gained {heavier} bytes")
    if show:
        _show(rig)
    return Outcome(
        name=name,
        seed=seed,
        asked=seconds,
        seconds=rig.clock.now - began,
        requests=rig.history.requests,
        happened=happened,
        wrong=tuple(wrong),
        heavier=heavier,
        process=os.getpid(),
        megabytes=_megabytes(),
        descriptors=len(list(Path("/proc/self/fd").iterdir())),
    )


def _show(rig: Rig) -> None:
    history = rig.history
    for moment, truth in history.truths:
        print(f"{moment:9.1f} {truth}")
    for fault in history.faults:
        print(f"{fault.begins:9.1f} {fault}")
    for moment, said in history.said:
        print(f"{moment:9.1f} {said}")


def _megabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _together(chance: random.Random) -> list[Happening]:
    """What happens next, mostly one thing. A frozen device lies, which is judged only where nothing else is."""
    first, second = chance.choices(_HAPPENINGS, _WEIGHTS, k=2)
    alone = chance.random() >= MIXED or first is second or _frozen in (first, second)
    return [first] if alone else [first, second]


# -- what may happen -----------------------------------------------------------------------------


def _outage(rig: Rig, chance: random.Random) -> tuple[str, float]:
    seconds = chance.choice((1.0, 4.0, 12.0, 45.0, 180.0))
    rig.at(0.0, "mains off")
    rig.at(seconds, "mains on")
    return "outage", seconds


def _low(rig: Rig, chance: random.Random) -> tuple[str, float]:
    """An outage that empties the battery, but for a little."""
    seconds = chance.choice((20.0, 60.0))
    rig.at(0.0, "mains off")
    rig.at(5.0, "charge 8")
    rig.at(seconds, "mains on")
    rig.at(seconds + 20.0, "charge 90")
    return "outage until low", seconds + 20.0


def _command(rig: Rig, chance: random.Random) -> tuple[str, float]:
    """A client's wish."""
    name = chance.choice(("beeper.mute", "test.battery.start.quick", "test.battery.stop"))
    rig.submit(name)
    return name, 12.0


def _glitch(rig: Rig, chance: random.Random) -> tuple[str, float]:
    flag = chance.choice(("low", "replace", "off", "no-battery"))
    rig.at(0.0, f"glitch {flag} {chance.uniform(0.1, 2.4):.2f}")
    return f"glitch of {flag}", 3.0


def _order(rig: Rig, chance: random.Random) -> tuple[str, float]:
    line = chance.choice(("test quick", "load 35", "load 15", "charge 80", "charge 100"))
    rig.at(0.0, line)
    return line.split()[0], 12.0


def _zero(rig: Rig, chance: random.Random) -> tuple[str, float]:
    rig.fault("zero all times 1", 10.0)
    return "zero", 10.0


def _transfers(rig: Rig, chance: random.Random) -> tuple[str, float]:
    seconds = chance.choice((3.0, 10.0, 30.0, 90.0))
    kind = chance.choice(
        (
            "stall all", "timeout all", "io all chance 30", "io all", "empty all", "short all 1",
            "misnumber all", "slow all 1.5", "errors", "errors chance 40", "overflow", "wedge",
            "delay 400", "long all 8", "stall all chance 50", "timeout all chance 20",
        )
    )  # fmt: skip
    rig.fault(kind, seconds)
    return kind.split()[0], seconds


def _interrupts(rig: Rig, chance: random.Random) -> tuple[str, float]:
    seconds = chance.choice((10.0, 60.0, 300.0))
    kind = chance.choice(("interrupt-dead", "interrupt-error", "interrupt-stall", "flood 200"))
    rig.fault(kind, seconds)
    return kind.split()[0], seconds


def _absence(rig: Rig, chance: random.Random) -> tuple[str, float]:
    seconds = chance.choice((0.2, 1.0, 5.0, 8.0, 20.0, 120.0))
    what = "absence"
    if chance.random() < 0.4:
        kind = chance.choice(
            ("hid-empty", "junk-descriptor", "strings-stall", "strings-empty", "hid-long")
        )
        rig.fault(kind, seconds + 5.0)
        what = f"absence, then {kind}"
    rig.unplug(seconds)
    if chance.random() < 0.3:
        error = chance.choice(
            (AccessDenied("Permission denied", node="/dev/x"), DeviceBusy("claimed"))
        )
        rig.at(seconds, lambda: rig.refuse(error, 3.0))
        refused = "no rights" if isinstance(error, AccessDenied) else "busy"
        return f"absence, then {refused}", seconds + 6.0
    return what, seconds + 3.0


def _edge(rig: Rig, chance: random.Random) -> tuple[str, float]:
    """The device leaves the bus at the mains edges (C01)."""
    away = chance.choice((0.2, 2.0, 8.0))
    rig.fault(f"bounce {away}", 60.0 + away)
    rig.at(1.0, "mains off")
    rig.at(50.0, "mains on")
    return "bounce at the mains edges", 60.0 + away


def _frozen(rig: Rig, chance: random.Random) -> tuple[str, float]:
    seconds = chance.choice((5.0, 50.0))
    rig.fault("frozen", seconds)
    return "frozen", seconds


_HAPPENINGS: Sequence[Happening] = (
    _outage, _low, _glitch, _order, _command, _zero, _transfers, _interrupts, _absence, _edge, _frozen,
)  # fmt: skip
_WEIGHTS = (4, 1, 4, 2, 2, 2, 5, 2, 4, 2, 1)


# -- many stretches ------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """Play many stretches and tell what came of them; 1 where something was wrong."""
    options = argparse.ArgumentParser(prog="python -m tests.faults.day", description=__doc__)
    options.add_argument("--hours", type=float, default=1000.0, help="virtual hours in all (1000)")
    options.add_argument("--stretch", type=float, default=STRETCH / 3600, help="hours of each (6)")
    options.add_argument("--seed", type=int, default=0, help="the first seed (0)")
    options.add_argument("--fixture", choices=fixtures(), help="one fixture only")
    options.add_argument("--only", action="store_true", help="one stretch only")
    options.add_argument("--show", action="store_true", help="show what happened")
    options.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    given = options.parse_args(arguments)
    names = [given.fixture] if given.fixture else fixtures()
    seconds = given.stretch * 3600
    if given.only:
        outcome = play(names[0], given.seed, seconds=seconds, show=given.show)
        print(*outcome.wrong, sep="\n")
        return 1 if outcome.wrong else 0
    count = max(1, round(given.hours * 3600 / seconds))
    began = time.monotonic()
    outcomes: list[Outcome] = []
    tasks = [
        (names[place % len(names)], given.seed + place // len(names), seconds)
        for place in range(count)
    ]
    for outcome in _played(tasks, given.jobs):
        outcomes.append(outcome)
        if outcome.wrong:
            print(f"{outcome.name} seed {outcome.seed}: {len(outcome.wrong)} wrong")
            print(*(f"    {text}" for text in outcome.wrong[:6]), sep="\n")
            print(f"    {outcome.again}", flush=True)
    bigger = list(grown(outcomes))
    print(*_summary(outcomes), *bigger, sep="\n")
    print(f"{time.monotonic() - began:.0f} s by the clock of the wall, {given.jobs} processes")
    return 1 if bigger or any(outcome.wrong for outcome in outcomes) else 0


def _played(tasks: Sequence[tuple[str, int, float]], jobs: int) -> Iterator[Outcome]:
    """In their order; without ``jobs`` in this process."""
    if not jobs:
        for name, seed, seconds in tasks:
            yield play(name, seed, seconds=seconds)
        return
    with ProcessPoolExecutor(jobs) as pool:
        waiting = [pool.submit(play, name, seed, seconds=seconds) for name, seed, seconds in tasks]
        for task in waiting:
            yield task.result()


def _summary(outcomes: Sequence[Outcome]) -> Iterator[str]:
    happened: Counter[str] = sum((outcome.happened for outcome in outcomes), Counter())
    failed = sum(bool(outcome.wrong) for outcome in outcomes)
    lived = sum(outcome.seconds for outcome in outcomes) / 3600
    requests = sum(outcome.requests for outcome in outcomes)
    for what, times in sorted(happened.items()):
        yield f"{times:7} {what}"
    yield f"{happened.total():7} in all"
    devices = len({outcome.name for outcome in outcomes})
    yield f"{lived:.0f} virtual hours of {devices} devices, {requests} requests;"
    yield f"{failed} of {len(outcomes)} stretches failed;"
    yield f"the driver's objects gained at most {max(o.heavier for o in outcomes)} bytes"


def grown(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Processes that were bigger at their end than half way, or had more descriptors."""
    for process in sorted({outcome.process for outcome in outcomes}):
        own = [outcome for outcome in outcomes if outcome.process == process]
        half, last = own[len(own) // 2], own[-1]
        if last.megabytes - half.megabytes > PAGES or last.descriptors > own[0].descriptors:
            yield (
                f"process {process} grew from {half.megabytes:.0f} to {last.megabytes:.0f} MB,"
                f" from {own[0].descriptors} to {last.descriptors} descriptors"
            )


if __name__ == "__main__":
    logging.disable()
    sys.exit(main())
