"""A day of mixed faults in virtual time, from a seed: ``python -m tests.faults.day --hours 1000``.

Each stretch takes one fixture, lets faults, outages, glitches and absences happen by chance, and judges the
history by the invariants. A seed that fails is printed with the command that plays it again.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from tests.faults.invariants import violations
from tests.faults.rig import FIXTURES, Rig
from usbhidups.errors import AccessDenied, DeviceBusy

__all__ = ["Outcome", "fixtures", "play"]

STRETCH = 6 * 3600.0
"""Virtual seconds of one stretch: one fixture, one seed."""

GRAIN = 1.0
CALM = 40.0
"""Seconds without anything arranged between two happenings, at least."""

Happening = Callable[[Rig, random.Random], float]
"""Arranges something; returns the seconds after which it is over."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one stretch."""

    name: str
    seed: int
    seconds: float
    turns: int
    requests: int
    wrong: tuple[str, ...]

    @property
    def again(self) -> str:
        """The command that plays it again."""
        return f"python -m tests.faults.day --fixture {self.name} --seed {self.seed} --only --show"


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
    until = rig.clock.now + seconds
    while rig.clock.now < until:
        happening = chance.choices(_HAPPENINGS, _WEIGHTS)[0]
        over = happening(rig, chance)
        if show:
            print(f"{rig.clock.now:9.1f} {happening.__name__[1:]:10} {over:7.1f}")
        rig.run(over + CALM + chance.expovariate(1 / 120.0))
    wrong = violations(rig.history)
    if rig.device.cuts_on_mains():
        wrong.append("the load was cut on mains")
    if show:
        for moment, truth in rig.history.truths:
            print(f"{moment:9.1f} {truth}")
        for fault in rig.history.faults:
            print(f"{fault.begins:9.1f} {fault}")
        for moment, said in rig.history.said:
            print(f"{moment:9.1f} {said}")
    end = rig.history.said[-1][1]
    if baseline.fresh and not end.fresh:
        wrong.append(f"stale at the end: {end.reason}")
    history = rig.history
    return Outcome(
        name, seed, history.ended - history.began, history.turns, history.requests, tuple(wrong)
    )


def _outage(rig: Rig, chance: random.Random) -> float:
    seconds = chance.choice((1.0, 4.0, 12.0, 45.0, 180.0))
    rig.at(0.0, "mains off")
    rig.at(seconds, "mains on")
    return seconds


def _glitch(rig: Rig, chance: random.Random) -> float:
    rig.at(
        0.0,
        f"glitch {chance.choice(('low', 'replace', 'off', 'no-battery'))} {chance.uniform(0.1, 2.4):.2f}",
    )
    return 3.0


def _quirky(rig: Rig, chance: random.Random) -> float:
    rig.at(0.0, chance.choice(("test quick", "load 35", "load 15", "charge 80", "charge 100")))
    return 12.0


def _zero(rig: Rig, chance: random.Random) -> float:
    rig.fault("zero all times 1", 10.0)
    return 10.0


def _transfers(rig: Rig, chance: random.Random) -> float:
    seconds = chance.choice((3.0, 10.0, 30.0, 90.0))
    kind = chance.choice(
        (
            "stall all", "timeout all", "io all chance 30", "io all", "empty all", "short all 1",
            "misnumber all", "slow all 1.5", "errors", "errors chance 40", "overflow", "wedge",
            "delay 400", "long all 8", "stall all chance 50", "timeout all chance 20",
        )
    )  # fmt: skip
    rig.fault(kind, seconds)
    return seconds


def _interrupts(rig: Rig, chance: random.Random) -> float:
    seconds = chance.choice((10.0, 60.0, 300.0))
    kind = chance.choice(("interrupt-dead", "interrupt-error", "interrupt-stall", "flood 200"))
    rig.fault(kind, seconds)
    return seconds


def _absence(rig: Rig, chance: random.Random) -> float:
    seconds = chance.choice((0.2, 1.0, 5.0, 8.0, 20.0, 120.0))
    if chance.random() < 0.4:
        kind = chance.choice(
            ("hid-empty", "junk-descriptor", "strings-stall", "strings-empty", "hid-long")
        )
        rig.fault(kind, seconds + 5.0)
    rig.unplug(seconds)
    if chance.random() < 0.3:
        error = chance.choice(
            (AccessDenied("Permission denied", node="/dev/x"), DeviceBusy("claimed"))
        )
        rig.at(seconds, lambda: rig.refuse(error, 3.0))
        return seconds + 6.0
    return seconds + 3.0


def _edge(rig: Rig, chance: random.Random) -> float:
    """The device leaves the bus at the mains edges (C01)."""
    away = chance.choice((0.2, 2.0, 8.0))
    rig.fault(f"bounce {away}", 60.0 + away)
    rig.at(1.0, "mains off")
    rig.at(50.0, "mains on")
    return 60.0 + away


def _frozen(rig: Rig, chance: random.Random) -> float:
    seconds = chance.choice((5.0, 50.0))
    rig.fault("frozen", seconds)
    return seconds


_HAPPENINGS: Sequence[Happening] = (
    _outage, _glitch, _quirky, _zero, _transfers, _interrupts, _absence, _edge, _frozen,
)  # fmt: skip
_WEIGHTS = (4, 4, 2, 2, 5, 2, 4, 2, 1)


def main() -> int:
    """Play many stretches and tell what came of them."""
    options = argparse.ArgumentParser(prog="python -m tests.faults.day", description=__doc__)
    options.add_argument("--hours", type=float, default=1000.0, help="virtual hours in all (1000)")
    options.add_argument("--seed", type=int, default=0, help="the first seed (0)")
    options.add_argument("--fixture", choices=fixtures(), help="one fixture only")
    options.add_argument("--only", action="store_true", help="one stretch only")
    options.add_argument("--show", action="store_true", help="show what happened")
    options.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    given = options.parse_args()
    logging.disable()
    names = [given.fixture] if given.fixture else fixtures()
    if given.only:
        outcome = play(names[0], given.seed, show=given.show)
        print(*outcome.wrong, sep="\n")
        return 1 if outcome.wrong else 0
    count = max(1, round(given.hours * 3600 / STRETCH))
    tasks = [
        (names[place % len(names)], given.seed + place // len(names)) for place in range(count)
    ]
    began = time.monotonic()
    failed = 0
    seconds = 0.0
    with ProcessPoolExecutor(given.jobs) as pool:
        for outcome in pool.map(play, *zip(*tasks, strict=True)):
            seconds += outcome.seconds
            if outcome.wrong:
                failed += 1
                print(f"{outcome.name} seed {outcome.seed}: {len(outcome.wrong)} wrong")
                print(*(f"    {text}" for text in outcome.wrong[:6]), sep="\n")
                print(f"    {outcome.again}", flush=True)
    print(f"{seconds / 3600:.0f} virtual hours, {failed} of {count} stretches failed,")
    print(f"{time.monotonic() - began:.0f} s of wall time")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
