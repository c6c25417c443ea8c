"""A night without mains, on a clock of its own: a simulated UPS, and kill-power as it runs after the halt.

No network, no threads, no waiting: the clock moves by what transfers and pauses take. ``drive_virtual`` in
``tests.simulator`` is the wire; the state directory does not exist, as at the end of a shutdown.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.simulator.transport import DirectTransport, VirtualClock
from usbhidups.configuration import Paths
from usbhidups.errors import DeviceNotFound
from usbhidups.killpower.result import PoweroffResult
from usbhidups.killpower.single import Killpower
from usbhidups.nut.upsconf import Setting, driver_options
from usbhidups.simulator.device import SimulatedDevice
from usbhidups.simulator.output import Switching
from usbhidups.usb.fixture import Fixture
from usbhidups.usb.transport import Transport

__all__ = ["NAME", "Night"]

NAME = "night"
GONE = Path(f"/nonexistent/usbhidups-tests-{os.getpid()}")
"""No directory. Kill-powers of one name wait for each other, so other processes have another."""


class _Port:
    """Opens the simulated device directly."""

    def __init__(self, fixture: Fixture, device: SimulatedDevice, clock: VirtualClock) -> None:
        self._fixture = fixture
        self._device = device
        self._clock = clock

    def open(self) -> Transport:
        self._device.advance(self._clock.now)
        if not self._device.gadget.present:
            raise DeviceNotFound("not on the bus")
        return DirectTransport(self._fixture, self._device, self._clock)

    def close(self) -> None:
        """Nothing is held."""


@dataclass
class Night:
    """One UPS and its host. Times are seconds of the one clock that there is."""

    fixture: Fixture
    options: tuple[str, ...] = ()
    clock: VirtualClock = field(default_factory=VirtualClock)
    said: list[str] = field(default_factory=list)
    killed_at: float = 0.0

    def __post_init__(self) -> None:
        self.device = SimulatedDevice(self.fixture, now=self.clock.now)

    def do(self, line: str) -> object:
        """A command of docs/simulator.md."""
        return self.device.command(line, self.clock.now)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.sleep(seconds)
        self.device.advance(self.clock.now)

    def shut_down(self, *, minutes_on_battery: float = 4.0) -> None:
        """Mains fail, the battery runs down, the host shuts itself down."""
        self.do("charge 100")
        self.do("runtime 900")
        self.do("mains off")
        self.wait(60 * minutes_on_battery)

    def kill_power(self, *, sleep: Callable[[float], None] | None = None) -> PoweroffResult:
        """The late step: no daemon, no state directory."""
        cut = self._killpower(sleep or self.clock.sleep).cut()
        self.killed_at = self.clock.now
        return cut

    def rehearse(self) -> PoweroffResult:
        """``--dry-run``."""
        return self._killpower(self.clock.sleep).rehearse()

    @property
    def load_on(self) -> bool:
        """Whether the host has power."""
        self.device.advance(self.clock.now)
        return self.device.ups.main.on

    @property
    def switchings(self) -> list[Switching]:
        """What happened to the load since the late step."""
        return self.device.history

    @property
    def wrote(self) -> list[str]:
        """The SET_REPORTs that the device got."""
        return [data.hex(" ") for data in self.device.gadget.log.wrote()]

    def cut_after(self) -> float | None:
        """Seconds from the late step to the cut; None: there was none."""
        cuts = [each.at for each in self.device.history if not each.on]
        return cuts[0] - self.killed_at if cuts else None

    def _killpower(self, sleep: Callable[[float], None]) -> Killpower:
        settings = [Setting.from_argument(text) for text in ("port=auto", *self.options)]
        return Killpower(
            program="usbhidups",
            ups=NAME,
            options=driver_options(settings, program="usbhidups"),
            places=Paths(GONE, GONE, GONE, GONE),
            say=self.said.append,
            open_port=lambda _library: _Port(self.fixture, self.device, self.clock),
            clock=self.clock,
            sleep=sleep,
        )
