"""A driver at work: what it costs while nothing happens, and how fast it tells what does."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import cpu_seconds
from benchmarks.station import Simulation
from tests.standin.driver import Driver
from tests.standin.state import Line, StateSocket

__all__ = ["Idle", "Mode", "idle", "latencies", "recoveries"]

PATIENCE = 60.0
START_WINDOW = 10.0
SETTLE = 20.0  # seconds after the start before the steady state is measured
BETWEEN = 3.0  # seconds between two edges of the mains that are not measured
SHORTEST = 1.0  # seconds between two changes
CYCLES = 4.0  # two of NUT's cycles of 2 s: moments spread over these are at random phase for it


@dataclass(frozen=True, slots=True)
class Mode:
    """How a device tells of a change: the faults that make it so, and a name for people.

    ``outages``: how often the mains go and come back before anything is measured.
    """

    name: str
    faults: tuple[str, ...] = ()
    outages: int = 0


@dataclass(frozen=True, slots=True)
class Idle:
    """``at_start``: control transfers of the first START_WINDOW seconds of good data, the initial reading
    included; ``per_minute`` and ``cpu_per_10_minutes`` (seconds) from the steady state after that."""

    at_start: int
    per_minute: float
    cpu_per_10_minutes: float


@contextmanager
def _at_work(
    program: Path, fixture: str, mode: Mode
) -> Iterator[tuple[Simulation, Driver, StateSocket]]:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        with Simulation(fixture, folder) as device:
            for fault in mode.faults:
                device.tell(fault)
            with Driver(program, folder, device.devices, cache=device.cache) as driver:
                state = driver.connect(timeout=PATIENCE)
                state.good(timeout=PATIENCE)
                for mains, word in (("off", "OB"), ("on", "OL")) * mode.outages:
                    time.sleep(BETWEEN)
                    device.tell(f"mains {mains}")
                    state.wait_for(_says(word), timeout=PATIENCE)
                yield device, driver, state


def idle(program: Path, fixture: str, mode: Mode, *, seconds: float) -> Idle:
    """Watch a driver for ``seconds`` while nothing happens."""
    with _at_work(program, fixture, mode) as (device, driver, _):
        time.sleep(START_WINDOW)
        at_start = device.control_transfers()
        time.sleep(SETTLE - START_WINDOW)
        device.tell("forget")
        before, began = cpu_seconds(driver.process.pid), time.monotonic()
        time.sleep(seconds)
        used, transfers = cpu_seconds(driver.process.pid) - before, device.control_transfers()
        lasted = time.monotonic() - began
    return Idle(
        at_start=at_start,
        per_minute=transfers * 60 / lasted,
        cpu_per_10_minutes=used * 600 / lasted,
    )


def latencies(program: Path, fixture: str, mode: Mode, *, events: int, seed: int) -> list[float]:
    """Seconds from a change of the mains on the device to the status line on the socket.

    The waits between them are drawn one from each of as many equal parts of CYCLES, in random order.
    """
    chance = random.Random(seed)  # noqa: S311
    waits = [SHORTEST + CYCLES * (part + chance.random()) / events for part in range(events)]
    chance.shuffle(waits)
    found = []
    with _at_work(program, fixture, mode) as (device, _, state):
        for number, wait in enumerate(waits):
            time.sleep(wait)
            mains, word = ("off", "OB") if number % 2 == 0 else ("on", "OL")
            given = device.at(f"mains {mains}")
            found.append(state.wait_for(_says(word), timeout=PATIENCE).at - given)
    return found


def recoveries(program: Path, fixture: str, *, bounces: int, seed: int) -> list[float]:
    """Seconds from the return of an unplugged device to good data."""
    chance = random.Random(seed)  # noqa: S311
    found = []
    with _at_work(program, fixture, Mode("bounce")) as (device, _, state):
        for _ in range(bounces):
            time.sleep(chance.uniform(1.0, 3.0))
            device.tell("disconnect")
            state.wait_for(lambda line: line.words == ("DATASTALE",), timeout=PATIENCE)
            time.sleep(chance.uniform(0.0, 2.0))
            given = device.at("reconnect")
            found.append(
                state.wait_for(lambda line: line.words == ("DATAOK",), timeout=PATIENCE).at - given
            )
    return found


class _says:
    """Whether a line is the status with a word in it."""

    def __init__(self, word: str) -> None:
        self._word = word

    def __call__(self, line: Line) -> bool:
        return line.words[:2] == ("SETINFO", "ups.status") and self._word in line.words[2].split()
