"""The table of the failure catalogue is what the tests say."""

from __future__ import annotations

from tests.faults.table import DOCUMENT, text


def test_the_document_is_made_from_the_tests() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == text(), "run python -m tests.faults.table"
