"""Rows of profiles: each key of a row checked, with the names it may use.

What a row may say is in docs/profile-format.md; what is inherited is already joined (``profile_join``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields

from usbhidups.errors import UnknownUsage
from usbhidups.hid.usages import Names
from usbhidups.ups.convert import COMMANDS, READERS, WRITERS
from usbhidups.ups.loading.join import Entry, Joined
from usbhidups.ups.loading.schema import Table
from usbhidups.ups.options import Options
from usbhidups.ups.profile import CommandRow, Condition, FlagRow, Poll, VariableRow

__all__ = ["Rows"]

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
_FLAG_KEYS = ("words", "otherwise", "mask", "poll", "alarm", "when", "seen")
_COMMAND_KEYS = ("write", "path", "convert", "when", "seen")

_SETTING_LENGTH = 10  # the longest text of a setting where the row says nothing
_CONSTANT_CONVERSIONS = ("string", "date-string", "date", "bcd-date")
_CONSTANT_NAMES = (".nominal", ".min", ".max", ".id")
_FORMAT = re.compile(r"[^%]*%(?:\.[0-9])?f[^%]*(?:%%)?")
_WRITE = re.compile(r"(?P<path>\S+)\s*=\s*(?P<value>-?[0-9]+)")


class Rows:
    """The rows that joined bodies say; ``delays`` are the numbers that defaults may refer to."""

    def __init__(self, joined: Joined, names: Names, delays: Mapping[str, int]) -> None:
        self._joined = joined
        self._names = names
        self._delays = delays
        self._tables = joined.tables()
        self._scales = joined.scales()

    def variables(self) -> Iterator[VariableRow]:
        """Variables and settings, rows of one name together."""
        for name, entries in self._joined.rows("settings", "variables").items():
            layers: dict[str, int] = {}  # path: the layer that spoke of it first
            for entry in entries:
                for row in self._variable(name, entry):
                    if layers.setdefault(row.path, entry.layer) == entry.layer:
                        yield row

    def _variable(self, name: str, entry: Entry) -> Iterator[VariableRow]:
        writable = entry.section == "settings"
        row = entry.inline(_SETTING_KEYS if writable else _VARIABLE_KEYS, "path")
        if not row.texts("path"):
            raise row.error("path", "must be given")
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
                default=self._default(row),
                writable=writable,
                string=writable and row.flag("string", default=True),
                length=row.whole("length", _SETTING_LENGTH) if writable else 0,
                enum=self._enum(row, table),
                ranges=self._ranges(row),
                when=self._condition(row),
                seen=row.text("seen"),
            )

    def flags(self) -> Iterator[FlagRow]:
        """Flags and alarms; of a path only what the most special body says."""
        for path, entries in self._joined.rows("flags").items():
            for entry in entries:
                if entry.layer != entries[0].layer:
                    break
                row = entry.inline(_FLAG_KEYS, "words")
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

    def commands(self) -> Iterator[CommandRow]:
        """Commands, those that may switch the load first."""
        for name, entries in self._joined.rows("power", "commands").items():
            for entry in entries:
                row = entry.inline(_COMMAND_KEYS, "write")
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
                    switches_load=entry.section == "power",
                    when=self._condition(row),
                    seen=row.text("seen"),
                )

    # Parts of rows

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

    def _default(self, row: Table) -> str | None:
        if "default" not in row.content:
            return None
        value = row.text("default")
        delay = (
            self._delays.get(value.removeprefix("delays.")) if value.startswith("delays.") else None
        )
        return value if delay is None else str(delay)

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


def _usual_poll(name: str, convert: str, *, writable: bool) -> Poll:
    """How often a variable is read where its row does not say."""
    if name.startswith("ups.timer."):
        return Poll.STATUS
    if writable or ".transfer." in name or name.startswith(("ups.beeper.", "battery.capacity")):
        return Poll.SETTING
    if convert in _CONSTANT_CONVERSIONS or name.endswith(_CONSTANT_NAMES):
        return Poll.CONSTANT
    return Poll.VALUE
