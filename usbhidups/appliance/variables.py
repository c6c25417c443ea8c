"""Read shell-style assignments (``NAME=value``) without a shell.

The file may be a whole rc.conf: lines that are no assignment are stepped over. A value is taken as
written: quotes and backslashes are undone as a shell would, but nothing is ever expanded or executed. A
value that would need it (``$``, backquote) is reported instead, and only for names that the caller knows;
what other variables hold is no business of ours. Not a shell: no here-documents, no arrays, no ``+=``.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

__all__ = ["Assignments", "parse_assignments"]

_NAME = re.compile(r"(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)=")
_WORD_ENDS = " \t\n;&|<>()"
_EXPANDS = "$`"
_KEPT_IN_QUOTES = '$`"\\'


@dataclass(frozen=True, slots=True)
class Assignments:
    """What a file assigns: the last value of each known name, and one line of text per problem."""

    values: dict[str, str]
    problems: tuple[str, ...] = ()


def parse_assignments(text: str, known: Collection[str], *, where: str = "") -> Assignments:
    """The values of ``known`` names in ``text``; a later assignment replaces an earlier one."""
    reader = _Reader(text)
    values: dict[str, str] = {}
    problems: dict[str, str] = {}
    while (found := reader.next_assignment()) is not None:
        if found.name not in known:
            continue
        values.pop(found.name, None)
        problems.pop(found.name, None)
        if found.problem:
            place = f"{where}:{found.line}" if where else f"line {found.line}"
            problems[found.name] = f"{place}: {found.name}: {found.problem}"
        else:
            values[found.name] = found.value
    return Assignments(values, tuple(problems.values()))


@dataclass(frozen=True, slots=True)
class _Assignment:
    name: str
    value: str
    problem: str
    line: int


class _Reader:
    """One pass over the text, at the granularity of shell words."""

    def __init__(self, text: str) -> None:
        self._text = text.replace("\r\n", "\n")
        self._at = 0
        self._problem = ""

    def next_assignment(self) -> _Assignment | None:
        while self._at < len(self._text):
            character = self._text[self._at]
            if character == "#":
                self._skip_comment()
            elif character in _WORD_ENDS:
                self._at += 1
            elif match := _NAME.match(self._text, self._at):
                line = self._text.count("\n", 0, self._at) + 1
                self._at = match.end()
                value = self._word()
                problem = self._problem
                if not problem and self._runs_a_command():
                    problem = "is followed by a command on the same line"
                return _Assignment(match[1], value, problem, line)
            else:
                self._skip_command()
        return None

    def _runs_a_command(self) -> bool:
        """``A=b command`` sets A for that command alone; ``A=b B=c`` and ``A=b # text`` are fine."""
        rest = self._text[self._at :].split("\n", 1)[0].lstrip(" \t")
        return bool(rest) and rest[0] not in "#;" and _NAME.match(rest) is None

    def _skip_comment(self) -> None:
        end = self._text.find("\n", self._at)
        self._at = len(self._text) if end < 0 else end

    def _skip_command(self) -> None:
        """Step over words up to the end of the line, quotes (which may span lines) included."""
        while self._at < len(self._text) and self._text[self._at] not in "\n;":
            if self._text[self._at] == "#":
                self._skip_comment()
            elif self._text[self._at] in _WORD_ENDS:
                self._at += 1
            else:
                self._word()

    def _word(self) -> str:
        """One shell word with its quotes undone; ``_problem`` says why it must not be used."""
        self._problem = ""
        parts: list[str] = []
        while self._at < len(self._text) and self._text[self._at] not in _WORD_ENDS:
            character = self._text[self._at]
            self._at += 1
            if character == "'":
                parts.append(self._until_single_quote())
            elif character == '"':
                parts.append(self._until_double_quote())
            elif character == "\\":
                parts.append(self._escaped())
            else:
                self._note_expansion(character)
                parts.append(character)
        return "".join(parts)

    def _until_single_quote(self) -> str:
        end = self._text.find("'", self._at)
        if end < 0:
            self._problem = "quote is never closed"
            end = len(self._text)
        value = self._text[self._at : end]
        self._at = end + 1
        return value

    def _until_double_quote(self) -> str:
        parts: list[str] = []
        while self._at < len(self._text):
            character = self._text[self._at]
            self._at += 1
            if character == '"':
                return "".join(parts)
            if character == "\\" and self._at < len(self._text):
                if self._text[self._at] in _KEPT_IN_QUOTES + "\n":
                    parts.append(self._escaped())
                    continue
            else:
                self._note_expansion(character)
            parts.append(character)
        self._problem = "quote is never closed"
        return "".join(parts)

    def _escaped(self) -> str:
        if self._at >= len(self._text):
            return ""
        character = self._text[self._at]
        self._at += 1
        return "" if character == "\n" else character

    def _note_expansion(self, character: str) -> None:
        if character in _EXPANDS and not self._problem:
            self._problem = (
                f"uses the shell's {character}; values are taken as written, never expanded"
            )
