"""NUT's words: how a line of ups.conf or of the state socket is cut into words, and written back.

One grammar ("parseconf") serves both, see nut-driver-contract.md 2.1. This module knows characters and
words; it does not know what any word means, and it reads no files.

Strategy: a small machine fed with text of any cut. In each state the run of characters that mean nothing
special is taken at once, then one special character decides. A line ends at LF outside quotes. Both limits
are the caller's, and what exceeds them is dropped as it arrives, so that memory stays bounded whatever
is fed.

Two deliberate differences from NUT, neither visible to a well-formed line:

* After a parse error the rest of the physical line is skipped. NUT reads it on as a new line (files) or
  throws away as much as happened to arrive with it (sockets).
* At the end of a file a single unfinished word is a line (``finish``); NUT loses it, and a flag with it.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

__all__ = [
    "MAX_VALUE",
    "MAX_WORD",
    "MAX_WORDS",
    "Line",
    "LineReader",
    "as_word",
    "clean",
    "escape",
    "quote",
]

MAX_WORD = 512
"""Characters NUT keeps of a word."""

MAX_WORDS = 32
"""Words NUT keeps of a line."""

MAX_VALUE = 255
"""Bytes NUT keeps of a value in its escaped form (its buffers hold 256 with the final NUL)."""

_SPACE = " \t\r\v\f"
_DROPPED = re.compile(r"[^\x20-\x7f]")
_WORD_RUN = re.compile(r"[^ \t\r\v\f\n#=\\]+")
_QUOTED_RUN = re.compile(r'[^#"\\]+')
_SKIPPED_RUN = re.compile(r"[^\n]+")
_SPECIAL = re.compile(r'([#\\"])')
_PLAIN_WORD = re.compile(r"[!-~]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_FOREIGN = re.compile(r"[^\x20-\x7e]")


@dataclass(frozen=True, slots=True)
class Line:
    """One logical line with at least one word, or a broken one.

    ``number`` counts physical lines from 1 and is that of the first word. ``error`` is empty for a good
    line, else it says what is wrong; ``words`` are then those before the error. ``lossy``: characters or
    words were dropped, being outside 0x20..0x7f or beyond the limits.
    """

    words: tuple[str, ...]
    number: int
    error: str = ""
    lossy: bool = False


class _State(enum.Enum):
    BETWEEN = enum.auto()  # looking for the start of a word
    WORD = enum.auto()
    WORD_ESCAPE = enum.auto()  # after a backslash in a word
    QUOTED = enum.auto()
    QUOTED_ESCAPE = enum.auto()
    COMMENT = enum.auto()
    BROKEN = enum.auto()  # after an error: until the end of the physical line


class LineReader:
    """Text in, lines out; keeps what is unfinished for the next ``feed``. Raises nothing."""

    def __init__(self, *, max_word: int, max_words: int) -> None:
        self._max_word = max_word
        self._max_words = max_words
        self._physical = 1
        self._state = _State.BETWEEN
        self._words: list[str] = []
        self._word = ""
        self._first: int | None = None
        self._lossy = False

    def feed(self, text: str) -> list[Line]:
        """Take more text (bytes of a socket: decoded as latin-1) and return the lines it completed."""
        lines: list[Line] = []
        position = 0
        while position < len(text):
            position = self._step(text, position, lines)
        return lines

    def finish(self) -> Line | None:
        """The last line of a file that does not end in LF, None when nothing is left over."""
        if self._state is not _State.BROKEN and self._word:
            self._end_word()
        lines: list[Line] = []
        self._end_line(lines)
        return lines[0] if lines else None

    def _step(self, text: str, position: int, lines: list[Line]) -> int:
        """Consume a run or one character at ``position``; return the position after it."""
        state = self._state
        if state is _State.WORD or state is _State.QUOTED:
            run = (_WORD_RUN if state is _State.WORD else _QUOTED_RUN).match(text, position)
            if run:
                self._add(run.group())
                return run.end()
        elif state is _State.COMMENT or state is _State.BROKEN:
            run = _SKIPPED_RUN.match(text, position)
            if run:
                return run.end()
        character = text[position]
        if state is _State.BETWEEN:
            return position + self._between(character, lines)
        if state is _State.WORD_ESCAPE or state is _State.QUOTED_ESCAPE:
            self._add("" if character == "\n" else character, newline=character == "\n")
            self._state = _State.WORD if state is _State.WORD_ESCAPE else _State.QUOTED
        elif state is _State.WORD:
            self._word_special(character, lines)
        elif state is _State.QUOTED:
            self._quoted_special(character, lines)
        else:
            self._end_line(lines)  # only LF ends a skipped run
            self._physical += 1
        return position + 1

    def _between(self, character: str, lines: list[Line]) -> int:
        """One character outside words; return how many were consumed."""
        if character == "\n":
            self._end_line(lines)
            self._physical += 1
            return 1
        if character in _SPACE:
            return 1
        if character == "#":
            self._state = _State.COMMENT
            return 1
        if self._first is None:
            self._first = self._physical
        if character == "=":
            self._add("=")
            self._end_word()
            return 1
        if character == '"':
            self._state = _State.QUOTED
            return 1
        self._state = _State.WORD
        return 0

    def _word_special(self, character: str, lines: list[Line]) -> None:
        if character == "\\":
            self._state = _State.WORD_ESCAPE
            return
        self._end_word()
        if character == "#":
            self._state = _State.COMMENT
        elif character == "=":
            self._add("=")
            self._end_word()
        elif character == "\n":
            self._end_line(lines)
            self._physical += 1

    def _quoted_special(self, character: str, lines: list[Line]) -> None:
        if character == "\\":
            self._state = _State.QUOTED_ESCAPE
        elif character == '"':
            self._end_word()
        else:
            number = self._physical if self._first is None else self._first
            problem = "unescaped # in quotes (write \\#)"
            lines.append(Line(tuple(self._words), number, problem, self._lossy))
            self._begin_line()
            self._state = _State.BROKEN

    def _add(self, text: str, *, newline: bool = False) -> None:
        self._physical += text.count("\n") + newline
        kept = _DROPPED.sub("", text)
        room = self._max_word - len(self._word)
        self._lossy |= len(kept) < len(text) or len(kept) > room
        self._word += kept[: max(room, 0)]

    def _end_word(self) -> None:
        if len(self._words) < self._max_words:
            self._words.append(self._word)
        else:
            self._lossy = True
        self._word = ""
        self._state = _State.BETWEEN

    def _begin_line(self) -> None:
        self._words = []
        self._word = ""
        self._first = None
        self._lossy = False

    def _end_line(self, lines: list[Line]) -> None:
        if self._words and self._first is not None:
            lines.append(Line(tuple(self._words), self._first, lossy=self._lossy))
        self._begin_line()
        self._state = _State.BETWEEN


def escape(text: str) -> str:
    r"""Put ``\`` before each of ``#``, ``\`` and ``"``; nothing else."""
    return _SPECIAL.sub(r"\\\1", text)


def quote(text: str) -> str:
    """The text as one quoted word."""
    return f'"{escape(text)}"'


def as_word(word: str) -> str:
    """The word as it must stand in a line to be read back as itself: bare where that serves, else quoted."""
    if _PLAIN_WORD.fullmatch(word) and not _SPECIAL.search(word) and "=" not in word:
        return word
    return quote(word)


def clean(text: str, *, limit: int = MAX_VALUE) -> str:
    """What may stand in a value: only 0x20..0x7e, and at most ``limit`` bytes once escaped.

    Control characters vanish. Any other character that NUT could not carry becomes ``?``, one for one:
    NUT's tokenizer drops such bytes, which joins what stood apart and hides that anything was there. There
    is no transliteration, because a guess at somebody's language is not what the device said.
    """
    text = _FOREIGN.sub("?", _CONTROL.sub("", text))[:limit]
    while len(text) + len(_SPECIAL.findall(text)) > limit:
        text = text[:-1]
    return text
