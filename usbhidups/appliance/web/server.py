"""Serve the snapshot over HTTP: a handful of fixed paths, GET and HEAD, nothing else.

The standard library's handler, with what it lacks for an open port: a fixed number of workers and a bounded
queue before them, one deadline for a whole connection (a browser that sends a byte a second gains nothing),
one request per connection, and a check of the Host header against DNS rebinding. No file is opened by a
path from outside; no request changes anything.
"""

from __future__ import annotations

import contextlib
import http.server
import importlib.resources
import io
import ipaddress
import logging
import queue
import socket
import socketserver
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from usbhidups import __version__
from usbhidups.appliance.web.exports import as_json, as_prometheus
from usbhidups.appliance.web.page import fragment, page
from usbhidups.appliance.web.snapshot import Snapshot

__all__ = ["StatusServer"]

WORKERS = 8
WAITING = 32
CONNECTION_SECONDS = 5.0
LONGEST_HEAD = 16 * 1024

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
HTML, JSON, TEXT = "text/html; charset=utf-8", "application/json", "text/plain; version=0.0.4"
STATIC = {
    "/style.css": ("style.css", "text/css; charset=utf-8"),
    "/live.js": ("live.js", "text/javascript; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Answer:
    body: bytes
    kind: str
    status: HTTPStatus = HTTPStatus.OK
    cache: str = "no-store"


class StatusServer(socketserver.TCPServer):
    """``snapshot`` gives what is shown. ``names`` are further Host names to accept, beside addresses,
    ``localhost`` and this host's own name."""

    allow_reuse_address = True
    request_queue_size = 64

    def __init__(
        self,
        address: tuple[str, int],
        snapshot: Callable[[], Snapshot],
        *,
        names: frozenset[str] = frozenset(),
    ) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.snapshot = snapshot
        own = {"localhost", socket.gethostname().lower()}
        self._names = own | {name.lower() for name in names}
        self.static = {path: _static(*file) for path, file in STATIC.items()}
        self._queue: queue.Queue[socket.socket | None] = queue.Queue(WAITING)
        super().__init__(address, http.server.BaseHTTPRequestHandler)
        self._workers = [
            threading.Thread(target=self._work, name=f"web-{n}", daemon=True)
            for n in range(WORKERS)
        ]
        for worker in self._workers:
            worker.start()

    @property
    def place(self) -> tuple[str, int]:
        """Address and port that are listened on."""
        return self.socket.getsockname()[0], self.socket.getsockname()[1]

    def process_request(self, request: object, client_address: object) -> None:
        """Queue the connection; a full queue means that it is closed at once."""
        assert isinstance(request, socket.socket)  # noqa: S101 - what accept() gave
        try:
            self._queue.put_nowait(request)
        except queue.Full:
            self.shutdown_request(request)

    def server_close(self) -> None:
        super().server_close()
        for _ in self._workers:
            self._queue.put(None)
        for worker in self._workers:
            worker.join()

    def accepts_host(self, header: str | None) -> bool:
        """Whether the request was meant for us: an address, our name, or a name that was allowed."""
        if header is None:
            return True  # HTTP/1.0, such as a health check; browsers always send one
        host = header.rsplit(":", 1)[0] if not header.endswith("]") else header
        host = host.removeprefix("[").removesuffix("]").rstrip(".").lower()
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return host in self._names
        return True

    def _work(self) -> None:
        while (connection := self._queue.get()) is not None:
            deadline = time.monotonic() + CONNECTION_SECONDS
            with connection, contextlib.suppress(OSError):
                _Handler(connection, self, deadline=deadline)
                connection.shutdown(socket.SHUT_WR)


class _DeadlineReader(io.RawIOBase):
    """Reads until the deadline, and no more than a request's head may hold."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        super().__init__()
        self._connection = connection
        self._deadline = deadline
        self._rest = LONGEST_HEAD

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview | bytearray) -> int:  # type: ignore[override]
        left = self._deadline - time.monotonic()
        if left <= 0 or self._rest <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        count = self._connection.recv_into(buffer)
        self._rest -= count
        return count


class _Handler(http.server.BaseHTTPRequestHandler):
    server: StatusServer
    server_version = f"usbhidups/{__version__}"
    sys_version = ""
    protocol_version = "HTTP/1.0"

    def __init__(self, connection: socket.socket, server: StatusServer, *, deadline: float) -> None:
        self._deadline = deadline
        super().__init__(connection, ("", 0), server)

    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        self.rfile = io.BufferedReader(_DeadlineReader(self.connection, self._deadline), 4096)

    def do_GET(self) -> None:
        self._answer(send_body=True)

    def do_HEAD(self) -> None:
        self._answer(send_body=False)

    def _answer(self, *, send_body: bool) -> None:
        answer = self._find()
        self.connection.settimeout(max(0.1, self._deadline - time.monotonic()))
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Cache-Control", answer.cache)
        self.end_headers()
        if send_body:
            self.wfile.write(answer.body)

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        super().end_headers()

    def _find(self) -> _Answer:
        if not self.server.accepts_host(self.headers.get("Host")):
            return _Answer(b"not this host\n", TEXT, HTTPStatus.MISDIRECTED_REQUEST)
        path = self.path.split("?", 1)[0]
        if path in self.server.static:
            return self.server.static[path]
        snapshot = self.server.snapshot()
        if path == "/":
            return _Answer(page(snapshot).encode(), HTML)
        if path == "/fragment":
            return _Answer(fragment(snapshot).encode(), HTML)
        if path == "/status.json":
            return _Answer(as_json(snapshot).encode(), JSON)
        if path == "/metrics":
            return _Answer(as_prometheus(snapshot).encode(), TEXT)
        return _Answer(b"no such page\n", TEXT, HTTPStatus.NOT_FOUND)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        log.debug(format, *args)


def _static(name: str, kind: str) -> _Answer:
    data = (
        importlib.resources.files("usbhidups.appliance.web").joinpath("static", name).read_bytes()
    )
    return _Answer(data, kind, cache="max-age=300")
