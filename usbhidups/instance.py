"""Another instance of this driver: found, told something, or asked to make room. (contract 1.5, 1.7)"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

from usbhidups.errors import ConfigError
from usbhidups.stateclient import NoAnswer, StateClient

__all__ = ["is_driver", "make_room", "pid_in", "tell"]

_log = logging.getLogger(__name__)

PATIENCE = 10.0
"""Seconds that a running instance gets to leave before it is killed."""

NO_INSTANCE = 255
"""Exit status of ``-c`` when nobody is there (contract 1.2)."""


def make_room(
    socket_path: Path,
    pid_file: Path,
    *,
    program: str,
    ups: str,
    patience: float = PATIENCE,
    search: bool = False,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """End a running instance for the same UPS: by its socket, else by its PID file, else by force.

    ``search``: where neither is left (the state directory is gone), look through all processes.
    Returns when it is gone; ConfigError when it cannot be made to go.
    """
    pid = _ask_to_exit(socket_path)
    if pid is None:
        pid = _named(pid_file, program, ups)
        if pid is None and search:
            pid = next(_running(program, ups), None)
        if pid is None:
            return
    words = _command_line(pid)
    _log.warning(
        "another instance of %s for %s was running (PID %d); told it to leave", program, ups, pid
    )
    _signal(pid, signal.SIGTERM)
    deadline = clock() + patience
    while words and _command_line(pid) == words:
        if clock() > deadline:
            _signal(pid, signal.SIGKILL)
            if clock() > deadline + 2:
                raise ConfigError(f"process {pid} does not leave; stop it by hand", key=f"[{ups}]")
        sleep(0.05)


def tell(
    command: str, socket_path: Path, pid_file: Path, *, pid: int | None, program: str, ups: str
) -> int:
    """Pass ``-c command`` on to the running instance; the exit status."""
    if command == "reload-or-exit" or pid is not None:
        target = pid if pid is not None else pid_in(pid_file)
        if target is None or (pid is None and not is_driver(target, program, ups)):
            return NO_INSTANCE
        number = {"exit": signal.SIGTERM, "reload-or-exit": signal.SIGUSR1}.get(
            command, signal.SIGHUP
        )
        try:
            os.kill(target, number)
        except OSError as error:
            raise ConfigError(f"cannot signal process {target}: {error.strerror}") from error
        return 0
    name = "driver.exit" if command == "exit" else "driver.reload-or-error"
    try:
        with StateClient(socket_path, timeout=15.0) as client:
            return client.command(name)
    except NoAnswer:
        return NO_INSTANCE


def _ask_to_exit(socket_path: Path) -> int | None:
    """Ask over the socket; the PID of who listens there, even if it hangs; None when nobody does."""
    try:
        with StateClient(socket_path, timeout=1.0) as client:
            pid = client.peer()
            with contextlib.suppress(NoAnswer):
                client.command("driver.exit")
    except NoAnswer:
        return None
    return pid if pid > 1 and pid != os.getpid() else None


def _named(pid_file: Path, program: str, ups: str) -> int | None:
    """The PID that the PID file names, if a driver for this UPS has it."""
    pid = pid_in(pid_file)
    return pid if pid and pid != os.getpid() and is_driver(pid, program, ups) else None


def _running(program: str, ups: str) -> Iterator[int]:
    """Processes that are a driver for ``ups`` of the same configuration, by what they were started with."""
    with contextlib.suppress(OSError):
        for name in os.listdir("/proc"):
            if not name.isdecimal() or int(name) == os.getpid():
                continue
            pid = int(name)
            if is_driver(pid, program, ups) and _places(pid) == _places(os.getpid()):
                yield pid


def _places(pid: int) -> list[bytes]:
    """Where a process was told to keep things: another place is another NUT."""
    words = _nul_separated(Path(f"/proc/{pid}/environ"))
    return sorted(word for word in words if word.startswith((b"NUT_STATEPATH=", b"NUT_CONFPATH=")))


def pid_in(path: Path) -> int | None:
    """The PID that a PID file names, None when there is none or it is no number."""
    try:
        text = path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return None
    return int(text) if text.isdigit() and int(text) > 1 else None


def is_driver(pid: int, program: str, ups: str) -> bool:
    """Whether process ``pid`` is a driver of ours that serves ``ups``: its command line says so.

    The name of its executable cannot (an interpreter), so the words are looked at: guards against a PID
    that was recycled (failure G05). One that cuts the power (``-k``, ``killpower``) serves nobody.
    """
    words = [word.decode(errors="replace") for word in _command_line(pid)]
    programs = {program, "usbhidups", "usbhid-ups"}
    at = next((n for n, word in enumerate(words) if os.path.basename(word) in programs), None)
    if at is None:
        return False
    rest = words[at + 1 :]
    if rest and rest[0] == "run":
        valued = ("-u", "-g", "--user", "--group")
        names = [
            word
            for before, word in pairwise(rest)
            if not word.startswith("-") and before not in valued
        ]
        return ups in names or not names
    serves = bool(rest) and rest[0].startswith("-") and "-k" not in rest
    return serves and ups in rest


def _command_line(pid: int) -> list[bytes]:
    """The words a process was started with; none when it is gone (or only its remains are left)."""
    return _nul_separated(Path(f"/proc/{pid}/cmdline"))


def _nul_separated(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().split(b"\0")[:-1]
    except OSError:
        return []


def _signal(pid: int, number: signal.Signals) -> None:
    """Send a signal; a process that is gone already is fine, one that is not ours is left alone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
