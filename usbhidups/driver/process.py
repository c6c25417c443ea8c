"""The driver as a Unix process: user, background, PID file. (nut-driver-contract.md 1.3 to 1.5)

Nothing here knows of UPSes or sockets.
"""

from __future__ import annotations

import contextlib
import grp
import logging
import os
import pwd
import sys
from collections.abc import Callable
from pathlib import Path

from usbhidups.errors import ConfigError
from usbhidups.instance import pid_in

__all__ = ["Background", "PidFile", "become", "group_id"]

_log = logging.getLogger(__name__)


def group_id(name: str) -> int:
    """The number of group ``name``; ConfigError when there is none."""
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise ConfigError("no such group", key=name) from None


def become(user: str, *, chroot: str = "") -> None:
    """Give up root for ``user`` for good; change root first where asked. Nothing happens unless root."""
    if os.geteuid() != 0:
        return
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        raise ConfigError("no such user", key=user) from None
    if chroot:
        try:
            os.chroot(chroot)
        except OSError as error:
            raise ConfigError(f"cannot change root: {error.strerror}", key=chroot) from error
        os.chdir("/")
    if entry.pw_uid != 0:
        os.initgroups(user, entry.pw_gid)
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)


class Background:
    """Go to the background before any device or thread exists; the parent waits for the word.

    ``leave`` is called in the parent process with its exit status (``os._exit`` in earnest): 0 once the
    child called ``ready``, 1 when the child ended before that.
    """

    def __init__(self, *, leave: Callable[[int], None] = os._exit) -> None:
        self._write_end = -1
        self._leave = leave

    def detach(self) -> None:
        """Fork; return in the child, which has a session of its own. The parent does not return."""
        read_end, self._write_end = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        if os.fork():
            os.close(self._write_end)
            word = os.read(read_end, 1)
            self._leave(0 if word else 1)
        os.close(read_end)
        os.setsid()

    def ready(self) -> None:
        """Tell the parent that all is well, and let go of its terminal."""
        if self._write_end < 0:
            return
        null = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(null, standard)
        if null > 2:
            os.close(null)
        os.write(self._write_end, b"\n")
        os.close(self._write_end)
        self._write_end = -1


class PidFile:
    """``<pid>\\n`` in a file, mode 0644; removed only while it still names this process."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, pid: int) -> None:
        """Write it (again); a failure is a warning, not the end: upsdrvctl can use the socket."""
        try:
            descriptor = os.open(
                self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644
            )
            with os.fdopen(descriptor, "w") as file:
                os.fchmod(file.fileno(), 0o644)
                file.write(f"{pid}\n")
        except OSError as error:
            _log.warning("cannot write PID file %s: %s", self._path, error.strerror)

    def remove(self, pid: int) -> None:
        """Remove it, unless somebody else has written it since."""
        if pid_in(self._path) == pid:
            with contextlib.suppress(OSError):
                self._path.unlink()
