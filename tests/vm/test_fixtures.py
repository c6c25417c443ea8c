"""Every fixture of the project, read through a real kernel in both ways."""

from __future__ import annotations

import pytest

from tests.vm.bus import FIXTURES, opened, plugged_in
from usbhidups.errors import TransferFailed
from usbhidups.tools.probe.clock import MadeUpClock
from usbhidups.tools.probe.look import Look, Plan
from usbhidups.ups.loading.library import Library
from usbhidups.usb.fixture import load
from usbhidups.usb.transport import Transport

NAMES = sorted(path.stem for path in FIXTURES.glob("*.toml"))
RECORDED = [name for name in NAMES if "-described-" not in name or name.endswith("-rich")]
LIBRARY = Library()


@pytest.mark.parametrize("name", NAMES)
def test_both_ways_bring_the_recorded_bytes(name: str) -> None:
    recorded = load(FIXTURES / f"{name}.toml")
    with plugged_in(recorded) as (_, (device,)):
        for way in ("hidraw", "libusb"):
            with opened(way) as transport:
                assert transport.report_descriptor() == recorded.descriptor
                for report_id, answer in recorded.feature.items():
                    if isinstance(answer, bytes):
                        got = transport.get_feature(report_id, len(answer))
                        assert got.hex(" ") == answer.hex(" "), way
                    else:
                        with pytest.raises(TransferFailed):
                            transport.get_feature(report_id, 8)
        assert device.driver(recorded.device.interface) == "usbhid"


def variables(transport: Transport) -> dict[str, str]:
    clock = MadeUpClock()
    look = Look(transport, LIBRARY, Plan(), clock)
    look.take()
    return {name: value.text for name, value in look.ups.view(clock.now()).variables.items()}


@pytest.mark.parametrize("name", RECORDED)
def test_both_ways_give_the_same_variables(name: str) -> None:
    with plugged_in(load(FIXTURES / f"{name}.toml")):
        with opened("hidraw") as transport:
            one = variables(transport)
        with opened("libusb") as transport:
            other = variables(transport)
    assert one == other
    assert one["ups.status"]
