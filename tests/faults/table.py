"""Writes docs/failure-catalogue.md from the scenarios: ``python -m tests.faults.table``."""

from __future__ import annotations

from pathlib import Path

from tests.faults import test_connection, test_enumeration, test_status, test_transfers
from tests.faults.catalogue import FAILURES, NOT_OURS

__all__ = ["DOCUMENT", "text"]

DOCUMENT = Path(__file__).parents[2] / "docs" / "failure-catalogue.md"

_HEAD = """# Failures of USB UPSes, and the tests that show what happens

Each row is a failure reported in public. A scenario plays it on a simulated device in virtual time, and every
history has to pass the invariants of `tests/faults/invariants.py`. Rows without a scenario here are not shown by
this folder. Made by `python -m tests.faults.table`.

| id | failure | scenario | test |
|---|---|---|---|
"""


def text() -> str:
    """The whole document."""
    found: dict[str, list[tuple[str, str]]] = {row: [] for row in FAILURES}
    for module in (test_enumeration, test_transfers, test_connection, test_status):
        for name, test in vars(module).items():
            for row, scenario in getattr(test, "catalogue", []):
                found[row].append((scenario, f"`{module.__name__.rpartition('.')[2]}::{name}`"))
    lines = []
    for row, failure in FAILURES.items():
        other = (
            (NOT_OURS[row], "no driver's business")
            if row in NOT_OURS
            else ("", "not in this folder")
        )
        for scenario, test in found[row] or [other]:
            lines.append(f"| {row} | {failure} | {scenario} | {test} |\n")
    return _HEAD + "".join(lines)


if __name__ == "__main__":
    DOCUMENT.write_text(text(), encoding="utf-8")
