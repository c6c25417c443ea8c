"""Runs the tests that the table of failures names and prints each row with its result.

``python -m tests.faults.results``, with pytest's arguments (``-m 'not vm'`` where there is no guest). The exit
status is pytest's.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable

import pytest

from tests.faults.table import Row, rows

__all__ = ["Results", "main"]


class Results:
    """A plugin of pytest: the outcomes of every named test, each of its parameters counted."""

    def __init__(self) -> None:
        self._outcomes: dict[str, Counter[str]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count what ended a test; that setting up or tearing down went well ends none."""
        if report.when == "call" or report.outcome != "passed":
            name = report.nodeid.partition("[")[0]
            self._outcomes.setdefault(name, Counter())[report.outcome] += 1

    def of(self, node: str) -> str:
        """As ``passed``, ``12 passed``, ``1 failed, 3 passed``; ``not run`` of what was not found."""
        outcomes = self._outcomes.get(node, Counter())
        if outcomes.total() == 1:
            return next(iter(outcomes))
        return (
            ", ".join(f"{number} {outcome}" for outcome, number in sorted(outcomes.items()))
            or "not run"
        )


def node_of(row: Row) -> str:
    """The row's test as pytest calls it, seen from the project's folder."""
    module, _, name = row.test.partition("::")
    return f"tests/{module}.py::{name}"


def main(arguments: Iterable[str] = ()) -> int:
    """Run them; print a table of id, scenario and result, a row a line."""
    table = rows()
    nodes = dict.fromkeys(node_of(row) for row in table if row.test)
    results = Results()
    status = pytest.main(["-q", "--no-header", "-n", "0", *arguments, *nodes], plugins=[results])
    print("\n| id | scenario | result |\n|---|---|---|")
    for row in table:
        result = results.of(node_of(row)) if row.test else row.unshown
        print(f"| {row.failure} | {row.scenario} | {result} |")
    return int(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
