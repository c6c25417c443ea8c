"""From the start of the process to good data, with quick and with slow devices."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

from benchmarks.spread import Spread
from benchmarks.station import Simulation
from tests.standin.driver import Driver

__all__ = ["startup"]

PATIENCE = 60.0


def startup(program: Path, fixtures: Iterable[str], *, delay_ms: float, times: int) -> Spread:
    """Seconds to the first DATAOK when each control transfer takes ``delay_ms``: ``times`` per device."""
    return Spread.of(
        seconds
        for fixture in fixtures
        for seconds in _starts(program, fixture, delay_ms=delay_ms, times=times)
    )


def _starts(program: Path, fixture: str, *, delay_ms: float, times: int) -> list[float]:
    found = []
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        with Simulation(fixture, folder) as device:
            if delay_ms:
                device.tell(f"delay {delay_ms}")
            for _ in range(times):
                with Driver(program, folder, device.devices, cache=device.cache) as driver:
                    line = driver.connect(timeout=PATIENCE).good(timeout=PATIENCE)
                    found.append(line.at - driver.started)
    return found
