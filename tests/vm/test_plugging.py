"""Devices that go and come back, and devices that look alike."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from time import monotonic

import pytest

from tests.vm.bus import attach, eventually, fixture, opened, plugged_in, port, unplugged
from usbhidups.errors import DeviceGone, DeviceNotFound, TransferFailed
from usbhidups.usb.transport import Transport

UPS = fixture("051d-0002-apc-back-ups-bk650m2-ch")
REPORT = next(iter(UPS.feature))
WAYS = pytest.mark.parametrize("way", ["hidraw", "libusb"])
SOON = 5.0  # seconds, emulated; a transfer's own limit is 30 in these tests


@WAYS
def test_reconnected_it_is_found_under_its_new_number(way: str) -> None:
    with plugged_in(UPS) as (simulator, (before,)), port(way) as place:
        number = before.number
        first = place.open()
        simulator.command("disconnect")
        unplugged()
        with pytest.raises(DeviceGone):
            first.get_feature(REPORT, 8)
        first.close()
        with pytest.raises((DeviceNotFound, DeviceGone)):  # libusb hears of it later than we do
            place.open()
        simulator.command("reconnect")
        after = attach(simulator.address[1], "1-1")
        assert after.number != number
        second = place.open()
        assert second.get_feature(REPORT, 64) == UPS.feature[REPORT]
        assert second.identity.address == after.number
        second.close()


def gone_during(
    action: Callable[[Transport], object], *, way: str, faults: tuple[str, ...] = ()
) -> float:
    """Unplug the device while ``action`` is in a transfer; seconds from then to DeviceGone."""
    with plugged_in(UPS) as (simulator, _), opened(way) as transport:
        for fault in faults:
            simulator.command(fault)
        started = threading.Event()

        def act() -> float:
            started.set()
            with pytest.raises(DeviceGone):
                action(transport)
            return monotonic()

        with ThreadPoolExecutor(1) as pool:
            ended = pool.submit(act)
            started.wait()
            eventually(lambda: not faults or _asked(simulator.command("state")), "the transfer")
            unplug = monotonic()
            simulator.command("disconnect")
            return ended.result() - unplug


def _asked(state: object) -> bool:
    assert isinstance(state, dict)
    return int(state["requests"]) > 0


@WAYS
def test_unplugged_while_waiting_for_a_report(way: str) -> None:
    assert gone_during(lambda transport: transport.wait_input(30.0), way=way) < SOON


@pytest.mark.parametrize(("way", "limit"), [("hidraw", SOON + 5.0), ("libusb", SOON)])
def test_unplugged_during_a_control_transfer(way: str, limit: float) -> None:
    """hidraw holds a lock during the transfer that unplugging needs, so the kernel's own 5 s pass first."""
    faults = ("forget", f"timeout {REPORT:02x}")

    def ask(transport: Transport) -> None:
        with suppress(TransferFailed):
            transport.get_feature(REPORT, 8)
        transport.get_feature(REPORT, 8)

    assert gone_during(ask, way=way, faults=faults) < limit


def test_identical_devices_are_told_apart_by_their_port() -> None:
    with plugged_in(UPS, UPS) as (simulator, (one, two)):
        simulator.command(f"1-2 report feature {REPORT:02x} {REPORT:02x} 5a")
        for device, changed in ((one, False), (two, True)):
            for way in ("hidraw", "libusb"):
                with opened(way, device.name) as transport:
                    assert transport.identity.port_path == device.name
                    got = transport.get_feature(REPORT, 64)
                    assert (got != UPS.feature[REPORT]) is changed


def test_of_identical_devices_none_is_picked_by_chance() -> None:
    with plugged_in(UPS, UPS) as (_, devices):
        with pytest.raises(DeviceNotFound) as refusal, opened("auto"):
            pass
        for device in devices:
            assert device.name in str(refusal.value)
