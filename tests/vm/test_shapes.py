"""Devices of unusual shape."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.vm.bus import fixture, opened, plugged_in

UPS = fixture("0764-0501-cyberpower-cp1500epfclcd")
WAYS = pytest.mark.parametrize("way", ["hidraw", "libusb"])
VENDOR_COLLECTION = bytes.fromhex("06 00 ff 09 01 a1 01 c0")


@WAYS
def test_the_ups_is_on_interface_1(way: str) -> None:
    composite = replace(UPS, device=replace(UPS.device, interface=1))
    with plugged_in(composite) as (_, (device,)):
        with opened(way) as transport:
            assert transport.identity.interface == 1
            assert transport.get_feature(0x08, 6) == UPS.feature[0x08]
            assert device.driver(0) == "usbhid"
        assert device.driver(1) == "usbhid"


def test_of_a_long_descriptor_the_first_4096_bytes_are_had() -> None:
    """The kernel's HID driver refuses such a device, and usbfs carries no longer control transfer."""
    filler = VENDOR_COLLECTION * ((5000 - len(UPS.descriptor)) // len(VENDOR_COLLECTION))
    long = replace(UPS, descriptor=UPS.descriptor + filler)
    with plugged_in(long) as (_, (device,)):
        assert device.driver() is None
        for way in ("libusb", "auto"):
            with opened(way) as transport:
                assert transport.report_descriptor() == long.descriptor[:4096]
                assert transport.get_feature(0x08, 6) == UPS.feature[0x08]


@WAYS
def test_low_speed_reports_come_in_packets_of_8_bytes(way: str) -> None:
    ups = fixture("051d-0002-apc-back-ups-cs-500")
    long = {
        number: answer
        for number, answer in ups.feature.items()
        if isinstance(answer, bytes) and len(answer) > 4
    }
    with plugged_in(ups) as (_, (device,)), opened(way) as transport:
        assert device.attribute("speed") == "1.5"
        assert device.attribute("bMaxPacketSize0") == "8"
        for number, answer in long.items():
            assert transport.get_feature(number, len(answer)) == answer


@WAYS
def test_an_input_report_arrives(way: str) -> None:
    with plugged_in(UPS) as (simulator, _), opened(way) as transport:
        while transport.wait_input(0.2) is not None:
            pass
        simulator.command("mains off")
        report = transport.wait_input(20.0)
        assert report is not None
        assert report[0] in UPS.input or report[0] in UPS.feature


def test_the_port_is_kept_awake() -> None:
    with plugged_in(UPS) as (_, (device,)):
        control = device.sysfs / "power/control"
        control.write_text("auto")
        with opened("auto"):
            assert control.read_text().strip() == "on"
