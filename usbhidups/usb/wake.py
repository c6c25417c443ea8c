"""A descriptor that another thread makes readable: how a wait on other descriptors is ended early."""

from __future__ import annotations

import contextlib
import os
import threading

__all__ = ["Wake"]


class Wake:
    """``call`` from any thread; the waiter polls ``fileno`` and takes the call back with ``clear``.

    A call after ``close`` does nothing, and can never reach a descriptor that was opened since.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def fileno(self) -> int:
        """The descriptor to poll for input; -1 once closed."""
        return self._fd

    def call(self) -> None:
        """Make the descriptor readable."""
        with self._lock:
            if self._fd >= 0:
                os.eventfd_write(self._fd, 1)

    def clear(self) -> None:
        """Make it unreadable again."""
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._fd)

    def close(self) -> None:
        """Give the descriptor back; may be called twice."""
        with self._lock:
            if self._fd >= 0:
                os.close(self._fd)
                self._fd = -1
