"""One driver put through its paces on one simulated device: what it publishes, and which bytes it writes.

Knows nothing of what is right; ``test_differential`` compares two of these.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.standin.driver import Driver, kill_power
from tests.standin.state import Published, Silent, StateSocket
from usbhidups.simulator.simulator import Simulator
from usbhidups.usb.fixture import Fixture, load

__all__ = ["FIXTURES", "Conduct", "observe"]

PATIENCE = 15.0
FIXTURES = sorted((Path(__file__).parents[2] / "fixtures/hid-descriptors").glob("*.toml"))
OPTIONS = {
    **{"offdelay": "60", "ondelay": "120"},  # the defaults differ, so they are given to both
    "pollinterval": "1",  # for less waiting
}
QUIET = 1.3  # seconds without news after which a driver has told all: more than its pollinterval


@dataclass(frozen=True, slots=True)
class Conduct:
    """What one driver did; all empty and not ``driven`` where it does not take the device.

    ``commands``: the SET_REPORTs of each command, in order, as hexadecimal. ``killed``: those of ``-k`` in
    a process of its own, and ``kill_status`` its exit status. ``unknown``: requests that the device knows
    nothing about.
    """

    driven: bool = False
    published: Published = field(default_factory=Published)
    commands: dict[str, list[str]] = field(default_factory=dict)
    killed: list[str] = field(default_factory=list)
    kill_status: int = 0
    unknown: frozenset[str] = frozenset()


def observe(program: Path, fixture: Path, commands: Iterable[str] | None = None) -> Conduct:
    """Start a driver on a simulated device whose time stands still, ask everything of it, end it.

    ``commands``: which to give; None: all that it offers. Each is answered before the next is given.
    """
    device = load(fixture)
    with tempfile.TemporaryDirectory(prefix="ups-") as name:
        folder = Path(name)
        with (
            _simulated(device) as (simulator, address),
            Driver(program, folder, [address], options=OPTIONS) as driver,
        ):
            try:
                socket = driver.connect()
                socket.good(timeout=PATIENCE)
            except Silent:
                return Conduct()
            published = socket.settled(quiet=QUIET)
            given = sorted(published.commands if commands is None else commands)
            written = {name: _give(socket, simulator, name) for name in given}
            unknown = _unknown(simulator)
        with _simulated(device, speed=1) as (simulator, address):  # ours waits to see a countdown
            ended = kill_power(program, folder, [address], options=OPTIONS)
            killed = _wrote(simulator)
    return Conduct(
        driven=True,
        published=published,
        commands=written,
        killed=killed,
        kill_status=ended.returncode,
        unknown=unknown,
    )


@contextmanager
def _simulated(device: Fixture, *, speed: float = 0) -> Iterator[tuple[Simulator, str]]:
    with Simulator([device], speed=speed) as simulator:
        host, port = simulator.address
        yield simulator, f"{host}:{port}/1-1"


def _unknown(simulator: Simulator) -> frozenset[str]:
    state = simulator.command("state")
    assert isinstance(state, dict)
    return frozenset(state["unknown requests"])


def _give(socket: StateSocket, simulator: Simulator, command: str) -> list[str]:
    simulator.command("forget")
    socket.ask(f"INSTCMD {command} TRACKING {command}")
    socket.wait_for(lambda line: line.words[:2] == ("TRACKING", command), timeout=PATIENCE)
    return _wrote(simulator)


def _wrote(simulator: Simulator) -> list[str]:
    wrote = simulator.command("wrote")
    assert isinstance(wrote, list)
    return wrote
