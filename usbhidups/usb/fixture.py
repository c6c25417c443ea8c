"""Fixtures: recorded or described devices, one TOML file each (fixture format 1: fixtures/README.md).

Reads and writes them; what is done with one is the business of ``replay``, ``record`` and the simulator.
The reader is the schema: an unknown section or key is a FixtureError that names file and key. What other
programs saw or published (``seen``, ``published``, ``published_280``) is evidence for tests and is skipped.
"""

from __future__ import annotations

import enum
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from usbhidups.errors import FixtureError

__all__ = [
    "Answer",
    "Device",
    "Failure",
    "Fixture",
    "Moment",
    "Origin",
    "OriginKind",
    "dumps",
    "load",
    "parse",
]

FORMAT = 1
EVIDENCE = ("seen", "published", "published_280")
LONGEST_FILE = 4_000_000
LONGEST_DESCRIPTOR = 65_535
LONGEST_REPORT = 65_536

_ID = re.compile(r"[0-9a-f]{4}")
_REPORT_ID = re.compile(r"[0-9a-f]{2}")
_EVENT = re.compile(r"[a-z][a-z0-9_-]*(?::[A-Za-z0-9_.,+=-]+)*")


class Failure(enum.Enum):
    """How a report failed instead of being answered."""

    STALL = "stall"
    TIMEOUT = "timeout"
    OVERFLOW = "overflow"
    EMPTY = "empty"


Answer = bytes | Failure
"""What one report gave: the whole report, id byte first (0 on devices without ids), or its failure."""


class OriginKind(enum.Enum):
    """Where the bytes come from."""

    RECORDED = "recorded"
    DESCRIBED = "described"
    MADE_UP = "made-up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """What the bus says of the device; None: not known. ``strings`` are by string index."""

    vendor_id: int
    product_id: int
    release: int | None = None
    manufacturer: str | None = None
    product: str | None = None
    serial: str | None = None
    interface: int = 0
    endpoint_in: int = 0x81
    strings: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where it comes from, and what is known to be wrong with it."""

    kind: OriginKind
    source: str = ""
    notes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What happens ``at`` seconds after the start: new Feature answers, an Input report, an event.

    ``event`` is a word with arguments behind colons (``stall:40``); replay and simulator know their own.
    """

    at: float
    feature: Mapping[int, Answer] = field(default_factory=dict)
    input: bytes | None = None
    event: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixture:
    """One device. ``descriptor`` is b"" where none was recorded; ``expected`` None where nothing is said.

    ``where`` names the file for messages and takes no part in comparisons.
    """

    device: Device
    origin: Origin
    descriptor: bytes = b""
    complete: bool = False
    feature: Mapping[int, Answer] = field(default_factory=dict)
    input: Mapping[int, Answer] = field(default_factory=dict)
    expected: Mapping[str, str] | None = None
    timeline: tuple[Moment, ...] = ()
    where: str = field(default="", compare=False)


def load(path: str | Path) -> Fixture:
    """The fixture in a file. FixtureError names the file, and the key where there is one."""
    where = str(path)
    try:
        with open(path, "rb") as file:
            raw = file.read(LONGEST_FILE + 1)
    except OSError as error:
        raise FixtureError(error.strerror or str(error), where=where) from None
    if len(raw) > LONGEST_FILE:
        raise FixtureError(f"longer than {LONGEST_FILE} bytes", where=where)
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise FixtureError(f"not UTF-8 at byte {error.start}", where=where) from None
    return parse(text, where)


def parse(text: str, where: str) -> Fixture:
    """The fixture in ``text``; ``where`` is what messages call it. Raises FixtureError and nothing else."""
    try:
        document = tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError, and what int() and datetime say of absurd values
        raise FixtureError(f"not TOML: {error}", where=where) from None
    except RecursionError:
        raise FixtureError("not TOML: nested too deeply", where=where) from None
    return _fixture(_Table(document, "", where))


class _Table:
    """A TOML table being read: what is taken is taken out, what is left over is an error."""

    def __init__(self, content: Mapping[str, object], path: str, where: str) -> None:
        self.rest = dict(content)
        self.path = path
        self.where = where

    def error(self, key: str, problem: str) -> FixtureError:
        return FixtureError(problem, where=self.where, key=self.name(key))

    def name(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path and key else self.path or key

    def table(self, key: str) -> _Table | None:
        """A sub-table, None where absent."""
        if key not in self.rest:
            return None
        return self.as_table(key, self.rest.pop(key))

    def as_table(self, key: str, value: object) -> _Table:
        if not isinstance(value, dict):
            raise self.error(key, "must be a table")
        return _Table(value, self.name(key), self.where)

    def text(self, key: str) -> str | None:
        value = self.rest.pop(key, None)
        if value is not None and not isinstance(value, str):
            raise self.error(key, "must be a string")
        return value

    def whole(self, key: str, default: int, allowed: range) -> int:
        value = self.rest.pop(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or value not in allowed:
            raise self.error(key, f"must be a whole number from {allowed[0]} to {allowed[-1]}")
        return value

    def id(self, key: str) -> int | None:
        value = self.text(key)
        if value is None:
            return None
        if not _ID.fullmatch(value):
            raise self.error(key, "must be four lower-case hex digits")
        return int(value, 16)

    def done(self) -> None:
        if self.rest:
            unknown = next(iter(self.rest))
            raise self.error(unknown, "unknown key")


def _fixture(top: _Table) -> Fixture:
    if "format" not in top.rest:
        raise top.error("format", "missing; this reader knows format 1")
    top.whole("format", FORMAT, range(FORMAT, FORMAT + 1))
    for key in EVIDENCE:
        top.rest.pop(key, None)
    device, origin = top.table("device"), top.table("origin")
    if device is None:
        raise top.error("device", "missing")
    if origin is None:
        raise top.error("origin", "missing")
    descriptor, complete = _descriptor(top.table("report_descriptor"))
    reports = top.table("reports") or _Table({}, "reports", top.where)
    fixture = Fixture(
        device=_device(device),
        origin=_origin(origin),
        descriptor=descriptor,
        complete=complete,
        feature=_answers(reports.table("feature")),
        input=_answers(reports.table("input")),
        expected=_expected(top.table("expected")),
        timeline=_timeline(top),
        where=top.where,
    )
    reports.done()
    top.done()
    return fixture


def _device(table: _Table) -> Device:
    vendor_id, product_id = table.id("vendor_id"), table.id("product_id")
    if vendor_id is None:
        raise table.error("vendor_id", "missing")
    if product_id is None:
        raise table.error("product_id", "missing")
    device = Device(
        vendor_id=vendor_id,
        product_id=product_id,
        release=table.id("release"),
        manufacturer=table.text("manufacturer"),
        product=table.text("product"),
        serial=table.text("serial"),
        interface=table.whole("interface", 0, range(256)),
        endpoint_in=table.whole("endpoint_in", 0x81, range(0x81, 0x90)),
        strings=_strings(table.table("strings")),
    )
    table.done()
    return device


def _strings(table: _Table | None) -> dict[int, str]:
    strings: dict[int, str] = {}
    if table is None:
        return strings
    for key in list(table.rest):
        if not (key.isascii() and key.isdecimal() and len(key) <= 3 and 1 <= int(key) <= 255):
            raise table.error(key, "must be a string index, 1 to 255")
        strings[int(key)] = table.text(key) or ""
    return strings


def _origin(table: _Table) -> Origin:
    word = table.text("kind")
    try:
        kind = OriginKind(word)
    except ValueError:
        allowed = ", ".join(kind.value for kind in OriginKind)
        raise table.error("kind", f"must be one of {allowed}") from None
    origin = Origin(kind=kind, source=table.text("source") or "", notes=table.text("notes") or "")
    table.done()
    return origin


def _descriptor(table: _Table | None) -> tuple[bytes, bool]:
    if table is None:
        return b"", False
    complete = table.rest.pop("complete", None)
    if not isinstance(complete, bool):
        raise table.error("complete", "must be true or false")
    descriptor = _bytes(table, "hex", table.text("hex"), LONGEST_DESCRIPTOR)
    table.done()
    return descriptor, complete


def _bytes(table: _Table, key: str, text: str | None, longest: int) -> bytes:
    try:
        data = bytes.fromhex(text or "")
    except ValueError:
        raise table.error(key, "must be bytes in hex") from None
    if not 1 <= len(data) <= longest:
        raise table.error(key, f"must be 1 to {longest} bytes in hex")
    return data


def _report(table: _Table, key: str, text: str | None) -> bytes:
    return _bytes(table, key, text, LONGEST_REPORT)


def _answers(table: _Table | None) -> dict[int, Answer]:
    answers: dict[int, Answer] = {}
    if table is None:
        return answers
    words = {failure.value: failure for failure in Failure}
    for key in list(table.rest):
        if not _REPORT_ID.fullmatch(key):
            raise table.error(key, "must be a report id of two lower-case hex digits")
        text = table.text(key)
        report_id = int(key, 16)
        answer: Answer = words.get(text or "") or _report(table, key, text)
        if isinstance(answer, bytes) and answer[0] != report_id:
            raise table.error(key, f"the report must start with its id {key}")
        answers[report_id] = answer
    return answers


def _expected(table: _Table | None) -> dict[str, str] | None:
    if table is None:
        return None
    variables = table.table("variables") or _Table({}, "", table.where)
    expected = {key: variables.text(key) or "" for key in list(variables.rest)}
    table.done()
    return expected


def _timeline(top: _Table) -> tuple[Moment, ...]:
    entries = top.rest.pop("timeline", [])
    if not isinstance(entries, list):
        raise top.error("timeline", "must be an array of tables ([[timeline]])")
    moments: list[Moment] = []
    for number, entry in enumerate(entries, 1):
        moment = _moment(top.as_table(f"timeline[{number}]", entry))
        if moments and moment.at < moments[-1].at:
            raise top.error(f"timeline[{number}].at", "is earlier than the entry before it")
        moments.append(moment)
    return tuple(moments)


def _moment(table: _Table) -> Moment:
    at = table.rest.pop("at", None)
    if not isinstance(at, int | float) or isinstance(at, bool) or not 0 <= at <= 1e9:
        raise table.error("at", "must be a number of seconds, 0 or more")
    feature = _answers(table.table("feature"))
    text = table.text("input")
    moment = Moment(
        at=float(at),
        feature=feature,
        input=None if text is None else _report(table, "input", text),
        event=_event(table),
    )
    table.done()
    return moment


def _event(table: _Table) -> str:
    event = table.text("event")
    if event is not None and not (len(event) <= 200 and _EVENT.fullmatch(event)):
        raise table.error("event", "must be a word, with arguments behind colons")
    return event or ""


def dumps(fixture: Fixture) -> str:
    """The fixture as TOML, ready to be written to a file: ``parse(dumps(f), w) == f``."""
    device, origin = fixture.device, fixture.origin
    lines = [f"format = {FORMAT}", "", "[device]"]
    lines += [f'vendor_id = "{device.vendor_id:04x}"', f'product_id = "{device.product_id:04x}"']
    if device.release is not None:
        lines.append(f'release = "{device.release:04x}"')
    for key in ("manufacturer", "product", "serial"):
        value = getattr(device, key)
        if value is not None:
            lines.append(f"{key} = {_quoted(value)}")
    if device.interface:
        lines.append(f"interface = {device.interface}")
    if device.endpoint_in != 0x81:
        lines.append(f"endpoint_in = {device.endpoint_in:#04x}")
    if device.strings:
        lines += ["", "[device.strings]"]
        lines += [f"{index} = {_quoted(text)}" for index, text in sorted(device.strings.items())]
    lines += ["", "[origin]", f'kind = "{origin.kind.value}"']
    lines += [
        f"{key} = {_quoted(text)}" for key in ("source", "notes") if (text := getattr(origin, key))
    ]
    if fixture.descriptor:
        lines += ["", "[report_descriptor]", f"complete = {str(fixture.complete).lower()}"]
        lines += ['hex = """', *_rows(fixture.descriptor), '"""']
    for name, answers in (("feature", fixture.feature), ("input", fixture.input)):
        if answers:
            lines += ["", f"[reports.{name}]"]
            lines += [_answer(*pair) for pair in sorted(answers.items())]
    if fixture.expected is not None:
        lines += ["", "[expected.variables]"]
        lines += [
            f"{_quoted(key)} = {_quoted(fixture.expected[key])}" for key in sorted(fixture.expected)
        ]
    for moment in fixture.timeline:
        lines += ["", "[[timeline]]", f"at = {float(moment.at)!r}"]
        if moment.feature:
            pairs = ", ".join(_answer(*pair) for pair in sorted(moment.feature.items()))
            lines.append(f"feature = {{ {pairs} }}")
        if moment.input is not None:
            lines.append(f'input = "{moment.input.hex(" ")}"')
        if moment.event:
            lines.append(f'event = "{moment.event}"')
    return "\n".join(lines) + "\n"


def _rows(data: bytes) -> list[str]:
    return [data[at : at + 16].hex(" ") for at in range(0, len(data), 16)]


def _answer(report_id: int, answer: Answer) -> str:
    text = answer.value if isinstance(answer, Failure) else answer.hex(" ")
    return f'"{report_id:02x}" = "{text}"'


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def _quoted(text: str) -> str:
    """A TOML basic string; everything that could upset a terminal is escaped."""
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char.isprintable():
        return char
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"
