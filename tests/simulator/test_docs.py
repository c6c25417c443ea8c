"""docs/simulator.md names every command, flag, fault, quirk and scenario; its tables are made from the code.

``python -m tests.simulator.test_docs --write`` brings the tables up to date.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from usbhidups.simulator.commands import COMMANDS
from usbhidups.simulator.faults import FAULTS
from usbhidups.simulator.quirks import QUIRKS, Quirks
from usbhidups.simulator.scenarios import SCENARIOS
from usbhidups.simulator.ups import FLAGS

DOCUMENT = Path(__file__).parents[2] / "docs" / "simulator.md"


def _table(*columns: str, rows: Sequence[tuple[str, ...]]) -> str:
    lines = [columns, tuple("---" for _ in columns), *rows]
    return "\n".join(
        f"|{'|'.join(f' {cell} ' if cell != '---' else cell for cell in line)}|" for line in lines
    )


def tables() -> dict[str, str]:
    faults = [
        (
            f"`{name}`{' R' if kind.by_report else ''}{'' if kind.amount is None else f' N ({kind.amount:g})'}",
            kind.text,
        )
        for name, kind in FAULTS.items()
    ]
    quirks = [(f"`{name.replace('_', '-')}`", text) for name, text in QUIRKS.items()]
    scenarios = [
        (
            f"`{name}`",
            scenario.text,
            "; ".join(f"{at:g} s: `{line}`" for at, line in scenario.steps),
        )
        for name, scenario in SCENARIOS.items()
    ]
    return {
        "faults": _table("fault", "what happens", rows=faults),
        "quirks": _table("quirk", "what it does", rows=quirks),
        "scenarios": _table("scenario", "what happens", "steps", rows=scenarios),
    }


def filled(text: str) -> str:
    for name, table in tables().items():
        start, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        before, _, rest = text.partition(start)
        _, found, after = rest.partition(end)
        assert found, name
        text = f"{before}{start}{table}\n{end}{after}"
    return text


def test_tables_are_up_to_date() -> None:
    text = DOCUMENT.read_text()
    assert text == filled(text)


def test_every_word_is_explained() -> None:
    text = DOCUMENT.read_text()
    for word in (*COMMANDS, "state", "history", "requests", "wrote", "scenario", "speed", "quit"):
        assert re.search(rf"`{word}\b", text), word
    for flag in FLAGS:
        assert f"`{flag}`" in text


def test_every_quirk_is_described() -> None:
    assert list(QUIRKS) == [field.name for field in fields(Quirks)]


if __name__ == "__main__" and sys.argv[1:] == ["--write"]:
    DOCUMENT.write_text(filled(DOCUMENT.read_text()))
