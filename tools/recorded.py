"""The part of docs/differences-from-nut.md about recorded devices, from tests/replay/recorded.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

__all__ = ["recorded"]

DEFECTS_HEAD = """\
## Known defects of devices

Each row is a test: from the bytes, recorded ones or made from the values that the source tells, the right
values come out. Where NUT has "the same", its table has a repair of its own.

| what is wrong | where it was seen | bytes | NUT | here |
|---|---|---|---|---|"""

RECORDED_HEAD = """\
## Recorded devices

{files} recorded devices come with the variables that NUT, or another program, published for them. Where ours
differ, there is a reason; a test fails for any other difference and for one that no longer occurs. Devices
without a recorded descriptor are rebuilt from what NUT's log and its variables say.

| device | variable | published | here | why |
|---|---|---|---|---|"""


def recorded(source: Path) -> str:
    """Two tables: defects with their right values, and differences one by one."""
    content = tomllib.loads(source.read_text(encoding="utf-8"))
    differences = content["difference"]
    files = len({entry["file"] for entry in differences})
    return "\n".join(
        [
            DEFECTS_HEAD,
            *(_defect(entry) for entry in content["defect"]),
            "",
            RECORDED_HEAD.format(files=files),
            *(_difference(entry) for entry in differences),
            "",
        ]
    )


def _defect(entry: Mapping[str, Any]) -> str:
    reports = entry.get("reports") or [item["report"] for item in entry.get("items", ())]
    right = ", ".join(
        f"`{name}` {f'`{value}`' if value else '(nothing)'}"
        for name, value in entry["expected"].items()
    )
    data = ", ".join(f"`{report}`" for report in reports) or "the recorded ones"
    return _row((entry["title"], entry["source"], data, entry["nut"], right))


def _difference(entry: Mapping[str, str]) -> str:
    texts = (f"`{entry[key]}`" if entry[key] else "(nothing)" for key in ("nut", "ours"))
    return _row((entry["file"], f"`{entry['variable']}`", *texts, entry["reason"]))


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
