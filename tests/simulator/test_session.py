"""A USB/IP client's conversation, message by message, without a socket."""

from __future__ import annotations

import pytest

from tests.simulator.devices import bench
from usbhidups.errors import ClientError
from usbhidups.simulator.device import SimulatedDevice
from usbhidups.simulator.session import Hub, Session

DEVLIST = bytes.fromhex("0111 8005 00000000")
OK = 0
EPIPE, EOVERFLOW, EPROTO, ECONNRESET = -32, -75, -71, -104


def import_(busid: bytes = b"1-1") -> bytes:
    return bytes.fromhex("0111 8003 00000000") + busid.ljust(32, b"\0")


def submit(
    seqnum: int, setup: str = "", *, endpoint: int = 0, length: int = 64, data: bytes | None = None
) -> bytes:
    inbound = 0 if data is not None else 1
    size = length if data is None else len(data)
    return (
        b"".join(
            n.to_bytes(4, "big") for n in (1, seqnum, 0x10002, inbound, endpoint, 0, size, 0, 0, 0)
        )
        + bytes.fromhex(setup).ljust(8, b"\0")
        + (data or b"")
    )


def unlink(seqnum: int, target: int) -> bytes:
    return b"".join(n.to_bytes(4, "big") for n in (2, seqnum, 0x10002, 0, 0, target)) + bytes(24)


GET_LOAD = "a1 01 0c03 0000 4000"


def replies(raw: bytes) -> list[tuple[int, int, int, bytes]]:
    """(command, seqnum, status, data) of each reply."""
    found = []
    while raw:
        head = [int.from_bytes(raw[n : n + 4], "big", signed=True) for n in range(0, 48, 4)]
        length = head[6] if head[0] == 3 and len(raw) > 48 else 0
        found.append((head[0], head[1], head[5], raw[48 : 48 + length]))
        raw = raw[48 + length :]
    return found


class Bus:
    def __init__(self, count: int = 1) -> None:
        self.now = 0.0
        self.devices = {
            f"1-{n + 1}": SimulatedDevice(bench(), seed=n, now=0.0) for n in range(count)
        }
        for number, (busid, device) in enumerate(self.devices.items(), 2):
            device.gadget.plug(busid, 1, number)
        self.hub = Hub(self.devices)

    def client(self, busid: bytes = b"1-1") -> Session:
        session = Session(self.hub)
        assert session.receive(import_(busid), self.now)[:8] == bytes.fromhex("0111 0003 00000000")
        return session

    def do(self, line: str) -> None:
        self.devices["1-1"].command(line, self.now)


def test_devlist_shows_who_is_there() -> None:
    bus = Bus(2)
    session = Session(bus.hub)
    listed = session.receive(DEVLIST, 0.0)
    assert len(listed) == 12 + 2 * 316
    assert b"1-1\0" in listed
    assert b"1-2\0" in listed
    bus.do("disconnect")
    assert len(session.receive(DEVLIST, 0.0)) == 12 + 316


def test_import_says_why_not() -> None:
    bus = Bus(2)
    first = bus.client()
    assert Session(bus.hub).receive(import_(), 0.0) == bytes.fromhex("0111 0003 00000002")
    assert Session(bus.hub).receive(import_(b"9-9"), 0.0) == bytes.fromhex("0111 0003 00000004")
    bus.client(b"1-2")
    first.end()
    bus.client()
    bus.devices["1-2"].command("disconnect 5", 0.0)
    third = Session(bus.hub)
    assert third.receive(import_(b"1-2"), 1.0) == bytes.fromhex("0111 0003 00000004")
    assert len(Session(Hub(bus.devices)).receive(import_(b"1-2"), 6.0)) == 320


def test_transfers_in_order() -> None:
    bus = Bus()
    session = bus.client()
    out = session.receive(
        submit(1, GET_LOAD) + submit(2, "a1 01 7703 0000 4000") + submit(3, GET_LOAD), 0.0
    )
    assert replies(out) == [(3, 1, OK, b"\x0c\x14"), (3, 2, EPIPE, b""), (3, 3, OK, b"\x0c\x14")]


def test_out_transfers_tell_what_was_taken() -> None:
    bus = Bus()
    out = bus.client().receive(submit(1, "21 09 0303 0000 0300", data=b"\x03\x14\x00"), 0.0)
    assert out[:32] == bytes.fromhex(
        "00000003 00000001 00000000 00000000 00000000 00000000 00000003 00000000"
    )
    assert len(out) == 48
    assert bus.devices["1-1"].ups.main.shutdown_at == 20.0


def test_out_on_an_endpoint_is_stalled() -> None:
    out = Bus().client().receive(submit(1, endpoint=1, data=b"abc"), 0.0)
    assert replies(out) == [(3, 1, EPIPE, b"")]


def test_interrupt_waits_and_comes() -> None:
    bus = Bus()
    session = bus.client()
    assert session.receive(submit(5, endpoint=1, length=8), 0.0) == b""
    assert session.poll(1.0) == b""
    bus.do("mains off")
    assert replies(session.poll(1.0)) == [(3, 5, OK, b"\x01\x94")]
    assert session.poll(1.0) == b""


def test_unlink() -> None:
    bus = Bus()
    session = bus.client()
    session.receive(submit(5, endpoint=1, length=8), 0.0)
    assert replies(session.receive(unlink(6, 5), 0.0)) == [(4, 6, ECONNRESET, b"")]
    bus.do("mains off")
    assert session.poll(1.0) == b""


def test_unlink_of_what_has_ended() -> None:
    bus = Bus()
    session = bus.client()
    session.receive(submit(5, endpoint=1, length=8), 0.0)
    bus.do("mains off")
    assert replies(session.poll(0.0)) == [(3, 5, OK, b"\x01\x94")]
    assert replies(session.receive(unlink(6, 5), 0.0)) == [(4, 6, OK, b"")]


def test_unlink_of_a_control_transfer_that_never_ends() -> None:
    bus = Bus()
    session = bus.client()
    bus.do("timeout 0c")
    assert session.receive(submit(1, GET_LOAD), 0.0) == b""
    assert session.poll(60.0) == b""
    assert replies(session.receive(unlink(2, 1), 60.0)) == [(4, 2, ECONNRESET, b"")]
    bus.do("clear")
    assert replies(session.receive(submit(3, GET_LOAD), 60.0)) == [(3, 3, OK, b"\x0c\x14")]


def test_slow_answers_keep_their_order() -> None:
    bus = Bus()
    session = bus.client()
    bus.do("delay 20")
    assert session.receive(submit(1, GET_LOAD) + submit(2, GET_LOAD), 0.0) == b""
    assert session.next_due(0.0, 1.0) == pytest.approx(0.02)
    assert session.poll(0.019) == b""
    assert [r[1] for r in replies(session.poll(0.021))] == [1]
    bus.do("clear")
    assert session.receive(submit(3, GET_LOAD), 0.03) == b""
    assert [r[1] for r in replies(session.poll(0.041))] == [2, 3]


@pytest.mark.parametrize(
    ("fault", "status"), [("stall 0c", EPIPE), ("overflow", EOVERFLOW), ("errors", EPROTO)]
)
def test_failures_carry_no_data(fault: str, status: int) -> None:
    bus = Bus()
    session = bus.client()
    bus.do(fault)
    assert replies(session.receive(submit(1, GET_LOAD), 0.0)) == [(3, 1, status, b"")]


def test_no_more_than_was_asked_for() -> None:
    bus = Bus()
    out = bus.client().receive(submit(1, "80 06 0001 0000 1200", length=8), 0.0)
    assert [len(r[3]) for r in replies(out)] == [8]


def test_a_lost_device_ends_the_session() -> None:
    bus = Bus()
    session = bus.client()
    session.receive(submit(5, endpoint=1, length=8), 0.0)
    bus.do("disconnect 3")
    assert session.poll(0.0) == b""
    assert session.closed
    session.end()
    bus.now = 4.0
    again = Session(bus.hub)
    block = again.receive(import_(), 4.0)
    assert block[8 + 288 : 8 + 296] == bytes.fromhex("00000001 00000003")  # bus 1, a new number


def test_a_request_to_a_lost_device_ends_the_session() -> None:
    bus = Bus()
    session = bus.client()
    bus.do("disconnect")
    assert session.receive(submit(1, GET_LOAD), 0.0) == b""
    assert session.closed


def test_nonsense() -> None:
    bus = Bus()
    session = bus.client()
    session.receive(submit(5, endpoint=1, length=8), 0.0)
    with pytest.raises(ClientError, match="twice"):
        session.receive(submit(5, endpoint=1, length=8), 0.0)
    with pytest.raises(ClientError):
        Session(bus.hub).receive(submit(1, GET_LOAD), 0.0)
