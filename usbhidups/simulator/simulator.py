"""Simulated UPSes behind USB/IP, in a thread of this process or as a program of its own.

with Simulator([fixture], speed=60) as simulator:
    host, port = simulator.address          # usbip://HOST:PORT/1-1
    simulator.command("mains off")
    simulator.command("state")["charge"]
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from usbhidups.simulator.control import carry_out
from usbhidups.simulator.device import SimulatedDevice
from usbhidups.simulator.server import Server
from usbhidups.simulator.setup import SimulatorSetup, look
from usbhidups.usb.fixture import Fixture

__all__ = ["Simulator"]


class Simulator:
    """The devices of ``fixtures`` get the bus ids 1-1, 1-2 … and device numbers from 2 on.

    ``port`` 0: any free one. ``control``: path of a control socket. ``clock``: seconds from any origin.
    """

    def __init__(
        self,
        fixtures: Sequence[Fixture],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        control: Path | None = None,
        speed: float = 1.0,
        seed: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self.devices: dict[str, SimulatedDevice] = {}
        for number, fixture in enumerate(fixtures, 1):
            device = SimulatedDevice(fixture, speed=speed, seed=seed + number, now=clock())
            device.gadget.plug(f"1-{number}", 1, number + 1)
            self.devices[f"1-{number}"] = device
        self._server = Server(self.devices, host=host, port=port, control=control, clock=clock)
        self._thread: threading.Thread | None = None
        self.address = self._server.address

    def url(self, busid: str = "1-1") -> str:
        """Where a USB/IP client finds a device."""
        host, port = self.address
        return f"usbip://{f'[{host}]' if ':' in host else host}:{port}/{busid}"

    def run(self) -> None:
        """Serve in this thread until ``stop`` or the control socket's ``quit``."""
        self._server.run()

    def start(self) -> Self:
        """Serve in a thread."""
        self._thread = threading.Thread(target=self._server.run, name="simulator", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """End it; from any thread, as often as wanted."""
        self._server.stop()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    @property
    def running(self) -> bool:
        """Whether the thread of ``start`` still serves."""
        return self._thread is not None and self._thread.is_alive()

    def wait(self) -> None:
        """Until the thread of ``start`` ends."""
        if self._thread is not None:
            self._thread.join()

    def scenes(self) -> tuple[SimulatorSetup, ...]:
        """What is to be seen of each device now; time passes up to it."""

        def take() -> tuple[SimulatorSetup, ...]:
            now = self._clock()
            return tuple(
                look(device, now, holder=self._server.hub.holder(busid))
                for busid, device in self.devices.items()
            )

        return self._server.call(take)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def command(self, line: str) -> object:
        """Carry out a command as the control socket would (``[BUSID] COMMAND …``). ValueError: not done."""
        return self._server.call(lambda: carry_out(self.devices, line, self._clock()))
