"""Checked access to a TOML table: what is missing, unknown or of the wrong type becomes a ProfileError.

Each error names file, table and key, and says what would be allowed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from usbhidups.errors import ProfileError

__all__ = ["Table", "hex_number"]

_FRACTION = re.compile(r"([0-9]+)/([0-9]+)")


class Table:
    """One table of one file. ``name`` is its dotted name, "" for the file itself."""

    def __init__(self, content: Mapping[str, Any], *, source: str, name: str = "") -> None:
        self.content = content
        self.source = source
        self.name = name

    def error(self, key: str, problem: str) -> ProfileError:
        """The error for one key, ready to be raised."""
        where = f"{self.name}.{key}" if self.name and key else self.name or key
        return ProfileError(problem, where=self.source, key=where)

    def only(self, allowed: Iterable[str]) -> None:
        """Refuse keys that are not allowed."""
        names = tuple(allowed)
        for key in self.content:
            if key not in names:
                raise self.error(key, f"unknown key; allowed are {', '.join(names)}")

    def table(self, key: str) -> Table:
        """A table within; an empty one where it is missing."""
        value = self.content.get(key, {})
        if not isinstance(value, dict):
            raise self.error(key, "must be a table")
        return self._inner(value, key)

    def tables(self, key: str) -> list[Table]:
        """An array of tables; empty where it is missing."""
        value = self.content.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.error(key, f"must be an array of tables: [[{key}]]")
        return [self._inner(item, key) for item in value]

    def text(self, key: str, default: str = "") -> str:
        """A string."""
        value = self.content.get(key, default)
        if not isinstance(value, str):
            raise self.error(key, "must be a string")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A string or an array of strings."""
        value = self.content.get(key, [])
        if isinstance(value, str):
            return (value,)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.error(key, "must be a string or an array of strings")
        return tuple(value)

    def flag(self, key: str, *, default: bool) -> bool:
        """true or false."""
        value = self.content.get(key, default)
        if not isinstance(value, bool):
            raise self.error(key, "must be true or false")
        return value

    def whole(self, key: str, default: int) -> int:
        """A whole number."""
        value = self.content.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.error(key, "must be a whole number")
        return value

    def wholes(self, key: str) -> tuple[int, ...]:
        """A whole number or an array of them."""
        value = self.content.get(key, [])
        items = value if isinstance(value, list) else [value]
        if not all(isinstance(item, int) and not isinstance(item, bool) for item in items):
            raise self.error(key, "must be a whole number or an array of them")
        return tuple(items)

    def number(self, key: str, default: float) -> float:
        """A number, or a fraction as text: "1/3600"."""
        value = self.content.get(key, default)
        if isinstance(value, str) and (match := _FRACTION.fullmatch(value)) and int(match[2]):
            return int(match[1]) / int(match[2])
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise self.error(key, 'must be a number or a fraction like "1/3600"')
        return float(value)

    def words(self, key: str) -> dict[int, str]:
        """A table of whole numbers and the words they mean."""
        table = self.table(key)
        return {table.index(number): table.text(number) for number in table.content}

    def index(self, key: str) -> int:
        """A key that is a whole number (0x for hexadecimal)."""
        try:
            return int(key, 0)
        except ValueError:
            raise self.error(key, "must be a whole number") from None

    def choice(self, key: str, allowed: Iterable[str]) -> str:
        """One of some words; "" where it is missing."""
        value = self.text(key)
        names = tuple(allowed)
        if value and value not in names:
            raise self.error(key, f"{value!r} is none of {', '.join(names)}")
        return value

    def pattern(self, key: str) -> str:
        """A regular expression."""
        value = self.text(key)
        try:
            re.compile(value)
        except re.error as problem:
            raise self.error(key, f"not a regular expression: {problem}") from None
        return value

    def _inner(self, content: Mapping[str, Any], key: str) -> Table:
        name = f"{self.name}.{key}" if self.name else key
        return Table(content, source=self.source, name=name)


def hex_number(table: Table, key: str, text: str, digits: int) -> int:
    """Exactly so many hexadecimal digits."""
    if not re.fullmatch(f"[0-9a-fA-F]{{{digits}}}", text):
        raise table.error(key, f"{text!r}: must be {digits} hexadecimal digits")
    return int(text, 16)
