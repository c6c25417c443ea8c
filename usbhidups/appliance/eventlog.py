"""The event log: one line per event, bounded in size, whole lines even when many write at once.

Writers append under a lock on the file itself, since upsmon's user may write the file but create none
beside it. When the file grows beyond the bound, the oldest events go and the first line, which says
what was started, stays.
"""

from __future__ import annotations

import fcntl
import os
from collections import deque
from datetime import datetime
from pathlib import Path

__all__ = ["append_event", "event_line", "last_events", "start_log"]

LARGEST = 128 * 1024
KEPT = 64 * 1024
LONGEST_LINE = 400


def event_line(when: datetime, event: str, message: str) -> str:
    """``2026-01-31 18:02:11 - ONBATT: UPS ups@localhost on battery``."""
    text = f"{when:%Y-%m-%d %H:%M:%S} - {event}: {message}"
    return "".join(c if c.isprintable() else " " for c in text)[:LONGEST_LINE]


def start_log(path: Path, first_line: str) -> None:
    """Empty the log and write its first line. Raises OSError."""
    with _Locked(path) as descriptor:
        os.ftruncate(descriptor, 0)
        _write_all(descriptor, first_line + "\n")


def append_event(path: Path, line: str) -> None:
    """Append ``line``. Raises OSError."""
    with _Locked(path) as descriptor:
        if os.fstat(descriptor).st_size + len(line) > LARGEST:
            _shorten(descriptor)
        _write_all(descriptor, line + "\n")


def last_events(path: Path, count: int) -> list[str]:
    """The last ``count`` lines, oldest first; [] where there is no log or it may not be read."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return [line.rstrip("\n") for line in deque(file, maxlen=count)]
    except OSError:
        return []


class _Locked:
    """The log, opened for appending and locked; other writers wait the moment that a line takes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1

    def __enter__(self) -> int:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor = os.open(self._path, flags, 0o640)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        return self._descriptor

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


def _shorten(descriptor: int) -> None:
    data = os.pread(descriptor, LARGEST + LONGEST_LINE, 0)
    first, _, rest = data.partition(b"\n")
    kept = rest[-KEPT:].partition(b"\n")[2]
    os.ftruncate(descriptor, 0)
    os.write(descriptor, first + b"\n" + kept)


def _write_all(descriptor: int, text: str) -> None:
    data = text.encode("utf-8", errors="replace")
    while data:
        data = data[os.write(descriptor, data) :]
