"""Which reports a binding needs, and how urgently: one transfer per report, never one per usage.

Ranks only, no clock (``schedule`` has that). A variable's further rows are wanted only after its better rows
have been tried and gave nothing.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from usbhidups.hid.descriptor import Field, ReportType
from usbhidups.ups.mapping import Binding, BoundFlag, BoundVariable
from usbhidups.ups.plan import ReadRequest
from usbhidups.ups.profile import FlagRow, Poll

__all__ = [
    "Key",
    "Rank",
    "Wanted",
    "coverage",
    "key_of",
    "name_fields",
    "proof_keys",
    "request",
    "wanted",
]

Key = tuple[ReportType, int]
"""A report: its type and id."""

_MAINS_WORDS = frozenset({"online", "offline"})
_BATTERY_WORDS = frozenset({"dischrg", "chrg"})
_SLOW_FLAGS = frozenset({"vrange", "frange", "ecomode", "essmode", "normal"})


class Rank(enum.IntEnum):
    """How urgent a report is; smaller comes first."""

    MAINS = 0  # says whether the mains are there
    STATUS = 1  # other flags of ups.status and ups.alarm
    QUICK = 2  # values that count down or change with the status
    VALUE = 3  # what is measured
    SETTING = 4  # what a person may change
    CONSTANT = 5  # what does not change


_RANK_OF_POLL = {
    Poll.STATUS: Rank.QUICK,
    Poll.VALUE: Rank.VALUE,
    Poll.SETTING: Rank.SETTING,
    Poll.CONSTANT: Rank.CONSTANT,
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """One report that is needed, and the Input report that brings the same content by itself, if any."""

    request: ReadRequest
    rank: Rank
    announced_by: Key | None = None

    @property
    def key(self) -> Key:
        """The report."""
        return (self.request.report_type, self.request.report_id)


def key_of(field: Field) -> Key:
    """The report that a field is in."""
    return (field.report_type, field.report_id)


def request(binding: Binding, key: Key) -> ReadRequest:
    """How to ask for a report: its declared size and the id byte, enlarged where the profile says so."""
    size = binding.descriptor.report_bytes.get(key, 0) + 1
    if key[1] in binding.profile.pacing.oversize:
        size = max(size, OVERSIZE)
    return ReadRequest(key[0], key[1], size)


OVERSIZE = 8
"""Bytes asked for where a firmware wants a larger request (NUT's maxreport, nut-driver-contract.md 2.4)."""


def proof_keys(binding: Binding) -> frozenset[Key]:
    """The reports that say whether the mains are there, Input counterparts included.

    Where no row says so directly, those that say whether the battery is discharged or charged.
    """
    for words in (_MAINS_WORDS, _BATTERY_WORDS):
        keys = frozenset(
            key_of(field)
            for bound in binding.flags
            if not bound.row.alarm and _words(bound.row) & words
            for field in (bound.field, bound.counterpart)
            if field is not None
        )
        if keys:
            return keys
    return frozenset()


def name_fields(binding: Binding) -> tuple[Field, ...]:
    """The fields that the device's name is made from, read once."""
    rules = binding.profile.identification
    found = [binding.field(path) for path in (rules.model_path, rules.model_fallback_path) if path]
    return tuple(field for field in found if field is not None)


def coverage(binding: Binding) -> Mapping[Key, Key]:
    """For each report whose every bound flag has a counterpart in one Input report: that Input report."""
    counterparts: dict[Key, set[Key | None]] = {}
    for bound in binding.flags:
        counterpart = key_of(bound.counterpart) if bound.counterpart is not None else None
        if bound.field.report_type is ReportType.INPUT:
            counterpart = key_of(bound.field)
        counterparts.setdefault(key_of(bound.field), set()).add(counterpart)
    return {
        key: next(iter(inputs))  # type: ignore[misc]  # the only member, and not None
        for key, inputs in counterparts.items()
        if len(inputs) == 1 and None not in inputs
    }


def wanted(
    binding: Binding,
    *,
    tried: Callable[[Key], bool],
    works: Callable[[Key], bool],
    supplied: Mapping[str, BoundVariable],
    covered: Mapping[Key, Key],
    also: Iterable[Field] = (),
) -> tuple[Wanted, ...]:
    """The reports to be read, most urgent first.

    ``tried`` tells whether a report was answered or refused already, ``works`` whether it was answered
    (or not tried yet); ``supplied`` is the row that gives each variable its value now. ``also`` are
    fields to be read once beside the rows'.
    """
    ranks: dict[Key, Rank] = {}

    def want(fields: Iterable[Field | None], rank: Rank) -> None:
        for field in fields:
            if field is not None:
                key = key_of(field)
                ranks[key] = min(rank, ranks.get(key, rank))

    for flag in binding.flags:
        rank = _rank_of_flag(flag.row)
        want((flag.field, _condition_field(flag)), rank)
    names = dict.fromkeys(bound.row.name for bound in binding.variables)
    by_name: dict[str, list[BoundVariable]] = {name: [] for name in names}
    for variable in binding.variables:
        by_name[variable.row.name].append(variable)
    for name, rows in by_name.items():
        for variable in rows:
            if variable.row.default is not None:
                if variable.when is None:
                    break
                continue
            rank = _RANK_OF_POLL[variable.row.poll]
            want((variable.field, _condition_field(variable)), rank)
            if supplied.get(name) is variable or not tried(key_of(variable.field)):
                break
    want(also, Rank.CONSTANT)
    _keep_one_first(binding, ranks, works)
    return tuple(
        Wanted(request(binding, key), rank, covered.get(key))
        for key, rank in sorted(ranks.items(), key=lambda item: item[1])
    )


def _keep_one_first(binding: Binding, ranks: dict[Key, Rank], works: Callable[[Key], bool]) -> None:
    """Leave one report in the first rank: the one that says most. Those that say nothing else are read with
    the countdowns, and all of them at once when it changes."""
    says: dict[Key, tuple[bool, int]] = {}
    words: dict[Key, set[str]] = {}
    for flag in binding.flags:
        key = key_of(flag.field)
        direct, count = says.get(key, (False, 0))
        says[key] = (direct or bool(_words(flag.row) & _MAINS_WORDS), count + 1)
        words.setdefault(key, set()).update(_words(flag.row))
    first = [key for key, rank in ranks.items() if rank is Rank.MAINS]
    if not first:
        return
    best = max(first, key=lambda key: (works(key), *says.get(key, (False, 0))))
    for key in first:
        if key != best:
            copy = key in words and words[key] <= words.get(best, set())
            ranks[key] = Rank.QUICK if copy else Rank.STATUS


def _condition_field(bound: BoundFlag | BoundVariable) -> Field | None:
    return bound.when.field if bound.when is not None else None


def _rank_of_flag(row: FlagRow) -> Rank:
    words = _words(row)
    if not row.alarm and words & (_MAINS_WORDS | {"dischrg"}):
        return Rank.MAINS
    if row.alarm or words <= _SLOW_FLAGS:
        return Rank.QUICK
    return Rank.STATUS


def _words(row: FlagRow) -> set[str]:
    return {word.removeprefix("!") for word in (*row.table.values(), row.otherwise) if word}
