"""The socket file that a driver listens on: made, guarded, removed. (nut-driver-contract.md 1.4)

Nothing here knows who connects or what is said.
"""

from __future__ import annotations

import contextlib
import os
import socket
import stat

from usbhidups.errors import AlreadyRunning, ConfigError

__all__ = ["BACKLOG", "MAX_PATH", "Listener"]

BACKLOG = 16
"""Connections the kernel holds until they are accepted."""

MAX_PATH = 107
"""Bytes of a path that fit Linux' sun_path with its final NUL."""

_MODE = 0o660
_UMASK = 0o007


class Listener:
    """A listening, non-blocking unix socket and its file."""

    def __init__(self, path: str, *, group: int | None = None) -> None:
        """Listen at ``path``, mode 0660, owned by ``group`` (a number) where one is given.

        The file appears when it can be connected to and has its mode and group, not before. A socket
        file on which nobody listens any more is replaced; AlreadyRunning when somebody does.
        ConfigError: the path is too long, something else is in its place, or the system refuses.
        """
        if len(os.fsencode(path)) > MAX_PATH:
            raise ConfigError(f"longer than the {MAX_PATH} bytes a socket may have", where=path)
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._made: tuple[int, int] | None = None
        try:
            self._bind(group)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Stop listening and remove the file, unless it has become somebody else's meanwhile."""
        self.socket.close()
        with contextlib.suppress(OSError):
            if self._made is not None and _file_number(self.path) == self._made:
                os.unlink(self.path)

    def _bind(self, group: int | None) -> None:
        self.socket.settimeout(0)
        aside = os.path.join(os.path.dirname(self.path), f".{os.getpid()}")
        try:
            _clear(self.path)
            with contextlib.suppress(FileNotFoundError):
                os.unlink(aside)
            before = os.umask(_UMASK)
            try:
                self.socket.bind(aside)
            finally:
                os.umask(before)
            try:
                os.chmod(aside, _MODE)
                if group is not None:
                    os.chown(aside, -1, group)
                self.socket.listen(BACKLOG)
                os.link(aside, self.path)  # unlike a renaming, it takes nobody's place
                self._made = _file_number(self.path)
            finally:
                os.unlink(aside)
        except FileExistsError:
            raise AlreadyRunning(path=self.path) from None
        except OSError as error:
            raise ConfigError(f"cannot listen: {error.strerror}", where=self.path) from error


def _file_number(path: str) -> tuple[int, int]:
    found = os.lstat(path)
    return found.st_dev, found.st_ino


def _clear(path: str) -> None:
    """Remove a socket file that a dead driver left; leave everything else alone and say so."""
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise ConfigError("cannot listen: a file that is no socket is in the way", where=path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as visitor:
        visitor.settimeout(0)
        try:
            visitor.connect(path)
        except (ConnectionRefusedError, FileNotFoundError):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
            return
        except BlockingIOError:
            pass  # so many wait to be let in that there must be a listener
    raise AlreadyRunning(path=path)
