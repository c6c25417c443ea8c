"""A small UPS for the simulator's tests, written out by hand, and ways to talk to it."""

from __future__ import annotations

from collections.abc import Mapping

from usbhidups.simulator.device import SimulatedDevice
from usbhidups.simulator.transfers import Reply, Status
from usbhidups.usb.fixture import Answer, Device, Fixture, Moment, Origin, OriginKind

_DESCRIPTOR = """
05 84 09 04 a1 01           # UPS
  09 24 a1 02               #   PowerSummary
    09 02 a1 02             #     PresentStatus, report 01: eight flags, Feature and Input
      85 01 75 01 95 01 15 00 25 01
      05 85 09 d0 b1 02     #       ACPresent                     bit 0
      09 44 b1 02           #       Charging                      bit 1
      09 45 b1 02           #       Discharging                   bit 2
      09 42 b1 02           #       BelowRemainingCapacityLimit   bit 3
      09 46 b1 02           #       FullyCharged                  bit 4
      05 84 09 69 b1 02     #       ShutdownImminent              bit 5
      05 85 09 4b b1 02     #       NeedReplacement               bit 6
      09 d1 b1 02           #       BatteryPresent                bit 7
      09 d0 81 02 09 44 81 02 09 45 81 02 09 42 81 02
      09 46 81 02 05 84 09 69 81 02 05 85 09 4b 81 02 09 d1 81 02
    c0
    85 02 75 08 25 64       #     report 02: charge in percent, run time in seconds
    09 66 b1 02
    09 68 75 10 27 ff ff 00 00 66 01 10 b1 02
    05 84 15 ff 26 ff 7f    #     reports 03, 04, 05: a timer each
    85 03 09 57 b1 02
    85 04 09 56 b1 02
    85 05 09 55 b1 02
    15 00 26 ff 00 65 00 75 08
    85 08 09 58 b1 02       #     report 08: test, beeper, low limit
    09 5a b1 02
    05 85 09 29 b1 02
  c0
  05 84 09 1a a1 00         #   Input, report 0a: voltage in hundredths
    85 0a 75 10 27 ff ff 00 00 67 21 d1 f0 00 55 05 09 30 b1 02
  c0
  09 1c a1 00               #   Output, report 0b: voltage; 0c: load; 07: two timers in one report
    85 0b 09 30 b1 02
    85 0c 75 08 26 ff 00 65 00 55 00 09 35 b1 02
    85 07 75 10 15 ff 26 ff 7f 66 01 10 09 57 b1 02 09 56 b1 02
  c0
c0
"""

DESCRIPTOR = bytes.fromhex("".join(line.partition("#")[0] for line in _DESCRIPTOR.splitlines()))

ON_MAINS = 0x91  # ACPresent, FullyCharged, BatteryPresent
REPORTS: dict[int, Answer] = {
    0x01: bytes.fromhex("01 91"),
    0x02: bytes.fromhex("02 64 08 07"),  # 100 %, 1800 s
    0x03: bytes.fromhex("03 ff ff"),
    0x04: bytes.fromhex("04 ff ff"),
    0x05: bytes.fromhex("05 ff ff"),
    0x07: bytes.fromhex("07 ff ff ff ff"),
    0x08: bytes.fromhex("08 06 02 14"),  # no test, beeper enabled, low at 20 %
    0x0A: bytes.fromhex("0a d8 59"),  # 230.00 V
    0x0B: bytes.fromhex("0b d8 59"),
    0x0C: bytes.fromhex("0c 14"),  # 20 %
}


def bench(
    *,
    feature: Mapping[int, Answer] | None = None,
    timeline: tuple[Moment, ...] = (),
    descriptor: bytes = DESCRIPTOR,
    interface: int = 0,
) -> Fixture:
    """The fixture of the bench UPS, with other reports or a timeline where wanted."""
    return Fixture(
        device=Device(
            vendor_id=0x1209,
            product_id=0x0001,
            release=0x0102,
            manufacturer="Bench",
            product="UPS",
            interface=interface,
            endpoint_in=0x81 if interface == 0 else 0x84,
        ),
        origin=Origin(kind=OriginKind.MADE_UP),
        descriptor=descriptor,
        complete=True,
        feature=REPORTS if feature is None else feature,
        timeline=timeline,
    )


class Host:
    """The host's side of one simulated device, with a clock that only ``wait`` moves."""

    def __init__(self, fixture: Fixture | None = None, *, speed: float = 1.0) -> None:
        self.now = 1000.0
        self.device = SimulatedDevice(fixture or bench(), speed=speed, now=self.now)

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.device.advance(self.now)

    def do(self, line: str) -> object:
        return self.device.command(line, self.now)

    def request(self, setup: str, data: bytes = b"") -> Reply:
        return self.device.control(bytes.fromhex(setup), data, self.now)

    def feature(self, report_id: int, length: int = 64) -> Reply:
        """GET_REPORT(Feature)."""
        setup = bytes((0xA1, 0x01, report_id, 0x03, 0, 0)) + length.to_bytes(2, "little")
        return self.device.control(setup, b"", self.now)

    def read(self, report_id: int) -> str:
        """The bytes of a Feature report, in hex; the test fails when it does not come."""
        reply = self.feature(report_id)
        assert reply.status is Status.OK
        return reply.data.hex(" ")

    def write(self, text: str) -> Reply:
        """SET_REPORT(Feature) of these bytes, id first."""
        data = bytes.fromhex(text)
        setup = bytes((0x21, 0x09, data[0], 0x03, 0, 0)) + len(data).to_bytes(2, "little")
        return self.device.control(setup, data, self.now)

    def input(self, length: int = 8) -> Reply | None:
        """What the interrupt endpoint has to say now."""
        return self.device.interrupt(1, length, self.now)

    @property
    def load_on(self) -> bool:
        return self.device.ups.main.on
