"""Writes docs/failure-catalogue.md from the scenarios: ``python -m tests.faults.table``."""

from __future__ import annotations

from dataclasses import dataclass
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

__all__ = ["DOCUMENT", "Row", "rows", "text"]

DOCUMENT = Path(__file__).parents[2] / "docs" / "failure-catalogue.md"

_SCENARIOS = (
    test_enumeration,
    test_transfers,
    test_connection,
    test_status,
    test_values,
    test_orders,
    test_strangers,
)

_HEAD = """# Failures of USB UPSes, and the tests that show what happens

Each row is a failure reported in public. The tests in `tests/faults` are scenarios: they play it on a simulated
device in virtual time, and every history has to pass the invariants of `tests/faults/invariants.py`. The others
show it at the layer where it would be made. Made by `python -m tests.faults.table`; `python -m tests.faults.results`
runs these tests and prints what came of each row.

| id | failure | scenario | test |
|---|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; ``test`` is module and function under ``tests``, "" where none shows the failure."""

    failure: str
    title: str
    scenario: str
    test: str

    @property
    def unshown(self) -> str:
        """What to say where no test shows it."""
        return "no driver's business" if self.failure in NOT_OURS else "not shown"


def rows() -> list[Row]:
    """What the tests say that they show, in the order of the catalogue."""
    found: dict[str, list[tuple[str, str]]] = {failure: [] for failure in FAILURES}
    for module in _SCENARIOS:
        for name, test in vars(module).items():
            for failure, scenario in getattr(test, "catalogue", []):
                found[failure].append(
                    (scenario, f"faults/{module.__name__.rpartition('.')[2]}::{name}")
                )
    for shown in ELSEWHERE:
        found[shown.row].append((shown.scenario, shown.test))
    return [
        Row(failure, title, scenario, test)
        for failure, title in FAILURES.items()
        for scenario, test in found[failure] or [(NOT_OURS.get(failure, ""), "")]
    ]


def text() -> str:
    """The whole document."""
    lines = []
    for row in rows():
        test = f"`{row.test}`" if row.test else row.unshown
        lines.append(f"| {row.failure} | {row.title} | {row.scenario} | {test} |\n")
    return _HEAD + "".join(lines)


if __name__ == "__main__":
    DOCUMENT.write_text(text(), encoding="utf-8")
