"""Bodies of profile files, joined from the most general to the most special.

What a later body says of a name (of a variable, a setting, a command) goes before what earlier ones said,
and replaces their rows of the same path; ``"..."`` in a list stands for what they said. ``false`` drops it:
alone or as the first item of a list; a pattern with ``*`` drops names of its own section. What is said of a
flag's path replaces.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from usbhidups.ups.loading.file import Body
from usbhidups.ups.loading.schema import Table, hex_number

__all__ = ["Entry", "Joined"]

_INHERITED = "..."


@dataclass(frozen=True, slots=True)
class Entry:
    """One item that one body says under one key; ``layer`` counts the bodies, the most general is 0."""

    table: Table
    key: str
    item: Any
    layer: int

    @property
    def section(self) -> str:
        """The table of the file it stands in, without the variant's name."""
        return self.table.name.rsplit(".", 1)[-1]

    def inline(self, keys: tuple[str, ...], short: str) -> Table:
        """The item as a table of these keys; a text alone is the key ``short``."""
        content = {short: self.item} if isinstance(self.item, str) else self.item
        if not isinstance(content, dict):
            raise self.table.error(self.key, "must be a string, a table, or a list of them")
        row = Table(content, source=self.table.source, name=f"{self.table.name}.{self.key}")
        row.only(keys)
        return row


class Joined:
    """Several bodies as one; ``source`` is the file that errors of missing things are told of."""

    def __init__(self, bodies: Sequence[Body], source: str) -> None:
        self._bodies = bodies
        self._source = source

    def sections(self, name: str) -> Iterator[Table]:
        """The tables of one name, the most general first."""
        return (body.sections[name] for body in self._bodies if name in body.sections)

    def settings(self, name: str, keys: tuple[str, ...]) -> Table:
        """A table of plain settings: later bodies replace single keys."""
        content: dict[str, Any] = {}
        source = self._source
        for table in self.sections(name):
            table.only(keys)
            content.update(table.content)
            source = table.source
        return Table(content, source=source, name=name)

    def usages(self) -> dict[int, str]:
        """Names of vendor usages."""
        return {
            hex_number(table, key, key, 8): table.text(key)
            for table in self.sections("usages")
            for key in table.content
        }

    def tables(self) -> dict[str, dict[int, str]]:
        """Words for numbers, by name."""
        return {key: table.words(key) for table in self.sections("tables") for key in table.content}

    def scales(self) -> dict[str, float]:
        """Factors, by name."""
        return {
            key: table.number(key, 1.0)
            for table in self.sections("scales")
            for key in table.content
        }

    def rows(self, *sections: str) -> dict[str, list[Entry]]:
        """Every name of some sections with its items, the most special first."""
        joined: dict[str, list[Entry]] = {}
        for layer, body in enumerate(self._bodies):
            own: dict[str, list[Entry]] = {}
            for table in (body.sections[name] for name in sections if name in body.sections):
                for key, value in table.content.items():
                    items = value if isinstance(value, list) else [value]
                    if items and items[0] is False:
                        for name in _dropped(key, table, joined):
                            del joined[name]
                        items = items[1:]
                    own.setdefault(key, []).extend(Entry(table, key, item, layer) for item in items)
            for key, entries in own.items():
                if entries:
                    joined[key] = _inserted(entries, joined.get(key, []))
        return joined


def _inserted(own: list[Entry], inherited: list[Entry]) -> list[Entry]:
    """Own items with the inherited ones in the place of "...", at the end where there is none."""
    for position, entry in enumerate(own):
        if entry.item == _INHERITED:
            return [*own[:position], *inherited, *own[position + 1 :]]
    return [*own, *inherited]


def _dropped(key: str, table: Table, joined: Mapping[str, list[Entry]]) -> list[str]:
    """The names that ``false`` drops: the one it stands at, or for a pattern those of its section."""
    if "*" not in key:
        return [key] if key in joined else []
    section = table.name.rsplit(".", 1)[-1]
    return [
        name
        for name, entries in joined.items()
        if fnmatchcase(name, key) and entries[0].section == section
    ]
