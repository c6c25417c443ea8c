"""Recorded devices of which no descriptor was kept: one is written from what another program saw.

NUT's debug log gives path, type, report, place and value of each item; ``published`` gives variables, and the
tables of paths in ``../shared/reference/mappings`` say which items they stand for in NUT. From both a
descriptor and reports are written that must lead back to them. ``usbhidups`` writes no number here.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.hid.build import (
    COLLECTION,
    COUNT,
    END,
    EXPONENT,
    FEATURE,
    INPUT,
    LOGICAL_MAX,
    LOGICAL_MIN,
    PAGE,
    REPORT_ID,
    SIZE,
    UNIT,
    USAGE,
    item,
    with_bits,
)
from tests.replay.drive import Recording
from usbhidups.hid.usages import Names

__all__ = ["TABLES", "Item", "from_published", "from_seen", "rebuilt"]

TABLES = Path(__file__).parents[3] / "shared" / "reference" / "mappings"

_INDEX_NODE = 1 << 32
_MAIN = {"Feature": FEATURE, "Input": INPUT}
_SUBDRIVERS = {
    "APC HID": "apc",
    "CyberPower HID": "cps",
    "Phoenixtec/Liebert HID": "liebert",
    "PowerCOM HID": "powercom",
}
_FREE_REPORTS = range(0xA8, 0x100)  # for items whose report is not known
_DRIVERS_OWN = (
    "ups.delay.shutdown",
    "ups.delay.start",
)  # published where the device has a countdown
_STATUS = ("ACPresent", "Discharging", "Charging")
_WORDS = {"OL": "ACPresent", "DISCHRG": "Discharging", "CHRG": "Charging"}


@dataclass(frozen=True)
class Item:
    """One item of a descriptor, and the number that a report holds there."""

    path: str
    report_type: str
    report_id: int
    offset: int
    size: int
    raw: int
    exponent: int = 0
    limits: tuple[int, int] | None = None
    text: str = ""


def from_seen(seen: Iterable[Mapping[str, Any]]) -> list[Item]:
    """The items that a debug log shows. A broken number keeps its digits, with an exponent."""
    items = []
    for entry in seen:
        digits = Decimal(entry.get("value", "0"))
        exponent = int(digits.as_tuple().exponent)
        items.append(
            Item(
                path=entry["path"],
                report_type=entry["type"],
                report_id=int(entry["report_id"], 16),
                offset=entry["offset"],
                size=entry["size"],
                raw=int(digits.scaleb(-exponent)),
                exponent=exponent,
            )
        )
    return items


def from_published(
    published: Mapping[str, Any], known: Iterable[Item]
) -> tuple[list[Item], set[str]]:
    """Items that NUT would have published so, beside those that its log shows; and what has no item."""
    table = _SUBDRIVERS[published["subdriver"].rsplit(" ", 1)[0]]
    with (TABLES / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] in ("variable", "rw")]
    paths = {entry.path for entry in known}
    variables = dict(published["variables"])
    words = variables.pop("ups.status", "").split()
    items, without = [], set()
    if words and not any(path.startswith("UPS.PowerSummary.PresentStatus") for path in paths):
        bits = {_WORDS[word] for word in words}
        items += [
            _item(f"UPS.PowerSummary.PresentStatus.{bit}", int(bit in bits)) for bit in _STATUS
        ]
    for name, text in sorted(variables.items(), key=lambda pair: pair[0] in _DRIVERS_OWN):
        offered = [row for row in rows if row["nut_name"] == name]
        if paths & {row["hid_path"] for row in offered}:
            continue
        offered.sort(key=lambda row: not _could_print(row["format"], text))
        made = next((made for row in offered if (made := _from_row(row, text)) is not None), None)
        if made is None:
            without.add(name)
        else:
            items.append(made)
            paths.add(made.path)
    return [
        replace(made, report_id=number) for made, number in zip(items, _FREE_REPORTS, strict=False)
    ], without


def _could_print(form: str, text: str) -> bool:
    return form == "%s" or ("." in text) == (".1" in form)


def _from_row(row: Mapping[str, str], text: str) -> Item | None:
    path, conversion, meaning = row["hid_path"], row["conversion"], row["conversion_meaning"]
    if row["format"].startswith("default:"):
        return _item(path, 0)  # it only has to be there
    if conversion == "stringid_conversion":
        return _item(path, 0, text=text)
    if conversion in ("date_conversion", "apc_date_conversion"):
        date = re.fullmatch(r"(\d{4})/(\d\d)/(\d\d)", text)
        if date is None:
            return None
        year, month, day = map(int, date.groups())
        if conversion == "date_conversion":
            return _item(path, (year - 1980) << 9 | month << 5 | day)
        return _item(path, int(f"{month:02}{day:02}{year % 100:02}", 16), size=24)
    if conversion.endswith("_info") and "=" in meaning:
        for part in meaning.split(";"):
            number, _, word = part.partition("=")
            if word == text:
                return _item(path, int(number))
        return None
    if not re.fullmatch(r"-?[0-9.]+%?", text):
        return None
    digits = Decimal(text.removesuffix("%"))
    exponent = int(digits.as_tuple().exponent)
    return _item(path, int(digits.scaleb(-exponent)), exponent=exponent)


def _item(path: str, raw: int, *, exponent: int = 0, size: int = 16, text: str = "") -> Item:
    return Item(path, "Feature", 0, 0, size, raw, exponent, text=text)


def rebuilt(recording: Recording, items: Iterable[Item], names: Names) -> Recording:
    """The device with a descriptor and reports of these items; texts become USB strings."""
    strings = dict(recording.strings)
    placed: list[Item] = []
    for entry in items:
        if entry.text:
            index = max(strings, default=0) + 1
            strings[index] = entry.text
            entry = replace(entry, raw=index, size=8)
        placed.append(entry)
    answers: dict[tuple[str, int], bytes] = {}
    for entry in placed:
        key = (entry.report_type, entry.report_id)
        report = answers.get(key, bytes([entry.report_id]))
        report += bytes(max(0, 1 + (entry.offset + entry.size + 7) // 8 - len(report)))
        pattern = [entry.raw >> place & 1 for place in range(entry.size)]
        answers[key] = with_bits(report, entry.offset, pattern)
    return replace(
        recording,
        descriptor=_descriptor(placed, names),
        feature={number: data for (kind, number), data in answers.items() if kind == "Feature"},
        input={number: data for (kind, number), data in answers.items() if kind == "Input"},
        strings=strings,
    )


def _descriptor(items: Iterable[Item], names: Names) -> bytes:
    written = item(PAGE, 0x84) + item(USAGE, 0x04) + item(COLLECTION, 1) + item(COUNT, 1)
    used: dict[tuple[str, int], int] = {}
    for entry in sorted(
        items, key=lambda entry: (entry.report_type, entry.report_id, entry.offset)
    ):
        key = (entry.report_type, entry.report_id)
        main = _MAIN[entry.report_type]
        nodes = names.path(entry.path)[1:]
        written += item(REPORT_ID, entry.report_id)
        if gap := entry.offset - used.get(key, 0):
            written += item(SIZE, gap) + item(main, 3)
        used[key] = entry.offset + entry.size
        depth = 0
        for place, node in enumerate(nodes[:-1]):
            if node < _INDEX_NODE:
                index = nodes[place + 1] - _INDEX_NODE
                kind = 0x80 + index if index >= 0 else 0
                written += item(USAGE, node, 4) + item(COLLECTION, kind)
                depth += 1
        least, most = entry.limits or _limits(entry)
        written += item(SIZE, entry.size) + item(LOGICAL_MIN, least, 4) + item(LOGICAL_MAX, most, 4)
        written += item(UNIT, 0) + item(EXPONENT, entry.exponent)
        written += item(USAGE, nodes[-1], 4) + item(main, 2) + item(END, size=0) * depth
    return written + item(END, size=0)


def _limits(entry: Item) -> tuple[int, int]:
    if entry.raw < 0:
        return -1 << entry.size - 1, (1 << entry.size - 1) - 1
    return 0, min((1 << entry.size) - 1, 0x7FFFFFFF)
