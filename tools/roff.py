"""Text with a little markup becomes roff for man(7). Knows nothing of the commands.

Markup: blank lines part paragraphs; indented paragraphs stand as they are; `bold` and *italic* words; lines
that begin with an asterisk are items.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["blocks", "bold", "inline", "italic", "tagged"]

_MARKED = re.compile(r"`([^`]+)`|(?<![\w*])\*([\w /.-]+)\*(?![\w*])")


def bold(text: str) -> str:
    """Words to be typed as they stand."""
    return rf"\fB{_escape(text, code=True)}\fP"


def italic(text: str) -> str:
    """Words to be replaced."""
    return rf"\fI{_escape(text, code=True)}\fP"


def inline(text: str) -> str:
    """A running text on one line."""
    parts, end = [], 0
    for found in _MARKED.finditer(text):
        parts.append(_escape(text[end : found.start()]))
        parts.append(bold(found[1]) if found[1] else italic(found[2]))
        end = found.end()
    line = "".join([*parts, _escape(text[end:])])
    return rf"\&{line}" if line.startswith((".", "'")) else line


def blocks(text: str) -> Iterator[str]:
    """Lines of a section's body."""
    for number, paragraph in enumerate(re.split(r"\n\s*\n", text.strip("\n"))):
        lines = paragraph.splitlines()
        if all(line.startswith("  ") for line in lines):
            yield from _as_it_stands(lines, first=number == 0)
        elif lines[0].startswith("* "):
            for item in re.split(r"\n\* ", paragraph[2:]):
                yield r".IP \(bu 2"
                yield inline(" ".join(item.split()))
        else:
            if number:
                yield ".PP"
            yield inline(" ".join(paragraph.split()))


def tagged(tag: str, text: str) -> Iterator[str]:
    """A word, already roff, and what is to be said of it."""
    yield from (".TP", tag, inline(text) if text else r"\&")


def _as_it_stands(lines: list[str], *, first: bool) -> Iterator[str]:
    margin = min(len(line) - len(line.lstrip()) for line in lines)
    if not first:
        yield ".PP"
    yield from (".nf", ".RS 4")
    for line in lines:
        literal = _escape(line[margin:], code=True)
        yield rf"\&{literal}" if literal.startswith((".", "'")) else literal
    yield from (".RE", ".fi")


def _escape(text: str, *, code: bool = False) -> str:
    text = text.replace("\\", r"\e")
    if code:
        text = (
            text.replace("-", r"\-")
            .replace("'", r"\(aq")
            .replace("^", r"\(ha")
            .replace("~", r"\(ti")
        )
    return "".join(char if char.isascii() else rf"\[u{ord(char):04X}]" for char in text)
