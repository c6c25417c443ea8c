"""A driver's state socket, seen from where upsd sits.

Serves NUT's own driver and ours alike, so it shares no code with either.
"""

from __future__ import annotations

import selectors
import shlex
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Line", "Published", "Silent", "StateSocket"]


class Silent(Exception):
    """The driver hung up, or did not say in time what was waited for."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the state socket: when it was received (CLOCK_MONOTONIC), and its words."""

    at: float
    words: tuple[str, ...]


@dataclass(slots=True)
class Published:
    """What a driver says of its UPS, built from the lines of the socket."""

    variables: dict[str, str] = field(default_factory=dict)
    flags: dict[str, frozenset[str]] = field(default_factory=dict)
    lengths: dict[str, str] = field(default_factory=dict)
    enums: dict[str, set[str]] = field(default_factory=dict)
    ranges: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    commands: set[str] = field(default_factory=set)

    def take(self, line: Line) -> None:
        """Follow one line; words that say nothing of the UPS are passed over."""
        match line.words:
            case ("SETINFO", name, value):
                self.variables[name] = value
            case ("DELINFO", name):
                self.variables.pop(name, None)
            case ("SETFLAGS", name, *flags):
                self.flags[name] = frozenset(flags)
            case ("SETAUX", name, length):
                self.lengths[name] = length
            case ("ADDENUM", name, value):
                self.enums.setdefault(name, set()).add(value)
            case ("ADDRANGE", name, low, high):
                self.ranges.setdefault(name, set()).add((low, high))
            case ("ADDCMD", name):
                self.commands.add(name)
            case ("DELCMD", name):
                self.commands.discard(name)


class StateSocket:
    """A connection to a driver's state socket. All lines that came are kept in ``lines``."""

    def __init__(self, path: Path) -> None:
        """Connect. Raises OSError while there is no socket yet."""
        self.lines: list[Line] = []
        self._received = b""
        self._read_at = 0.0
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._socket.connect(str(path))
        except OSError:
            self._socket.close()
            raise

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def ask(self, line: str) -> None:
        """Send one line."""
        self._socket.sendall(line.encode() + b"\n")

    def follow(self, *, timeout: float) -> Iterator[Line]:
        """Each line as it comes, for ``timeout`` seconds. Raises Silent when the driver hangs up."""
        until = time.monotonic() + timeout
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            while True:
                while b"\n" in self._received:
                    text, _, self._received = self._received.partition(b"\n")
                    line = Line(self._read_at, tuple(shlex.split(text.decode())))
                    self.lines.append(line)
                    yield line
                if not selector.select(max(0.0, until - time.monotonic())):
                    return
                block = self._socket.recv(65536)
                self._read_at = time.monotonic()
                if not block:
                    raise Silent("the driver hung up")
                self._received += block

    def wait_for(self, wanted: Callable[[Line], bool], *, timeout: float = 30.0) -> Line:
        """The first line from now on that is ``wanted``. Raises Silent."""
        for line in self.follow(timeout=timeout):
            if wanted(line):
                return line
        raise Silent(f"not said within {timeout:.0f} s")

    def dump(self, *, timeout: float = 30.0) -> Published:
        """Everything that is published now. Raises Silent."""
        self.ask("DUMPALL")
        published = Published()
        for line in self.follow(timeout=timeout):
            published.take(line)
            if line.words == ("DUMPDONE",):
                return published
        raise Silent(f"no dump within {timeout:.0f} s")

    def settled(self, *, quiet: float, timeout: float = 60.0) -> Published:
        """A dump after which nothing new was said of the UPS for ``quiet`` seconds. Raises Silent."""
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            published = self.dump()
            if not any(_tells_of_ups(line) for line in self.follow(timeout=quiet)):
                return published
        raise Silent(f"still news after {timeout:.0f} s")

    def good(self, *, timeout: float = 30.0) -> Line:
        """Ask for a dump and wait until the data are good; the line that says so. Raises Silent."""
        self.ask("DUMPALL")
        good, dumped = None, False
        for line in self.follow(timeout=timeout):
            match line.words:
                case ("DATAOK",):
                    good = good or line
                case ("DATASTALE",):
                    good = None
                case ("DUMPDONE",):
                    dumped = True
            if good and dumped:
                return good
        raise Silent(f"no good data within {timeout:.0f} s")


def _tells_of_ups(line: Line) -> bool:
    return len(line.words) > 1 and not line.words[1].startswith("driver.")
