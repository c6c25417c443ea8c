"""A client of a driver's state socket: ask one thing, wait for the answer, within a time limit.

For the tools, for ``-c`` and ``-k``, and for a driver that starts and looks whether another one runs. It
blocks; the daemon's main loop never uses it while it serves. (nut-driver-contract.md 1.5, 3.2, 6.6)
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from usbhidups.errors import UsbHidUpsError
from usbhidups.nut.words import MAX_WORD, MAX_WORDS, Line, LineReader, quote

__all__ = ["Dump", "NoAnswer", "StateClient"]

LARGEST_ANSWER = 4 << 20
"""Bytes read for one answer at most; a dump of the largest UPS is a hundredth of that."""


class NoAnswer(UsbHidUpsError):
    """Nobody answers at the state socket (in time): take the driver for not running."""


@dataclass(frozen=True, slots=True)
class Dump:
    """What a driver publishes."""

    variables: Mapping[str, str]
    writable: frozenset[str]
    commands: tuple[str, ...]
    fresh: bool


class StateClient:
    """One connection. All methods raise NoAnswer when the answer does not come in time."""

    def __init__(
        self, path: Path, *, timeout: float = 5.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._path = path
        self._timeout = timeout
        self._clock = clock
        self._reader = LineReader(max_word=MAX_WORD, max_words=MAX_WORDS)
        self._lines: list[Line] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _timeval(timeout))
            self._socket.connect(
                str(path)
            )  # blocking: with a time limit a full queue counts as refusal
            self._socket.settimeout(timeout)
        except OSError as error:
            self._socket.close()
            raise NoAnswer(f"no driver answers at {path}: {error.strerror or error}") from error

    def __enter__(self) -> StateClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Say goodbye without waiting for the answer."""
        with contextlib.suppress(OSError):
            self._socket.sendall(b"LOGOUT\n")
        self._socket.close()

    def ping(self) -> None:
        """Return when the driver answered PONG."""
        self._ask(b"NOBROADCAST\nPING\n")
        for line in self._answers():
            if line.words[0] == "PONG":
                return

    def peer(self) -> int:
        """The number of the process that listens here, from the kernel: one that hangs has it too."""
        size = struct.calcsize("3i")
        credentials = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
        pid: int = struct.unpack("3i", credentials)[0]
        return pid

    def pid(self) -> int:
        """The driver's process number, from itself."""
        self._ask(b"NOBROADCAST\nGETPID\n")
        for line in self._answers():
            if line.words[0] == "PID" and len(line.words) == 2 and line.words[1].isdigit():
                return int(line.words[1])
        raise NoAnswer(f"{self._path}: no PID in the answer")

    def dump(self) -> Dump:
        """Everything that is published."""
        self._ask(b"NOBROADCAST\nDUMPALL\n")
        variables: dict[str, str] = {}
        writable: set[str] = set()
        commands: list[str] = []
        fresh = False
        for line in self._answers():
            match line.words:
                case ("SETINFO", name, value):
                    variables[name] = value
                case ("SETFLAGS", name, *flags) if "RW" in flags:
                    writable.add(name)
                case ("ADDCMD", name):
                    commands.append(name)
                case ("DATAOK",):
                    fresh = True
                case ("DUMPDONE",):
                    break
        return Dump(variables, frozenset(writable), tuple(commands), fresh)

    def command(self, name: str, parameter: str | None = None) -> int:
        """INSTCMD with TRACKING; the code of the answer (0: handled)."""
        words = [name] if parameter is None else [name, quote(parameter)]
        return self._tracked("INSTCMD", words)[0]

    def command_watching(self, name: str, variable: str) -> tuple[int, str]:
        """As ``command``, and what ``variable`` was changed to meanwhile ("" when it was not)."""
        return self._tracked("INSTCMD", [name], variable)

    def set(self, name: str, value: str) -> int:
        """SET with TRACKING; the code of the answer (0: handled)."""
        return self._tracked("SET", [name, quote(value)])[0]

    def follow(self) -> Iterator[Line]:
        """Lines as they come, for ever; NoAnswer when the driver went away. No time limit."""
        self._socket.settimeout(None)
        self._ask(b"DUMPALL\n")
        while True:
            yield from self._lines
            self._lines = []
            self._receive()

    def _tracked(self, keyword: str, words: list[str], watched: str = "") -> tuple[int, str]:
        tracking = os.urandom(16).hex()
        quiet = "" if watched else "NOBROADCAST\n"
        self._ask(f"{quiet}{keyword} {' '.join(words)} TRACKING {tracking}\n".encode("ascii"))
        seen = ""
        for line in self._answers():
            match line.words:
                case ("SETINFO", name, value) if name == watched:
                    seen = value
                case ("TRACKING", found, code) if found == tracking and code.isdigit():
                    return int(code), seen
        raise NoAnswer(f"{self._path}: no answer to {keyword}")

    def _ask(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise NoAnswer(f"{self._path}: {error.strerror or error}") from error

    def _answers(self) -> Iterator[Line]:
        """Lines until the caller has what it wants; NoAnswer when the time or the size is used up."""
        deadline = self._clock() + self._timeout
        left = LARGEST_ANSWER
        while True:
            while self._lines:
                line = self._lines.pop(0)
                if not line.error and line.words:
                    yield line
            remaining = deadline - self._clock()
            if remaining <= 0 or left <= 0:
                raise NoAnswer(f"{self._path}: the driver does not answer")
            self._socket.settimeout(remaining)
            left -= self._receive()

    def _receive(self) -> int:
        try:
            data = self._socket.recv(65536)
        except OSError as error:
            raise NoAnswer(f"{self._path}: {error.strerror or error}") from error
        if not data:
            raise NoAnswer(f"{self._path}: the driver closed the connection")
        self._lines.extend(self._reader.feed(data.decode("latin-1")))
        return len(data)


def _timeval(seconds: float) -> bytes:
    """The kernel's struct timeval; a limit of nothing would mean none."""
    microseconds = max(1, round(seconds * 1e6))
    return struct.pack("@ll", *divmod(microseconds, 1_000_000))
