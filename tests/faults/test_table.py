"""The table of the failure catalogue is what the tests say."""

from __future__ import annotations

import pytest

from tests.faults.elsewhere import ELSEWHERE, exists
from tests.faults.table import DOCUMENT, text


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
