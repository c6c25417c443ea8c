"""One client's talk on the state socket, without the socket. (nut-driver-contract.md 3.2)

``Session.receive`` takes bytes as they come and gives typed requests; the functions below make the answers.
Nothing here runs a command, reads the store or closes a connection: whoever holds the socket does that.

Rule: no line is answered with an error and no line ends the talk. What cannot be understood becomes an
``Ignored``, which is for the log only. Keywords are compared without regard to case.
"""

from __future__ import annotations

from dataclasses import dataclass

from usbhidups.nut.words import MAX_WORD, MAX_WORDS, Line, LineReader, as_word

__all__ = [
    "GOODBYE",
    "PONG",
    "Broadcast",
    "DumpAll",
    "DumpStatus",
    "DumpValue",
    "GetPid",
    "Ignored",
    "Instcmd",
    "Logout",
    "Ping",
    "Request",
    "Session",
    "Set",
    "pid_line",
    "tracking_line",
]

PONG = b"PONG\n"
GOODBYE = b"OK Goodbye\n"

MAX_TRACKING = 255
"""Bytes of a tracking id as a word; NUT's are UUIDs of 36. A longer one is malformed."""

_SHOWN = 60
"""Characters of a strange line that are worth a line of the log."""


@dataclass(frozen=True, slots=True)
class DumpAll:
    """Everything, framed."""


@dataclass(frozen=True, slots=True)
class DumpStatus:
    """``ups.status``, framed like a dump."""


@dataclass(frozen=True, slots=True)
class DumpValue:
    """One variable, framed like a dump."""

    name: str


@dataclass(frozen=True, slots=True)
class Ping:
    """Answer PONG."""


@dataclass(frozen=True, slots=True)
class GetPid:
    """Answer with this process's number."""


@dataclass(frozen=True, slots=True)
class Broadcast:
    """The client wants (or no longer wants) lines it did not ask for; the session has noted it."""

    wanted: bool


@dataclass(frozen=True, slots=True)
class Instcmd:
    """Run a command. ``tracking`` None: the client wants no answer and must get none."""

    command: str
    parameter: str | None = None
    tracking: str | None = None


@dataclass(frozen=True, slots=True)
class Set:
    """Change a variable. ``tracking`` as for Instcmd."""

    name: str
    value: str
    tracking: str | None = None


@dataclass(frozen=True, slots=True)
class Logout:
    """Say goodbye and close. Nothing that follows it is looked at."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A line without effect; ``reason`` is printable ASCII of bounded length, for the log."""

    reason: str


Request = (
    DumpAll | DumpStatus | DumpValue | Ping | GetPid | Broadcast | Instcmd | Set | Logout | Ignored
)


class Session:
    """The state of one conversation: an unfinished line, and whether broadcasts are wanted."""

    def __init__(self) -> None:
        self._reader = LineReader(max_word=MAX_WORD, max_words=MAX_WORDS)
        self._ended = False
        self.broadcasting = True

    def receive(self, data: bytes) -> list[Request]:
        """Take more bytes and return the requests they completed, in order. Raises nothing."""
        requests: list[Request] = []
        if self._ended:
            return requests
        for line in self._reader.feed(data.decode("latin-1")):
            request = _request(line)
            requests.append(request)
            if isinstance(request, Broadcast):
                self.broadcasting = request.wanted
            elif isinstance(request, Logout):
                self._ended = True
                break
        return requests


def pid_line(pid: int) -> bytes:
    """The answer to GetPid."""
    return f"PID {pid}\n".encode("ascii")


def tracking_line(tracking: str, code: int) -> bytes:
    """The answer to a tracked Instcmd or Set; ``code`` is one of NUT's numbers, 0 to 4."""
    return f"TRACKING {as_word(tracking)} {code}\n".encode("ascii")


def _request(line: Line) -> Request:
    if line.error:
        return Ignored(f"{line.error}: {_shown(line)}")
    keyword, arguments = line.words[0].upper(), line.words[1:]
    match keyword, arguments:
        case "DUMPALL", _:
            return DumpAll()
        case "DUMPSTATUS", _:
            return DumpStatus()
        case "DUMPVALUE", (name, *_):
            return DumpValue(name)
        case "PING", _:
            return Ping()
        case "GETPID", _:
            return GetPid()
        case "NOBROADCAST", _:
            return Broadcast(wanted=False)
        case "BROADCAST", (number, *_):
            return Broadcast(wanted=_wants_broadcasts(number))
        case "BROADCAST", ():
            return Broadcast(wanted=True)
        case "LOGOUT", _:
            return Logout()
        case "INSTCMD", _:
            return _instcmd(arguments) or Ignored(f"malformed: {_shown(line)}")
        case "SET", _:
            return _set(arguments) or Ignored(f"malformed: {_shown(line)}")
    return Ignored(f"unknown: {_shown(line)}")


def _instcmd(arguments: tuple[str, ...]) -> Instcmd | None:
    match arguments:
        case (command,):
            return Instcmd(command)
        case (command, parameter):
            return Instcmd(command, parameter)
        case (command, word, tracking) if _is_tracking(word, tracking):
            return Instcmd(command, None, tracking)
        case (command, parameter, word, tracking) if _is_tracking(word, tracking):
            return Instcmd(command, parameter, tracking)
    return None


def _set(arguments: tuple[str, ...]) -> Set | None:
    match arguments:
        case (name, value) | (name, value, _):  # NUT overlooks a fourth word, so do we
            return Set(name, value)
        case (name, value, word, tracking) if _is_tracking(word, tracking):
            return Set(name, value, tracking)
    return None


def _is_tracking(word: str, tracking: str) -> bool:
    return word.upper() == "TRACKING" and len(as_word(tracking)) <= MAX_TRACKING


def _wants_broadcasts(number: str) -> bool:
    """As NUT: what is not a number means yes."""
    try:
        return int(number) > 0
    except ValueError:
        return True


def _shown(line: Line) -> str:
    text = ascii(" ".join(line.words)[: _SHOWN + 1])
    return text if len(text) <= _SHOWN + 2 else f"{text[: _SHOWN + 1]}..."
