"""Where two drivers differ on one device, one row each; and the list of what is meant to differ."""

from __future__ import annotations

import fnmatch
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.differential.drive import Conduct

__all__ = ["Difference", "Intent", "differences", "intents"]

LIST = Path(__file__).with_name("differences.toml")


@dataclass(frozen=True, slots=True)
class Difference:
    """``what`` is one of device, variable, flags, length, enum, range, command, bytes and killpower;
    ``theirs`` and ``ours`` are the values, None where one does not have it."""

    what: str
    name: str
    theirs: str | None
    ours: str | None

    @property
    def kind(self) -> str:
        """``missing`` here, ``extra`` here, or ``other`` in value."""
        return "missing" if self.ours is None else "extra" if self.theirs is None else "other"


@dataclass(frozen=True, slots=True)
class Intent:
    """A difference that is meant; ``name`` and ``fixture`` are patterns. ``chance``: it is not always there."""

    what: str
    name: str
    kind: str
    fixture: str
    reason: str
    chance: bool = False

    def covers(self, fixture: str, difference: Difference) -> bool:
        """Whether this is the one."""
        return (
            (self.what, self.kind) == (difference.what, difference.kind)
            and fnmatch.fnmatchcase(difference.name, self.name)
            and fnmatch.fnmatchcase(fixture, self.fixture)
        )


def intents() -> list[Intent]:
    """The list, as it stands."""
    rows = tomllib.loads(LIST.read_text())["difference"]
    return [
        Intent(row["what"], name, row["kind"], fixture, row["reason"], row.get("chance", False))
        for row in rows
        for name in row["names"]
        for fixture in row.get("fixtures", ["*"])
    ]


def differences(theirs: Conduct, ours: Conduct) -> list[Difference]:
    """All of them, in a fixed order. Bytes are compared for the commands that both were given."""
    one, two = theirs.published, ours.published
    if theirs.driven != ours.driven:
        driven = {True: "yes", False: None}
        return [Difference("device", "driven", driven[theirs.driven], driven[ours.driven])]
    return [
        *_rows("variable", one.variables, two.variables),
        *_rows("flags", _texts(one.flags), _texts(two.flags)),
        *_rows("length", one.lengths, two.lengths),
        *_rows("enum", _texts(one.enums), _texts(two.enums)),
        *_rows("range", _texts(one.ranges), _texts(two.ranges)),
        *_rows("command", dict.fromkeys(one.commands, ""), dict.fromkeys(two.commands, "")),
        *_rows("bytes", _joined(theirs.commands), _joined(ours.commands)),
        *_rows(
            "killpower", {"writes": ", ".join(theirs.killed)}, {"writes": ", ".join(ours.killed)}
        ),
        *_rows("killpower", {"status": str(theirs.kill_status)}, {"status": str(ours.kill_status)}),
    ]


def _rows(what: str, theirs: Mapping[str, str], ours: Mapping[str, str]) -> Iterator[Difference]:
    for name in sorted({*theirs, *ours}):
        if theirs.get(name) != ours.get(name):
            yield Difference(what, name, theirs.get(name), ours.get(name))


def _texts(values: Mapping[str, object]) -> dict[str, str]:
    return {name: str(sorted(value)) for name, value in values.items()}  # type: ignore[call-overload]


def _joined(writes: Mapping[str, list[str]]) -> dict[str, str]:
    return {name: ", ".join(each) for name, each in writes.items()}
