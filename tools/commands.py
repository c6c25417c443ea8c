"""What the commands take, read from their parsers: the one source of manual pages and completions."""

from __future__ import annotations

import argparse
import enum
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from usbhidups.cli import driver
from usbhidups.cli.main import VERBS, command_line

__all__ = ["Argument", "Command", "Value", "as_driver", "commands"]


class Value(enum.Enum):
    """What an argument's value is, as far as a shell can complete it."""

    NONE = "none"  # a flag
    WORDS = "words"
    FILE = "file"
    DIRECTORY = "directory"
    UPS = "ups"  # a section of ups.conf
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Argument:
    """An option, or with no ``options`` an argument by its place. ``words``: what its value may be."""

    options: tuple[str, ...]
    metavar: str
    text: str
    value: Value
    words: tuple[str, ...] = ()
    required: bool = True
    many: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """One verb, or an action of a verb. ``epilog``: exit status and examples, as its help shows them."""

    name: str
    text: str
    arguments: tuple[Argument, ...]
    actions: tuple[Command, ...] = ()
    epilog: str = ""

    @property
    def options(self) -> list[Argument]:
        """Those that have a name."""
        return [argument for argument in self.arguments if argument.options]

    @property
    def places(self) -> list[Argument]:
        """Those that go by their place."""
        return [argument for argument in self.arguments if not argument.options]


def commands() -> list[Command]:
    """Every verb, in the order of the help."""
    parsers = _subparsers(command_line(VERBS))
    return [_command(name, VERBS[name], parser) for name, parser in parsers.items()]


def as_driver() -> Command:
    """The program as NUT starts it."""
    arguments = (
        Argument(
            (option,), metavar, text, _DRIVER_VALUES.get(option, _driver_value(metavar)),
            words=driver.COMMANDS if option == "-c" else (),
        )
        for option, metavar, text in driver.OPTIONS
    )  # fmt: skip
    return Command("usbhidups", "driver of Network UPS Tools", tuple(arguments))


_DRIVER_VALUES = {"-a": Value.UPS, "-c": Value.WORDS, "-r": Value.DIRECTORY}


def _driver_value(metavar: str) -> Value:
    return Value.OTHER if metavar else Value.NONE


def _command(name: str, text: str, parser: argparse.ArgumentParser) -> Command:
    formatter = parser._get_formatter()
    arguments = tuple(
        _argument(action, formatter)
        for action in parser._actions
        if not isinstance(action, argparse._SubParsersAction)
    )
    helps = {
        choice.dest: choice.help or ""
        for action in parser._actions
        if isinstance(action, argparse._SubParsersAction)
        for choice in action._choices_actions
    }
    actions = tuple(
        _command(each, helps[each], its_parser) for each, its_parser in _subparsers(parser).items()
    )
    return Command(name, text, arguments, actions, parser.epilog or "")


def _subparsers(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def _argument(action: argparse.Action, formatter: argparse.HelpFormatter) -> Argument:
    metavar = "" if action.nargs == 0 else _metavar(action)
    return Argument(
        options=tuple(action.option_strings),
        metavar=metavar,
        text=formatter._expand_help(action) if action.help else "",
        value=_value(action, metavar),
        words=tuple(map(str, action.choices or ())),
        required=action.required,
        many=action.nargs in ("*", "+"),
    )


def _metavar(action: argparse.Action) -> str:
    if isinstance(action.metavar, str):
        return action.metavar
    return action.dest.upper().replace("_", "-")


def _value(action: argparse.Action, metavar: str) -> Value:
    if action.nargs == 0:
        return Value.NONE
    if action.choices:
        return Value.WORDS
    if metavar in ("DIR", "DIRECTORY"):
        return Value.DIRECTORY
    if action.type is Path or "FILE" in _words(metavar):
        return Value.FILE
    return Value.UPS if action.dest == "ups" else Value.OTHER


def _words(metavar: str) -> Sequence[str]:
    return metavar.replace("|", " ").replace("[", " ").replace("]", " ").split()
