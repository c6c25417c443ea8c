"""What the guest's kernel has plugged in, and plugging things into it by USB/IP."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import TypeVar

from usbhidups.identity import Identity
from usbhidups.simulator.simulator import Simulator
from usbhidups.usb.fixture import Fixture, load
from usbhidups.usb.ports import Port, make_port
from usbhidups.usb.transport import Transport

__all__ = [
    "Plugged",
    "attach",
    "eventually",
    "fixture",
    "opened",
    "plugged",
    "plugged_in",
    "port",
    "settle",
    "unplugged",
]

FIXTURES = Path(__file__).parents[2] / "fixtures/hid-descriptors"

DEVICES = Path("/sys/bus/usb/devices")
CONTROLLERS = Path("/sys/devices/platform")
PATIENCE = 30.0  # an emulated processor's seconds are short

Found = TypeVar("Found")


def eventually(look: Callable[[], Found | None], what: str) -> Found:
    """What ``look`` finds, as soon as it finds something. The kernel gives no event for much of this."""
    until = monotonic() + PATIENCE
    while True:
        found = look()
        if found:
            return found
        if monotonic() > until:
            raise TimeoutError(f"not within {PATIENCE:.0f} s: {what}")
        sleep(0.02)


def settle() -> None:
    """Wait until udevd has dealt with all events so far."""
    subprocess.run(["udevadm", "settle", f"--timeout={PATIENCE:.0f}"], check=True)


@dataclass(frozen=True, slots=True)
class Plugged:
    """A device that the kernel has enumerated; ``name`` is its place, such as ``1-1``."""

    name: str

    @property
    def sysfs(self) -> Path:
        return DEVICES / self.name

    def attribute(self, name: str) -> str:
        return (self.sysfs / name).read_text().strip()

    @property
    def number(self) -> int:
        """The kernel's number for it, another one after each plugging in."""
        return int(self.attribute("devnum"))

    @property
    def node(self) -> Path:
        """Its node below /dev/bus/usb."""
        return Path(f"/dev/bus/usb/{int(self.attribute('busnum')):03d}/{self.number:03d}")

    @property
    def hidraw(self) -> list[Path]:
        """The hidraw nodes of its interfaces."""
        return [Path("/dev") / found.name for found in self.sysfs.glob("*:*/*/hidraw/hidraw*")]

    @property
    def complete(self) -> bool:
        """Whether all interfaces are there, and the kernel's driver has tried each."""
        count = self.sysfs / "bNumInterfaces"
        text = count.read_text().strip() if count.exists() else ""
        interfaces = list(self.sysfs.glob(f"{self.name}:*"))
        return bool(text) and len(interfaces) == int(text)

    def driver(self, interface: int = 0) -> str | None:
        """The name of the kernel driver that holds an interface."""
        link = self.sysfs / f"{self.name}:1.{interface}" / "driver"
        return link.resolve().name if link.exists() else None


def plugged() -> list[Plugged]:
    """All devices but the root hubs."""
    return [
        Plugged(found.name)
        for found in sorted(DEVICES.iterdir())
        if ":" not in found.name and not found.name.startswith("usb")
    ]


def attach(port: int, bus_id: str) -> Plugged:
    """Plug in what the USB/IP server on ``port`` exports as ``bus_id``, and wait until it is set up."""
    before = {found.name for found in plugged()}
    subprocess.run(
        ["usbip", "--tcp-port", str(port), "attach", "-r", "127.0.0.1", "-b", bus_id], check=True
    )

    def arrived() -> Plugged | None:
        new = [found for found in plugged() if found.name not in before]
        return next((one for one in new if one.complete), None)

    return eventually(arrived, f"a device for {bus_id}")


def unplugged() -> None:
    """Wait until nothing is plugged in."""
    eventually(lambda: not plugged(), "the devices to go")


@contextmanager
def plugged_in(*fixtures: Fixture, speed: float = 0.0) -> Iterator[tuple[Simulator, list[Plugged]]]:
    """Simulate devices and plug them in, in this order; gone from the kernel at the end.

    The UPSes' own time stands still unless ``speed`` says otherwise.
    """
    with Simulator(fixtures, speed=speed) as simulator:
        devices = [attach(simulator.address[1], bus_id) for bus_id in simulator.devices]
        yield simulator, devices
    unplugged()


@dataclass(frozen=True, slots=True)
class _At:
    """The device at a place, ``""``: at any."""

    place: str

    def mismatches(self, identity: Identity, *, strings: bool = True) -> list[str]:
        return [] if self.place in ("", identity.port_path) else ["it is somewhere else"]


@contextmanager
def port(way: str, place: str = "") -> Iterator[Port]:
    """Where the UPS (at a ``place`` such as ``1-1``) is to be had, by ``hidraw``, ``libusb`` or ``auto``."""
    made = make_port(maybe=lambda *_: True, match=_At(place), transport=way)
    yield made
    made.close()


@contextmanager
def opened(way: str, place: str = "") -> Iterator[Transport]:
    """Open the UPS that ``port`` would name."""
    with port(way, place) as found:
        transport = found.open()
        try:
            yield transport
        finally:
            transport.close()


def fixture(name: str) -> Fixture:
    """A fixture of the project by its file's name without ``.toml``."""
    return load(FIXTURES / f"{name}.toml")
