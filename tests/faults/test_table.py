"""The table of the failure catalogue is what the tests say."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from tests.faults.elsewhere import ELSEWHERE, exists
from tests.faults.results import Results, node_of
from tests.faults.table import DOCUMENT, rows, text


def test_the_document_is_made_from_the_tests() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == text(), "run python -m tests.faults.table"


def test_every_row_is_shown_or_no_drivers_business() -> None:
    assert [line for line in text().splitlines() if line.endswith("| not shown |")] == []


@pytest.mark.parametrize("test", sorted({shown.test for shown in ELSEWHERE}))
def test_what_the_table_names_is_there(test: str) -> None:
    assert exists(test)


@pytest.mark.parametrize("test", ["ups/test_fixes::test_nosuch", "ups/test_fixes::FIXTURES"])
def test_a_test_that_is_gone_is_missed(test: str) -> None:
    assert not exists(test)


def test_every_row_can_be_run() -> None:
    files = {node_of(row).partition("::")[0] for row in rows() if row.test}
    assert [
        file for file in sorted(files) if not (Path(__file__).parents[2] / file).is_file()
    ] == []


def report(
    node: str,
    outcome: Literal["passed", "failed", "skipped"],
    when: Literal["setup", "call", "teardown"],
) -> pytest.TestReport:
    """What pytest tells its plugins of one phase of one test."""
    return pytest.TestReport(
        nodeid=node, location=("", 0, ""), keywords={}, outcome=outcome, longrepr=None, when=when
    )


def test_a_result_counts_parameters_and_faults_of_the_judge() -> None:
    """The invariants are judged when a scenario is torn down: a violation there is a failure too."""
    results = Results()
    for node in ("a.py::test_one", "a.py::test_two[x]", "a.py::test_two[y]"):
        results.pytest_runtest_logreport(report(node, "passed", "setup"))
        results.pytest_runtest_logreport(report(node, "passed", "call"))
        results.pytest_runtest_logreport(report(node, "passed", "teardown"))
    assert results.of("a.py::test_one") == "passed"
    assert results.of("a.py::test_two") == "2 passed"
    results.pytest_runtest_logreport(report("a.py::test_two[y]", "failed", "teardown"))
    assert results.of("a.py::test_two") == "1 failed, 2 passed"
    results.pytest_runtest_logreport(report("a.py::test_three", "skipped", "setup"))
    assert results.of("a.py::test_three") == "skipped"
    assert results.of("a.py::test_four") == "not run"
