"""Devices and clients that come and go: memory, threads and file descriptors stay what they were.

Failures G06 and G07, invariant I9. The figures of the long runs are in docs/testing.md.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.driver_tools import DEADLINE, FIXTURES, eventually, running_driver
from tests.faults.rig import Rig, options_of
from usbhidups.configuration import Paths
from usbhidups.driver.connect import Connector
from usbhidups.driver.messages import Found, Notice, SnapshotNotice
from usbhidups.driver.worker import Worker
from usbhidups.simulator.requests import KEPT
from usbhidups.simulator.simulator import Simulator
from usbhidups.ups.loading.library import Library
from usbhidups.usb.fixture import load

CPS = FIXTURES / "0764-0501-cyberpower-cp1500epfclcd.toml"

WARM = 1_000
"""Reconnections after which everything that is kept is there: the simulator's last requests take longest."""

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
        rig.run(0.2)
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
    rig = Rig("2e8a-0005-pico-hid-ups", grain=1.0)
    rig.run(10.0)
    replug(rig, WARM)
    assert len(rig.device.gadget.log.entries) == KEPT
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
        places = Paths(tmp_path, tmp_path, tmp_path, tmp_path)
        worker = Worker(
            name="ups",
            connect=Connector.of(options, Library(), places),
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


def footprint(pid: int) -> tuple[int, int, int]:
    """Descriptors, threads and bytes in memory of another process."""
    status = Path(f"/proc/{pid}/status").read_text()
    said = dict(line.split(":", 1) for line in status.splitlines())
    kilobytes = int(said["VmRSS"].split()[0])
    return len(os.listdir(f"/proc/{pid}/fd")), int(said["Threads"]), 1024 * kilobytes


@pytest.mark.parametrize("clients", [1_000, pytest.param(17_000, marks=pytest.mark.slow)])
def test_a_thousand_clients_come_and_die(clients: int, tmp_path: Path) -> None:
    """They die in the middle of a word, of a dump, of a command, or having said nothing."""
    talk = (b"", b"PI", b"DUMPALL\n" * 20, b"INSTCMD beeper.mute TRACKING 1\n", b'SET a "b\n')

    def visit(times: int) -> None:
        for number in range(times):
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(driver.path))  # waits where too many wait already
                client.settimeout(DEADLINE)
                with contextlib.suppress(BrokenPipeError):  # it may be sent away already
                    client.sendall(talk[number % len(talk)])

    with running_driver(tmp_path, "u", f"replay:{CPS}") as driver:
        driver.wait_for(lambda dump: dump.fresh)
        visit(300)
        assert driver.dump().fresh
        before = footprint(driver.process.pid)
        visit(clients)

        def settled() -> bool:
            now = footprint(driver.process.pid)
            return driver.dump().fresh and now[0] <= before[0] and now[1] <= before[1]

        eventually(settled, "descriptors and threads are what they were")
        assert footprint(driver.process.pid)[2] - before[2] < SLACK


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
        lambda: any_of(notices, lambda n: isinstance(n, SnapshotNotice) and n.view.fresh),
        "data are good",
    )
