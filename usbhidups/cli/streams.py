"""Standard input, output and error as the programs find them: closed, full, gone, or of a poor alphabet."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

__all__ = ["UNWRITTEN", "forgive", "prepare", "say_no_more"]

UNWRITTEN = (errno.ENOSPC, errno.EDQUOT, errno.EIO)
"""How writing to standard output fails where it is a file, or a terminal that is gone."""


def prepare() -> None:
    """Make all three usable.

    Where one is closed (``>&-``) it becomes /dev/null: else a socket might get its number. Letters that the
    locale does not have are shown as ``?``.
    """
    with contextlib.suppress(OSError):
        while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
            os.set_inheritable(number, True)  # noqa: FBT003
        os.close(number)
    sys.stdin = sys.stdin or open(0, closefd=False)  # noqa: SIM115
    sys.stdout = sys.stdout or open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def forgive() -> None:
    """From now on what cannot be written is lost, and no error: what is done matters, heard or not."""
    if sys.stdout is sys.__stdout__ and sys.stdout is not None:
        sys.stdout = _forgiving(sys.stdout, 1)
    if sys.stderr is sys.__stderr__ and sys.stderr is not None:
        sys.stderr = _forgiving(sys.stderr, 2)


def say_no_more() -> None:
    """What could not be written to standard output is not tried again at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Forgiving(io.FileIO):
    """A file that takes everything."""

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data) or 0
        except OSError:
            return memoryview(data).nbytes


def _forgiving(stream: TextIO, number: int) -> TextIO:
    with contextlib.suppress(OSError):
        stream.flush()
    raw = io.BufferedWriter(_Forgiving(number, "w", closefd=False))
    return io.TextIOWrapper(raw, stream.encoding, errors="replace", line_buffering=True)
