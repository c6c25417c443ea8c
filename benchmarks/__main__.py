"""``python -m benchmarks [--nut PATH…]``: measure everything, write the table into docs/benchmarks.md.

Takes some five minutes. Nothing else should run meanwhile: the drivers themselves are nearly idle, but a
latency of some milliseconds shows whatever else wants the processor.
"""

from __future__ import annotations

import argparse
import compileall
import platform
import re
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from benchmarks import parsing
from benchmarks.figures import Figure, table
from benchmarks.memory import footprint
from benchmarks.running import Idle, Mode, idle, latencies, recoveries
from benchmarks.spread import Spread
from benchmarks.startup import startup
from benchmarks.station import REPOSITORY
from tests.standin.driver import NUT, OURS

DOCUMENT = REPOSITORY / "docs/benchmarks.md"
TABLE = re.compile(r"(?<=<!-- table -->\n).*(?=<!-- end of table -->)", re.DOTALL)

FIXTURES = (
    "0764-0501-cyberpower-cp1500epfclcd",
    "051d-0002-apc-back-ups-bk650m2-ch",
    "0463-ffff-eaton-3s",
)
MODES = (
    Mode("interrupt report"),
    Mode("interrupt report of a device that repeats its reports", ("flood 1",)),
    Mode("feature-only change", ("interrupt-dead",)),
)
QUIET = (Mode("nothing announced yet"), Mode("after two outages, announced", outages=2))
DELAYS_MS = (0, 5, 20)
COUNTS = (1, 4, 16)
STARTS = 3  # per device
EVENTS = 68  # per device: the median of some 200 moments at random phase is good to a thirtieth
BOUNCES = 6  # per device
WATCH = 60.0  # seconds of the steady state

Programs = Mapping[str, Path]


def starts(programs: Programs) -> list[Figure]:
    """One driver at a time, so that nothing disturbs it."""
    figures = []
    for delay in DELAYS_MS:
        found = {
            name: startup(program, FIXTURES, delay_ms=delay, times=STARTS).median
            for name, program in programs.items()
        }
        words = f"start to first DATAOK, {delay} ms a transfer"
        figures.append(Figure(words, "s", found, ratio=None if delay == 5 else 0.25, digits=3))
    return figures


def at_work(programs: Programs, *, seed: int) -> list[Figure]:
    """All devices at once: a driver waits nearly all of the time."""
    idles: dict[tuple[Mode, str], list[Future[Idle]]] = {}
    changes: dict[tuple[Mode, str], list[Future[list[float]]]] = {}
    bounces: dict[str, list[Future[list[float]]]] = {}
    with ThreadPoolExecutor(64) as pool:
        for number, fixture in enumerate(FIXTURES):
            for name, program in programs.items():
                chance = {"seed": seed + number}
                for quiet in QUIET:
                    idles.setdefault((quiet, name), []).append(
                        pool.submit(idle, program, fixture, quiet, seconds=WATCH)
                    )
                for mode in MODES:
                    changes.setdefault((mode, name), []).append(
                        pool.submit(latencies, program, fixture, mode, events=EVENTS, **chance)
                    )
                bounces.setdefault(name, []).append(
                    pool.submit(recoveries, program, fixture, bounces=BOUNCES, **chance)
                )
    spreads = {key: _spread(jobs) for key, jobs in changes.items()}
    back = {name: _spread(jobs) for name, jobs in bounces.items()}
    steady = {key: [job.result() for job in jobs] for key, jobs in idles.items()}
    return [
        *(
            figure
            for quiet in QUIET
            for figure in _costs(quiet, {name: steady[quiet, name] for name in programs})
        ),
        *(
            figure
            for mode in MODES
            for figure in _latency(mode, {n: spreads[mode, n] for n in programs})
        ),
        Figure(
            "recovery, from re-enumeration to DATAOK, median",
            "s",
            {name: spread.median for name, spread in back.items()},
            ratio=1 / 3,
        ),
    ]


def _spread(jobs: list[Future[list[float]]]) -> Spread:
    return Spread.of(value for job in jobs for value in job.result())


def _costs(mode: Mode, steady: Mapping[str, list[Idle]]) -> list[Figure]:
    def mean(value: str) -> dict[str, float]:
        return {
            name: sum(getattr(one, value) for one in found) / len(found)
            for name, found in steady.items()
        }

    figures = [
        Figure(
            f"control transfers a minute, {mode.name}", "", mean("per_minute"), ratio=0.6, digits=0
        ),
        Figure(
            f"CPU in 10 minutes, {mode.name}", "s", mean("cpu_per_10_minutes"), ratio=1.0, digits=3
        ),
    ]
    if mode.outages:
        return figures
    begun = mean("at_start")
    start = Figure("control transfers, start and first 10 s", "", begun, ratio=0.6, digits=0)
    return [start, *figures]


def _latency(mode: Mode, found: Mapping[str, Spread]) -> list[Figure]:
    p50 = {name: spread.median for name, spread in found.items()}
    p99 = {name: spread.p99 for name, spread in found.items()}
    worst = {name: spread.greatest for name, spread in found.items()}
    feature = "feature" in mode.name
    return [
        Figure(f"{mode.name} to socket, p50", "ms", p50, 0.6 if feature else 1 / 20, None, 1e3, 1),
        Figure(
            f"{mode.name} to socket, p99",
            "ms",
            p99,
            0.6 if feature else None,
            None if feature else 0.020,
            1e3,
            1,
        ),
        Figure(f"{mode.name} to socket, worst", "ms", worst, None, None, 1e3, 1),
    ]


def memories(programs: Programs) -> list[Figure]:
    """One process of ours for all UPSes, one of the others for each."""
    figures = []
    found = {
        (name, count): footprint(program, FIXTURES[0], count=count)
        for count in COUNTS
        for name, program in programs.items()
    }
    for count in COUNTS:
        plural = "1 UPS" if count == 1 else f"{count} UPSes"
        resident = {name: found[name, count].resident for name in programs}
        shared = {name: found[name, count].proportional for name in programs}
        most = 20.0 if count == 1 else None
        figures.append(Figure(f"resident memory, {plural}", "MB", resident, most=most, digits=1))
        figures.append(Figure(f"proportional memory, {plural}", "MB", shared, digits=1))
    last = COUNTS[-1]
    each = {
        name: (found[name, last].resident - found[name, 1].resident) / (last - 1)
        for name in programs
    }
    figures.append(Figure("resident memory of each further UPS", "MB", each, most=0.3))
    return figures


def descriptors() -> list[Figure]:
    """Beside hid-tools, not NUT."""
    result = parsing.measure(parsing.descriptors(), rounds=9)
    values = {"": sum(result.ours), "hid-tools": sum(result.theirs)}
    name = f"parsing {len(result.ours)} report descriptors"
    return [Figure(name, "ms", values, ratio=1 / 3, scale=1e3, digits=1)]


def circumstances() -> str:
    """The machine and the versions, for the reader of the table."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    return (
        f"{model[1] if model else platform.machine()}; Linux {platform.release().split('-')[0]}; "
        f"Python {platform.python_version()}; commit {commit.stdout.strip()}; `python -m benchmarks"
        f"{''.join(f' {word}' for word in sys.argv[1:])}`.\n"
    )


def main() -> None:
    """Measure, print, and write the document."""
    options = argparse.ArgumentParser(description="this driver beside NUT's, on the same devices")
    options.add_argument("--nut", type=Path, action="append", help=f"NUT's driver (default {NUT})")
    options.add_argument(
        "--seed", type=int, default=1, help="of the moments at which things happen"
    )
    asked = options.parse_args()
    others = asked.nut or [NUT]
    labels = ["NUT" if path == NUT else str(path) for path in others]
    programs = {"": OURS, **dict(zip(labels, others, strict=True))}
    compileall.compile_dir(REPOSITORY / "usbhidups", quiet=1)  # as every installation does
    against_nut = [*starts(programs), *at_work(programs, seed=asked.seed), *memories(programs)]
    text = f"{table(against_nut, labels)}\n{table(descriptors(), ['hid-tools'])}\n{circumstances()}"
    sys.stdout.write(text)
    DOCUMENT.write_text(TABLE.sub(lambda _: text, DOCUMENT.read_text()))


main()
