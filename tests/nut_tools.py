"""The distribution's own upsd and clients, run by a test against a state directory of its own.

Nothing of the system's configuration is read or written: NUT_CONFPATH and NUT_STATEPATH point below the
test's directory, upsd listens on a free port of 127.0.0.1, and everything runs as the user who runs the test.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

__all__ = ["ADMIN", "MONITOR", "PASSWORD", "Upsd", "find_program", "needs_nut", "running_upsd"]

ADMIN = "admin"
PASSWORD = "secret"
"""The account that may do everything; see ``running_upsd``."""

MONITOR = "monitor"
"""The account of an upsmon that is primary, with the same password."""

DEADLINE = 20.0
"""Seconds after which a program of NUT counts as stuck."""

STEP = 0.02
"""Seconds to wait for a program to end before looking elsewhere."""


def find_program(name: str) -> str | None:
    """The path of a NUT program, wherever distributions put it.

    Debian's /sbin/upsd is a script that obeys the system's nut.conf; the program itself is in /lib/nut.
    """
    places = ["/lib/nut", *os.environ.get("PATH", "").split(os.pathsep), "/sbin", "/usr/sbin"]
    return shutil.which(name, path=os.pathsep.join(places))


needs_nut = pytest.mark.skipif(
    not all(find_program(name) for name in ("upsd", "upsc", "upsrw", "upscmd")),
    reason="needs the distribution's nut-server and nut-client",
)
"""Skips a test, visibly, where NUT is not installed."""


@dataclass(frozen=True)
class Upsd:
    """A running upsd. ``state`` is where drivers make their sockets, ``<driver>-<section>``.

    ``turn`` is called again and again while a client runs: it turns the test's own selector, when the
    driver lives in the test's process; leave it out when the driver is a process of its own.
    """

    process: subprocess.Popen[bytes]
    port: int
    configuration: Path
    state: Path
    environment: Mapping[str, str]
    log: Path

    def run(
        self, program: str, *arguments: str, turn: Callable[[], object] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run one of NUT's clients to its end; the caller looks at the exit status."""
        path = find_program(program) or program
        words = [path, *arguments]
        with subprocess.Popen(
            words,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as client:
            deadline = time.monotonic() + DEADLINE
            try:
                while True:
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        output, errors = client.communicate(timeout=STEP if turn else DEADLINE)
                        return subprocess.CompletedProcess(words, client.returncode, output, errors)
                    if turn is None or time.monotonic() > deadline:
                        pytest.fail(f"{' '.join(words)} does not end; upsd says: {self.said()}")
                    turn()
            finally:
                client.kill()

    def address(self, ups: str) -> str:
        """``ups@host:port``, as the clients want it."""
        return f"{ups}@127.0.0.1:{self.port}"

    def upsc(self, ups: str, *, turn: Callable[[], object] | None = None) -> dict[str, str]:
        """All variables of a UPS; empty when upsc fails (data stale, driver not connected)."""
        done = self.run("upsc", self.address(ups), turn=turn)
        if done.returncode:
            return {}
        pairs = (line.partition(": ") for line in done.stdout.splitlines())
        return {name: value for name, _colon, value in pairs}

    def upsrw(
        self, ups: str, *arguments: str, turn: Callable[[], object] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """upsrw as ADMIN: ``"-l"`` lists, ``"-w", "-s", "var=value"`` sets and waits for the outcome."""
        account = [] if "-l" in arguments else ["-u", ADMIN, "-p", PASSWORD]
        return self.run("upsrw", *arguments, *account, self.address(ups), turn=turn)

    def upscmd(
        self, ups: str, *command: str, wait: bool = True, turn: Callable[[], object] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """upscmd as ADMIN; ``wait``: ask for the outcome (TRACKING)."""
        options = ["-w"] if wait else []
        account = ["-u", ADMIN, "-p", PASSWORD]
        return self.run("upscmd", *options, *account, self.address(ups), *command, turn=turn)

    def wait_for(
        self,
        condition: Callable[[], bool],
        *,
        turn: Callable[[], object] | None = None,
        seconds: float = DEADLINE,
    ) -> None:
        """Wait until ``condition`` holds; the test fails when it does not within ``seconds``."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                pytest.fail(f"waited {seconds} s in vain; upsd says: {self.said()}")
            if turn:
                turn()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(STEP)
                pytest.fail(f"upsd ended: {self.said()}")

    def said(self) -> str:
        """What upsd wrote so far."""
        return self.log.read_text(errors="replace")


@contextlib.contextmanager
def running_upsd(
    directory: Path,
    sections: Mapping[str, str] | Sequence[str],
    *,
    maxage: int = 15,
    ups_conf: str | None = None,
    debug: int = 0,
) -> Iterator[Upsd]:
    """A upsd for these UPSes, ready to be asked, ended when the block is left.

    ``sections`` maps UPS to driver name (a sequence of names: ``usbhidups``). ``ups_conf`` replaces the
    generated ups.conf. Files go to ``directory``: ``etc`` (configuration), ``run`` (state), ``upsd.log``.
    """
    configuration, state = directory / "etc", directory / "run"
    for place in (configuration, state):
        place.mkdir(exist_ok=True, mode=0o770)
    port = _free_port()
    drivers = sections if isinstance(sections, Mapping) else dict.fromkeys(sections, "usbhidups")
    generated = "".join(f"[{ups}]\n driver = {drv}\n port = auto\n" for ups, drv in drivers.items())
    files = {
        "ups.conf": generated if ups_conf is None else ups_conf,
        "upsd.conf": f"LISTEN 127.0.0.1 {port}\nMAXAGE {maxage}\n",
        "upsd.users": f"[{ADMIN}]\n password = {PASSWORD}\n actions = SET\n actions = FSD\n"
        " instcmds = ALL\n"
        f"[{MONITOR}]\n password = {PASSWORD}\n upsmon primary\n",
    }
    for name, text in files.items():
        (configuration / name).write_text(text)
        (configuration / name).chmod(0o640)
    environment = {
        **os.environ,
        "NUT_CONFPATH": str(configuration),
        "NUT_STATEPATH": str(state),
        "NUT_ALTPIDPATH": str(state),
    }
    words = [find_program("upsd") or "upsd", "-F", *["-D"] * debug]
    if os.geteuid() == 0:
        words += ["-u", "root"]  # it would become nut, who may not enter the test's directory
    log = directory / "upsd.log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            words, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        ) as process,
    ):
        upsd = Upsd(process, port, configuration, state, environment, log)
        try:
            upsd.wait_for(lambda: _answers(port))
            yield upsd
        finally:
            process.terminate()
            try:
                process.wait(DEADLINE)
            except subprocess.TimeoutExpired:
                process.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    with socket.socket() as visitor:
        visitor.settimeout(1.0)
        return visitor.connect_ex(("127.0.0.1", port)) == 0
