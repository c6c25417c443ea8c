"""The sockets of the simulator: one loop that serves USB/IP clients and the control socket.

Everything happens in the thread that calls ``run``; ``call`` hands it work from other threads.
"""

from __future__ import annotations

import errno
import logging
import os
import queue
import selectors
import socket
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from usbhidups.errors import ClientError, ConfigError
from usbhidups.simulator.control import ControlSession
from usbhidups.simulator.device import SimulatedDevice
from usbhidups.simulator.session import Hub, Session

__all__ = ["Server"]

_LOG = logging.getLogger(__name__)

TICK = 0.02
"""Seconds between two looks at a device that somebody has open."""
BACKLOG = 4 << 20
"""Bytes that a client may leave unread."""

Result = TypeVar("Result")


@dataclass(slots=True, eq=False)
class _Client:
    socket: socket.socket
    session: Session | ControlSession
    out: bytearray = field(default_factory=bytearray)


class Server:
    """``clock`` gives the host's time in seconds; ``control`` is the path of the control socket."""

    def __init__(
        self,
        devices: Mapping[str, SimulatedDevice],
        *,
        host: str,
        port: int,
        control: Path | None,
        clock: Callable[[], float],
    ) -> None:
        self._devices = devices
        self._clock = clock
        self.hub = Hub(devices)
        self._control_path: Path | None = None
        self._selector = selectors.DefaultSelector()
        self._wake_in, self._wake_out = socket.socketpair()
        self._work: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._clients: set[_Client] = set()
        self._running = True
        self._closed = False
        self._listeners: list[socket.socket] = []
        for each in (self._wake_in, self._wake_out):
            each.settimeout(0.0)
        self._selector.register(self._wake_in, selectors.EVENT_READ, None)
        place = f"{host}:{port}"
        try:
            self._listen_usbip(host, port)
            if control is not None:
                place = str(control)
                self._listen_control(control)
        except OSError as error:
            self._close()
            problem = error.strerror or str(error)
            raise ConfigError(f"cannot listen: {problem}", where=place) from None

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the USB/IP server."""
        host, port = self._listeners[0].getsockname()[:2]
        return str(host), int(port)

    def run(self) -> None:
        """Serve until ``stop``, then close everything."""
        try:
            while self._running:
                self._once()
        finally:
            self._close()

    def stop(self) -> None:
        """From any thread: end ``run``."""
        self._running = False
        self._wake()

    def call(self, work: Callable[[], Result]) -> Result:
        """From another thread: do ``work`` between two events, or here when ``run`` has ended."""
        done: Future[Result] = Future()

        def job() -> None:
            try:
                done.set_result(work())
            except ValueError as error:
                done.set_exception(error)

        self._work.put(job)
        self._wake()
        if self._closed:
            self._work_off()
        return done.result(timeout=30)

    def _wake(self) -> None:
        try:
            self._wake_out.send(b"x")
        except (BlockingIOError, OSError):
            return  # full: it will wake anyway; closed: nobody is asleep

    def _once(self) -> None:
        now = self._clock()
        dues = [
            c.session.next_due(now, TICK) for c in self._clients if isinstance(c.session, Session)
        ]
        timeout = min((max(0.0, due - now) for due in dues if due is not None), default=None)
        events = self._selector.select(timeout)
        for key, _mask in events:  # those who leave make room before others come
            if isinstance(key.data, _Client):
                self._serve(key.data)
        for key, _mask in events:
            if key.data is None:
                self._do_work()
            elif not isinstance(key.data, _Client):
                self._accept(key.fileobj, key.data)  # type: ignore[arg-type]
        now = self._clock()
        for client in list(self._clients):
            if isinstance(client.session, Session):
                client.out += client.session.poll(now)
            self._flush(client)

    def _do_work(self) -> None:
        self._wake_in.recv(4096)
        self._work_off()

    def _work_off(self) -> None:
        while True:
            try:
                job = self._work.get_nowait()
            except queue.Empty:
                return
            job()

    def _accept(
        self, listener: socket.socket, make: Callable[[str], Session | ControlSession]
    ) -> None:
        try:
            connection, peer = listener.accept()
        except (BlockingIOError, ConnectionError):
            return
        connection.settimeout(0.0)
        if connection.family != socket.AF_UNIX:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = _Client(connection, make("{}:{}".format(*peer[:2]) if peer else ""))
        self._clients.add(client)
        self._selector.register(connection, selectors.EVENT_READ, client)

    def _serve(self, client: _Client) -> None:
        try:
            data = client.socket.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop(client)
            return
        try:
            client.out += client.session.receive(data, self._clock())
        except ClientError as error:
            _LOG.debug("client dropped: %s", error)
            self._drop(client)
            return
        if isinstance(client.session, ControlSession) and client.session.quit:
            self._running = False

    def _flush(self, client: _Client) -> None:
        if client not in self._clients:
            return
        try:
            while client.out:
                sent = client.socket.send(client.out)
                del client.out[:sent]
        except BlockingIOError:
            pass
        except OSError:
            self._drop(client)
            return
        gone = isinstance(client.session, Session) and client.session.closed
        if gone or len(client.out) > BACKLOG:
            self._drop(client)
            return
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.out else 0)
        if self._selector.get_key(client.socket).events != wanted:
            self._selector.modify(client.socket, wanted, client)

    def _drop(self, client: _Client) -> None:
        self._clients.discard(client)
        if isinstance(client.session, Session):
            client.session.end()
        self._selector.unregister(client.socket)
        client.socket.close()

    def _listen_usbip(self, host: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        self._listeners.append(listener)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        self._open(listener, lambda peer: Session(self.hub, peer=peer))

    def _listen_control(self, path: Path) -> None:
        if path.is_socket():
            if _answers(path):
                raise OSError(errno.EADDRINUSE, "another simulator is told things there")
            path.unlink()
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listeners.append(listener)
        listener.bind(os.fspath(path))
        self._control_path = path
        self._open(listener, lambda _peer: ControlSession(self._devices))

    def _open(
        self, listener: socket.socket, make: Callable[[str], Session | ControlSession]
    ) -> None:
        listener.listen(64)
        listener.settimeout(0.0)
        self._selector.register(listener, selectors.EVENT_READ, make)

    def _close(self) -> None:
        for client in list(self._clients):
            self._flush(client)
        for client in list(self._clients):
            self._drop(client)
        for listener in self._listeners:
            listener.close()
        if self._control_path is not None:
            self._control_path.unlink(missing_ok=True)
        self._selector.close()
        self._wake_in.close()
        self._wake_out.close()
        self._closed = True
        self._work_off()


def _answers(path: Path) -> bool:
    """Whether somebody listens at this socket; one that was left behind refuses."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as trial:
        trial.settimeout(0.0)
        try:
            trial.connect(os.fspath(path))
        except BlockingIOError:
            return True  # its queue is full
        except OSError:
            return False
    return True
