"""The fenced blocks of a Markdown document, and the commands of those that are a terminal's.

A fence says what it holds: ``console``, ``sh``, ``ini`` (ups.conf), ``toml``, ``python``, ``text``. Words
behind that say how it is to be tried; ``WORDS`` has them all. In a ``console`` block a line that begins
with ``$`` is typed, lines that begin with ``>`` continue it, and all others are what it prints; ``...`` and
``…`` stand for anything. A fence without a word, and ``text``, hold what nobody types.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

__all__ = ["DOCUMENTS", "LANGUAGES", "ROOT", "WORDS", "Block", "Step", "blocks", "indented"]

ROOT = Path(__file__).parents[2]

DOCUMENTS = (
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").glob("*.md")),
)

LANGUAGES = frozenset({"", "console", "sh", "ini", "toml", "python", "text"})

WORDS = {
    "nut": "run with the real upsd, in namespaces of its own",
    "fails": "an exit status other than 0 is meant",
    "bare-root": "run by tests/packaging/test_bare_root.py",
    "inittab": "its lines for BusyBox' /etc/inittab",
    "mdev": "its lines for mdev.conf",
    "profile": "a part of a profile",
    "fixture": "a recording",
    "hardware": "not run: needs a UPS on this host's USB",
    "host": "not run: changes the host on which it is typed",
    "network": "not run: needs packages from the network",
    "container": "not run: needs a container engine",
}

_FENCE = re.compile(r"^( *)```([^\n`]*)\n(.*?)^\1```[ ]*$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Step:
    """One command, with its further lines, the lines that it is said to print, and whether it may fail."""

    command: str
    shown: str
    may_fail: bool

    @property
    def pattern(self) -> re.Pattern[str]:
        """What its output has to match as a whole."""
        text = ".*".join(re.escape(part) for part in re.split(r"\.\.\.|…", self.shown))
        return re.compile(text, re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block; ``line`` is that of its fence, ``language`` the first word of the fence."""

    document: Path
    line: int
    language: str
    words: tuple[str, ...]
    text: str

    @property
    def place(self) -> str:
        """Where it stands, for people."""
        return f"{self.document.relative_to(ROOT)}:{self.line}"

    @property
    def not_run(self) -> str:
        """Why it is not run; "" when it is."""
        return next((WORDS[each] for each in self.words if WORDS[each].startswith("not run")), "")

    @property
    def steps(self) -> tuple[Step, ...]:
        """The commands of a ``console`` block."""
        found = []
        for part in re.split(r"^\$ ", self.text, flags=re.MULTILINE)[1:]:
            first, *more = part.splitlines()
            typed = [first, *(line[2:] for line in more if line.startswith("> "))]
            shown = [line for line in more if not line.startswith("> ")]
            told = "\n".join(shown).strip("\n")
            found.append(Step("\n".join(typed), told, "fails" in self.words))
        return tuple(found)


def blocks(document: Path) -> tuple[Block, ...]:
    """The blocks of a document, in their order, without the indentation of a list that they stand in."""
    text = document.read_text(encoding="utf-8")
    found = []
    for match in _FENCE.finditer(text):
        language, *words = match[2].split() or [""]
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(document, line, language, tuple(words), textwrap.dedent(match[3])))
    return tuple(found)


def indented(document: Path) -> tuple[str, ...]:
    """Lines that Markdown shows as code only because they are indented, outside of fences and lists."""
    text = _FENCE.sub("", document.read_text(encoding="utf-8"))
    return tuple(re.findall(r"(?:^|\n)\n {4}(\S[^\n]*)", text))
