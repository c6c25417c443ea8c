"""docs/probe-failures.md is what probe says to each of the situations, provoked anew."""

from __future__ import annotations

import pytest

from tests.probe.failures import CASES, DOCUMENT, Case, document, said


def test_the_document_is_what_probe_says() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_each_says_what_stands_in_the_way(case: Case) -> None:
    text = said(case)
    lines = text.splitlines()
    if "not readable" in lines[0] or "  for " in lines[0]:
        assert any(line.startswith("  Why  ") for line in lines)
        assert any(line.startswith("  Mend  ") for line in lines)
    assert "/tmp/" not in text  # nothing of the machine that made it


def test_there_are_more_than_ten() -> None:
    assert len(CASES) >= 10
