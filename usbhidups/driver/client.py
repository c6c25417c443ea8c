"""One connection to the state socket: bytes in and out, never blocking, never growing without bound.

It knows how to move bytes and when it is not worth keeping; what to answer is the server's business.
"""

from __future__ import annotations

import selectors
import socket
from collections import deque
from typing import NewType

from usbhidups.errors import ClientError
from usbhidups.nut.session import Request, Session

__all__ = ["Client", "ClientId"]

ClientId = NewType("ClientId", int)
"""Names a connection for as long as the server lives; never used twice."""

READ_SIZE = 1024
"""Bytes taken from one client in one turn: some 200 of the shortest requests."""


class Client:
    """A connection. Every method returns at once; ClientError means: drop it.

    Rule: nothing is read from a client while an answer to it waits. Whoever asks and does not read the
    answers is thus held up by its own socket, and what it costs us is one turn's requests, one answer and
    the broadcasts up to the bound.
    """

    def __init__(self, number: ClientId, connection: socket.socket, *, max_backlog: int) -> None:
        connection.settimeout(0)
        self.number = number
        self.socket = connection
        self.session = Session()
        self.requests: deque[Request] = deque()
        self.spoken = False
        self.leaving = False
        self._max_backlog = max_backlog
        self._unsent = bytearray()

    @property
    def backlog(self) -> int:
        """Bytes that wait to be sent."""
        return len(self._unsent)

    @property
    def events(self) -> int:
        """What to wait for, in the words of ``selectors``."""
        return selectors.EVENT_WRITE if self._unsent else selectors.EVENT_READ

    def read(self) -> None:
        """Take what has arrived, at most READ_SIZE bytes, into ``requests``."""
        try:
            data = self.socket.recv(READ_SIZE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            raise ClientError(f"reading: {error.strerror}") from error
        if not data:
            raise ClientError("closed by the other side")
        requests = self.session.receive(data)
        self.spoken = self.spoken or bool(requests)
        self.requests.extend(requests)

    def queue(self, data: bytes) -> None:
        """Have this sent by the next ``flush``."""
        self._unsent += data

    def flush(self) -> None:
        """Send as much as the other side takes; ClientError when it is gone or hopelessly behind."""
        while self._unsent:
            try:
                with memoryview(self._unsent) as waiting:
                    sent = self.socket.send(waiting, socket.MSG_NOSIGNAL)
            except (BlockingIOError, InterruptedError):
                break
            except OSError as error:
                raise ClientError(f"writing: {error.strerror}") from error
            del self._unsent[:sent]
        if len(self._unsent) > self._max_backlog:
            raise ClientError(f"{len(self._unsent)} bytes unread")
        if self.leaving and not self._unsent:
            raise ClientError("logged out")
