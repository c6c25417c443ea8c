"""Which rule of udev means a device: found by reading the rules' text, which is enough to name file and line.

This is no interpreter of rules: a line counts when it names the ids (or the vendor's alone) and gives a
group, a mode or access to whoever is logged in.
"""

from __future__ import annotations

import contextlib
import fnmatch
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["RULE_DIRECTORIES", "Rule", "find_rule"]

RULE_DIRECTORIES = (
    Path("/etc/udev/rules.d"),
    Path("/run/udev/rules.d"),
    Path("/usr/local/lib/udev/rules.d"),
    Path("/usr/lib/udev/rules.d"),
    Path("/lib/udev/rules.d"),
)
"""Of files with one name the first directory's counts (udev(7))."""

LONGEST = 1 << 20

_MATCH = re.compile(r'ATTRS?\{(idVendor|idProduct)\}\s*==\s*"([^"]*)"')
_GROUP = re.compile(r'GROUP\s*:?=\s*"([^"]*)"')
_GIVES = re.compile(r'(GROUP|MODE)\s*:?=\s*"|TAG\s*\+?=\s*"uaccess"')


@dataclass(frozen=True, slots=True)
class Rule:
    """A line that means a device: ``place`` is ``FILE:LINE``, ``group`` "" where it names none."""

    place: str
    group: str


def find_rule(
    vendor_id: int, product_id: int, directories: Sequence[Path] = RULE_DIRECTORIES
) -> Rule | None:
    """The last rule that gives somebody the node of such a device; None where there is none."""
    found: Rule | None = None
    for path in _files(directories):
        for number, line in _lines(path):
            if _GIVES.search(line) and _means(line, f"{vendor_id:04x}", f"{product_id:04x}"):
                group = _GROUP.search(line)
                found = Rule(f"{path}:{number}", group[1] if group else "")
    return found


def _files(directories: Sequence[Path]) -> list[Path]:
    """In the order in which udev reads them: by name, whatever the directory."""
    files: dict[str, Path] = {}
    for directory in directories:
        with contextlib.suppress(OSError):
            for path in directory.iterdir():
                if path.suffix == ".rules":
                    files.setdefault(path.name, path)
    return [files[name] for name in sorted(files)]


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Logical lines with the number of their first; comments are left out."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            text = file.read(LONGEST)
    except OSError:
        return
    begun, first = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if not begun:
            first = number
        begun += line.removesuffix("\\")
        if line.endswith("\\"):
            continue
        if not begun.lstrip().startswith("#"):
            yield first, begun
        begun = ""


def _means(line: str, vendor: str, product: str) -> bool:
    wanted = {"idVendor": vendor, "idProduct": product}
    named: dict[str, str] = dict(_MATCH.findall(line))
    return "idVendor" in named and all(
        any(fnmatch.fnmatchcase(wanted[key], each.lower()) for each in pattern.split("|"))
        for key, pattern in named.items()
    )
