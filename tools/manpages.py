"""Manual pages, from the parsers of the commands and the words of tools/words/pages.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tools.commands import Argument, Command, as_driver, commands
from tools.roff import blocks, bold, inline, italic, tagged
from usbhidups import __version__
from usbhidups.nut.upsconf.keys import SECTION_KEYS, Kind, Reader

__all__ = ["Words", "manual_pages"]

WORDS = Path(__file__).parent / "words" / "pages.toml"


@dataclass(frozen=True, slots=True)
class Words:
    """What a page says beside what the parsers know; each text in the markup of ``roff``."""

    description: str
    exit_status: str = ""
    examples: str = ""
    notes: str = ""
    files: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    see_also: tuple[str, ...] = ()


def manual_pages() -> dict[str, str]:
    """File name to roff. Raises ValueError where a command has no words or words have no command."""
    texts = tomllib.loads(WORDS.read_text(encoding="utf-8"))
    date = texts.pop("date")
    verbs = commands()
    odd = {"usbhidups", *(verb.name for verb in verbs)} ^ texts.keys()
    if odd:
        raise ValueError(
            f"tools/words/pages.toml does not fit the commands: {', '.join(sorted(odd))}"
        )
    words = {name: Words(**text) for name, text in texts.items()}
    made = {"usbhidups.8": _main_page(words["usbhidups"], verbs)}
    for verb in verbs:
        made[f"usbhidups-{verb.name}.8"] = _verb_page(verb, words[verb.name])
    return {name: "\n".join([*_head(name, date), *body, ""]) for name, body in made.items()}


def _head(file: str, date: str) -> Iterator[str]:
    yield r".\" Made by tools/generate.py from the parsers and tools/words/pages.toml; do not edit."
    name = file.removesuffix(".8").upper().replace("-", r"\-")
    yield f'.TH {name} 8 "{date}" "usbhidups {__version__}" "System Administration"'
    yield from (".nh", ".ad l")


def _main_page(words: Words, verbs: list[Command]) -> list[str]:
    driver = as_driver()
    lines = [".SH NAME", r"usbhidups \- driver for USB HID UPSes, for Network UPS Tools"]
    lines += [".SH SYNOPSIS", f"{bold('usbhidups')} {italic('VERB')} [{italic('ARGUMENT')} ...]"]
    lines += [".br", f"{bold('usbhidups -a')} {italic('NAME')} [{italic('OPTION')} ...]"]
    lines += [".SH DESCRIPTION", *blocks(words.description), ".SH VERBS"]
    for verb in verbs:
        lines += tagged(f"{bold(f'usbhidups-{verb.name}')}(8)", verb.text)
    lines += [".SH OPTIONS OF THE DRIVER", *_arguments(driver.arguments)]
    lines += [".SH OPTIONS IN UPS.CONF"]
    lines += ["docs/reference.md, installed beside the other documents, tells more of each."]
    for key in SECTION_KEYS.values():
        if key.reader is Reader.DRIVER and not key.meant:
            value = f" = {italic('VALUE')}" if key.kind is Kind.VALUE else ""
            lines += tagged(bold(key.name) + value, key.text)
    others = [f"usbhidups-{verb.name}(8)" for verb in verbs]
    return [*lines, *_tail(words, "", [*others, *words.see_also])]


def _verb_page(verb: Command, words: Words) -> list[str]:
    full = f"usbhidups-{verb.name}"
    lines = [".SH NAME", rf"{full.replace('-', chr(92) + '-')} \- {inline(verb.text)}"]
    lines += [".SH SYNOPSIS", f"{bold(f'usbhidups {verb.name}')}{_synopsis(verb)}"]
    lines += [".SH DESCRIPTION", *blocks(words.description)]
    if verb.actions:
        lines.append(".SH ACTIONS")
    for action in verb.actions:
        lines += tagged(f"{bold(action.name)}{_synopsis(action)}", action.text)
        own = _without_help(action.arguments)
        lines += [".RS", *_arguments(own), ".RE"] if own else []
    lines += [".SH OPTIONS", *_arguments(verb.arguments)]
    return [*lines, *_tail(words, verb.epilog, ["usbhidups(8)", *words.see_also])]


def _synopsis(command: Command) -> str:
    parts = []
    for argument in _without_help(command.options):
        part = " ".join([bold(argument.options[0]), *_value(argument)])
        parts.append(part if argument.required else f"[{part}]")
    for argument in command.places:
        part = f"{italic(argument.metavar)}{' ...' if argument.many else ''}"
        parts.append(part if argument.required else f"[{part}]")
    if command.actions:
        parts.append(f"{italic('ACTION')} ...")
    return "".join(f" {part}" for part in parts)


def _arguments(arguments: Iterable[Argument]) -> Iterator[str]:
    for argument in arguments:
        names = ", ".join(map(bold, argument.options))
        text = argument.text
        if argument.words and not all(word in text for word in argument.words):
            text = f"{text}{'; ' if text else ''}one of {', '.join(argument.words)}"
        yield from tagged(" ".join(filter(None, [names, *_value(argument)])), text)


def _value(argument: Argument) -> list[str]:
    return [italic(argument.metavar)] if argument.metavar else []


def _without_help(arguments: Iterable[Argument]) -> list[Argument]:
    return [each for each in arguments if "--help" not in each.options]


def _tail(words: Words, epilog: str, see_also: list[str]) -> Iterator[str]:
    status, examples, rest = _cut_up(epilog)
    for text in rest:
        yield from (".PP", inline(" ".join(text.split())))
    for title, body in (
        ("EXIT STATUS", words.exit_status or status),
        ("EXAMPLES", "\n\n".join(filter(None, [examples, words.examples]))),
        ("NOTES", words.notes),
    ):
        if body:
            yield from (f".SH {title}", *blocks(body))
    for title, items in (("FILES", words.files), ("ENVIRONMENT", words.environment)):
        if items:
            yield f".SH {title}"
            for name, text in items.items():
                yield from tagged(bold(name), text)
    yield ".SH SEE ALSO"
    names = [re.sub(r"(.+)\((\d)\)", lambda m: f"{bold(m[1])}({m[2]})", name) for name in see_also]
    yield ",\n".join(names)


def _cut_up(epilog: str) -> tuple[str, str, list[str]]:
    """The parts of a help's end: exit status, examples, what else there is."""
    status, examples, rest = "", "", []
    for paragraph in re.split(r"\n\s*\n", epilog.strip("\n")):
        if paragraph.startswith("exit status"):
            status = paragraph.removeprefix("exit status").lstrip(":, ").replace("; ", ";\n")
        elif paragraph.startswith("  "):
            examples = paragraph
        elif paragraph:
            rest.append(paragraph)
    return status, examples, rest
