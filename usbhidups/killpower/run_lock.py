"""One kill-power of a UPS at a time, and its result for whoever came second.

A distribution's late hook and ours run at the same moment, and both end here. Two of them on the wire could
undo each other; so the first takes an abstract socket (it needs no file system and dies with its process),
and later ones wait there for what came of it.
"""

from __future__ import annotations

import binascii
import contextlib
import errno
import os
import socket
import struct
import time
from collections.abc import Callable

from usbhidups.killpower.result import PoweroffResult, PoweroffStatus

__all__ = ["RunLock", "address"]

LONGEST_TAIL = 64
"""Bytes of a name that are shown in its address, for people; the sum before them tells names apart. An address
has 107 bytes (unix(7))."""

_BACKLOG = 8
_ROOT = 0


class RunLock:
    """The turn for one UPS, called ``name``. Use it as a context manager around ``take``."""

    def __init__(self, name: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._address = address(name)
        self._clock = clock
        self._socket: socket.socket | None = None

    def __enter__(self) -> RunLock:
        return self

    def __exit__(self, *_: object) -> None:
        if self._socket is not None:
            self._socket.close()

    def take(self, *, until: float) -> str:
        """ "" when it is our turn (or nobody can be asked); else what the other one told: see ``parse``."""
        while True:
            ours = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
            try:
                ours.bind(self._address)
                ours.listen(_BACKLOG)
            except OSError as error:
                ours.close()
                if error.errno != errno.EADDRINUSE:
                    return ""  # waiting would not help, and the power is to be cut
            else:
                self._socket = ours
                return ""
            told = self._ask(until)
            if told is not None:
                return told

    def tell(self, cut: PoweroffResult) -> None:
        """Let those who wait know."""
        if self._socket is None:
            return
        self._socket.settimeout(0.0)
        with contextlib.suppress(OSError):
            while True:
                visitor, _ = self._socket.accept()
                with visitor, contextlib.suppress(OSError):
                    visitor.sendall(written(cut))

    def _ask(self, until: float) -> str | None:
        """What the holder tells at its end; "" to go on without it; None: it is gone, try again."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as visitor:
            try:
                visitor.settimeout(max(0.1, until - self._clock()))
                visitor.connect(self._address)
                if _owner(visitor) not in (_ROOT, os.geteuid()):
                    return ""  # a stranger must not keep the power on
                told = visitor.recv(4096).decode(errors="replace")
            except TimeoutError:
                return ""
            except OSError:
                return None if self._clock() < until else ""
        return told or (None if self._clock() < until else "")


def address(name: str) -> bytes:
    """The abstract socket of the turn called ``name``, whatever its length."""
    raw = os.fsencode(name)
    return b"\0usbhidups-killpower:%08x:%s" % (binascii.crc32(raw), raw[-LONGEST_TAIL:])


def written(cut: PoweroffResult) -> bytes:
    """One result on a wire; ``parsed`` reads it."""
    return f"{int(cut.result)} {cut.text}".encode()[:4096]


def parsed(ups: str, told: str) -> PoweroffResult | None:
    """What ``written`` wrote; None for anything else."""
    number, _, text = told.partition(" ")
    try:
        return PoweroffResult(ups, PoweroffStatus(int(number)), text)
    except ValueError:
        return None


def _owner(connection: socket.socket) -> int:
    size = struct.calcsize("3i")
    uid: int = struct.unpack(
        "3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    )[1]
    return uid
