"""The terminal, or what stands in for it: width, colours and line art only where they can be seen."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import IO

from rich.console import Console, RenderableType

__all__ = ["can_draw", "can_redraw", "fitting", "make_console", "refit", "show"]

NARROWEST = 40
WIDEST = 120
"""Columns that are used at most: lines that are longer are hard to read."""

PIPED = 100
"""Columns when nobody says how many there are."""


def make_console(file: IO[str] | None = None, *, width: int | None = None) -> Console:
    """A console on ``file`` (standard output) that adds no markup, no emoji and no highlighting of its own.

    Colours need a terminal and no NO_COLOR; ``width`` None: the terminal's, $COLUMNS where there is none.
    """
    file = file or sys.stdout
    if width is None and not file.isatty():
        given = os.environ.get("COLUMNS", "")
        width = int(given) if given.isdecimal() and int(given) else PIPED
    console = Console(file=file, width=width, markup=False, emoji=False, highlight=False)
    console.width = max(NARROWEST, min(WIDEST, console.width))
    return console


def refit(console: Console) -> None:
    """Its terminal may have been made wider or narrower since; $COLUMNS counts more, as at the start."""
    if not console.is_terminal or os.environ.get("COLUMNS", "").isdecimal():
        return
    try:
        columns = os.get_terminal_size(console.file.fileno()).columns
    except (OSError, ValueError):
        return  # no terminal of the system's: a test's
    if columns:
        console.width = max(NARROWEST, min(WIDEST, columns))


def fitting(console: Console, pictures: Sequence[Callable[[], RenderableType]]) -> RenderableType:
    """The first that is no higher than the terminal, else the last; the first where there is no terminal."""
    if not console.is_terminal:
        return pictures[0]()
    for draw in pictures[:-1]:
        drawn = draw()
        if len(console.render_lines(drawn, pad=False)) <= console.height:
            return drawn
    return pictures[-1]()


def show(console: Console, part: RenderableType) -> None:
    """Print; where it goes to a file or a pipe, without blanks at the ends of lines."""
    if console.is_terminal:
        console.print(part)
        return
    with console.capture() as captured:
        console.print(part)
    for line in captured.get().splitlines():
        print(line.rstrip(), file=console.file)


def can_redraw(file: IO[str] | None = None) -> bool:
    """Whether a live view can be shown there: a terminal that can move its cursor, and is ours to write to.

    A program in the background has its terminal, but somebody else is at work on it.
    """
    file = file or sys.stdout
    if not file.isatty() or os.environ.get("TERM", "dumb") in ("dumb", "unknown"):
        return False
    try:
        return os.tcgetpgrp(file.fileno()) == os.getpgrp()
    except OSError:
        return True  # a terminal that controls nobody


def can_draw(file: IO[str] | None = None) -> bool:
    """Whether bars and dots can be written there: the encoding has them."""
    encoding = getattr(file or sys.stdout, "encoding", None) or "ascii"
    try:
        "█●─…▁".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
