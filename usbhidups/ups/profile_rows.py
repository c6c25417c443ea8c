"""Bodies of profile files, joined from the most general to the most special, become the rows of a Profile.

What a later body says of a name (of a variable, a setting, a command) goes before what earlier ones said,
and replaces their rows of the same path; ``"..."`` in a list stands for what they said. ``false`` drops what
they said: alone or as the first item of a list; a pattern with ``*`` drops names of its own section. What is said
of a flag's path replaces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from typing import Any

from usbhidups.errors import ProfileError, UnknownUsage
from usbhidups.hid.usages import Names
from usbhidups.ups.convert import COMMANDS, READERS, WRITERS
from usbhidups.ups.fixes import FIXES
from usbhidups.ups.options import Options
from usbhidups.ups.profile import (
    CommandRow,
    Condition,
    FlagRow,
    Identification,
    Pacing,
    Poll,
    Profile,
    VariableRow,
)
from usbhidups.ups.profile_file import Body, Head
from usbhidups.ups.profile_schema import Table, hex_number

__all__ = ["build"]

_INHERITED = "..."
_CONDITION_KEYS = ("path", "is", "not", "lacks", "family", "option")
_SOURCE_KEYS = (
    "path",
    "format",
    "convert",
    "table",
    "otherwise",
    "scale",
    "mask",
    "report",
    "poll",
    "when",
    "seen",
)
_VARIABLE_KEYS = (*_SOURCE_KEYS, "default")
_SETTING_KEYS = (*_VARIABLE_KEYS, "length", "enum", "range", "string")
_FLAG_KEYS = ("table", "words", "otherwise", "mask", "poll", "alarm", "when", "seen")
_COMMAND_KEYS = ("write", "path", "convert", "when", "seen")

_SETTING_LENGTH = 10  # the longest text of a setting where the row says nothing
_FORMAT = re.compile(r"[^%]*%(?:\.[0-9])?f[^%]*(?:%%)?")
_WRITE = re.compile(r"(?P<path>\S+)\s*=\s*(?P<value>-?[0-9]+)")


@dataclass(frozen=True, slots=True)
class _Entry:
    """What one body says under one key: where it says so, and the items of its list."""

    table: Table
    key: str
    item: Any


def build(head: Head, bodies: Sequence[Body], variant: str = "") -> Profile:
    """Join bodies (the most general first) into a profile; ProfileError names what is wrong."""
    return _Builder(head, bodies, variant).profile()


class _Builder:
    def __init__(self, head: Head, bodies: Sequence[Body], variant: str) -> None:
        self._head = head
        self._bodies = bodies
        self._variant = variant
        self._usages = self._joined_usages()
        self._names = Names(self._usages)
        self._tables: dict[str, dict[int, str]] = {}
        self._scales: dict[str, float] = {}
        for table in self._sections("tables"):
            self._tables.update({key: table.words(key) for key in table.content})
        for table in self._sections("scales"):
            self._scales.update({key: table.number(key, 1.0) for key in table.content})

    def profile(self) -> Profile:
        delays = self._settings("delays", ("shutdown", "start", "step"))
        return Profile(
            name=self._head.name,
            title=self._head.title,
            version=self._head.version,
            matches=self._head.matches,
            usages=self._usages,
            identification=self._identification(),
            variables=tuple(self._variables(delays)),
            flags=tuple(self._flags()),
            commands=tuple(self._commands()),
            pacing=self._pacing(),
            fixes=self._fixes(),
            offdelay=delays.whole("shutdown", 20),
            ondelay=delays.whole("start", 30),
            delay_step=delays.whole("step", 1),
            notes=self._head.notes,
            variant=self._variant,
            source=self._head.source,
        )

    # Joining

    def _sections(self, name: str) -> Iterator[Table]:
        return (body.sections[name] for body in self._bodies if name in body.sections)

    def _settings(self, name: str, keys: tuple[str, ...]) -> Table:
        """A table of plain settings: later bodies replace single keys."""
        content: dict[str, Any] = {}
        source = self._head.source
        for table in self._sections(name):
            table.only(keys)
            content.update(table.content)
            source = table.source
        return Table(content, source=source, name=name)

    def _joined_usages(self) -> dict[int, str]:
        usages: dict[int, str] = {}
        for table in self._sections("usages"):
            usages.update(
                {hex_number(table, key, key, 8): table.text(key) for key in table.content}
            )
        return usages

    def _rows(self, *sections: str) -> dict[str, list[_Entry]]:
        """Every name of some sections with its items, the most special first."""
        joined: dict[str, list[_Entry]] = {}
        for body in self._bodies:
            own: dict[str, list[_Entry]] = {}
            for table in (body.sections[name] for name in sections if name in body.sections):
                for key, value in table.content.items():
                    items = value if isinstance(value, list) else [value]
                    if items and items[0] is False:
                        for name in _dropped(key, table, joined):
                            del joined[name]
                        items = items[1:]
                    own.setdefault(key, []).extend(_Entry(table, key, item) for item in items)
            for key, entries in own.items():
                if entries:
                    joined[key] = _inserted(entries, joined.get(key, []))
        return joined

    # Rows

    def _variables(self, delays: Table) -> Iterator[VariableRow]:
        for name, entries in self._rows("settings", "variables").items():
            seen: dict[str, str] = {}  # path: the file that spoke of it first
            for entry in entries:
                for row in self._variable(name, entry, delays):
                    if seen.setdefault(row.path, entry.table.source) == entry.table.source:
                        yield row

    def _variable(self, name: str, entry: _Entry, delays: Table) -> Iterator[VariableRow]:
        writable = entry.table.name.endswith("settings")
        row = self._row_table(entry, _SETTING_KEYS if writable else _VARIABLE_KEYS)
        convert = row.choice("convert", READERS)
        table = self._named_table(row, "table")
        if writable and convert and convert not in WRITERS:
            raise row.error(
                "convert", f"{convert} cannot be written; allowed are {', '.join(WRITERS)}"
            )
        poll = row.choice("poll", [poll.value for poll in Poll])
        for path in row.texts("path"):
            self._check_path(row, path)
            yield VariableRow(
                name=name,
                path=path,
                format=self._format(row),
                convert=convert,
                table=table,
                otherwise=row.text("otherwise"),
                scale=self._scale(row),
                mask=row.whole("mask", 0) or None,
                report=row.whole("report", 0) or None,
                poll=Poll(poll) if poll else _usual_poll(name, convert, writable=writable),
                default=self._default(row, delays),
                writable=writable,
                string=writable and row.flag("string", default=True),
                length=row.whole("length", _SETTING_LENGTH) if writable else 0,
                enum=self._enum(row, table),
                ranges=self._ranges(row),
                when=self._condition(row),
                seen=row.text("seen"),
            )

    def _flags(self) -> Iterator[FlagRow]:
        for path, entries in self._rows("flags").items():
            for entry in entries:
                if entry.table.source != entries[0].table.source:
                    break
                item = {"words": entry.item} if isinstance(entry.item, str) else entry.item
                row = self._inline(entry, item, _FLAG_KEYS)
                self._check_path(entry.table, path)
                alarm = row.text("alarm")
                words = self._named_table(row, "words")
                if not alarm and words is None:
                    raise row.error("words", "must be given: the name of a table, or a table")
                poll = row.choice("poll", [poll.value for poll in Poll])
                yield FlagRow(
                    path=path,
                    table={1: alarm} if alarm else words or {},
                    otherwise=row.text("otherwise"),
                    mask=row.whole("mask", 0) or None,
                    poll=Poll(poll) if poll else Poll.STATUS,
                    alarm=bool(alarm),
                    when=self._condition(row),
                    seen=row.text("seen"),
                )

    def _commands(self) -> Iterator[CommandRow]:
        for name, entries in self._rows("power", "commands").items():
            for entry in entries:
                item = {"write": entry.item} if isinstance(entry.item, str) else entry.item
                row = self._inline(entry, item, _COMMAND_KEYS)
                path, value = row.text("path"), None
                if row.text("write"):
                    match = _WRITE.fullmatch(row.text("write"))
                    if match is None:
                        raise row.error(
                            "write", 'must be a path and a number: "UPS.Battery.Test = 1"'
                        )
                    path, value = match["path"], int(match["value"])
                self._check_path(row, path)
                yield CommandRow(
                    name=name,
                    path=path,
                    value=value,
                    convert=row.choice("convert", COMMANDS),
                    switches_load=entry.table.name.endswith("power"),
                    when=self._condition(row),
                    seen=row.text("seen"),
                )

    # Parts of rows

    def _row_table(self, entry: _Entry, keys: tuple[str, ...]) -> Table:
        item = {"path": entry.item} if isinstance(entry.item, str) else entry.item
        row = self._inline(entry, item, keys)
        if not row.texts("path"):
            raise row.error("path", "must be given")
        return row

    @staticmethod
    def _inline(entry: _Entry, item: Any, keys: tuple[str, ...]) -> Table:
        if not isinstance(item, dict):
            raise entry.table.error(entry.key, "must be a string, a table, or a list of them")
        row = Table(item, source=entry.table.source, name=f"{entry.table.name}.{entry.key}")
        row.only(keys)
        return row

    def _check_path(self, row: Table, path: str) -> None:
        try:
            self._names.path(path)
        except UnknownUsage as problem:
            raise row.error("path", str(problem)) from None

    def _named_table(self, row: Table, key: str) -> dict[int, str] | None:
        value = row.content.get(key)
        if value is None:
            return None
        if isinstance(value, dict):
            return row.words(key)
        name = row.text(key)
        if name not in self._tables:
            raise row.error(key, f"no table {name!r}; there are {', '.join(sorted(self._tables))}")
        return self._tables[name]

    @staticmethod
    def _enum(row: Table, table: Mapping[int, str] | None) -> tuple[str, ...]:
        """``enum = true`` offers all words of the table."""
        if row.content.get("enum") is True:
            if table is None:
                raise row.error("enum", "true needs a table; or give the words")
            return tuple(dict.fromkeys(table.values()))
        return row.texts("enum")

    @staticmethod
    def _ranges(row: Table) -> tuple[tuple[int, int], ...]:
        limits = row.wholes("range")
        if len(limits) % 2:
            raise row.error("range", "must be pairs of least and greatest")
        return tuple(zip(limits[::2], limits[1::2], strict=True))

    @staticmethod
    def _format(row: Table) -> str:
        value = row.text("format", "%.0f")
        if not _FORMAT.fullmatch(value):
            raise row.error(
                "format", f"{value!r}: must be a printf format of one number, like %.1f"
            )
        return value

    def _scale(self, row: Table) -> float:
        value = row.content.get("scale", 1.0)
        if isinstance(value, str) and value in self._scales:
            return self._scales[value]
        return row.number("scale", 1.0)

    @staticmethod
    def _default(row: Table, delays: Table) -> str | None:
        if "default" not in row.content:
            return None
        value = row.text("default")
        if value == "delays.shutdown":
            return str(delays.whole("shutdown", 20))
        if value == "delays.start":
            return str(delays.whole("start", 30))
        return value

    def _condition(self, row: Table) -> Condition | None:
        if "when" not in row.content:
            return None
        when = row.table("when")
        when.only(_CONDITION_KEYS)
        for key in ("path", "lacks"):
            if when.text(key):
                self._check_path(when, when.text(key))
        values = when.wholes("not") if "not" in when.content else when.wholes("is")
        if bool(when.text("path")) != bool(values):
            raise when.error("path", "goes together with is or not")
        option = when.choice("option", [item.name for item in fields(Options)])
        return Condition(
            path=when.text("path"),
            values=values,
            negated="not" in when.content,
            lacks=when.text("lacks"),
            families=when.texts("family"),
            option=option,
        )

    # Plain settings

    def _identification(self) -> Identification:
        table = self._settings(
            "identity",
            ("manufacturer", "product", "model_path", "model_fallback_path", "models"),
        )
        for key in ("model_path", "model_fallback_path"):
            if table.text(key):
                self._check_path(table, table.text(key))
        return Identification(
            manufacturer=table.text("manufacturer"),
            product=table.pattern("product"),
            model_path=table.text("model_path"),
            model_fallback_path=table.text("model_fallback_path"),
            models=table.text("models"),
        )

    def _pacing(self) -> Pacing:
        table = self._settings("pacing", tuple(item.name for item in fields(Pacing)))
        usual = Pacing()
        return Pacing(
            use_interrupt=table.flag("use_interrupt", default=usual.use_interrupt),
            use_feature=table.flag("use_feature", default=usual.use_feature),
            never_read=table.wholes("never_read"),
            full_interval=table.number("full_interval", usual.full_interval),
            write_gap=table.number("write_gap", usual.write_gap),
            reopen_gap=table.number("reopen_gap", usual.reopen_gap),
            request_gap=table.number("request_gap", usual.request_gap),
            oversize=table.wholes("oversize"),
            interrupt_size=table.whole("interrupt_size", 0) or None,
        )

    def _fixes(self) -> tuple[str, ...]:
        table = self._settings("descriptor", ("fixes",))
        for name in table.texts("fixes"):
            if name not in FIXES:
                raise ProfileError(
                    f"no fix {name!r}; there are {', '.join(FIXES)}",
                    where=table.source,
                    key="descriptor.fixes",
                )
        return table.texts("fixes")


def _inserted(own: list[_Entry], inherited: list[_Entry]) -> list[_Entry]:
    """Own items with the inherited ones in the place of "...", at the end where there is none."""
    for position, entry in enumerate(own):
        if entry.item == _INHERITED:
            return [*own[:position], *inherited, *own[position + 1 :]]
    return [*own, *inherited]


def _dropped(key: str, table: Table, joined: Mapping[str, list[_Entry]]) -> list[str]:
    """The names that ``false`` drops: the one it stands at, or for a pattern those of the same section."""
    if "*" not in key:
        return [key] if key in joined else []
    section = table.name.rsplit(".", 1)[-1]
    return [
        name
        for name, entries in joined.items()
        if fnmatchcase(name, key) and entries[0].table.name.endswith(section)
    ]


def _usual_poll(name: str, convert: str, *, writable: bool) -> Poll:
    """How often a variable is read where its row does not say."""
    if name.startswith("ups.timer."):
        return Poll.STATUS
    if writable or ".transfer." in name or name.startswith(("ups.beeper.", "battery.capacity")):
        return Poll.SETTING
    if convert == "string" or name.endswith((".nominal", ".min", ".max", ".id", ".date")):
        return Poll.CONSTANT
    return Poll.VALUE
