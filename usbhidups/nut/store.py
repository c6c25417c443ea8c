"""What is published of one UPS, and the lines that tell a client about it. (nut-driver-contract.md 3.3)

``VariableStore.apply`` takes the whole of what shall be published and returns the lines of what changed;
``dump`` and its relatives return the lines of what stands. Lines are bytes, ready to be sent. Nothing here
knows who listens, what a device is, or where a value came from.

Rules:

* Every value is cleaned and bounded here and escaped in *every* line. (NUT escapes dumps only; its upsd
  cannot read what it broadcasts raw.)
* A variable exists for upsd before anything is said about it: SETINFO, ADDENUM, ADDRANGE, SETAUX, SETFLAGS.
* DATASTALE goes before the changes that come with it, DATAOK after them: at no point between two lines
  are data called fresh that are not.
* Values are compared exactly. NUT ignores a change of case alone; so does upsd when told, therefore such a
  variable is deleted and created again, and clients see what the device says.
* upsd ignores an empty SETFLAGS and cannot undo a flag by it: a variable that loses its last flag is
  created again too, and an empty list is never sent (NUT sends one for overridden variables).
* ``override.X`` replaces whatever the device says, cannot be written, and is there from the start.
  ``default.X`` stands in only while the device says nothing. (In NUT it hides the device's value for ever,
  against NUT's own manual.)
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from usbhidups.nut.words import MAX_VALUE, clean, quote

__all__ = ["MAX_LINE", "NAME", "Published", "VariableStore"]

MAX_LINE = 511
"""Bytes of a line with its LF that NUT's programs can take; NAME and MAX_VALUE keep every line below."""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
"""What a variable or a command may be called: words that need no quotes, not empty, not endless."""

_DATA_OK = b"DATAOK\n"
_DATA_STALE = b"DATASTALE\n"
_DUMP_DONE = b"DUMPDONE\n"


@dataclass(frozen=True, slots=True)
class Published:
    """One variable as clients shall see it.

    ``text`` may hold anything; it is cleaned on the way. ``string`` and ``number`` are the types a client
    is told, ``length`` the longest text of a string (characters). ``enum`` are the values allowed,
    ``ranges`` inclusive pairs of whole numbers; a variable with ranges is a number.
    """

    text: str
    writable: bool = False
    string: bool = False
    number: bool = False
    length: int = 0
    enum: tuple[str, ...] = ()
    ranges: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class _Entry:
    """A variable with its name, in the form in which lines are made of it."""

    name: str
    value: Published
    flags: str
    lines: bytes  # all of it, as in a dump


class VariableStore:
    """The variables, commands and freshness of one UPS. Starts stale."""

    def __init__(
        self,
        *,
        defaults: Mapping[str, str] | None = None,
        overrides: Mapping[str, str] | None = None,
    ) -> None:
        """``defaults`` and ``overrides``: NUT name to text, from ups.conf. ValueError: not a name."""
        self._defaults = {name: Published(text) for name, text in (defaults or {}).items()}
        self._overrides = {name: Published(text) for name, text in (overrides or {}).items()}
        self._entries: dict[str, _Entry] = {}
        self._given: dict[str, tuple[str, Published]] = {}
        self._commands: tuple[str, ...] = ()
        self._fresh = False
        self._dump: bytes | None = None
        self.apply({}, (), fresh=False)

    @property
    def fresh(self) -> bool:
        """Whether clients are told that the data are good."""
        return self._fresh

    def variable(self, name: str) -> Published | None:
        """What is published under ``name`` (in any case), as cleaned; None: nothing."""
        entry = self._entries.get(name.lower())
        return entry.value if entry else None

    def text(self, name: str) -> str | None:
        """The published text of a variable, None when it is not there."""
        entry = self._entries.get(name.lower())
        return entry.value.text if entry else None

    def texts(self) -> list[tuple[str, str]]:
        """Name and text of every variable, in the order of a dump."""
        return [(entry.name, entry.value.text) for entry in self._entries.values()]

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands announced, sorted."""
        return self._commands

    def apply(
        self, variables: Mapping[str, Published], commands: Collection[str], *, fresh: bool
    ) -> bytes:
        """Publish exactly this from now on; return the lines that tell the change, b"" if there is none.

        ``variables`` is everything (what is missing is withdrawn), likewise ``commands``. ValueError when
        a name is none (see NAME): the program's fault, never the device's; then nothing has changed.
        """
        announced = tuple(sorted({_named(command) for command in commands}, key=str.lower))
        entries = self._entered(variables)
        lines: list[bytes] = []
        if self._fresh and not fresh:
            lines.append(_DATA_STALE)
        lines += _changes(self._entries, entries)
        lines += [_line("DELCMD", name) for name in self._commands if name not in announced]
        lines += [_line("ADDCMD", name) for name in announced if name not in self._commands]
        if fresh and not self._fresh:
            lines.append(_DATA_OK)
        self._entries, self._commands, self._fresh = entries, announced, fresh
        if lines:
            self._dump = None
        return b"".join(lines)

    def dump(self) -> bytes:
        """The answer to DUMPALL."""
        if self._dump is None:
            self._dump = self._framed(
                [
                    *(entry.lines for entry in self._entries.values()),
                    *(_line("ADDCMD", name) for name in self._commands),
                ]
            )
        return self._dump

    def dump_value(self, name: str) -> bytes:
        """The answer to DUMPVALUE: one variable, or just the frame when there is no such variable."""
        entry = self._entries.get(name.lower())
        return self._framed([entry.lines] if entry else [])

    def dump_status(self) -> bytes:
        """The answer to DUMPSTATUS."""
        return self.dump_value("ups.status")

    def _framed(self, lines: Iterable[bytes]) -> bytes:
        before, after = (b"", _DATA_OK) if self._fresh else (_DATA_STALE, b"")
        return b"".join([before, *lines, after, _DUMP_DONE])

    def _entered(self, variables: Mapping[str, Published]) -> dict[str, _Entry]:
        """The entries by lower-case name, in order; those of unchanged variables are taken over."""
        given: dict[str, tuple[str, Published]] = {}
        for source in (self._defaults, variables, self._overrides):
            for name, value in source.items():
                given[_named(name).lower()] = (name, value)
        entries = {
            key: self._entries[key] if self._given.get(key) == given[key] else _entry(*given[key])
            for key in sorted(given)
        }
        self._given = given
        return entries


def _named(name: str) -> str:
    if not NAME.fullmatch(name):
        raise ValueError(f"not a name for a variable or command: {name!r}")
    return name


def _line(keyword: str, *words: str) -> bytes:
    return f"{' '.join((keyword, *words))}\n".encode("ascii")


def _entry(name: str, given: Published) -> _Entry:
    """Clean a variable and settle what follows from what: ranges make a number, strings have a length."""
    length = max(given.length, 0)
    if given.writable and given.string and length < 1:
        length = MAX_VALUE  # upsd refuses every SET of a string without one
    value = replace(
        given,
        text=clean(given.text),
        number=given.number or bool(given.ranges),
        length=length,
        enum=tuple(dict.fromkeys(clean(word) for word in given.enum)),
        ranges=tuple(dict.fromkeys(given.ranges)),
    )
    named = (("RW", value.writable), ("STRING", value.string), ("NUMBER", value.number))
    flags = " ".join(word for word, there in named if there)
    lines = [_line("SETINFO", name, quote(value.text))]
    lines += [*_enum_lines(name, value), *_range_lines(name, value)]
    if value.length:
        lines.append(_line("SETAUX", name, str(value.length)))
    if flags:
        lines.append(_line("SETFLAGS", name, flags))
    return _Entry(name, value, flags, b"".join(lines))


def _enum_lines(name: str, value: Published) -> list[bytes]:
    return [_line("ADDENUM", name, quote(word)) for word in value.enum]


def _range_lines(name: str, value: Published) -> list[bytes]:
    return [_line("ADDRANGE", name, str(low), str(high)) for low, high in value.ranges]


def _changes(old: Mapping[str, _Entry], new: Mapping[str, _Entry]) -> list[bytes]:
    """From one set of variables to the other: first what goes, then the rest in the order of names."""
    lines = [_line("DELINFO", entry.name) for key, entry in old.items() if key not in new]
    for key, entry in new.items():
        before = old.get(key)
        if before is None:
            lines.append(entry.lines)
        elif before is not entry and before.lines != entry.lines:
            lines += _difference(before, entry)
    return lines


def _difference(old: _Entry, new: _Entry) -> list[bytes]:
    before, value, name = old.value, new.value, new.name
    case_only = before.text != value.text and before.text.lower() == value.text.lower()
    if case_only or (old.flags and not new.flags) or old.name != name:
        return [_line("DELINFO", old.name), new.lines]
    lines: list[bytes] = []
    if before.text != value.text:
        lines.append(_line("SETINFO", name, quote(value.text)))
    if before.enum != value.enum:
        lines += [_line("DELENUM", name, quote(word)) for word in before.enum]
        lines += _enum_lines(name, value)
    if before.ranges != value.ranges:
        lines += [_line("DELRANGE", name, str(low), str(high)) for low, high in before.ranges]
        lines += _range_lines(name, value)
    if before.length != value.length:
        lines.append(_line("SETAUX", name, str(value.length)))
    if old.flags != new.flags:
        lines.append(_line("SETFLAGS", name, new.flags))
    return lines
