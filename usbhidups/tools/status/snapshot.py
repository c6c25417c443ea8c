"""What one driver says now, and what that comes to."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from usbhidups.stateclient import Dump, NoAnswer, StateClient
from usbhidups.tools.status.sockets import DriverSocket

__all__ = ["Snapshot", "State", "take", "worst"]

TIMEOUT = 3.0
"""Seconds for the whole answer of one driver."""


class State(enum.IntEnum):
    """What a UPS's state comes to; the number is the exit status."""

    ON_LINE = 0
    ON_BATTERY = 1
    LOW = 2  # on battery, and the battery is low
    UNKNOWN = 3  # nobody answers, the data are stale, or they say neither


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One UPS at one moment. ``problem`` says why nothing is known, "" when the driver answered.

    ``closed``: there is a driver perhaps, and its socket is for others.
    """

    socket: DriverSocket
    variables: Mapping[str, str] = field(default_factory=dict)
    commands: tuple[str, ...] = ()
    writable: frozenset[str] = frozenset()
    fresh: bool = False
    problem: str = ""
    closed: bool = False

    @property
    def ups(self) -> str:
        """The name of the UPS."""
        return self.socket.ups

    @property
    def state(self) -> State:
        """What it comes to. Stale data say nothing, whatever they were."""
        if not self.fresh:
            return State.UNKNOWN
        tokens = self.text("ups.status").split()
        if "OL" in tokens and "OB" not in tokens:
            return State.ON_LINE
        if "LB" in tokens:
            return State.LOW
        return State.ON_BATTERY if "OB" in tokens else State.UNKNOWN

    @property
    def why_unknown(self) -> str:
        """For people: why nothing can be said, "" where something can."""
        if self.problem:
            return self.problem
        if not self.fresh:
            reason = self.text("driver.state.reason")
            return f"data are stale{f': {reason}' if reason else ''}"
        return (
            ""
            if self.state is not State.UNKNOWN
            else "the UPS does not say whether mains are there"
        )

    def text(self, name: str) -> str:
        """A variable, "" where it is not published."""
        return self.variables.get(name, "")


def take(socket: DriverSocket) -> Snapshot:
    """Ask one driver; never raises for one that does not answer."""
    try:
        with StateClient(socket.path, timeout=TIMEOUT) as client:
            return of_dump(socket, client.dump())
    except NoAnswer as error:
        if isinstance(error.__cause__, PermissionError):
            words = f"{socket.path} is not for us: run this as root or with group nut"
            return Snapshot(socket, problem=words, closed=True)
        return Snapshot(socket, problem=str(error))


def of_dump(socket: DriverSocket, dump: Dump) -> Snapshot:
    """What a driver's dump says."""
    return Snapshot(socket, dict(dump.variables), dump.commands, dump.writable, dump.fresh)


def worst(snapshots: tuple[Snapshot, ...]) -> State:
    """The state that counts for several UPSes."""
    return max((snapshot.state for snapshot in snapshots), default=State.UNKNOWN)
