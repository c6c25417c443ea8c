"""Help texts that fit a screen of 80 columns by 24 lines, and errors of the command line in one line."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

__all__ = ["Parser", "within"]

WIDEST = 80
HELP_AT = 22
"""Column at which the texts of options begin, unless an option is longer."""


def within(least: float, most: float = math.inf) -> Callable[[str], float]:
    """The type of an argument that is a number from ``least`` to ``most``."""
    limits = f"from {least:g}" + ("" if most == math.inf else f" to {most:g}")

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (least <= value <= most and math.isfinite(value)):
            raise argparse.ArgumentTypeError(f"{text!r} is no number {limits}")
        return value

    return read


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Usage in one line: the options stand below it anyway."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=HELP_AT)
        self._width = min(self._width, WIDEST - 1)
        self._action_max_length = HELP_AT - 2  # argparse forgets that verbs are indented twice

    def add_usage(
        self,
        usage: str | None,
        actions: Iterable[argparse.Action],
        groups: Iterable[Any],
        prefix: str | None = None,
    ) -> None:
        """All options are ``[OPTION...]``."""
        if usage is None:
            places = [action for action in actions if not action.option_strings]
            words = ["%(prog)s [OPTION...]", self._format_actions_usage(places, [])]
            usage = " ".join(word for word in words if word)
        super().add_usage(usage, actions, groups, prefix)


_CHOICE = re.compile(r"argument (\S+): invalid choice: '(.*)' \(choose from (.*)\)")


class Parser(argparse.ArgumentParser):
    """An argument parser whose verbs are such parsers too. ``wrong``: exit status for a wrong line."""

    wrong = 2

    def __init__(self, **settings: Any) -> None:
        super().__init__(formatter_class=_Formatter, **settings)

    def error(self, message: str) -> NoReturn:
        """One line; a wrong word of a few is told with the one that was perhaps meant."""
        wrong = _CHOICE.fullmatch(message)
        if wrong:
            from difflib import get_close_matches

            place, word, listed = wrong.groups()
            choices = listed.replace("'", "").split(", ")
            near = get_close_matches(word, choices, 1)
            meant = f"did you mean {near[0]}?" if near else f"there are {', '.join(choices)}"
            message = f"{place}: {word!r} is unknown; {meant}"
        self.exit(self.wrong, f"{self.prog}: {message}; {self.prog} --help tells more\n")
