"""A HID device made by the kernel itself, on its dummy controller."""

from __future__ import annotations

from pathlib import Path

from tests.vm.bus import eventually, plugged, settle
from tests.vm.gadget import Gadget
from usbhidups.usb.fixture import load

FIXTURE = Path("fixtures/hid-descriptors/0764-0501-cyberpower-cp1500epfclcd.toml")


def test_it_is_there_with_its_descriptor() -> None:
    fixture = load(FIXTURE)
    with Gadget(fixture):
        (device,) = eventually(plugged, "the gadget")
        settle()
        (node,) = eventually(lambda: device.hidraw, "its hidraw node")
        assert (
            Path("/sys/class/hidraw") / node.name / "device/report_descriptor"
        ).read_bytes() == fixture.descriptor
        assert device.driver() == "usbhid"
