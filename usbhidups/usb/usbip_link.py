"""The socket of a USB/IP connection: bytes out in bounded time, answers in, and a wait that can be ended.

What the answers mean is the business of ``usbip``; their shape is that of ``usbip_wire``.
"""

from __future__ import annotations

import contextlib
import errno
import select
import socket
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from usbhidups.errors import DeviceGone, DeviceNotFound
from usbhidups.usb.usbip_wire import OperationReader, Submitted, TransferReader, Unlinked
from usbhidups.usb.wake import Wake

__all__ = ["Link", "connected", "operation"]

SEND_TIMEOUT = 2.0
"""Seconds for one request to leave this host."""

BLOCK = 65_536

_Reply = TypeVar("_Reply")


class Link:
    """A connection after the import. Once it is dead every call says why, as DeviceGone."""

    def __init__(self, sock: socket.socket, rest: bytes, *, clock: Callable[[], float]) -> None:
        """``sock`` becomes the link's own; ``rest`` is what was read of the transfers already."""
        sock.settimeout(0.0)
        self._sock = sock
        self._clock = clock
        self._reader = TransferReader(rest)
        self._wake = Wake()
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)
        self._poll_both = select.poll()
        self._poll_both.register(sock, select.POLLIN)
        self._poll_both.register(self._wake, select.POLLIN)
        self._dead = ""

    def expect(self, seqnum: int) -> None:
        """Transfer ``seqnum`` is a read: its answer brings data."""
        self._reader.expect(seqnum)

    def forget(self, seqnum: int) -> None:
        """Transfer ``seqnum`` was taken back for certain."""
        self._reader.forget(seqnum)

    def send(self, data: bytes) -> None:
        """Send everything. Raises DeviceGone."""
        if self._dead:
            raise DeviceGone(f"usbip: {self._dead}")
        try:
            _send_all(self._sock, data, self._clock() + SEND_TIMEOUT, self._clock)
        except OSError as error:
            raise self.died(error.strerror or str(error)) from None

    def wait(self, deadline: float, *, heed_calls: bool) -> bool:
        """Wait for bytes; False when none came by ``deadline``, or when somebody called and calls count."""
        if self._dead:
            raise DeviceGone(f"usbip: {self._dead}")
        poll = self._poll_both if heed_calls else self._poll
        left = max(0.0, deadline - self._clock())
        ready = {fd for fd, _ in poll.poll(left * 1000)}
        if self._sock.fileno() in ready:
            self._receive()
        if self._wake.fileno() in ready:
            self._wake.clear()
            return False
        return bool(ready)

    def messages(self) -> Iterator[Submitted | Unlinked]:
        """The whole answers that have come. Raises DeviceGone on nonsense."""
        while True:
            try:
                message = self._reader.next()
            except DeviceGone as error:
                self._dead = self._dead or str(error).removeprefix("usbip: ")
                raise
            if message is None:
                return
            yield message

    def died(self, why: str) -> DeviceGone:
        """Give the connection up; the error to raise."""
        self._dead = self._dead or why
        return DeviceGone(f"usbip: {why}")

    def call(self) -> None:
        """From any thread: end a wait that heeds calls, or the next one."""
        self._wake.call()

    def close(self) -> None:
        """Hang up; may be called twice."""
        self._dead = self._dead or "closed"
        self._wake.close()
        with contextlib.suppress(OSError):
            self._sock.close()

    def _receive(self) -> None:
        try:
            data = self._sock.recv(BLOCK)
        except BlockingIOError:
            return
        except OSError as error:
            raise self.died(error.strerror or str(error)) from None
        if not data:
            raise self.died("the server closed the connection")
        self._reader.feed(data)


def connected(host: str, port: int, place: str, deadline: float) -> socket.socket:
    """A connection to a server. Raises DeviceNotFound, which names ``place``."""
    try:
        sock = socket.create_connection((host, port), timeout=max(0.1, deadline - time.monotonic()))
    except OSError as error:
        raise DeviceNotFound(f"{place}: {error.strerror or error}") from None
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.settimeout(0.0)
    return sock


def operation(
    sock: socket.socket,
    request: bytes,
    reader: OperationReader,
    reply: Callable[[], _Reply | None],
    place: str,
    deadline: float,
) -> _Reply:
    """Send one request and collect its reply. Raises DeviceNotFound, and what ``reply`` raises."""
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    try:
        _send_all(sock, request, deadline, time.monotonic)
        while (result := reply()) is None:
            left = deadline - time.monotonic()
            if left <= 0 or not poll.poll(left * 1000):
                raise DeviceNotFound(f"{place}: the server does not answer")
            data = sock.recv(BLOCK)
            if not data:
                raise DeviceNotFound(f"{place}: the server closed the connection")
            reader.feed(data)
    except OSError as error:
        raise DeviceNotFound(f"{place}: {error.strerror or error}") from None
    return result


def _send_all(
    sock: socket.socket, data: bytes, deadline: float, clock: Callable[[], float]
) -> None:
    """Send everything by ``deadline``; raises OSError (TimeoutError)."""
    view = memoryview(data)
    while view:
        try:
            view = view[sock.send(view) :]
        except BlockingIOError:
            poll = select.poll()
            poll.register(sock, select.POLLOUT)
            if not poll.poll(max(0.0, deadline - clock()) * 1000):
                raise TimeoutError(errno.ETIMEDOUT, "the server takes no more data") from None
