"""Memory for several UPSes: one process of ours for all, one of NUT's for each."""

from __future__ import annotations

import contextlib
import tempfile
import time
from pathlib import Path

from benchmarks.processes import Memory, memory
from benchmarks.station import Simulation
from tests.standin.driver import OURS, Driver

__all__ = ["footprint"]

PATIENCE = 60.0
SETTLE = 5.0  # seconds after the last of them has good data


def footprint(program: Path, fixture: str, *, count: int) -> Memory:
    """The memory of all processes together that serve ``count`` UPSes of one kind."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        device = stack.enter_context(Simulation(fixture, folder, count=count))
        if program == OURS:
            drivers = [_one_for_all(folder, device)]
        else:
            drivers = [_one_for_each(program, folder, device, number) for number in range(count)]
        for driver in drivers:
            stack.enter_context(driver)
        for number in range(count):
            driver = drivers[number % len(drivers)]
            driver.connect(_name(number), timeout=PATIENCE).good(timeout=PATIENCE)
        time.sleep(SETTLE)
        found = [memory(driver.process.pid) for driver in drivers]
    return Memory(
        resident=sum(each.resident for each in found),
        proportional=sum(each.proportional for each in found),
    )


def _name(number: int) -> str:
    return f"ups{number}"


def _one_for_all(folder: Path, device: Simulation) -> Driver:
    """The devices are alike, so they are told apart by their port on the stand-in's bus, counted from 1."""
    (folder / "ups.conf").write_text(
        "".join(
            f"[{_name(number)}]\n driver = usbhidups\n port = auto\n transport = libusb\n"
            f" busport = {number + 1:03d}\n"
            for number in range(len(device.devices))
        )
    )
    command = ("run", "-u", "root")
    return Driver(OURS, folder, device.devices, command=command, cache=device.cache)


def _one_for_each(program: Path, folder: Path, device: Simulation, number: int) -> Driver:
    command = ("-F", "-s", _name(number), "-u", "root", "-x", "port=auto")
    devices = [device.devices[number]]
    return Driver(program, folder, devices, command=command, cache=device.cache)
