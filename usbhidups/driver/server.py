"""The state socket: who is connected, what they ask, what they are told. (nut-driver-contract.md 3)

It runs on the caller's selector and in the caller's thread, and answers from the store at once; what needs
the device is handed on by ``on_command`` and answered later by ``reply``. One client's fault costs that
client its connection and nobody anything else.

The caller's part: for each ``key, mask`` of ``selector.select()`` whose ``key.data`` is a ``Handler``, call
``key.data(mask)``.
"""

from __future__ import annotations

import functools
import itertools
import logging
import os
import selectors
import socket
from collections.abc import Callable

from usbhidups.driver.client import Client, ClientId
from usbhidups.driver.listening import BACKLOG, Listener
from usbhidups.errors import ClientError
from usbhidups.nut.session import (
    GOODBYE,
    PONG,
    Broadcast,
    DumpAll,
    DumpStatus,
    DumpValue,
    GetPid,
    Ignored,
    Instcmd,
    Logout,
    Ping,
    Request,
    Set,
    pid_line,
)
from usbhidups.nut.store import VariableStore

__all__ = ["ClientId", "Command", "Handler", "StateServer"]

_log = logging.getLogger(__name__)

Command = Instcmd | Set
"""What the server cannot answer itself."""

Handler = Callable[[int], None]
"""What the selector's keys carry: called with the events that came."""

MAX_CLIENTS = 64
MAX_BACKLOG = 256 * 1024
"""Bytes a client may leave unread before it is dropped: several dumps of the largest UPS."""

BATCH = 64 * 1024
"""Bytes of answers that are gathered before they are sent."""


class StateServer:
    """Serves one UPS's store to all who connect."""

    def __init__(
        self,
        path: str,
        selector: selectors.BaseSelector,
        store: VariableStore,
        on_command: Callable[[ClientId, Command], None],
        *,
        group: int | None = None,
        max_clients: int = MAX_CLIENTS,
        max_backlog: int = MAX_BACKLOG,
    ) -> None:
        """Listen at ``path`` and register with ``selector``; errors are those of ``Listener``.

        ``on_command`` must return at once; it may call ``reply`` before it returns. ``group`` is a number.
        """
        self._selector = selector
        self._store = store
        self._on_command = on_command
        self._max_clients = max_clients
        self._max_backlog = max_backlog
        self._clients: dict[ClientId, Client] = {}
        self._numbers = itertools.count(1)
        self._accepting = False
        self._troubled = False  # connections cannot be taken in; said once
        self._listener = Listener(path, group=group)
        self._resume()
        _log.info("listening on %s", path)

    @property
    def clients(self) -> int:
        """How many are connected."""
        return len(self._clients)

    def broadcast(self, lines: bytes) -> None:
        """Tell everybody who did not opt out; ``lines`` is what ``VariableStore.apply`` returned."""
        if not lines:
            return
        for client in list(self._clients.values()):
            if client.session.broadcasting and not client.leaving:
                self._send(client, lines)
        self._resume()

    def reply(self, number: ClientId, data: bytes) -> None:
        """Answer one client; nothing happens when it has left meanwhile."""
        client = self._clients.get(number)
        if client is not None and not client.leaving:
            self._send(client, data)

    def close(self) -> None:
        """Let everybody go and remove the socket file. What was sent still arrives."""
        for client in list(self._clients.values()):
            self._drop(client, "the driver ends")
        self._pause()
        self._listener.close()

    # -- connections coming and going -----------------------------------------------------------

    def _on_listener(self, _mask: int) -> None:
        for _ in range(BACKLOG):
            try:
                connection, _address = self._listener.socket.accept()
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                # Out of descriptors or memory. The listener stays readable, so waiting for it would
                # spin: it is left aside until somebody leaves or something changes.
                self._trouble(f"cannot accept a connection: {error.strerror}")
                self._pause()
                return
            self._admit(connection)

    def _admit(self, connection: socket.socket) -> None:
        if len(self._clients) >= self._max_clients:
            victim = self._least_useful()
            self._trouble(f"{self._max_clients} clients are connected, which is the limit")
            if victim is None:
                connection.close()
                return
            self._drop(victim, "makes room for another")
        else:
            self._troubled = False
        number = ClientId(next(self._numbers))
        client = Client(number, connection, max_backlog=self._max_backlog)
        self._clients[number] = client
        handler: Handler = functools.partial(self._on_client, client)
        self._selector.register(connection, client.events, handler)
        _log.debug("client %d connected", number)

    def _least_useful(self) -> Client | None:
        """Who has to go when all places are taken: one that does not read, one that never spoke."""
        clients = self._clients.values()
        stuck = (client for client in clients if client.backlog)
        silent = (client for client in clients if not client.spoken)
        return next(itertools.chain(stuck, silent), None)

    def _drop(self, client: Client, reason: str) -> None:
        if self._clients.pop(client.number, None) is None:
            return
        self._selector.unregister(client.socket)
        client.socket.close()
        _log.debug("client %d dropped: %s", client.number, reason)
        self._resume()

    def _trouble(self, text: str) -> None:
        if not self._troubled:
            _log.warning("%s: %s", self._listener.path, text)
        self._troubled = True

    def _pause(self) -> None:
        if self._accepting:
            self._selector.unregister(self._listener.socket)
            self._accepting = False

    def _resume(self) -> None:
        if not self._accepting and self._listener.socket.fileno() >= 0:
            handler: Handler = self._on_listener
            self._selector.register(self._listener.socket, selectors.EVENT_READ, handler)
            self._accepting = True

    # -- one client's turn ---------------------------------------------------------------------

    def _on_client(self, client: Client, mask: int) -> None:
        if client.number not in self._clients:
            return  # dropped earlier in this round of events
        try:
            if mask & selectors.EVENT_WRITE:
                client.flush()
            else:
                client.read()
            self._serve(client)
        except ClientError as error:
            self._drop(client, str(error))

    def _serve(self, client: Client) -> None:
        """Answer what was asked, as long as the answers are taken."""
        while client.requests and not client.backlog:
            while client.requests and client.backlog < BATCH:
                client.queue(self._answer(client, client.requests.popleft()))
            client.flush()
        self._watch(client)

    def _answer(self, client: Client, request: Request) -> bytes:
        """The answer to one request, b"" when there is none (yet)."""
        match request:
            case Ping():
                return PONG
            case DumpAll():
                return self._store.dump()
            case DumpValue(name):
                return self._store.dump_value(name)
            case DumpStatus():
                return self._store.dump_status()
            case GetPid():
                return pid_line(os.getpid())
            case Logout():
                client.leaving = True
                return GOODBYE
            case Instcmd() | Set():
                self._on_command(client.number, request)
                if client.number not in self._clients:  # its answer found it gone
                    raise ClientError("gone while it was answered")
            case Ignored(reason):
                _log.debug("client %d: %s", client.number, reason)
            case Broadcast():
                pass  # the session has noted it
        return b""

    def _send(self, client: Client, data: bytes) -> None:
        client.queue(data)
        try:
            client.flush()
        except ClientError as error:
            self._drop(client, str(error))
            return
        self._watch(client)

    def _watch(self, client: Client) -> None:
        """Have the selector wait for what this client needs next."""
        key = self._selector.get_key(client.socket)
        if key.events != client.events:
            self._selector.modify(client.socket, client.events, key.data)
