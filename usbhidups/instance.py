"""Another instance of this driver: found, told something, or asked to make room. (contract 1.5, 1.7)"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import time
from collections.abc import Callable
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
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """End a running instance for the same UPS: by its socket, else by its PID file, else by force.

    Returns when it is gone; ConfigError when it cannot be made to go.
    """
    pid = _ask_to_exit(socket_path)
    if pid is None:
        named = pid_in(pid_file)
        if named is None or named == os.getpid() or not is_driver(named, program, ups):
            return
        pid = named
        _terminate(pid)
    _log.warning(
        "another instance of %s for %s was running (PID %d); told it to leave", program, ups, pid
    )
    deadline = clock() + patience
    while is_driver(pid, program, ups):
        if clock() > deadline:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
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
    """Ask over the socket; the PID of who answered, None when nobody did."""
    try:
        with StateClient(socket_path, timeout=1.0) as client:
            pid = client.pid()
            client.command("driver.exit")
            return pid
    except NoAnswer:
        return None


def pid_in(path: Path) -> int | None:
    """The PID that a PID file names, None when there is none or it is no number."""
    try:
        text = path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return None
    return int(text) if text.isdigit() and int(text) > 1 else None


def is_driver(pid: int, program: str, ups: str) -> bool:
    """Whether process ``pid`` is a driver of ours for ``ups``: its command line says so.

    The name of its executable cannot (an interpreter), so the words are looked at: guards against a PID
    that was recycled (failure G05).
    """
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    names = {os.path.basename(word).decode(errors="replace") for word in words}
    return bool(names & {program, "usbhidups", "usbhid-ups"}) and ups.encode() in words


def _terminate(pid: int) -> None:
    """Ask a process to end; one that is gone already is fine, one that is not ours is left alone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGTERM)
