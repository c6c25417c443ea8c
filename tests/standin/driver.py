"""A driver as a process on the stand-in's bus, seen from where upsd sits: its state socket.

Serves NUT's own driver and ours alike, so it shares no code with either. Differential tests and
benchmarks use it.
"""

from __future__ import annotations

import selectors
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.standin import build

__all__ = ["NUT", "OURS", "Driver", "Line", "Published", "Silent", "kill_power"]

NUT = Path("/lib/nut/usbhid-ups")
"""Debian's."""

OURS = Path(sys.executable)
"""This checkout's, by ``-m usbhidups``."""


class Silent(Exception):
    """The driver ended or did not say in time what was waited for; the text holds its own words."""


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


class Driver:
    """A started driver. ``folder`` (a short path) holds its socket; ``devices`` are what it finds plugged in.

    Use as a context manager: at the end the process is gone.
    """

    def __init__(
        self,
        program: Path,
        folder: Path,
        devices: Iterable[str],
        *,
        name: str = "dev",
        options: Mapping[str, str] | None = None,
        cache: Path | None = None,
    ) -> None:
        self.program = program
        self.name = name
        self.lines: list[Line] = []
        self._folder = folder
        self._received = b""
        self._socket: socket.socket | None = None
        self.log = folder / f"{name}.log"
        environment = build.environment(devices, cache=cache)
        environment |= {"NUT_STATEPATH": str(folder), "NUT_ALTPIDPATH": str(folder)}
        with self.log.open("wb") as log:
            self.started = time.monotonic()
            self.process = subprocess.Popen(
                [*_command(program), "-F", "-s", name, "-u", "root", *_options(options or {})],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def __enter__(self) -> Driver:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> int:
        """End it as an init would, harder if it does not listen; its exit status."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def connect(self, *, timeout: float = 30.0) -> None:
        """Wait for its socket and connect to it. Raises Silent."""
        path = self._folder / f"{_socket_prefix(self.program)}-{self.name}"
        until = time.monotonic() + timeout
        while True:
            found = socket.socket(socket.AF_UNIX)
            try:
                found.connect(str(path))
            except OSError:
                found.close()
                if self.process.poll() is not None or time.monotonic() > until:
                    raise Silent(self._epitaph("opened no socket")) from None
                time.sleep(0.002)
            else:
                self._socket = found
                return

    def ask(self, line: str) -> None:
        """Send one line."""
        assert self._socket is not None
        self._socket.sendall(line.encode() + b"\n")

    def wait_for(self, wanted: Callable[[Line], bool], *, timeout: float = 30.0) -> Line:
        """The first line from now on that is ``wanted``; all lines seen are kept. Raises Silent."""
        for line in self.follow(timeout=timeout):
            if wanted(line):
                return line
        raise Silent(self._epitaph(f"did not say what was waited for within {timeout:.0f} s"))

    def follow(self, *, timeout: float) -> Iterator[Line]:
        """Each line as it comes, for ``timeout`` seconds. Raises Silent when the driver closes."""
        assert self._socket is not None
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
                    raise Silent(self._epitaph("closed its socket"))
                self._received += block

    def dump(self, *, timeout: float = 30.0) -> Published:
        """Everything it publishes now."""
        self.ask("DUMPALL")
        published = Published()
        for line in self.follow(timeout=timeout):
            published.take(line)
            if line.words == ("DUMPDONE",):
                return published
        raise Silent(self._epitaph("did not finish its dump"))

    def ready(self, *, timeout: float = 30.0) -> float:
        """Connect and wait until its data are good; seconds from the start of the process."""
        self.connect(timeout=timeout)
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
                return good.at - self.started
        raise Silent(self._epitaph("did not have good data"))

    def _epitaph(self, what: str) -> str:
        return f"{self.program} {what}:\n{self.log.read_text(errors='replace')[-3000:]}"

    _read_at = 0.0


def kill_power(
    program: Path,
    folder: Path,
    devices: Iterable[str],
    *,
    options: Mapping[str, str] | None = None,
    cache: Path | None = None,
    timeout: float = 60.0,
) -> subprocess.CompletedProcess[str]:
    """Run ``-k`` in a process of its own, as the late step of a shutdown does."""
    environment = build.environment(devices, cache=cache)
    environment |= {"NUT_STATEPATH": str(folder), "NUT_ALTPIDPATH": str(folder)}
    return subprocess.run(
        [*_command(program), "-k", "-s", "dev", "-u", "root", *_options(options or {})],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def _command(program: Path) -> list[str]:
    return [str(program), *(("-m", "usbhidups") if program == OURS else ())]


def _socket_prefix(program: Path) -> str:
    return "usbhidups" if program == OURS else program.name


def _options(options: Mapping[str, str]) -> list[str]:
    words = []
    for key, value in {"port": "auto", **options}.items():
        words += ["-x", f"{key}={value}" if value else key]
    return words
