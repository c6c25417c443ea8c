"""Files of the user's own that replace generated ones: the token, and what NUT would not complain about.

Pure: text in, text out. An override is root's own file, so it is taken as it is; what would fail silently
(spec 3.5, 3.6, 8.4) is said in a warning.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from usbhidups.nut.words import MAX_WORD, MAX_WORDS, LineReader

__all__ = [
    "MASTER_TOKEN",
    "Section",
    "Target",
    "doubtful_lines",
    "level_doubts",
    "lines_of",
    "monitor_targets",
    "repeated_sections",
    "sections",
    "with_master_password",
]

MASTER_TOKEN = "@MASTER_PASS@"  # noqa: S105 - the token, not a password

_PRIMARY_WORDS = frozenset({"primary", "master"})
_SECONDARY_WORDS = frozenset({"secondary", "slave"})
_SHELL = re.compile(r"[$`;&|<>()\\\"']")


@dataclass(frozen=True, slots=True)
class Section:
    """``[name]`` of ups.conf or upsd.users with its ``key = value`` lines; a flag's value is ""."""

    name: str
    keys: dict[str, str]


@dataclass(frozen=True, slots=True)
class Target:
    """One MONITOR line: ``system`` is ``name@host[:port]``; the password is left where it is."""

    system: str
    power_value: str
    user: str
    level: str

    @property
    def ups_name(self) -> str:
        return self.system.partition("@")[0]

    @property
    def primary(self) -> bool:
        return self.level in _PRIMARY_WORDS


def lines_of(text: str) -> list[tuple[str, ...]]:
    """The words of each line, read as NUT reads its files."""
    reader = LineReader(max_word=MAX_WORD, max_words=MAX_WORDS)
    lines = reader.feed(text)
    last = reader.finish()
    return [line.words for line in ([*lines, last] if last else lines) if line.words]


def sections(text: str) -> list[Section]:
    """The sections in the order of the file; a repeated name gives two."""
    found: list[Section] = []
    for words in lines_of(text):
        if words[0].startswith("[") and words[0].endswith("]") and len(words) == 1:
            found.append(Section(words[0][1:-1], {}))
        elif found:
            value = words[2] if len(words) >= 3 and words[1] == "=" else " ".join(words[1:])
            found[-1].keys[words[0]] = value
    return found


def monitor_targets(text: str) -> list[Target]:
    """The MONITOR lines of an upsmon.conf."""
    return [
        Target(words[1], words[2], words[3], words[5])
        for words in lines_of(text)
        if words[0] == "MONITOR" and len(words) == 6
    ]


def with_master_password(text: str, password: str) -> str:
    """Every token replaced, in ``text`` of upsd.users or upsmon.conf."""
    return text.replace(MASTER_TOKEN, password)


def repeated_sections(text: str) -> list[str]:
    """Names that occur twice: upsd keeps the first password and adds the rights of both."""
    seen: set[str] = set()
    repeated: list[str] = []
    for section in sections(text):
        if section.name in seen:
            repeated.append(section.name)
        seen.add(section.name)
    return repeated


def doubtful_lines(upsmon_conf: str, known_users: Iterable[str] | None = None) -> list[str]:
    """What upsmon would accept in silence although it cannot work, one sentence each."""
    targets = monitor_targets(upsmon_conf)
    directives = {words[0]: words[1:] for words in lines_of(upsmon_conf)}
    doubts: list[str] = []
    if not targets:
        doubts.append("no complete MONITOR line: upsmon will not start")
    elif all(target.power_value == "0" for target in targets):
        doubts.append("every MONITOR line has power value 0: upsmon will not start")
    for target in targets:
        if target.level not in _PRIMARY_WORDS | _SECONDARY_WORDS:
            doubts.append(f"MONITOR {target.system}: {target.level} is taken for secondary")
        if _SHELL.search(target.system):
            doubts.append(f"MONITOR {target.system}: upsmon up to 2.8.5 hands this name to a shell")
    command = directives.get("SHUTDOWNCMD", ())
    if not command or not command[0]:
        doubts.append("no SHUTDOWNCMD: the host would not shut down")
    elif len(command) > 1:
        doubts.append("SHUTDOWNCMD is not quoted: only its first word is kept")
    user = directives.get("RUN_AS_USER", ())
    if user and known_users is not None and user[0] not in known_users:
        doubts.append(f"RUN_AS_USER {user[0]}: no such user, upsmon would vanish after its start")
    return doubts


def level_doubts(upsmon_conf: str, upsd_users: str) -> list[str]:
    """A primary MONITOR line needs an account with primary rights, or FSD never reaches the others."""
    primaries = {
        section.name
        for section in sections(upsd_users)
        if section.keys.get("upsmon", "") in _PRIMARY_WORDS
    }
    return [
        f"MONITOR {target.system}: the account {target.user} is no primary in upsd.users"
        for target in monitor_targets(upsmon_conf)
        if target.primary and target.user not in primaries
    ]
