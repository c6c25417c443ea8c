"""One client's talk: bytes in, requests out; requests' answers as bytes. (contract 3.2, checklist 39 to 51)"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usbhidups.nut.session import (
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
    Session,
    Set,
    pid_line,
    tracking_line,
)
from usbhidups.nut.words import MAX_WORD, MAX_WORDS, LineReader

IGNORED = Ignored("")
"""Stands for any Ignored in the table."""

UUID = "2DDC5036-F665-4D29-BE4C-0374D091D263"

LINES: list[tuple[bytes, list[Request]]] = [
    (b"DUMPALL\n", [DumpAll()]),
    (b"DumpAll\r\n", [DumpAll()]),
    (b"dumpall now\n", [DumpAll()]),
    (b"DUMPSTATUS\n", [DumpStatus()]),
    (b"DUMPVALUE ups.status\n", [DumpValue("ups.status")]),
    (b"DUMPVALUE\n", [IGNORED]),
    (b"PING\n", [Ping()]),
    (b"ping\n", [Ping()]),
    (b'"PING" # x\n', [Ping()]),
    (b"NOBROADCAST\nPING\n", [Broadcast(wanted=False), Ping()]),
    (b"NOBROADCASTPING\n", [IGNORED]),
    (b"BROADCAST\n", [Broadcast(wanted=True)]),
    (b"BROADCAST 1\n", [Broadcast(wanted=True)]),
    (b"BROADCAST 0\n", [Broadcast(wanted=False)]),
    (b"BROADCAST -1\n", [Broadcast(wanted=False)]),
    (b"BROADCAST x\n", [Broadcast(wanted=True)]),
    (b"GETPID\n", [GetPid()]),
    (b"LOGOUT\n", [Logout()]),
    (b"BROADCAST 1\nLOGOUT\nPING\n", [Broadcast(wanted=True), Logout()]),
    (b"INSTCMD\n", [IGNORED]),
    (b"INSTCMD load.off\n", [Instcmd("load.off")]),
    (b"INSTCMD beeper.off 12\n", [Instcmd("beeper.off", "12")]),
    (b"INSTCMD a TRACKING\n", [Instcmd("a", "TRACKING")]),
    (b"INSTCMD driver.exit TRACKING %s\n" % UUID.encode(), [Instcmd("driver.exit", None, UUID)]),
    (b"instcmd a 5 tracking i\n", [Instcmd("a", "5", "i")]),
    (b"INSTCMD a b c\n", [IGNORED]),
    (b"INSTCMD a b c d\n", [IGNORED]),
    (b"INSTCMD x TRACKING a b c\n", [IGNORED]),
    (b"INSTCMD a b TRACKING i x\n", [IGNORED]),
    (b"SET\n", [IGNORED]),
    (b"SET a\n", [IGNORED]),
    (b'SET ups.delay.shutdown "4\\"0"\n', [Set("ups.delay.shutdown", '4"0')]),
    (b'SET a ""\n', [Set("a", "")]),
    (b"SET a b c\n", [Set("a", "b")]),
    (b"SET a b TRACKING\n", [Set("a", "b")]),
    (b'SET a "b c" TRACKING i\n', [Set("a", "b c", "i")]),
    (b"SET a b c d\n", [IGNORED]),
    (b"SET a b TRACKING i x\n", [IGNORED]),
    (b"SET a=b\n", [Set("a", "=")]),
    (b'SET a "b" TRACKING "i j"\n', [Set("a", "b", "i j")]),
    (b"SET a b TRACKING " + b"i" * 300 + b"\n", [IGNORED]),
    (b"INSTCMD a TRACKING i\nINSTCMD a TRACKING i\n", [Instcmd("a", None, "i")] * 2),
    (b"\n\n  \n# x\n", []),
    (b"BEGIN\nPING\n", [IGNORED, Ping()]),
    (b'SET a "b#c"\nPING\n', [IGNORED, Ping()]),
    (b"\xff\xfe\x00PING\n", [Ping()]),
    (b"GET / HTTP/1.1\n", [IGNORED]),
]


def matches(found: list[Request], expected: list[Request]) -> bool:
    return len(found) == len(expected) and all(
        isinstance(one, Ignored) if other is IGNORED else one == other
        for one, other in zip(found, expected, strict=True)
    )


@pytest.mark.parametrize(("data", "expected"), LINES)
def test_requests_whole_byte_by_byte_and_joined(data: bytes, expected: list[Request]) -> None:
    assert matches(Session().receive(data), expected)
    session = Session()
    assert matches([r for byte in data for r in session.receive(bytes([byte]))], expected)
    session = Session()
    tail: list[Request] = [] if Logout() in expected else [GetPid()]
    assert matches(session.receive(data + b"GETPID\nPI"), expected + tail)
    assert matches(session.receive(b"NG\n"), [Ping()] if tail else [])


def test_broadcasts_are_wanted_until_they_are_not() -> None:
    session = Session()
    assert session.broadcasting
    session.receive(b"NOBROADCAST\n")
    assert not session.broadcasting
    session.receive(b"BROADCAST 0\n")
    assert not session.broadcasting
    session.receive(b"BROADCAST 1\n")
    assert session.broadcasting


@pytest.mark.parametrize(
    ("tracking", "code", "line"),
    [
        (UUID, 0, f"TRACKING {UUID} 0\n".encode()),
        ("i", 4, b"TRACKING i 4\n"),
        ('i j"', 2, b'TRACKING "i j\\"" 2\n'),
    ],
)
def test_tracking_line(tracking: str, code: int, line: bytes) -> None:
    assert tracking_line(tracking, code) == line


def test_pid_line() -> None:
    assert pid_line(14896) == b"PID 14896\n"


def test_what_is_logged_of_a_strange_line_is_short_and_printable() -> None:
    [request] = Session().receive(b'"\x1b[31m \x7f' + b"x" * 500 + b'"\n')
    assert isinstance(request, Ignored)
    assert len(request.reason) < 120
    assert request.reason.isprintable()
    assert request.reason.isascii()


@given(st.lists(st.binary(max_size=60)))
def test_any_bytes_are_survived_alike(pieces: list[bytes]) -> None:
    session, other = Session(), Session()
    found = [request for piece in pieces for request in session.receive(piece)]
    assert other.receive(b"".join(pieces)) == found
    for request in found:
        if isinstance(request, Instcmd | Set) and request.tracking is not None:
            line = tracking_line(request.tracking, 0)
            assert len(line) <= 511
            reader = LineReader(max_word=MAX_WORD, max_words=MAX_WORDS)
            assert [line.words for line in reader.feed(line.decode())] == [
                ("TRACKING", request.tracking, "0")
            ]


words = st.sampled_from(
    ["INSTCMD", "SET", "TRACKING", "DUMPVALUE", "a", '"b c"', "=", "\\#", '""', "LOGOUT", "\n"]
)


@given(st.lists(words))
def test_any_words_are_survived(line: list[str]) -> None:
    Session().receive(f"{' '.join(line)}\n".encode())
