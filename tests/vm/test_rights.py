"""Who may open a UPS: the project's udev rules, applied by a real udevd, and the driver as user ``nut``."""

from __future__ import annotations

import grp
import os
import stat
from contextlib import closing
from pathlib import Path

import pytest

from tests.vm.bus import Plugged, attach, eventually, fixture, plugged_in, settle, unplugged
from tests.vm.host import PATIENCE, driver, no_rules, rules, state

UPS = fixture("0764-0501-cyberpower-cp1500epfclcd")


def group_and_mode(node: Path) -> tuple[str, int]:
    found = node.stat()
    return grp.getgrgid(found.st_gid).gr_name, stat.S_IMODE(found.st_mode)


def nodes(device: Plugged) -> list[Path]:
    (hidraw,) = eventually(lambda: device.hidraw, "its hidraw node")
    settle()
    return [device.node, hidraw]


def test_without_rules_nodes_are_roots() -> None:
    with no_rules(), plugged_in(UPS) as (_, (device,)):
        assert {group_and_mode(node)[0] for node in nodes(device)} == {"root"}


def test_with_rules_nodes_are_the_groups() -> None:
    with rules(), plugged_in(UPS) as (_, (device,)):
        assert [group_and_mode(node) for node in nodes(device)] == [("nut", 0o660)] * 2
        assert device.attribute("power/control") == "on"


def test_a_stranger_is_left_alone() -> None:
    with rules(), plugged_in(fixture("2e8a-0005-pico-hid-ups")) as (_, (device,)):
        assert {group_and_mode(node)[0] for node in nodes(device)} == {"root"}


@pytest.mark.parametrize("way", ["hidraw", "libusb"])
def test_the_driver_runs_as_nut(way: str) -> None:
    with rules(), plugged_in(UPS) as (_, (device,)):
        nodes(device)
        with driver(f"transport={way}") as process, closing(state()) as socket:
            socket.good(timeout=PATIENCE)
            assert socket.settled(quiet=2.0, timeout=PATIENCE).variables["ups.status"] == "OL"
            assert os.stat(f"/proc/{process.pid}").st_uid != 0
            assert device.driver() == {"hidraw": "usbhid", "libusb": "usbfs"}[way]
        assert device.driver() == "usbhid"


@pytest.mark.parametrize("way", ["hidraw", "libusb"])
def test_plugged_in_later_and_again(way: str) -> None:
    """The driver starts without a device; then the device comes, goes, and comes again."""
    with rules(), driver(f"transport={way}"), closing(state()) as socket:
        socket.ask("DUMPALL")
        socket.wait_for(lambda line: line.words == ("DATASTALE",), timeout=PATIENCE)
        with plugged_in(UPS) as (simulator, _):
            socket.wait_for(lambda line: line.words == ("DATAOK",), timeout=PATIENCE)
            simulator.command("disconnect")
            unplugged()
            socket.wait_for(lambda line: line.words == ("DATASTALE",), timeout=PATIENCE)
            simulator.command("reconnect")
            attach(simulator.address[1], "1-1")
            socket.wait_for(lambda line: line.words == ("DATAOK",), timeout=PATIENCE)


def test_rights_that_come_late_are_enough() -> None:
    """At boot the driver may be there before udevd has applied its rules (failure C07)."""
    with no_rules(), plugged_in(UPS) as (_, (device,)), driver(), closing(state()) as socket:
        hidraw, node = eventually(lambda: device.hidraw, "its hidraw node")[0], device.node
        socket.ask("DUMPALL")
        socket.wait_for(lambda line: line.words == ("DATASTALE",), timeout=PATIENCE)
        for each in (hidraw, node):
            os.chown(each, 0, grp.getgrnam("nut").gr_gid)
            each.chmod(0o660)
        socket.wait_for(lambda line: line.words == ("DATAOK",), timeout=PATIENCE)
