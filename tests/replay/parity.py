"""This driver beside NUT on the same devices: what is the same, what is meant, what nobody explained.

``python -m tests.replay.parity`` prints the score of each family over the synthetic corpus.
"""

from __future__ import annotations

import enum
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from tests.replay.drive import Recording, Seen, load, read
from usbhidups.ups.loading.library import Library
from usbhidups.ups.snapshot import Value

__all__ = [
    "CORPUS",
    "DIFFERENCES",
    "Difference",
    "Finding",
    "Kind",
    "compare",
    "differences",
    "score",
]

CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "synthetic"
DIFFERENCES = Path(__file__).parent / "differences.toml"

OWN = ("experimental.ups.status.reason", "experimental.ups.status.held")
"""Variables that NUT has no counterpart of."""


class Kind(enum.Enum):
    """In which way an answer differs from NUT's."""

    VALUE = "value"
    MISSING = "missing"
    EXTRA = "extra"
    SETTABLE = "settable"
    WORDS = "words"
    COMMAND_MISSING = "command-missing"
    COMMAND_EXTRA = "command-extra"


@dataclass(frozen=True)
class Finding:
    """One answer that is not NUT's; "" stands for no answer."""

    device: str
    kind: Kind
    name: str
    nut: str
    ours: str


@dataclass(frozen=True)
class Difference:
    """One entry of differences.toml: patterns of both texts, or ``pairs`` of them, word by word."""

    title: str
    reason: str
    kind: Kind
    names: tuple[str, ...]
    devices: tuple[str, ...]
    nut: str
    ours: str
    pairs: tuple[tuple[str, str], ...] = ()

    def explains(self, finding: Finding) -> bool:
        """Whether a finding is what this entry means."""
        return (
            self.kind is finding.kind
            and any(fnmatchcase(finding.name, name) for name in self.names)
            and any(fnmatchcase(finding.device, device) for device in self.devices)
            and (not self.pairs or (finding.nut, finding.ours) in self.pairs)
            and re.fullmatch(self.nut, finding.nut) is not None
            and re.fullmatch(self.ours, finding.ours) is not None
        )


def differences() -> tuple[Difference, ...]:
    """All entries of differences.toml."""
    content = tomllib.loads(DIFFERENCES.read_text(encoding="utf-8"))
    return tuple(
        Difference(
            title=entry["title"],
            reason=entry["reason"],
            kind=Kind(entry["kind"]),
            names=tuple(entry["name"].split(", ")),
            devices=tuple(entry["device"].split(", ")),
            nut=entry.get("nut", ".*"),
            ours=entry.get("ours", ".*"),
            pairs=tuple((nut, ours) for nut, ours in entry.get("pairs", ())),
        )
        for entry in content["difference"]
    )


def compare(recording: Recording, seen: Seen) -> tuple[int, tuple[Finding, ...]]:
    """How many answers are NUT's, and those that are not."""
    pairs = [*_values(recording, seen), *_settables(recording, seen), *_words(recording, seen)]
    pairs += _commands(recording, seen)
    return sum(pair.nut == pair.ours for pair in pairs), tuple(
        pair for pair in pairs if pair.nut != pair.ours
    )


def _values(recording: Recording, seen: Seen) -> Iterator[Finding]:
    nut = recording.content["published"].get("variables", {})
    ours = {name: text for name, text in seen.texts.items() if name not in OWN}
    for name in sorted(nut.keys() | ours.keys()):
        kind = Kind.MISSING if name not in ours else Kind.EXTRA if name not in nut else Kind.VALUE
        found = Finding(recording.path.stem, kind, name, nut.get(name, ""), ours.get(name, ""))
        if kind is Kind.MISSING and not found.nut:
            found = Finding(found.device, kind, name, "", "(nothing)")
        yield found


def _settables(recording: Recording, seen: Seen) -> Iterator[Finding]:
    nut = recording.content["published"].get("rw", {})
    ours = {name: _type(value) for name, value in seen.view.variables.items() if value.writable}
    for name in sorted(nut.keys() | ours.keys()):
        theirs = (nut[name] or "NUMBER") if name in nut else ""
        yield Finding(recording.path.stem, Kind.SETTABLE, name, theirs, ours.get(name, ""))


def _type(value: Value) -> str:
    if not value.string:
        return "NUMBER"
    return f"STRING {value.length}" if value.length else "STRING"


def _words(recording: Recording, seen: Seen) -> Iterator[Finding]:
    nut = recording.content["published"].get("enum", {})
    ours = {name: list(value.enum) for name, value in seen.view.variables.items() if value.enum}
    for name in sorted(nut.keys() | ours.keys()):
        theirs, own = ", ".join(nut.get(name, [])), ", ".join(ours.get(name, []))
        yield Finding(recording.path.stem, Kind.WORDS, name, theirs, own)


def _commands(recording: Recording, seen: Seen) -> Iterator[Finding]:
    nut = set(recording.content["published"].get("commands_listed", ()))
    for name in sorted(nut | seen.view.commands):
        theirs, own = (name if name in names else "" for names in (nut, seen.view.commands))
        kind = Kind.COMMAND_EXTRA if own else Kind.COMMAND_MISSING
        yield Finding(recording.path.stem, kind, name, theirs, own)


def score(paths: Iterable[Path], library: Library) -> dict[str, Counter[str]]:
    """Per family: answers that are the same, different by intent, missing, extra, or unexplained."""
    entries = differences()
    table: dict[str, Counter[str]] = {}
    for path in paths:
        recording = load(path)
        same, findings = compare(recording, read(recording, library))
        counts = table.setdefault(path.stem.split("-")[0], Counter())
        counts["same"] += same
        for finding in findings:
            explained = any(entry.explains(finding) for entry in entries)
            extra = finding.kind in (Kind.EXTRA, Kind.COMMAND_EXTRA)
            missing = finding.kind in (Kind.MISSING, Kind.COMMAND_MISSING)
            if explained:
                counts["extra" if extra else "by intent"] += 1
            else:
                counts["missing" if missing else "unexplained"] += 1
    return table


def main() -> int:
    """Print the table."""
    columns = ("same", "by intent", "missing", "extra", "unexplained")
    table = score(sorted(CORPUS.glob("*.toml")), Library())
    table["all"] = sum(table.values(), Counter())
    print(f"{'family':12}" + "".join(f"{column:>12}" for column in columns))
    for family, counts in table.items():
        print(f"{family:12}" + "".join(f"{counts[column]:12}" for column in columns))
    return 1 if table["all"]["missing"] or table["all"]["unexplained"] else 0


if __name__ == "__main__":
    sys.exit(main())
