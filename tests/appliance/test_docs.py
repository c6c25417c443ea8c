"""The table of the 75 acceptance checks in docs/appliance.md names exactly the tests that exist.

``python -m tests.appliance.test_docs`` rewrites the column of tests; texts and notes are by hand.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
DOCUMENT = REPOSITORY / "docs/appliance.md"
FOLDERS = (REPOSITORY / "tests/appliance", REPOSITORY / "tests/web")
CHECKS = range(1, 76)
ROW = re.compile(r"^\| (\d+) \| ([^|]*) \| ([^|]*) \| ([^|]*) \|$", re.M)


def numbered_tests() -> dict[int, list[str]]:
    """The numbered tests, as ``file: name``."""
    found: dict[int, list[str]] = {}
    for path in sorted(path for folder in FOLDERS for path in folder.glob("test_*.py")):
        for node in ast.parse(path.read_text()).body:
            match = (
                re.match(r"test_(\d\d)_", node.name) if isinstance(node, ast.FunctionDef) else None
            )
            if match and isinstance(node, ast.FunctionDef):
                name = node.name.removeprefix("test_")
                found.setdefault(int(match[1]), []).append(
                    f"`{path.stem.removeprefix('test_')}` {name}"
                )
    return found


def test_every_check_has_its_tests_and_every_test_its_check() -> None:
    rows = {int(row[1]): row for row in ROW.finditer(DOCUMENT.read_text())}
    tests = numbered_tests()
    assert list(rows) == list(CHECKS)
    assert sorted(tests) == list(CHECKS)
    for number, row in rows.items():
        assert row[3] == "<br>".join(tests[number]), f"row {number}: see this module's docstring"
        assert row[2].strip()


def main() -> None:
    tests = numbered_tests()

    def renewed(row: re.Match[str]) -> str:
        return f"| {row[1]} | {row[2]} | {'<br>'.join(tests.get(int(row[1]), []))} | {row[4]} |"

    DOCUMENT.write_text(ROW.sub(renewed, DOCUMENT.read_text()))


if __name__ == "__main__":
    main()
