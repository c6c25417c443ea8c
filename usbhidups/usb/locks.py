"""One process per device: a lock file, and who holds what.

The kernel lets two programs open one hidraw node, and lets the second detach the first one's interface;
so a file with the holder's pid is locked as long as a device is in use (failures C10, C11). The file stays
when the lock is gone: only the lock means something, and it dies with its process.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import logging
import os
import re
from pathlib import Path

from usbhidups.errors import DeviceBusy

__all__ = ["DeviceLock", "holders"]

_log = logging.getLogger(__name__)

MOST_PROCESSES = 4096


class DeviceLock:
    """A held lock; ``release`` it, or end."""

    def __init__(self, fd: int, path: Path) -> None:
        self._fd = fd
        self.path = path

    @classmethod
    def take(cls, directory: Path, device: str) -> DeviceLock | None:
        """Lock ``device`` (a port path) in ``directory``; None where no file can be made there.

        Raises DeviceBusy, naming the holder. That no file can be made is logged as a warning: without
        the lock everything works, but two drivers are not kept apart.
        """
        path = directory / f"usbhidups-{re.sub(r'[^A-Za-z0-9._-]', '_', device)}.lock"
        try:
            fd = _open(path)
        except OSError as error:
            _log.warning("%s: %s; this device is not locked", path, error.strerror or error)
            return None
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = _holder(fd)
            os.close(fd)
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                raise DeviceBusy(f"{device} is in use", holder=holder) from None
            _log.warning("%s: %s; this device is not locked", path, error.strerror or error)
            return None
        with contextlib.suppress(OSError):  # not ours to write: the lock holds all the same
            os.ftruncate(fd, 0)
            os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        return cls(fd, path)

    def release(self) -> None:
        """Let others have the device; may be called twice."""
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, 0)
            os.close(self._fd)
            self._fd = -1


def _open(path: Path) -> int:
    flags = os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return os.open(path, os.O_RDWR | flags, 0o644)
    except PermissionError:  # made by another user: to lock it, reading is enough
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)


def _holder(fd: int) -> str:
    with contextlib.suppress(OSError):
        text = os.pread(fd, 32, 0).decode("ascii", "replace").strip()
        if text == str(os.getpid()):
            return f"pid {text} (this driver itself: for another UPS, or a transfer hangs)"
        if text.isdecimal():
            return _process(text, Path("/proc"))
    return "another process"


def holders(node: str, *, proc: Path = Path("/proc")) -> tuple[str, ...]:
    """Which other processes have ``node`` open, as far as we may see: ``pid 123 (usbhid-ups)``."""
    found: list[str] = []
    with contextlib.suppress(OSError):
        names = [name for name in os.listdir(proc) if name.isdecimal() and int(name) != os.getpid()]
        for pid in sorted(names, key=int)[:MOST_PROCESSES]:
            with contextlib.suppress(OSError):
                links = proc / pid / "fd"
                if any(_points_to(links / link, node) for link in os.listdir(links)):
                    found.append(_process(pid, proc))
    return tuple(found)


def _points_to(link: Path, node: str) -> bool:
    with contextlib.suppress(OSError):
        return os.readlink(link) == node
    return False


def _process(pid: str, proc: Path) -> str:
    with contextlib.suppress(OSError):
        return f"pid {pid} ({(proc / pid / 'comm').read_text(errors='replace').strip()})"
    return f"pid {pid}"
