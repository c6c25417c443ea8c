"""Completions for bash, zsh and fish, from the parsers of the commands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tools.commands import Argument, Command, Value, as_driver, commands

__all__ = ["completions"]

HEAD = "# Made by tools/generate.py from the parsers; do not edit."

SECTIONS = (
    r"sed -n 's/^[[:space:]]*\[\([^]]*\)\].*/\1/p' CONF/ups.conf 2>/dev/null"  # a shell's words
)

GLOBAL = ("--help", "--version")


def completions() -> dict[str, str]:
    """File name, as the shells look for it, to its text."""
    verbs, driver = commands(), as_driver()
    made = {
        "usbhidups.bash": _bash(verbs, driver),
        "_usbhidups": _zsh(verbs, driver),
        "usbhidups.fish": _fish(verbs, driver),
    }
    return {name: "\n".join([*lines, ""]) for name, lines in made.items()}


def _options(verb: Command) -> list[Argument]:
    """A verb's options with those of its actions: whoever completes one has read the help."""
    found = {
        option.options: option for command in (verb, *verb.actions) for option in command.options
    }
    return list(found.values())


def _names(options: Iterable[Argument]) -> str:
    return " ".join(name for option in options for name in option.options)


# -- bash ------------------------------------------------------------------------------------------


def _bash(verbs: list[Command], driver: Command) -> Iterator[str]:
    first = " ".join([*(verb.name for verb in verbs), *GLOBAL])
    cases = [line for verb in verbs for line in _bash_case(verb.name, verb)]
    cases += _bash_case("-*", driver)
    yield f"""\
{HEAD}

_usbhidups_sections() {{
    {SECTIONS.replace("CONF", '"${NUT_CONFPATH:-/etc/nut}"')}
}}

_usbhidups() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} last=${{COMP_WORDS[COMP_CWORD - 1]}}
    local words='' files=''
    COMPREPLY=()
    case ${{COMP_CWORD}}:${{COMP_WORDS[1]}} in
    1:-*) words='{_names(driver.options)} {" ".join(GLOBAL)}' ;;
    1:*) words='{first}' ;;"""
    yield from cases
    yield """\
    esac
    [ -z "$words" ] || mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
    case $files in
    file) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    directory) mapfile -t COMPREPLY < <(compgen -d -- "$word") ;;
    esac
    [ -z "$files" ] || compopt -o filenames 2>/dev/null
}

complete -F _usbhidups usbhidups usbhid-ups"""


def _bash_case(pattern: str, verb: Command) -> Iterator[str]:
    options = _options(verb)
    yield f"    *:{pattern})"
    yield "        case $last in"
    for option in options:
        if option.value is not Value.NONE:
            yield f"        {' | '.join(option.options)}) {_bash_value(option)} ;;"
    yield f"        *) case $word in -*) words='{_names(options)}' ;; *) {_bash_place(verb)} ;; esac ;;"
    yield "        esac ;;"


def _bash_place(verb: Command) -> str:
    if verb.actions:
        return f"words='{' '.join(action.name for action in verb.actions)}'"
    return _bash_value(verb.places[0]) if verb.places else ":"


def _bash_value(argument: Argument) -> str:
    match argument.value:
        case Value.WORDS:
            return f"words='{' '.join(argument.words)}'"
        case Value.UPS:
            return "words=$(_usbhidups_sections)"
        case Value.FILE | Value.DIRECTORY:
            return f"files={argument.value.value}"
        case _:
            return ":"


# -- zsh -------------------------------------------------------------------------------------------


def _zsh(verbs: list[Command], driver: Command) -> Iterator[str]:
    described = "\n".join(f"        {_quoted(f'{verb.name}:{verb.text}')}" for verb in verbs)
    yield f"""\
#compdef usbhidups usbhid-ups
{HEAD}

_usbhidups_sections() {{
    local -a sections
    sections=(${{(f)"$({SECTIONS.replace("CONF", '"${NUT_CONFPATH:-/etc/nut}"')})"}})
    compadd -a sections
}}

_usbhidups() {{
    local -a verbs
    verbs=(
{described}
    )
    if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then
        _describe verb verbs
        return
    fi
    if [[ $words[2] == -* ]]; then
        {_zsh_arguments(driver, indent=12)}
        return
    fi
    local verb=$words[2]
    shift words
    (( CURRENT-- ))
    case $verb in"""
    for verb in verbs:
        yield f"    {verb.name})\n        {_zsh_arguments(verb, indent=12)} ;;"
    yield """\
    esac
}

_usbhidups "$@\""""


def _zsh_arguments(verb: Command, *, indent: int) -> str:
    specs = [
        f"{name}[{_zsh_text(option.text)}]{_zsh_value(option)}"
        for option in _options(verb)
        for name in option.options
    ]
    if verb.actions:
        specs.append(f"1:action:({' '.join(action.name for action in verb.actions)})")
    specs += [f"{'*' if place.many else number}{_zsh_value(place)}"
              for number, place in enumerate(verb.places, start=1)]  # fmt: skip
    return f" \\\n{' ' * indent}".join(["_arguments", *map(_quoted, specs)])


def _zsh_value(argument: Argument) -> str:
    actions = {
        Value.NONE: "",
        Value.WORDS: f"({' '.join(argument.words)})",
        Value.FILE: "_files",
        Value.DIRECTORY: "_files -/",
        Value.UPS: "_usbhidups_sections",
        Value.OTHER: " ",
    }
    if argument.value is Value.NONE:
        return ""
    return f":{_zsh_text(argument.metavar)}:{actions[argument.value]}"


def _zsh_text(text: str) -> str:
    for char in "\\[]:":
        text = text.replace(char, f"\\{char}")
    return text


# -- fish ------------------------------------------------------------------------------------------


def _fish(verbs: list[Command], driver: Command) -> Iterator[str]:
    yield f"""\
{HEAD}

function __usbhidups_sections
    set -q NUT_CONFPATH; and set -l conf $NUT_CONFPATH; or set -l conf /etc/nut
    {SECTIONS.replace("CONF", "$conf")}
end

complete -c usbhidups -f
complete -c usbhidups -n __fish_use_subcommand -l version -d 'show the version and exit'"""
    for option in driver.options:
        yield _fish_line("__fish_use_subcommand", option)
    for verb in verbs:
        yield ""
        yield (
            f"complete -c usbhidups -n __fish_use_subcommand -a {verb.name} -d {_quoted(verb.text)}"
        )
        seen = f"'__fish_seen_subcommand_from {verb.name}'"
        for action in verb.actions:
            yield f"complete -c usbhidups -n {seen} -a {action.name} -d {_quoted(action.text)}"
        for argument in [*_options(verb), *verb.places[:1]]:
            line = _fish_line(seen, argument)
            if line:
                yield line


def _fish_line(condition: str, argument: Argument) -> str:
    words = ["complete -c usbhidups -n", condition]
    for name in argument.options:
        words.append(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}")
    needs = " -r" if argument.options else ""
    match argument.value:
        case Value.WORDS:
            words.append(
                f"{'-x ' if argument.options else ''}-a {_quoted(' '.join(argument.words))}"
            )
        case Value.UPS:
            words.append(f"{'-x ' if argument.options else ''}-a '(__usbhidups_sections)'")
        case Value.FILE:
            words.append(f"-F{needs}")
        case Value.DIRECTORY:
            words.append("-x -a '(__fish_complete_directories)'")
        case Value.OTHER:
            if not argument.options:
                return ""
            words.append("-x")
        case Value.NONE:
            pass
    if argument.options:
        words.append(f"-d {_quoted(argument.text)}")
    return " ".join(words)


def _quoted(text: str) -> str:
    """In single quotes, for all three shells: a quote is closed, given in double ones, and opened again."""
    return "'" + text.replace("'", "'\"'\"'") + "'"
