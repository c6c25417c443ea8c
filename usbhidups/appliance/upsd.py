"""Ask an upsd over the network: what it knows and who is logged in. Read-only, never logs in.

One connection, one deadline for all of its questions: whatever the server does, the asker is free again
in time. Protocol: nut-driver-contract.md section 8.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from types import TracebackType
from typing import Self

from usbhidups.errors import ServerRefused, ServerUnreachable
from usbhidups.nut.words import LineReader, as_word

__all__ = ["WAIT", "UpsdClient", "split_target"]

DEFAULT_PORT = 3493
MAX_WORD = 1024
MAX_WORDS = 16
MAX_LINES = 4096

WAIT = "WAIT"
"""The status that upsd makes up from its connecting to a driver until that has told one; here the reason of a
ServerRefused. upsd's answers look good meanwhile, with no other variables or with some."""


def split_target(target: str) -> tuple[str, str, int]:
    """``name@host[:port]`` as (name, host, port); the host without brackets."""
    name, _, place = target.rpartition("@")
    host, colon, port = place.rpartition(":")
    if not colon or not port.isdecimal():
        host, port = place, str(DEFAULT_PORT)
    return name, host.removeprefix("[").removesuffix("]"), int(port)


class UpsdClient:
    """A connection to upsd; use it in a ``with``. All methods raise ServerRefused, ServerUnreachable."""

    def __init__(self, host: str, port: int, *, seconds: float) -> None:
        self._deadline = time.monotonic() + seconds
        self._place = f"{host} port {port}"
        self._lines: list[tuple[str, ...]] = []
        self._reader = LineReader(max_word=MAX_WORD, max_words=MAX_WORDS)
        try:
            self._socket = socket.create_connection((host, port), timeout=self._left())
        except OSError as error:
            reason = error.strerror or str(error)
            raise ServerUnreachable(f"upsd at {self._place}: {reason}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()

    def ups_names(self) -> dict[str, str]:
        """The UPSes and their descriptions."""
        return {words[1]: words[2] for words in self._list("UPS") if len(words) == 3}

    def variables(self, ups: str) -> dict[str, str]:
        """Everything that ``ups`` publishes; never without a status of its own (else ServerRefused)."""
        found = {words[2]: words[3] for words in self._list("VAR", ups) if len(words) == 4}
        if found.get("ups.status", WAIT) == WAIT:
            raise ServerRefused(WAIT)
        return found

    def clients(self, ups: str) -> list[str]:
        """The addresses that are logged in to ``ups``."""
        return [words[2] for words in self._list("CLIENT", ups) if len(words) == 3]

    def other_hosts(self, ups: str) -> list[str]:
        """The addresses that are logged in to ``ups`` from elsewhere. A login from here proves no running
        upsmon: it lasts while a notify command runs, whose child has inherited the connection."""
        here = self._socket.getsockname()[0]
        return [each for each in self.clients(ups) if each != here and not _is_loopback(each)]

    def logins(self, ups: str) -> int:
        """How many clients are logged in to ``ups``."""
        self._ask("GET", "NUMLOGINS", ups)
        answer = self._line()
        if answer[:2] != ("NUMLOGINS", ups) or len(answer) != 3 or not answer[2].isdecimal():
            raise ServerUnreachable(f"upsd at {self._place}: unexpected answer")
        return int(answer[2])

    def _list(self, *what: str) -> list[tuple[str, ...]]:
        self._ask("LIST", *what)
        if self._line() != ("BEGIN", "LIST", *what):
            raise ServerUnreachable(f"upsd at {self._place}: unexpected answer")
        found: list[tuple[str, ...]] = []
        while (words := self._line()) != ("END", "LIST", *what):
            found.append(words)
            if len(found) > MAX_LINES:
                raise ServerUnreachable(f"upsd at {self._place}: the answer does not end")
        return found

    def _ask(self, *words: str) -> None:
        line = " ".join(as_word(word) for word in words) + "\n"
        try:
            self._socket.settimeout(self._left())
            self._socket.sendall(line.encode("latin-1", errors="replace"))
        except OSError as error:
            raise ServerUnreachable(f"upsd at {self._place}: {error}") from error

    def _line(self) -> tuple[str, ...]:
        while not self._lines:
            try:
                self._socket.settimeout(self._left())
                data = self._socket.recv(65536)
            except OSError as error:
                raise ServerUnreachable(f"upsd at {self._place}: {error}") from error
            if not data:
                raise ServerUnreachable(f"upsd at {self._place}: closed the connection")
            self._lines += [line.words for line in self._reader.feed(data.decode("latin-1"))]
        words = self._lines.pop(0)
        if words[0] == "ERR":
            raise ServerRefused(words[1] if len(words) > 1 else "ERR")
        return words

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise ServerUnreachable(f"upsd at {self._place}: no answer in time")
        return left


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
