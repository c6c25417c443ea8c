"""Our driver as a process of its own, started as upsdrvctl or systemd would, ended with the test."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from usbhidups.stateclient import Dump, NoAnswer, StateClient

__all__ = ["FIXTURES", "RunningDriver", "driver_words", "eventually", "running_driver"]

FIXTURES = Path(__file__).parent.parent / "fixtures" / "hid-descriptors"

DEADLINE = 20.0
"""Seconds after which something that should have happened counts as not happening."""

STEP = 0.02


@dataclass
class RunningDriver:
    """A running driver; ``path`` is its state socket."""

    process: subprocess.Popen[bytes]
    ups: str
    path: Path
    log: Path

    def said(self) -> str:
        """What it logged so far."""
        return self.log.read_text(errors="replace")

    def dump(self) -> Dump:
        """Everything it publishes now."""
        with StateClient(self.path, timeout=DEADLINE) as client:
            return client.dump()

    def wait_for(self, condition: Callable[[Dump], bool], *, seconds: float = DEADLINE) -> Dump:
        """The first dump for which the condition holds; the test fails when none comes."""
        deadline = time.monotonic() + seconds
        dump = None
        while time.monotonic() < deadline:
            with contextlib.suppress(NoAnswer):
                dump = self.dump()
                if condition(dump):
                    return dump
            time.sleep(STEP)
        pytest.fail(f"waited {seconds} s in vain; last {dump}; the driver says: {self.said()}")

    def tell(self, command: str) -> int:
        """``-c`` from another process; its exit status."""
        words = [
            sys.executable,
            "-m",
            "usbhidups",
            "-s",
            self.ups,
            "-x",
            "port=auto",
            "-c",
            command,
        ]
        env = {**os.environ, "NUT_STATEPATH": str(self.path.parent)}
        return subprocess.run(
            words, env=env, capture_output=True, timeout=60, check=False
        ).returncode

    def stop(self) -> int:
        """SIGTERM and its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(DEADLINE)


def driver_words(ups: str, port: str, *options: str) -> list[str]:
    """A command line that runs the driver for one UPS in the foreground."""
    words = [sys.executable, "-m", "usbhidups", "-F", "-s", ups, "-x", f"port={port}", *options]
    return [*words, "-u", "root"] if os.geteuid() == 0 else words


@contextlib.contextmanager
def running_driver(
    directory: Path,
    ups: str,
    port: str,
    *options: str,
    environment: Mapping[str, str] | None = None,
) -> Iterator[RunningDriver]:
    """The driver for ``ups`` with its socket in ``directory``; killed at the end if need be."""
    directory.mkdir(exist_ok=True)
    log = directory / f"{ups}.log"
    env = {**os.environ, "NUT_STATEPATH": str(directory), **(environment or {})}
    with (
        log.open("ab") as output,
        subprocess.Popen(
            driver_words(ups, port, *options),
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        ) as process,
    ):
        try:
            yield RunningDriver(process, ups, directory / f"usbhidups-{ups}", log)
        finally:
            process.terminate()
            try:
                process.wait(DEADLINE)
            except subprocess.TimeoutExpired:
                process.kill()


def eventually(condition: Callable[[], bool], what: str, *, seconds: float = DEADLINE) -> None:
    """Wait until ``condition`` holds; the test fails when it does not within ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"waited {seconds} s in vain: {what}")
        time.sleep(STEP)
