"""Writes docs/failure-catalogue.md from the scenarios: ``python -m tests.faults.table``."""

from __future__ import annotations

from pathlib import Path

from tests.faults import (
    test_connection,
    test_enumeration,
    test_orders,
    test_status,
    test_strangers,
    test_transfers,
    test_values,
)
from tests.faults.catalogue import FAILURES, NOT_OURS
from tests.faults.elsewhere import ELSEWHERE

__all__ = ["DOCUMENT", "text"]

DOCUMENT = Path(__file__).parents[2] / "docs" / "failure-catalogue.md"

_HEAD = """# Failures of USB UPSes, and the tests that show what happens

Each row is a failure reported in public. Tests without a folder are scenarios of `tests/faults`: they play it on a
simulated device in virtual time, and every history has to pass the invariants of `tests/faults/invariants.py`. The
others show it at the layer where it would be made. Made by `python -m tests.faults.table`.

| id | failure | scenario | test |
|---|---|---|---|
"""


def text() -> str:
    """The whole document."""
    found: dict[str, list[tuple[str, str]]] = {row: [] for row in FAILURES}
    modules = (
        test_enumeration,
        test_transfers,
        test_connection,
        test_status,
        test_values,
        test_orders,
        test_strangers,
    )
    for module in modules:
        for name, test in vars(module).items():
            for row, scenario in getattr(test, "catalogue", []):
                found[row].append((scenario, f"`{module.__name__.rpartition('.')[2]}::{name}`"))
    for shown in ELSEWHERE:
        found[shown.row].append((shown.scenario, f"`{shown.test}`"))
    lines = []
    for row, failure in FAILURES.items():
        other = (NOT_OURS.get(row, ""), "no driver's business" if row in NOT_OURS else "not shown")
        for scenario, test in found[row] or [other]:
            lines.append(f"| {row} | {failure} | {scenario} | {test} |\n")
    return _HEAD + "".join(lines)


if __name__ == "__main__":
    DOCUMENT.write_text(text(), encoding="utf-8")
