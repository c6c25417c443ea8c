"""Reconnections without end: memory, threads and file descriptors stay what they were (G06, invariant I9)."""

from __future__ import annotations

import logging
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.driver_tools import FIXTURES, eventually
from tests.faults.rig import Rig, options_of
from usbhidups.configuration import Places
from usbhidups.daemon.connect import Connector
from usbhidups.daemon.messages import Found, Notice, ViewNotice
from usbhidups.daemon.worker import Worker
from usbhidups.simulator.simulator import Simulator
from usbhidups.usb.fixture import load

CPS = FIXTURES / "0764-0501-cyberpower-cp1500epfclcd.toml"

WARM = 300
"""Reconnections after which everything that is kept once is there."""

SLACK = 1 << 20
"""Bytes by which the process may grow: allocators round, nothing else."""


def resident() -> int:
    """Bytes of this process in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def opened() -> int:
    """File descriptors of this process."""
    return len(os.listdir("/proc/self/fd"))


def replug(rig: Rig, times: int) -> None:
    """Unplug and plug in again; the rig's own records are thrown away."""
    for _ in range(times):
        rig.do("disconnect 0.05")
        rig.run(0.4)
        rig.history.said[:] = rig.history.said[-1:]
        rig.history.truths[:] = rig.history.truths[-1:]


@pytest.fixture
def unlogged() -> Iterator[None]:
    """Nothing is logged: pytest keeps every line of a test in memory."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.usefixtures("unlogged")
@pytest.mark.parametrize(
    "times", [1_000, pytest.param(100_000, marks=pytest.mark.slow)], ids=["some", "100000"]
)
def test_reconnections_in_virtual_time_leave_nothing_behind(times: int) -> None:
    rig = Rig("0764-0501-cyberpower-cp1500epfclcd", grain=1.0)
    rig.run(10.0)
    replug(rig, WARM)
    before = resident(), opened(), threading.active_count()
    replug(rig, times)
    assert rig.status == "OL"
    assert rig.text("driver.disconnects") == str(WARM + times)
    assert (opened(), threading.active_count()) == before[1:]
    assert resident() - before[0] < SLACK


@pytest.mark.parametrize("times", [20, pytest.param(300, marks=pytest.mark.slow)])
def test_reconnections_over_sockets_leave_nothing_behind(times: int, tmp_path: Path) -> None:
    notices: queue.Queue[Notice] = queue.Queue()
    with Simulator([load(CPS)], speed=0) as simulator:
        options = options_of(f"port={simulator.url()}")
        places = Places(tmp_path, tmp_path, tmp_path, tmp_path)
        worker = Worker(
            name="ups",
            connect=Connector.of(options, places),
            post=notices.put,
            clock=time.monotonic,
            options=options,
        )
        worker.start()
        try:
            wait_until_fresh(notices)
            before = 0
            for number in range(times):
                simulator.command("disconnect 0.01")
                worker.unplugged()
                eventually(lambda: found(notices), "it is opened again")
                wait_until_fresh(notices)
                if number == 5:
                    before = opened()
            assert opened() <= before
            assert threading.active_count() <= 4
        finally:
            assert worker.stop(5.0)


def found(notices: queue.Queue[Notice]) -> bool:
    """Whether a device was opened, among what was said so far."""
    return any_of(notices, lambda notice: isinstance(notice, Found))


def any_of(notices: queue.Queue[Notice], fits: Callable[[Notice], bool]) -> bool:
    while not notices.empty():
        if fits(notices.get()):
            return True
    return False


def wait_until_fresh(notices: queue.Queue[Notice]) -> None:
    """Wait for a view that is fresh."""
    eventually(
        lambda: any_of(notices, lambda n: isinstance(n, ViewNotice) and n.view.fresh),
        "data are good",
    )
