"""The USB/IP pipe against a server that is a script, over a socket pair."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator

import pytest

from usbhidups.errors import (
    ConfigError,
    DeviceBusy,
    DeviceGone,
    DeviceNotFound,
    TransferFailed,
    TransferKind,
)
from usbhidups.usb.descriptors import Endpoint
from usbhidups.usb.handle import Setup
from usbhidups.usb.usbip import Address, UsbipHandle, list_devices, parse_address
from usbhidups.usb.usbip_wire import ExportedDevice

GET = Setup(0xA1, 0x01, 0x0308, 0, "get feature 0x08")
SET = Setup(0x21, 0x09, 0x0308, 0, "set feature 0x08")
ENDPOINT = Endpoint(0x81, 8, 10)
PATIENCE = 10.0


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("usbip://ups.example/1-1", Address("ups.example", 3240, "1-1")),
        ("usbip://192.0.2.7:3241/1-1.3", Address("192.0.2.7", 3241, "1-1.3")),
        ("usbip://[2001:db8::7]:3241/3-2", Address("2001:db8::7", 3241, "3-2")),
        ("usbip://[fe80::1%eth0]/3-2", Address("fe80::1%eth0", 3240, "3-2")),
    ],
)
def test_addresses(text: str, address: Address) -> None:
    assert parse_address(text) == address
    assert parse_address(str(address)) == address


@pytest.mark.parametrize(
    "text",
    [
        "usbip://",
        "usbip://host",
        "usbip://host/",
        "usbip:host/1-1",
        "usbip://host:0/1-1",
        "usbip://host:70000/1-1",
        "usbip://host:x/1-1",
        "usbip://2001:db8::7/1-1",
        "usbip://host/1 1",
        "usbip://host/" + "1" * 32,
        "usbip:///1-1",
    ],
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_address(text)
    assert caught.value.key == "port"


class Server:
    """The other end of the pipe: takes requests apart, sends answers."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        sock.settimeout(PATIENCE)

    def take(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            block = self.sock.recv(count - len(data))
            if not block:
                raise EOFError
            data += block
        return data

    def request(self) -> tuple[int, int, int, bytes]:
        """Command, sequence number, endpoint (or the number to unlink), and the data of a write."""
        head = self.take(48)
        command, seqnum, _, inbound, endpoint, fifth, length = struct.unpack_from(">7I", head)
        if command == 2:
            return command, seqnum, fifth, b""
        return command, seqnum, endpoint, b"" if inbound else self.take(length)

    def answer(self, seqnum: int, data: bytes = b"", status: int = 0) -> None:
        head = struct.pack(">5I5i8x", 3, seqnum, 0, 0, 0, status, len(data), 0, 0, 0)
        self.sock.sendall(head + data)

    def unlinked(self, seqnum: int, status: int = -104) -> None:
        self.sock.sendall(struct.pack(">5Ii24x", 4, seqnum, 0, 0, 0, status))


Play = Callable[[Callable[[Server], None]], None]


@pytest.fixture
def sockets() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@pytest.fixture
def server(sockets: tuple[socket.socket, socket.socket]) -> Server:
    return Server(sockets[1])


@pytest.fixture
def pipe(sockets: tuple[socket.socket, socket.socket]) -> Iterator[UsbipHandle]:
    pipe = UsbipHandle(sockets[0], ExportedDevice("1-1", 1, 2, 1, 0x0764, 0x0501, 1, 1))
    pipe.listen(ENDPOINT, 8)
    yield pipe
    pipe.close()


@pytest.fixture
def play(server: Server) -> Iterator[Play]:
    """Run a script of the server in a thread; its exceptions are the test's."""
    threads: list[threading.Thread] = []
    failures: list[BaseException] = []

    def start(script: Callable[[Server], None]) -> None:
        def run() -> None:
            try:
                script(server)
            except (AssertionError, EOFError, OSError) as error:
                failures.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        threads.append(thread)

    yield start
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert failures == []


def test_control_reads_and_writes(pipe: UsbipHandle, play: Play) -> None:
    def script(server: Server) -> None:
        command, seqnum, endpoint, _ = server.request()
        assert (command, endpoint) == (1, 0)
        server.answer(seqnum, b"\x08\x64\x98\x3a\x2c\x01")
        _, seqnum, _, data = server.request()
        assert data == b"\x08\x01"
        server.answer(seqnum)

    play(script)
    assert pipe.control_in(GET, 6, timeout=PATIENCE) == b"\x08\x64\x98\x3a\x2c\x01"
    pipe.control_out(SET, b"\x08\x01", timeout=PATIENCE)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (-32, TransferKind.STALL),
        (-110, TransferKind.TIMEOUT),
        (-75, TransferKind.OVERFLOW),
        (-71, TransferKind.IO),
        (-5, TransferKind.IO),
        (-121, TransferKind.SHORT),
    ],
)
def test_failed_transfers(pipe: UsbipHandle, play: Play, status: int, kind: TransferKind) -> None:
    play(lambda server: server.answer(server.request()[1], status=status))
    with pytest.raises(TransferFailed) as caught:
        pipe.control_in(GET, 6, timeout=PATIENCE)
    assert caught.value.kind is kind
    assert caught.value.request == "get feature 0x08"
    assert caught.value.errno == -status


@pytest.mark.parametrize("status", [-19, -108, -104])
def test_a_device_that_left(pipe: UsbipHandle, play: Play, status: int) -> None:
    play(lambda server: server.answer(server.request()[1], status=status))
    with pytest.raises(DeviceGone):
        pipe.control_in(GET, 6, timeout=PATIENCE)


def test_a_server_that_hangs_up(pipe: UsbipHandle, play: Play) -> None:
    def script(server: Server) -> None:
        server.request()
        server.sock.shutdown(socket.SHUT_RDWR)

    play(script)
    with pytest.raises(DeviceGone, match="closed the connection"):
        pipe.control_in(GET, 6, timeout=PATIENCE)
    with pytest.raises(DeviceGone, match="closed the connection"):
        pipe.read(PATIENCE)


def test_nonsense_ends_the_connection(pipe: UsbipHandle, play: Play) -> None:
    def script(server: Server) -> None:
        server.request()
        server.sock.sendall(b"HTTP/1.1 400 Bad Request".ljust(60))

    play(script)
    with pytest.raises(DeviceGone, match="unknown answer"):
        pipe.control_in(GET, 6, timeout=PATIENCE)


def test_a_late_answer_is_not_taken_for_the_next(
    pipe: UsbipHandle, play: Play, server: Server
) -> None:
    with pytest.raises(TransferFailed) as caught:
        pipe.control_in(GET, 6, timeout=0.01)
    assert caught.value.kind is TransferKind.TIMEOUT
    _, lost, _, _ = server.request()
    command, unlink, target, _ = server.request()
    assert (command, target) == (2, lost)

    def script(server: Server) -> None:  # the answer and the unlink have crossed on the wire
        _, seqnum, _, _ = server.request()
        server.answer(lost, b"\x08old")
        server.unlinked(unlink, status=0)
        server.answer(seqnum, b"\x08new")

    play(script)
    assert pipe.control_in(GET, 6, timeout=PATIENCE) == b"\x08new"


def test_an_unlinked_read_is_forgotten(pipe: UsbipHandle, play: Play, server: Server) -> None:
    with pytest.raises(TransferFailed):
        pipe.control_in(GET, 6, timeout=0.01)
    server.request()
    server.unlinked(server.request()[1])
    play(lambda server: server.answer(server.request()[1], b"\x08new"))
    assert pipe.control_in(GET, 6, timeout=PATIENCE) == b"\x08new"


def test_a_server_that_answers_nothing_counts_as_dead(pipe: UsbipHandle) -> None:
    for _ in range(16):
        with pytest.raises(TransferFailed):
            pipe.control_in(GET, 6, timeout=0)
    with pytest.raises(DeviceGone, match="answers nothing"):
        pipe.control_in(GET, 6, timeout=0)


def test_a_read_stays_submitted(pipe: UsbipHandle, play: Play, server: Server) -> None:
    assert pipe.read(0) is None
    command, first, endpoint, _ = server.request()
    assert (command, endpoint) == (1, 1)
    assert pipe.read(0) is None  # no second one
    server.answer(first, b"\x0b\x11")
    assert pipe.read(PATIENCE) == b"\x0b\x11"
    _, second, _, _ = server.request()

    def script(
        server: Server,
    ) -> None:  # a report that comes before the answer to a control request
        _, control, _, _ = server.request()
        server.answer(second, b"\x0b\x12")
        _, third, _, _ = server.request()
        server.answer(third, b"\x0b\x13")
        server.request()
        server.answer(control, b"\x08\x64")

    play(script)
    assert pipe.control_in(GET, 6, timeout=PATIENCE) == b"\x08\x64"
    assert pipe.read(0) == b"\x0b\x12"
    assert pipe.read(0) == b"\x0b\x13"
    assert pipe.read(0) is None


def test_a_flood_of_reports_is_not_hoarded(pipe: UsbipHandle, play: Play, server: Server) -> None:
    assert pipe.read(0) is None

    def script(server: Server) -> None:
        reads = 0
        while True:
            _, seqnum, endpoint, _ = server.request()
            if endpoint == 0:
                control = seqnum
                continue
            server.answer(seqnum, b"\x0b" + bytes((reads,)))
            reads += 1
            if reads == 32:
                break
        server.answer(control, b"\x08")

    play(script)
    assert pipe.control_in(GET, 6, timeout=PATIENCE) == b"\x08"
    assert [pipe.read(0) for _ in range(31)] == [b"\x0b" + bytes((n,)) for n in range(31)]


def test_a_read_that_fails_is_told_and_submitted_anew(pipe: UsbipHandle, server: Server) -> None:
    assert pipe.read(0) is None
    server.answer(server.request()[1], status=-32)
    with pytest.raises(TransferFailed) as caught:
        pipe.read(PATIENCE)
    assert caught.value.kind is TransferKind.STALL
    assert pipe.read(0) is None
    server.answer(server.request()[1], b"\x0b")
    assert pipe.read(PATIENCE) == b"\x0b"


def test_a_wait_is_ended_from_another_thread(pipe: UsbipHandle) -> None:
    caller = threading.Timer(0.01, pipe.interrupt)
    caller.start()
    assert pipe.read(PATIENCE * 100) is None
    caller.join()


def test_a_call_before_the_wait_is_not_lost(pipe: UsbipHandle) -> None:
    pipe.interrupt()
    assert pipe.read(PATIENCE * 100) is None


def test_a_call_does_not_disturb_a_control_request(pipe: UsbipHandle, play: Play) -> None:
    pipe.interrupt()
    play(lambda server: server.answer(server.request()[1], b"\x08"))
    assert pipe.control_in(GET, 6, timeout=PATIENCE) == b"\x08"


def test_a_halt_is_cleared_on_the_device(pipe: UsbipHandle, play: Play, server: Server) -> None:
    def script(server: Server) -> None:
        head = server.take(48)
        assert head[40:] == bytes.fromhex("02 01 00 00 81 00 00 00")
        server.answer(int.from_bytes(head[4:8], "big"))
        head = server.take(48)
        assert head[40:] == bytes.fromhex("23 03 04 00 01 00 00 00")
        server.answer(int.from_bytes(head[4:8], "big"))

    play(script)
    pipe.clear_halt()
    pipe.reset()


def test_without_endpoint_a_read_only_waits(sockets: tuple[socket.socket, socket.socket]) -> None:
    pipe = UsbipHandle(sockets[0], ExportedDevice("1-1", 1, 2, 1, 1, 2, 3, 1))
    assert pipe.read(0) is None
    pipe.close()
    with pytest.raises(DeviceGone, match="closed"):
        pipe.read(0)
    pipe.interrupt()
    pipe.close()
    assert sockets[1].recv(1) == b""


@pytest.mark.parametrize(
    ("speed", "interval", "sent"), [(1, 10, 10), (2, 0, 10), (3, 4, 8), (3, 99, 32768), (5, 1, 1)]
)
def test_the_interval_is_the_kernels(
    sockets: tuple[socket.socket, socket.socket], speed: int, interval: int, sent: int
) -> None:
    pipe = UsbipHandle(sockets[0], ExportedDevice("1-1", 1, 2, speed, 1, 2, 3, 1))
    pipe.listen(Endpoint(0x81, 8, interval), 8)
    assert pipe.read(0) is None
    assert int.from_bytes(Server(sockets[1]).take(48)[36:40], "big") == sent
    pipe.close()


# -- connecting over TCP -------------------------------------------------------------------------


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(PATIENCE)
        yield listening


def accepted(listener: socket.socket, reply: bytes) -> threading.Thread:
    def run() -> None:
        client, _ = listener.accept()
        with client:
            client.settimeout(PATIENCE)
            client.recv(4096)
            client.sendall(reply)
            if reply:
                client.recv(4096)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        (bytes.fromhex("0111 0003 00000002"), DeviceBusy, "in use"),
        (bytes.fromhex("0111 0003 00000004"), DeviceNotFound, "no device 1-1"),
        (b"HTTP/1.1 400", DeviceGone, "not a USB/IP server"),
        (b"", DeviceNotFound, "closed the connection"),
    ],
)
def test_imports_that_fail(
    listener: socket.socket, reply: bytes, error: type[Exception], words: str
) -> None:
    thread = accepted(listener, reply)
    with pytest.raises(error, match=words):
        UsbipHandle.open(Address("127.0.0.1", listener.getsockname()[1], "1-1"))
    thread.join()


def test_a_server_that_says_nothing(listener: socket.socket) -> None:
    with pytest.raises(DeviceNotFound, match="does not answer"):
        UsbipHandle.open(Address("127.0.0.1", listener.getsockname()[1], "1-1"), timeout=0.05)


def test_no_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(DeviceNotFound, match="refused"):
        UsbipHandle.open(Address("127.0.0.1", port, "1-1"))
    with pytest.raises(DeviceNotFound, match="refused"):
        list_devices("127.0.0.1", port)


def test_a_device_that_nobody_configured_yet(listener: socket.socket) -> None:
    block = (
        bytes(256)
        + b"1-1".ljust(32, b"\0")
        + bytes.fromhex("00000001 00000002 00000001 0764 0501 0001 00 00 00 00 01 01")
    )
    setups: list[bytes] = []

    def run() -> None:
        client, _ = listener.accept()
        with client:
            server = Server(client)
            server.take(40)
            client.sendall(bytes.fromhex("0111 0003 00000000") + block)
            head = server.take(48)
            setups.append(head[40:])
            server.answer(int.from_bytes(head[4:8], "big"), status=-32)

    thread = threading.Thread(target=run)
    thread.start()
    with pytest.raises(TransferFailed, match="set configuration 1: stall"):
        UsbipHandle.open(Address("127.0.0.1", listener.getsockname()[1], "1-1"))
    thread.join()
    assert setups == [bytes.fromhex("00 09 01 00 00 00 00 00")]


def test_a_server_that_takes_nothing_more(sockets: tuple[socket.socket, socket.socket]) -> None:
    ticks = iter(range(0, 10_000, 5))
    device = ExportedDevice("1-1", 1, 2, 1, 1, 2, 3, 1)
    sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    pipe = UsbipHandle(sockets[0], device, clock=lambda: float(next(ticks)))
    with pytest.raises(DeviceGone, match="takes no more data"):
        pipe.control_out(SET, bytes(65_535), timeout=PATIENCE)
    pipe.close()


def test_a_connection_that_is_reset(listener: socket.socket) -> None:
    ours = socket.create_connection(listener.getsockname())
    theirs, _ = listener.accept()
    pipe = UsbipHandle(ours, ExportedDevice("1-1", 1, 2, 1, 1, 2, 3, 1))
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    theirs.close()
    with pytest.raises(DeviceGone, match="reset by peer"):
        pipe.read(PATIENCE)
    with pytest.raises(DeviceGone, match="reset by peer"):
        pipe.control_in(GET, 6, timeout=PATIENCE)
    pipe.close()
