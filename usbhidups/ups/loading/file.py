"""One profile file: which tables it may have, and what each key means (docs/profile-format.md).

A file becomes a head (title, what it extends, which devices it is for) and a body (usages, rows, pacing),
which ``profile_join`` joins with the bodies it inherits from. ``[profile]`` and ``[[match]]`` stand first,
so that the heads of all files can be read without the rest.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from usbhidups.errors import ProfileError, UnknownUsage
from usbhidups.hid.usages import Names
from usbhidups.ups.loading.schema import Table, hex_number
from usbhidups.ups.profile import Match

__all__ = ["Body", "Head", "body_of", "head_of"]

_HEAD_TABLES = ("profile", "match")
_SECTIONS = (
    "usages",
    "identity",
    "descriptor",
    "delays",
    "pacing",
    "tables",
    "scales",
    "variables",
    "settings",
    "flags",
    "commands",
    "power",
)
"""The tables of a body; a [[variant]] may have each of them."""

_MATCH_KEYS = ("vendor", "products", "manufacturer", "product", "has", "lacks", "note")
_TABLE_LINE = re.compile(r"^[ \t]*\[\[?([^\]\s]+)\]\]?[ \t]*(?:#.*)?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Head:
    """What is known of a profile without reading all of it."""

    name: str
    title: str
    version: str
    extends: str
    matches: tuple[Match, ...]
    notes: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Body:
    """The tables of one file or of one variant, checked only for their names."""

    sections: Mapping[str, Table]
    variants: tuple[tuple[str, Match, Body], ...] = field(default=())


def head_of(text: str, *, name: str, source: str) -> Head:
    """Read the head of a profile; ProfileError names what is wrong."""
    content = _toml(_head_text(text, source), source)
    file = Table(content, source=source)
    file.only(_HEAD_TABLES)
    profile = file.table("profile")
    profile.only(("title", "version", "extends", "notes"))
    title = profile.text("title")
    if not title:
        raise profile.error("title", "must be given: what people call these devices")
    return Head(
        name=name,
        title=title,
        version=profile.text("version"),
        extends=profile.text("extends"),
        matches=tuple([match_of(table) for table in file.tables("match")]),
        notes=profile.texts("notes"),
        source=source,
    )


def body_of(text: str, *, source: str) -> Body:
    """Read everything but the head of a profile; rows are checked later, when tables are joined."""
    file = Table(_toml(text, source), source=source)
    file.only((*_HEAD_TABLES, *_SECTIONS, "variant"))
    variants = []
    for table in file.tables("variant"):
        table.only(("name", *_MATCH_KEYS, *_SECTIONS))
        if not table.text("name"):
            raise table.error("name", "must be given")
        match = match_of(Table(_only_match(table), source=source, name="variant"))
        variants.append((table.text("name"), match, Body(_sections(table))))
    return Body(_sections(file), tuple(variants))


def match_of(table: Table) -> Match:
    """A [[match]] or the match keys of a [[variant]]."""
    table.only(_MATCH_KEYS)
    vendor = table.text("vendor")
    products = table.content.get("products", {})
    if isinstance(products, list):
        products = dict.fromkeys(products, "")
    if not isinstance(products, dict):
        raise table.error("products", "must be a table of ids and names, or an array of ids")
    names = {
        hex_number(table, "products", product, 4): Table(
            products, source=table.source, name=f"{table.name}.products"
        ).text(product)
        for product in products
    }
    for key in ("has", "lacks"):
        for path in table.texts(key):
            _check_standard_path(table, key, path)
    return Match(
        vendor=hex_number(table, "vendor", vendor, 4) if vendor else None,
        products=names,
        manufacturer=table.pattern("manufacturer"),
        product_string=table.pattern("product"),
        has=table.texts("has"),
        lacks=table.texts("lacks"),
        note=table.text("note"),
    )


def _check_standard_path(table: Table, key: str, path: str) -> None:
    try:
        Names().path(path)
    except UnknownUsage as problem:
        raise table.error(key, f"{problem}; only standard names and hex digits here") from None


def _only_match(table: Table) -> dict[str, Any]:
    return {key: value for key, value in table.content.items() if key in _MATCH_KEYS}


def _sections(table: Table) -> dict[str, Table]:
    return {name: table.table(name) for name in _SECTIONS if name in table.content}


def _head_text(text: str, source: str) -> str:
    """The text up to the first table that is not of the head; none of the head may come after it."""
    end = None
    for line in _TABLE_LINE.finditer(text):
        name = line[1].split(".", 1)[0].strip("\"'")
        if name not in _HEAD_TABLES and end is None:
            end = line.start()
        elif name in _HEAD_TABLES and end is not None:
            raise ProfileError("must stand before all other tables", where=source, key=name)
    return text if end is None else text[:end]


def _toml(text: str, source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise ProfileError(str(problem), where=source) from None
