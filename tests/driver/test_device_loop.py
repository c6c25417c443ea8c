"""The thread of one device in earnest: left behind when stuck, ended in time, idle when nothing is to do."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.driver_tools import FIXTURES, eventually, running_driver
from tests.faults.rig import Rig, options_of
from usbhidups.configuration import Paths
from usbhidups.driver import device_loop as device_loop_module
from usbhidups.driver import service as service_module
from usbhidups.driver.connect import Connector
from usbhidups.driver.messages import Notice, SnapshotNotice, StateNotice
from usbhidups.driver.server import ClientId
from usbhidups.driver.service import Service
from usbhidups.driver.worker import Worker
from usbhidups.hid.descriptor import ReportType
from usbhidups.nut.session import Instcmd
from usbhidups.nut.upsconf import DriverOptions
from usbhidups.simulator.simulator import Simulator
from usbhidups.stateclient import StateClient
from usbhidups.ups.device import Ups
from usbhidups.ups.loading.library import Library
from usbhidups.usb.fixture import load
from usbhidups.usb.transport import Transport

CPS = FIXTURES / "0764-0501-cyberpower-cp1500epfclcd.toml"
EXIT = 3.0
"""Seconds in which the driver ends, in any state."""


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator([load(CPS)], speed=0) as running:
        yield running


class Control:
    """Nobody is to end or reload anything here."""

    debug = 0

    def exit(self, service: Service, *, status: int = 0) -> None:
        pytest.fail("nobody asked for the end")

    def reload(self, service: Service, *, or_exit: bool) -> int:
        return 0

    def set_debug(self, level: int) -> None:
        return


class StuckOnce:
    """Opens a device, but the first call hangs until it is let go, as in an uninterruptible system call."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector
        self._calls = 0
        self.let_go = threading.Event()
        self.hanging = threading.Event()

    def __call__(self, *, known: Ups | None, now: float) -> tuple[Transport, Ups]:
        self._calls += 1
        if self._calls == 1:
            self.hanging.set()
            self.let_go.wait()
        return self._connector(known=known, now=now)


def test_a_thread_that_hangs_is_left_behind_and_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_module, "REPLACED_AFTER", 0.2)
    options = options_of(f"port=replay:{CPS}")
    connect = StuckOnce(
        Connector.of(options, Library(), Paths(tmp_path, tmp_path, tmp_path, tmp_path))
    )
    workers: list[Worker] = []

    def start_worker(post: object, current: DriverOptions) -> Worker:
        said = post
        assert callable(said)

        def tell(notice: Notice) -> None:
            said(notice)

        worker = Worker(
            name="ups", connect=connect, post=tell, clock=time.monotonic, options=current
        )
        workers.append(worker)
        return worker

    service = Service(
        name="ups",
        program="usbhidups",
        options=options,
        control=Control(),
        start_worker=start_worker,
        wake=lambda: None,
        clock=time.monotonic,
        wall_clock=lambda: "now",
    )
    before = threading.active_count()
    service.start(None)
    assert connect.hanging.wait(EXIT)
    service.command(ClientId(1), Instcmd("beeper.mute", None, "7"))

    def looked_after() -> bool:
        service.settle()
        service.tick()
        return service.fresh

    eventually(looked_after, "another thread serves")
    assert len(workers) >= 2
    connect.let_go.set()
    service.stop(EXIT)
    eventually(lambda: threading.active_count() == before, "both threads end")


def test_an_error_of_its_own_ends_no_thread(
    simulator: Simulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(device_loop_module, "INTERNAL_ERROR_REST", 0.0)
    options = options_of(f"port={simulator.url()}")
    heard: list[Notice] = []
    worker = Worker(
        name="ups",
        connect=Connector.of(options, Library(), Paths(tmp_path, tmp_path, tmp_path, tmp_path)),
        post=heard.append,
        clock=time.monotonic,
        options=options,
    )
    stumbles = [ZeroDivisionError("of a test")]

    def got_report(self: Ups, kind: ReportType, data: bytes, *, now: float) -> None:
        if stumbles:
            raise stumbles.pop()
        right(self, kind, data, now=now)

    right = Ups.got_report
    monkeypatch.setattr(Ups, "got_report", got_report)
    worker.start()
    try:
        eventually(
            lambda: any(isinstance(each, SnapshotNotice) and each.view.fresh for each in heard),
            "it begins anew and reads on",
        )
    finally:
        assert worker.stop(EXIT)
    reasons = [each.reason for each in heard if isinstance(each, StateNotice)]
    assert "an error in the driver: ZeroDivisionError: of a test" in reasons
    assert [each.exc_info is not None for each in caplog.records if each.levelname == "ERROR"] == [
        True
    ]


@pytest.mark.parametrize(
    "state", ["wedge", "disconnect", "flood 1000", "slow all 4", "errors", "interrupt-dead"]
)
def test_it_ends_in_time_whatever_the_device_does(
    state: str, simulator: Simulator, tmp_path: Path
) -> None:
    with running_driver(tmp_path / "run", "u", simulator.url()) as driver:
        driver.wait_for(lambda dump: dump.fresh)
        simulator.command(state)
        if not state.startswith(("flood", "slow", "interrupt")):
            driver.wait_for(lambda dump: not dump.fresh)
        driver.process.send_signal(signal.SIGTERM)
        assert driver.process.wait(EXIT) == 0
        assert not driver.path.exists()


def test_it_ends_in_time_before_there_was_a_device(simulator: Simulator, tmp_path: Path) -> None:
    url = simulator.url("1-1")
    simulator.command("disconnect")
    with running_driver(tmp_path / "run", "u", url) as driver:
        driver.wait_for(lambda dump: dump.variables.get("driver.state") == "init.waiting")
        driver.process.send_signal(signal.SIGTERM)
        assert driver.process.wait(EXIT) == 0
        assert not driver.path.exists()


def test_it_ends_in_time_while_the_device_is_opened(simulator: Simulator, tmp_path: Path) -> None:
    """Opening takes long where nothing is answered; the end does not wait for it."""
    simulator.command("wedge")
    with running_driver(tmp_path / "run", "u", simulator.url()) as driver:
        eventually(driver.path.is_socket, "it listens")
        eventually(lambda: bool(simulator.command("requests")), "it asks the device")
        driver.process.send_signal(signal.SIGTERM)
        assert driver.process.wait(EXIT) == 0


def test_a_thread_that_never_comes_back_holds_up_no_end(tmp_path: Path) -> None:
    """As one in an uninterruptible system call: the process may end without it."""
    options = options_of(f"port=replay:{CPS}")
    connect = StuckOnce(
        Connector.of(options, Library(), Paths(tmp_path, tmp_path, tmp_path, tmp_path))
    )
    worker = Worker(
        name="ups",
        connect=connect,
        post=lambda notice: None,
        clock=time.monotonic,
        options=options,
    )
    before = threading.active_count()
    worker.start()
    assert connect.hanging.wait(EXIT)
    (thread,) = [each for each in threading.enumerate() if each.name == "usb-ups"]
    assert thread.daemon  # the interpreter does not wait for it
    assert not worker.stop(0.2)
    connect.let_go.set()
    eventually(lambda: threading.active_count() == before, "it ends when it can")


@pytest.mark.parametrize("way", ["SIGHUP", "-c reload"])
def test_a_reload_leaves_no_gap(way: str, simulator: Simulator, tmp_path: Path) -> None:
    state = tmp_path / "run"
    with running_driver(state, "u", simulator.url()) as driver:
        driver.wait_for(lambda dump: dump.fresh)
        with socket.socket(socket.AF_UNIX) as watcher:
            watcher.settimeout(EXIT)
            watcher.connect(str(driver.path))
            watcher.sendall(b"DUMPALL\n")
            heard = b""
            while b"DUMPDONE\n" not in heard:
                heard += watcher.recv(65536)
            for _ in range(3):
                if way == "SIGHUP":
                    driver.process.send_signal(signal.SIGHUP)
                else:
                    assert driver.tell("reload") == 0
            with StateClient(driver.path) as client:
                assert client.dump().fresh
            watcher.sendall(b"PING\n")
            heard = b""
            while b"PONG\n" not in heard:
                heard += watcher.recv(65536)
            assert b"DATASTALE" not in heard
            assert b"DELINFO ups.status" not in heard


def test_a_healthy_device_that_announces_is_left_in_peace() -> None:
    rig = Rig("0764-0501-cyberpower-cp1500epfclcd", grain=1.0)
    rig.run(60.0)
    for line in ("mains off", "mains on") * 3:  # the endpoint proves that it announces changes
        rig.do(line)
        rig.run(30.0)
    rig.run(600.0)
    turns, requests = rig.history.turns, rig.device.gadget.log.total
    rig.run(3600.0)
    assert rig.history.turns - turns < 1300
    assert rig.device.gadget.log.total - requests < 2500


@pytest.mark.parametrize("options", [(), ("pollonly",)])
def test_a_healthy_device_costs_a_turn_a_second_at_most(options: tuple[str, ...]) -> None:
    rig = Rig("0764-0501-cyberpower-cp1500epfclcd", *options, grain=1.0)
    rig.run(60.0)
    turns = rig.history.turns
    rig.run(3600.0)
    assert rig.history.turns - turns < 4000


def test_a_flood_does_not_starve_the_polls() -> None:
    rig = Rig("0764-0501-cyberpower-cp1500epfclcd", grain=0.001)
    rig.run(30.0)
    rig.fault("flood 500", 20.0)
    before = [entry.what for entry in rig.device.gadget.log.entries].count("get-feature")
    assert before
    rig.do("forget")
    rig.run(20.0)
    polls = [entry.what for entry in rig.device.gadget.log.entries].count("get-feature")
    assert polls >= 2
    assert rig.status == "OL"
