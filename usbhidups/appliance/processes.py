"""Start, find and end processes by their pid files; nothing here is specific to NUT."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["end", "find", "launch", "run_bounded"]


def find(pid_file: Path, name: str) -> int | None:
    """The pid in ``pid_file`` if a live process called ``name`` has it now, else None.

    One that has ended and that nobody waited for (containers without an init) is not alive.
    """
    try:
        pid = int(pid_file.read_text(encoding="ascii", errors="replace").strip())
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (OSError, ValueError):
        return None
    called, _, rest = stat.partition("(")[2].rpartition(")")
    return pid if called == name[:15] and not rest.lstrip().startswith(("Z", "X")) else None


def end(pid_file: Path, name: str, *, seconds: float) -> bool:
    """End the process of ``pid_file``: SIGTERM, and SIGKILL after ``seconds``. Whether there was one."""
    pid = find(pid_file, name)
    if pid is None:
        return False
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, signal.SIGTERM)
            if not select.select([handle], [], [], seconds)[0]:
                signal.pidfd_send_signal(handle, signal.SIGKILL)
                select.select([handle], [], [], seconds)
    finally:
        os.close(handle)
    _await_burial(pid, seconds)
    return True


def _await_burial(pid: int, seconds: float) -> None:
    """Wait until nobody has the pid any more: to NUT an ended process that was not waited for still runs."""
    deadline = time.monotonic() + seconds
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.02)


def launch(
    command: Sequence[str | Path], pid_file: Path, environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """Start ``command`` detached from us and note its pid; it lives on when we end."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
        cwd="/",
        start_new_session=True,
    )
    pid_file.write_text(f"{process.pid}\n", encoding="ascii")
    return process


def run_bounded(
    command: Sequence[str | Path], environment: Mapping[str, str], *, seconds: float
) -> tuple[int, str]:
    """Run ``command``; its exit status and what it said. After ``seconds`` its whole session is killed
    and the status is -1, as it is for a command that cannot be started."""
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd="/",
            start_new_session=True,
        )
    except OSError as error:
        return -1, str(error)
    with process:
        try:
            output, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return -1, f"no end after {seconds:g} s"
    return process.returncode, output.decode("utf-8", errors="replace").strip()
