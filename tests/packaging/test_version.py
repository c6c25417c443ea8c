"""The version is said in one place, and whoever else tells it agrees."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

from usbhidups import __version__

ROOT = Path(__file__).parents[2]

MAY_TELL = {
    "usbhidups/__init__.py",  # the place
    "CHANGELOG.md",  # history
    "docs/installation.md",  # names of files that were built
}


def test_nobody_else_says_it() -> None:
    """No build file, script or document has a number of its own; manual pages are generated."""
    tracked = subprocess.run(
        ["git", "ls-files", "*.toml", "*.py", "*.md", "Makefile", "packaging", "init", "systemd"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    ).stdout.split()  # fmt: skip
    says = re.compile(
        rf"""(?:version\s*[=:]\s*["']?|usbhidups[_ -]){re.escape(__version__)}(?![\w.])""",
        re.IGNORECASE,
    )
    told = {
        name
        for name in tracked
        if not name.startswith(("tests/", "fixtures/", "usbhidups/profiles/"))
        and says.search((ROOT / name).read_text(encoding="utf-8", errors="replace"))
    }
    assert told <= MAY_TELL


def test_the_build_takes_it_from_there() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "version" in build["project"]["dynamic"]
    assert build["tool"]["hatch"]["version"]["path"] == "usbhidups/__init__.py"


def test_the_changelog_begins_with_it() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    newest = re.search(r"^## (\S+) \((unreleased|\d{4}-\d\d-\d\d)\)$", text, re.MULTILINE)
    assert newest is not None
    assert newest[1] == __version__


def test_manual_pages_tell_it() -> None:
    pages = sorted((ROOT / "man").glob("*.8"))
    assert pages
    for page in pages:
        assert f"usbhidups {__version__}" in page.read_text(), page.name


def test_the_installation_names_files_of_this_version() -> None:
    text = (ROOT / "docs/installation.md").read_text()
    assert set(re.findall(r"usbhidups[-_](\d+\.\d+\.\d+)[-_]", text)) == {__version__}
