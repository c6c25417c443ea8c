"""The direct transport keeps the driver's Transport protocol, on a virtual clock."""

from __future__ import annotations

import pytest

from tests.simulator.devices import DESCRIPTOR, bench
from tests.simulator.transport import DirectTransport, VirtualClock
from usbhidups.errors import DeviceGone, TransferFailed, TransferKind
from usbhidups.simulator.device import SimulatedDevice
from usbhidups.usb.transport import Transport


class Bench:
    def __init__(self, interface: int = 0) -> None:
        self.clock = VirtualClock()
        self.fixture = bench(interface=interface)
        self.device = SimulatedDevice(self.fixture, now=0.0)
        self.transport: Transport = DirectTransport(self.fixture, self.device, self.clock)

    def do(self, line: str) -> None:
        self.device.command(line, self.clock.now)


@pytest.mark.parametrize("interface", [0, 1])
def test_what_a_driver_needs(interface: int) -> None:
    bus = Bench(interface)
    assert bus.transport.report_descriptor() == DESCRIPTOR
    assert bus.transport.get_feature(2, 4) == bytes.fromhex("02640807")
    assert bus.transport.get_input(1, 2) == bytes.fromhex("0191")
    assert bus.transport.string(2) == "UPS"
    assert bus.transport.string(9) is None
    bus.transport.set_feature(bytes.fromhex("031400"))
    assert bus.device.ups.main.shutdown_at == 20.0
    assert bus.transport.wait_input(2.0) is None
    assert bus.clock.now == 2.0
    bus.do("mains off")
    assert bus.transport.wait_input(2.0) is not None
    assert bus.clock.now == 2.0


def test_failures_have_their_kinds_and_cost_their_time() -> None:
    bus = Bench()
    for fault, kind, cost in (
        ("stall 02", TransferKind.STALL, 0.0),
        ("io 02", TransferKind.IO, 0.0),
        ("long 02", TransferKind.OVERFLOW, 0.0),
        ("timeout 02", TransferKind.TIMEOUT, 5.0),
        ("slow 02 9", TransferKind.TIMEOUT, 5.0),
    ):
        bus.do(fault)
        before = bus.clock.now
        with pytest.raises(TransferFailed) as caught:
            bus.transport.get_feature(2, 4)
        assert caught.value.kind is kind
        assert bus.clock.now - before == cost
        bus.do("clear")
    bus.do("disconnect 1")
    with pytest.raises(DeviceGone):
        bus.transport.get_feature(2, 4)
