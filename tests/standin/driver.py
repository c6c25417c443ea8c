"""A driver as a process on the stand-in's bus: NUT's own and ours are started and ended alike."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

from tests.standin import build
from tests.standin.state import Silent, StateSocket

__all__ = ["NUT", "OURS", "Driver", "kill_power"]

NUT = Path("/lib/nut/usbhid-ups")
"""Debian's."""

OURS = Path(sys.executable)
"""This checkout's, by ``-m usbhidups``."""

NONE: Mapping[str, str] = MappingProxyType({})


class Driver:
    """A started driver. ``folder`` (a short path) holds its files; ``devices`` are what it finds plugged in.

    ``options`` are those of its one UPS, called ``dev``; ``command`` replaces the whole command line. Use as
    a context manager: at the end the process is gone.
    """

    def __init__(
        self,
        program: Path,
        folder: Path,
        devices: Iterable[str],
        *,
        options: Mapping[str, str] = NONE,
        command: Iterable[str] = (),
        cache: Path | None = None,
    ) -> None:
        self.program = program
        self.log = folder / "driver.log"
        self._folder = folder
        self._sockets: list[StateSocket] = []
        with self.log.open("wb") as log:
            self.started = time.monotonic()
            self.process = subprocess.Popen(
                [*_words(program), *(command or ("-F", *_one_ups(program, options)))],
                env=_environment(folder, devices, cache),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, Silent):
            error.add_note(f"{self.program} said:\n{self.log.read_text(errors='replace')[-3000:]}")
        self.stop()

    def stop(self) -> int:
        """End it as an init would, harder if it does not listen; its exit status."""
        for each in self._sockets:
            each.close()
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def connect(self, name: str = "dev", *, timeout: float = 30.0) -> StateSocket:
        """Connect to the state socket of one of its UPSes, as soon as there is one. Raises Silent."""
        prefix = "usbhidups" if self.program == OURS else self.program.name
        path = self._folder / f"{prefix}-{name}"
        until = time.monotonic() + timeout
        while self.process.poll() is None and time.monotonic() < until:
            try:
                self._sockets.append(StateSocket(path))
            except OSError:
                time.sleep(0.002)
            else:
                return self._sockets[-1]
        raise Silent("no state socket")


def kill_power(
    program: Path,
    folder: Path,
    devices: Iterable[str],
    *,
    options: Mapping[str, str] = NONE,
    timeout: float = 60.0,
) -> subprocess.CompletedProcess[str]:
    """Run ``-k`` in a process of its own, as the late step of a shutdown does."""
    return subprocess.run(
        [*_words(program), "-k", *_one_ups(program, options)],
        env=_environment(folder, devices, None),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def _words(program: Path) -> list[str]:
    return [str(program), *(("-m", "usbhidups") if program == OURS else ())]


def _one_ups(program: Path, options: Mapping[str, str]) -> list[str]:
    """The options for one UPS. Ours has to be told to look past this machine's own USB."""
    own = {"transport": "libusb"} if program == OURS else {}
    pairs = {"port": "auto", **own, **options}
    beat = pairs.pop("pollinterval", None)  # NUT's driver does not take it after -x
    return [
        *("-s", "dev", "-u", "root"),
        *(() if beat is None else ("-i", beat)),
        *(word for name, value in pairs.items() for word in ("-x", f"{name}={value}")),
    ]


def _environment(folder: Path, devices: Iterable[str], cache: Path | None) -> Mapping[str, str]:
    places = ("NUT_STATEPATH", "NUT_ALTPIDPATH", "NUT_CONFPATH")
    return build.environment(devices, cache=cache) | dict.fromkeys(places, str(folder))
