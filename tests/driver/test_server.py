"""The state socket's server over real sockets, its selector turned by hand: no threads, no waiting.

nut-driver-contract.md section 3, checklist 2 to 4, 21, 34 to 59.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import resource
import selectors
import socket
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from usbhidups.driver import listening
from usbhidups.driver.client import Client
from usbhidups.driver.server import ClientId, Command, StateServer
from usbhidups.errors import AlreadyRunning, ClientError, ConfigError
from usbhidups.nut.session import Instcmd, Set, tracking_line
from usbhidups.nut.store import Published, VariableStore

DUMP = b'SETINFO ups.status "OL"\nADDCMD beeper.mute\nDATAOK\nDUMPDONE\n'
ALMOST_ALL = 350
"""Lines of a dump that issue 2 wants to pass."""


class Rig:
    """A server whose selector the test turns, and the clients that it made."""

    def __init__(self, path: Path, **limits: int) -> None:
        self.path = str(path)
        self.store = VariableStore()
        self.store.apply({"ups.status": Published("OL")}, ["beeper.mute"], fresh=True)
        self.heard: list[tuple[ClientId, Command]] = []
        self.answer: Callable[[ClientId, Command], None] = lambda client, command: None
        self.stack = contextlib.ExitStack()
        self.selector = self.stack.enter_context(selectors.DefaultSelector())
        self.server = StateServer(self.path, self.selector, self.store, self._on_command, **limits)
        self.stack.callback(self.server.close)

    def _on_command(self, client: ClientId, command: Command) -> None:
        self.heard.append((client, command))
        self.answer(client, command)

    def connect(self) -> socket.socket:
        """A new client, taken in by the server."""
        client = self.stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        client.connect(self.path)
        client.settimeout(0)
        self.turn()
        return client

    def turn(self) -> int:
        """One round of the selector; returns how many events there were."""
        events = self.selector.select(0)
        for key, mask in events:
            key.data(mask)
        return len(events)

    def settle(self) -> None:
        """Turn until nothing happens any more."""
        for _ in range(10_000):
            if not self.turn():
                return
        pytest.fail("the server does not come to rest")

    def ask(self, client: socket.socket, data: bytes) -> bytes:
        """Send, let the server work, return what came back."""
        client.sendall(data)
        self.settle()
        return received(client)

    def change(self, status: str) -> bytes:
        """Change and broadcast the status; returns the line that clients must hear."""
        lines = self.store.apply({"ups.status": Published(status)}, ["beeper.mute"], fresh=True)
        self.server.broadcast(lines)
        return lines


def received(client: socket.socket) -> bytes:
    """Everything that waits for a client, up to now."""
    pieces = []
    with contextlib.suppress(BlockingIOError):
        while piece := client.recv(65536):
            pieces.append(piece)
    return b"".join(pieces)


def is_closed(client: socket.socket) -> bool:
    """Whether the server closed this connection; what waited before is thrown away."""
    try:
        while client.recv(65536):
            pass
    except BlockingIOError:
        return False
    except ConnectionResetError:
        pass
    return True


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path / "usbhidups-ups")
    yield made
    made.stack.close()


@contextlib.contextmanager
def limited_rig(directory: Path, **limits: int) -> Iterator[Rig]:
    made = Rig(directory / "s", **limits)
    with made.stack:
        yield made


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


# -- answers ------------------------------------------------------------------------------------------

EXCHANGES = [
    (b"DUMPALL\n", DUMP),
    (b"PING\n", b"PONG\n"),
    (b"ping\nPING\n", b"PONG\nPONG\n"),
    (b"GETPID\n", b"PID %d\n" % os.getpid()),
    (b"DUMPSTATUS\n", b'SETINFO ups.status "OL"\nDATAOK\nDUMPDONE\n'),
    (b"DUMPVALUE ups.status\n", b'SETINFO ups.status "OL"\nDATAOK\nDUMPDONE\n'),
    (b"DUMPVALUE nosuch\n", b"DATAOK\nDUMPDONE\n"),
    (b"NOSUCH\nPING\n", b"PONG\n"),
    (b"NOBROADCASTPING\n", b""),
    (b'SET a "x # y"\nPING\n', b"PONG\n"),
    (b"NOBROADCAST\nPING\n", b"PONG\n"),
    (b"NOBROADCAST\nDUMPALL\n", DUMP),
    (b"INSTCMD nosuch\n", b""),
    (b"\0\xff\x1b[\n PING\n", b"PONG\n"),
]


@pytest.mark.parametrize(
    ("request_bytes", "answer"), EXCHANGES, ids=[repr(asked) for asked, _ in EXCHANGES]
)
def test_answers_whole_byte_by_byte_and_joined(
    rig: Rig, request_bytes: bytes, answer: bytes
) -> None:
    client = rig.connect()
    assert rig.ask(client, request_bytes) == answer
    slow = rig.connect()
    assert b"".join(rig.ask(slow, bytes([byte])) for byte in request_bytes) == answer
    joined = rig.connect()
    assert rig.ask(joined, request_bytes + b"GETPID\nPI") == answer + b"PID %d\n" % os.getpid()
    assert rig.ask(joined, b"NG\n") == b"PONG\n"


def test_logout_says_goodbye_and_closes(rig: Rig) -> None:
    client = rig.connect()
    client.sendall(b"DUMPALL\nLOGOUT\n")
    rig.settle()
    client.settimeout(None)
    assert client.recv(4096) == DUMP + b"OK Goodbye\n"
    assert client.recv(1) == b""
    assert rig.server.clients == 0


def test_commands_are_handed_on_and_answered_when_they_are_done(rig: Rig) -> None:
    first, second = rig.connect(), rig.connect()
    asked = b'INSTCMD load.off TRACKING i\nSET a "1" TRACKING i\nPING\n'
    assert rig.ask(first, asked) == b"PONG\n"
    assert rig.ask(second, b"INSTCMD beeper.mute\n") == b""
    (one, instcmd), (also_one, set_), (two, untracked) = rig.heard
    assert one == also_one != two
    assert instcmd == Instcmd("load.off", None, "i")
    assert set_ == Set("a", "1", "i")
    assert untracked == Instcmd("beeper.mute")
    rig.server.reply(one, tracking_line("i", 0))
    rig.server.reply(one, tracking_line("i", 3))
    assert received(first) == b"TRACKING i 0\nTRACKING i 3\n"
    assert received(second) == b""


def test_an_answer_at_once_keeps_its_place_among_the_answers(rig: Rig) -> None:
    rig.answer = lambda client, command: rig.server.reply(client, b"TRACKING i 2\n")
    client = rig.connect()
    asked = b"PING\nINSTCMD a TRACKING i\nPING\n"
    assert rig.ask(client, asked) == b"PONG\nTRACKING i 2\nPONG\n"


def test_an_answer_to_a_client_that_left_is_lost_without_harm(rig: Rig) -> None:
    client, other = rig.connect(), rig.connect()
    rig.ask(client, b"INSTCMD a TRACKING i\n")
    client.close()
    rig.server.reply(rig.heard[0][0], b"TRACKING i 0\n")  # not noticed yet
    rig.settle()
    rig.server.reply(rig.heard[0][0], b"TRACKING i 0\n")
    newcomer = rig.connect()
    assert received(newcomer) == b""
    assert rig.ask(other, b"PING\n") == b"PONG\n"


def test_a_client_found_gone_while_its_command_is_answered(rig: Rig) -> None:
    client = rig.connect()
    rig.answer = lambda number, command: rig.server.reply(number, b"TRACKING i 0\n")
    client.sendall(b"INSTCMD a TRACKING i\nINSTCMD b TRACKING i\n")
    client.close()
    rig.settle()
    assert [command.command for _, command in rig.heard if isinstance(command, Instcmd)] == ["a"]
    assert rig.server.clients == 0


# -- broadcasts -----------------------------------------------------------------------------------------


def test_changes_go_to_all_who_did_not_opt_out_and_once(rig: Rig) -> None:
    one, two, deaf = rig.connect(), rig.connect(), rig.connect()
    rig.ask(deaf, b"NOBROADCAST\n")
    assert rig.change("OB") == b'SETINFO ups.status "OB"\n'
    assert rig.change("OB") == b""  # and broadcasting nothing does nothing
    assert [received(c) for c in (one, two, deaf)] == [b'SETINFO ups.status "OB"\n'] * 2 + [b""]
    rig.ask(deaf, b"BROADCAST 1\n")
    rig.change("OL")
    assert received(deaf) == b'SETINFO ups.status "OL"\n'
    rig.ask(deaf, b"BROADCAST 0\n")
    rig.change("OB")
    assert received(deaf) == b""


# -- clients that misbehave -----------------------------------------------------------------------------


def big_store(rig: Rig) -> bytes:
    """Fill the store with 350 lines of the greatest length; returns the dump."""
    variables = {f"{'x' * 120}{i:03d}": Published("y" * 255) for i in range(ALMOST_ALL)}
    rig.store.apply(variables, (), fresh=True)
    return rig.store.dump()


def test_a_dump_of_350_lines_goes_out_in_few_writes(rig: Rig) -> None:
    variables = {f"battery.some.name.{i:03d}": Published(f"value {i}") for i in range(ALMOST_ALL)}
    rig.store.apply(variables, (), fresh=True)
    dump = rig.store.dump()
    assert dump.count(b"\n") == ALMOST_ALL + 2
    client = rig.connect()
    client.sendall(b"DUMPALL\n")
    rig.turn()
    assert received(client) == dump


def test_a_great_dump_arrives_piece_by_piece(rig: Rig) -> None:
    dump = big_store(rig)
    client = rig.connect()
    client.sendall(b"DUMPALL\nPING\n")
    pieces: list[bytes] = []
    while not (pieces and pieces[-1].endswith(b"PONG\n")):
        assert rig.turn() or pieces
        with contextlib.suppress(BlockingIOError):
            pieces.append(client.recv(4096))
    assert b"".join(pieces) == dump + b"PONG\n"


def test_what_was_asked_before_goodbye_arrives_before_it(rig: Rig) -> None:
    dump = big_store(rig)
    client = rig.connect()
    client.sendall(b"DUMPALL\nDUMPALL\nDUMPALL\nLOGOUT\n")
    got = b""
    while rig.turn():
        got += received(client)
    assert got + received(client) == dump * 3 + b"OK Goodbye\n"
    assert rig.server.clients == 0


def test_one_that_leaves_is_kept_until_it_has_taken_everything() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with ours, theirs:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        theirs.settimeout(0)
        client = Client(ClientId(1), ours, max_backlog=100_000)
        client.queue(b"x" * 50_000)
        client.leaving = True
        client.flush()
        waiting = client.backlog
        assert 0 < waiting < 50_000
        assert client.events == selectors.EVENT_WRITE
        with pytest.raises(ClientError, match="logged out"):  # noqa: PT012 (it is the last of many)
            while True:
                assert received(theirs)
                client.flush()
        assert client.backlog == 0
        assert received(theirs)


def test_nothing_to_read_is_no_reason_to_drop() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with ours, theirs:
        client = Client(ClientId(1), ours, max_backlog=1)
        client.read()
        assert not client.requests
        assert not client.spoken


def test_a_client_that_asks_and_never_reads_is_held_up_and_disturbs_nobody(rig: Rig) -> None:
    big_store(rig)
    greedy, other = rig.connect(), rig.connect()
    asked = 0
    with contextlib.suppress(BlockingIOError):
        while asked < 1_000_000:
            asked += greedy.send(b"DUMPALL\n" * 100)
            rig.turn()
    assert asked < 1_000_000  # the kernel's buffer filled: the server reads no more
    assert rig.ask(other, b"PING\n") == b"PONG\n"
    assert rig.turn() == 0  # and it does not spin


def test_a_client_that_never_reads_is_dropped_at_the_bound(tmp_path: Path) -> None:
    with limited_rig(tmp_path, max_backlog=1000) as rig:
        never, other = rig.connect(), rig.connect()
        for number in range(200_000):
            line = rig.change(f"OL {number}")
            assert received(other) == line
            if rig.server.clients == 1:
                break
        assert rig.server.clients == 1
        rig.settle()
        assert is_closed(never)
        assert rig.ask(other, b"PING\n") == b"PONG\n"


def test_a_client_that_reads_again_gets_everything_that_waited(rig: Rig) -> None:
    sleepy = rig.connect()
    sent = b"".join(rig.change(f"OL {number}") for number in range(6000))
    got = received(sleepy)
    assert len(got) < len(sent)
    while rig.turn():
        got += received(sleepy)
    assert got == sent
    assert rig.ask(sleepy, b"PING\n") == b"PONG\n"


def test_a_silent_and_a_one_byte_client_hold_up_nobody(rig: Rig) -> None:
    silent, one_byte, other = rig.connect(), rig.connect(), rig.connect()
    one_byte.sendall(b"D")
    assert rig.ask(other, b"PING\n") == b"PONG\n"
    rig.change("OB")
    for client in (silent, one_byte, other):
        assert received(client) == b'SETINFO ups.status "OB"\n'


def test_one_turn_takes_a_bounded_bite_of_a_flood(rig: Rig) -> None:
    flood, other = rig.connect(), rig.connect()
    flood.sendall(b"PING\n" * 10_000)
    other.sendall(b"PING\n")
    rig.turn()
    assert received(other) == b"PONG\n"
    assert len(received(flood)) < 10_000
    rig.settle()


@pytest.mark.parametrize(
    ("junk", "end"),
    [(b"\0" * 70_000, b"\n"), (b'"' + b"x" * 70_000, b'"\n'), (b"a " * 40_000, b"\n")],
)
def test_an_endless_line_costs_nothing(rig: Rig, junk: bytes, end: bytes) -> None:
    client = rig.connect()
    for start in range(0, len(junk), 10_000):
        client.sendall(junk[start : start + 10_000])
        rig.settle()
    assert rig.ask(client, end + b"PING\n") == b"PONG\n"


def test_a_half_closed_client_still_gets_its_answers(rig: Rig) -> None:
    dump = big_store(rig)
    client = rig.connect()
    client.sendall(b"DUMPALL\n")
    client.shutdown(socket.SHUT_WR)
    got = b""
    while rig.turn():
        got += received(client)
    assert got + received(client) == dump
    assert rig.server.clients == 0


def test_clients_vanish_in_every_state(rig: Rig) -> None:
    big_store(rig)
    other = rig.connect()
    for request in (b"", b"PIN", b"PING\n", b"DUMPALL\n" * 100, b"LOGOUT\n", b'SET a "'):
        for reading in (False, True):
            client = rig.connect()
            client.sendall(request)
            if reading:
                rig.turn()
            client.close()
            rig.settle()
            assert rig.server.clients == 1
    stuck = rig.connect()
    stuck.sendall(b"DUMPALL\n" * 10)
    rig.settle()
    stuck.close()
    assert rig.ask(other, b"PING\n") == b"PONG\n"
    assert rig.server.clients == 1


def test_a_broadcast_to_a_vanished_client_reaches_the_others(rig: Rig) -> None:
    gone, other = rig.connect(), rig.connect()
    gone.close()
    line = rig.change("OB")
    assert received(other) == line
    assert rig.server.clients == 1


def test_a_thousand_clients_come_and_die_and_nothing_is_left(rig: Rig) -> None:
    rig.ask(rig.connect(), b"PING\n")
    gc.collect()
    before = descriptors()
    for number in range(1000):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.connect(rig.path)
            if number % 2:
                rig.turn()
            client.sendall(b"DUMPALL\nPI")
            if number % 3:
                rig.turn()
    rig.settle()
    assert rig.server.clients == 1
    assert descriptors() == before


def test_when_all_places_are_taken_the_silent_and_the_stuck_go_first(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with limited_rig(tmp_path, max_clients=3) as rig:
        big_store(rig)
        talker, silent, stuck = rig.connect(), rig.connect(), rig.connect()
        assert rig.ask(talker, b"PING\n") == b"PONG\n"
        stuck.sendall(b"DUMPALL\n" * 5)
        rig.settle()
        second = rig.connect()
        assert is_closed(stuck)
        assert rig.ask(second, b"PING\n") == b"PONG\n"
        third = rig.connect()
        assert is_closed(silent)
        assert rig.ask(third, b"PING\n") == b"PONG\n"
        assert is_closed(rig.connect())  # nobody here is less useful
        assert all(rig.ask(c, b"PING\n") == b"PONG\n" for c in (talker, second, third))
        talker.close()
        rig.settle()
        assert rig.ask(rig.connect(), b"PING\n") == b"PONG\n"
    warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(warnings) == 1
    assert "limit" in warnings[0].getMessage()


def test_one_that_was_sent_away_may_still_have_an_event_in_this_round(tmp_path: Path) -> None:
    with limited_rig(tmp_path, max_clients=1) as rig:
        silent = rig.connect()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as newcomer:
            newcomer.connect(rig.path)
            newcomer.settimeout(0)
            silent.sendall(b"PING\n")
            rig.turn()
            assert is_closed(silent)
            assert rig.ask(newcomer, b"PING\n") == b"PONG\n"


def test_without_descriptors_it_does_not_spin_and_recovers(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    other = rig.connect()
    waiting = rig.stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
    waiting.connect(rig.path)
    waiting.settimeout(0)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        rig.turn()
        assert rig.turn() == 0
        rig.change("OB")
        rig.turn()
        assert rig.turn() == 0
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert [r.levelno for r in caplog.records if r.levelno >= logging.WARNING] == [logging.WARNING]
    assert received(other) == b'SETINFO ups.status "OB"\n'
    rig.change("OL")
    rig.turn()
    assert rig.ask(waiting, b"PING\n") == b"PONG\n"


pieces = st.lists(
    st.sampled_from(
        [b"PING\n", b"DUMPALL\n", b"SET a ", b'"x" TRACKING i', b"\n", b'"', b"LOGOUT\n"]
    )
    | st.binary(max_size=20),
    max_size=12,
)


@given(st.lists(pieces, max_size=3))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_clients_say_the_next_one_is_served(rig: Rig, talks: list[list[bytes]]) -> None:
    clients = [rig.connect() for _ in talks]
    for client, talk in zip(clients, talks, strict=True):
        for piece in talk:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                client.sendall(piece)
            rig.turn()
    other = rig.connect()
    assert rig.ask(other, b"DUMPALL\n") == DUMP
    for client in (*clients, other):
        client.close()
    rig.settle()
    assert rig.server.clients == 0


# -- the socket file ------------------------------------------------------------------------------------


def listen(path: Path, selector: selectors.BaseSelector, **options: int) -> StateServer:
    return StateServer(
        str(path), selector, VariableStore(), lambda client, command: None, **options
    )


@pytest.fixture
def selector() -> Iterator[selectors.BaseSelector]:
    with selectors.DefaultSelector() as made:
        yield made


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_mode_and_owner_whatever_the_umask(
    tmp_path: Path, selector: selectors.BaseSelector, umask: int
) -> None:
    before = os.umask(umask)
    try:
        server = listen(tmp_path / "s", selector)
        assert os.umask(umask) == umask
    finally:
        os.umask(before)
    found = (tmp_path / "s").stat()
    assert stat.S_ISSOCK(found.st_mode)
    assert stat.S_IMODE(found.st_mode) == 0o660
    assert found.st_uid == os.geteuid()
    server.close()
    assert not (tmp_path / "s").exists()
    assert not selector.get_map()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file to any group")
def test_the_group_is_given(tmp_path: Path, selector: selectors.BaseSelector) -> None:
    server = listen(tmp_path / "s", selector, group=4242)
    found = (tmp_path / "s").stat()
    assert (found.st_gid, stat.S_IMODE(found.st_mode)) == (4242, 0o660)
    server.close()


def test_a_socket_that_nobody_serves_is_replaced(
    tmp_path: Path, selector: selectors.BaseSelector
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(tmp_path / "s"))
        dead.listen()
    server = listen(tmp_path / "s", selector)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.connect(str(tmp_path / "s"))
    server.close()


def test_a_socket_that_somebody_serves_is_left_alone(rig: Rig) -> None:
    client = rig.connect()
    before = os.stat(rig.path).st_ino
    gc.collect()
    used = descriptors()
    with pytest.raises(AlreadyRunning) as caught:
        listen(Path(rig.path), rig.selector)
    assert caught.value.path == rig.path
    rig.settle()
    assert descriptors() == used
    assert os.stat(rig.path).st_ino == before  # being connected to changes its time of access
    assert rig.ask(client, b"PING\n") == b"PONG\n"


def test_a_server_too_busy_to_let_anybody_in_is_somebody(
    tmp_path: Path, selector: selectors.BaseSelector
) -> None:
    with contextlib.ExitStack() as stack:
        busy = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        busy.bind(str(tmp_path / "s"))
        busy.listen(0)
        waiting = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        waiting.connect(str(tmp_path / "s"))
        with pytest.raises(AlreadyRunning):
            listen(tmp_path / "s", selector)


def test_the_file_appears_when_it_can_be_connected_to(
    tmp_path: Path, selector: selectors.BaseSelector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waits for the file may connect at once: it is not there between bind and listen."""
    there: list[bool] = []
    listens = socket.socket.listen

    def watched(listener: socket.socket, backlog: int) -> None:
        there.append((tmp_path / "s").exists())
        listens(listener, backlog)
        there.append((tmp_path / "s").exists())

    monkeypatch.setattr(socket.socket, "listen", watched)
    server = listen(tmp_path / "s", selector)
    assert there == [False, False]
    assert [path.name for path in tmp_path.iterdir()] == ["s"]
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.connect(str(tmp_path / "s"))
    server.close()


def test_two_that_start_at_once_do_not_take_each_others_place(
    tmp_path: Path, selector: selectors.BaseSelector, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = listen(tmp_path / "s", selector)
    monkeypatch.setattr(listening, "_clear", lambda path: None)  # the other looked before
    with pytest.raises(AlreadyRunning):
        listen(tmp_path / "s", selector)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.connect(str(tmp_path / "s"))
    first.close()
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_socket_is_left_alone(
    tmp_path: Path, selector: selectors.BaseSelector
) -> None:
    (tmp_path / "s").write_text("precious")
    with pytest.raises(ConfigError, match="no socket is in the way"):
        listen(tmp_path / "s", selector)
    assert (tmp_path / "s").read_text() == "precious"


def test_closing_leaves_a_successors_socket_alone(
    tmp_path: Path, selector: selectors.BaseSelector
) -> None:
    server = listen(tmp_path / "s", selector)
    (tmp_path / "s").unlink()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as successor:
        successor.bind(str(tmp_path / "s"))
        server.close()
        assert (tmp_path / "s").exists()


def test_a_path_of_the_greatest_length_and_one_byte_more(
    tmp_path: Path, selector: selectors.BaseSelector
) -> None:
    longest = str(tmp_path / "s").ljust(listening.MAX_PATH, "x")
    listen(Path(longest), selector).close()
    with pytest.raises(ConfigError, match="107 bytes"):
        listen(Path(longest + "x"), selector)


def test_where_nothing_can_be_made(tmp_path: Path, selector: selectors.BaseSelector) -> None:
    with pytest.raises(ConfigError, match="cannot listen: No such file or directory"):
        listen(tmp_path / "nosuch" / "s", selector)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may give a file to any group")
def test_a_group_that_may_not_be_given_leaves_nothing_behind(
    tmp_path: Path, selector: selectors.BaseSelector
) -> None:
    with pytest.raises(ConfigError, match="cannot listen: Operation not permitted"):
        listen(tmp_path / "s", selector, group=0)
    assert not (tmp_path / "s").exists()


def test_closing_lets_everybody_go_after_what_was_sent(rig: Rig) -> None:
    client = rig.connect()
    rig.ask(client, b"INSTCMD driver.exit TRACKING i\n")
    rig.server.reply(rig.heard[0][0], b"TRACKING i 0\n")
    rig.server.close()
    client.settimeout(None)
    assert client.recv(100) == b"TRACKING i 0\n"
    assert client.recv(1) == b""
    rig.server.close()  # twice does no harm
    rig.change("OB")  # nor does a late change
    rig.server.reply(rig.heard[0][0], b"TRACKING i 0\n")
    assert rig.turn() == 0


def test_two_servers_share_a_selector_and_nothing_else(rig: Rig, tmp_path: Path) -> None:
    store = VariableStore()
    other = StateServer(str(tmp_path / "o"), rig.selector, store, lambda client, command: None)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.connect(str(tmp_path / "o"))
        client.settimeout(0)
        assert rig.ask(client, b"DUMPALL\n") == b"DATASTALE\nDUMPDONE\n"
        rig.change("OB")
        assert received(client) == b""
    other.close()
    assert rig.ask(rig.connect(), b"PING\n") == b"PONG\n"
