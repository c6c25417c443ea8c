"""A HID device made by the kernel itself, on its dummy controller: nothing in it is ours."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.vm.bus import Plugged, eventually, fixture, opened, plugged, unplugged
from tests.vm.gadget import Gadget

FIXTURE = fixture("0764-0501-cyberpower-cp1500epfclcd")
WAYS = pytest.mark.parametrize("way", ["hidraw", "libusb"])


@pytest.fixture
def gadget() -> Iterator[tuple[Gadget, Plugged]]:
    with Gadget(FIXTURE) as made:
        device = eventually(lambda: [one for one in plugged() if one.hidraw], "the gadget")[0]
        yield made, device
    unplugged()


@WAYS
def test_who_it_is(way: str, gadget: tuple[Gadget, Plugged]) -> None:
    with opened(way) as transport:
        who = transport.identity
        assert (who.vendor_id, who.product_id) == (0x0764, 0x0501)
        assert (who.manufacturer, who.product) == ("CPS", "CP1500EPFCLCD")
        assert transport.report_descriptor() == FIXTURE.descriptor


@WAYS
def test_an_input_report_is_taken_whole(way: str, gadget: tuple[Gadget, Plugged]) -> None:
    made, _ = gadget
    report = bytes.fromhex("08 64 f2 3a 2c 01")
    with opened(way) as transport:
        assert transport.wait_input(0.1) is None
        made.send(report)
        assert transport.wait_input(20.0) == report
