"""Every fixture of the project, read through a real kernel in both ways."""

from __future__ import annotations

import pytest

from tests.vm.bus import FIXTURES, opened, plugged_in
from usbhidups.errors import TransferFailed
from usbhidups.usb.fixture import load

NAMES = sorted(path.stem for path in FIXTURES.glob("*.toml"))


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
