"""How long ``usbhidups probe --json --replay`` takes on each fixture: the whole process, and the look alone.

.venv/bin/python -m benchmarks.probing [--rounds N]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.spread import Spread
from usbhidups.tools.probe.look import Plan
from usbhidups.tools.probe.replay import look_at_recording
from usbhidups.tools.probe.shape import dumps
from usbhidups.ups.loading.library import Library

__all__ = ["Probing", "measure"]

FIXTURES = Path(__file__).parent.parent / "fixtures" / "hid-descriptors"


@dataclass(frozen=True, slots=True)
class Probing:
    """Seconds for each fixture, the median of its rounds."""

    process: Spread
    look: Spread


def measure(fixtures: Iterable[Path], *, rounds: int) -> Probing:
    """Each fixture ``rounds`` times, in a process of its own and within this one."""
    process, look = [], []
    for fixture in fixtures:
        process.append(Spread.of(_process(fixture) for _ in range(rounds)).median)
        look.append(Spread.of(_look(fixture) for _ in range(rounds)).median)
    return Probing(Spread.of(process), Spread.of(look))


def _process(fixture: Path) -> float:
    words = [sys.executable, "-m", "usbhidups", "probe", "--json", "--replay", str(fixture)]
    start = time.perf_counter()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def _look(fixture: Path) -> float:
    start = time.perf_counter()
    dumps([look_at_recording(fixture, Library(), Plan(everything=True, patience=60.0))])
    return time.perf_counter() - start


def main() -> None:
    options = argparse.ArgumentParser(description="probe on every fixture")
    options.add_argument("--rounds", type=int, default=5, help="times each is probed (5)")
    result = measure(sorted(FIXTURES.glob("*.toml")), rounds=options.parse_args().rounds)
    for name, spread in (("process", result.process), ("look alone", result.look)):
        low, high = min(spread.values), max(spread.values)
        print(
            f"{name:<11} median {1e3 * spread.median:6.0f} ms, {1e3 * low:.0f} to {1e3 * high:.0f} ms"
        )


if __name__ == "__main__":
    main()
