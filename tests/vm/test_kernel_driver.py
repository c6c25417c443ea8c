"""The kernel's own driver on the UPS: left alone, taken away, given back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.vm.bus import Plugged, eventually, fixture, opened, plugged_in
from usbhidups.errors import DeviceBusy, DeviceNotFound

UPS = fixture("0764-0501-cyberpower-cp1500epfclcd")
USBHID = Path("/sys/bus/usb/drivers/usbhid")


def without_driver(device: Plugged) -> None:
    (USBHID / "unbind").write_text(f"{device.name}:1.0")
    eventually(lambda: device.driver() is None, "the kernel's driver to go")


def test_hidraw_works_beside_it() -> None:
    with plugged_in(UPS) as (_, (device,)), opened("hidraw") as transport:
        assert transport.get_feature(0x08, 6) == UPS.feature[0x08]
        assert device.driver() == "usbhid"


def test_libusb_takes_the_interface_and_gives_it_back() -> None:
    with plugged_in(UPS) as (_, (device,)):
        with opened("libusb") as transport:
            assert transport.get_feature(0x08, 6) == UPS.feature[0x08]
            assert device.driver() == "usbfs"
        assert device.driver() == "usbhid"
        (node,) = eventually(lambda: device.hidraw, "the hidraw node to come back")
        eventually(node.exists, "its device file")


def test_libusb_needs_no_kernel_driver() -> None:
    with plugged_in(UPS) as (_, (device,)):
        without_driver(device)
        with opened("libusb") as transport:
            assert transport.get_feature(0x08, 6) == UPS.feature[0x08]
        assert device.driver() is None


def test_hidraw_says_that_no_driver_is_bound() -> None:
    with plugged_in(UPS) as (_, (device,)):
        without_driver(device)
        with pytest.raises(DeviceNotFound, match="no kernel driver is bound"), opened("hidraw"):
            pass


def test_auto_leaves_the_kernels_driver_where_it_serves() -> None:
    with plugged_in(UPS) as (_, (device,)), opened("auto"):
        assert device.driver() == "usbhid"


def test_auto_does_without_the_kernels_driver() -> None:
    with plugged_in(UPS) as (_, (device,)):
        without_driver(device)
        with opened("auto") as transport:
            assert transport.get_feature(0x08, 6) == UPS.feature[0x08]


def test_a_device_in_use_is_busy() -> None:
    with plugged_in(UPS), opened("libusb") as first:
        with pytest.raises(DeviceBusy), opened("libusb"):
            pass
        assert first.get_feature(0x08, 6) == UPS.feature[0x08]
