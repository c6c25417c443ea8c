"""Evidence becomes variables and flag words: what is on the wire, in NUT's words.

Status is not decided here (``flags``, ``status``), nor is staleness: this module only says which words and
values the reports hold, with the time each was read. A value that cannot be true of its kind (a sentinel,
an invalid date) is left out rather than made up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo

from usbhidups.hid.descriptor import Field, ReportType
from usbhidups.identity import Identity
from usbhidups.ups import convert
from usbhidups.ups.evidence import Evidence, Reading
from usbhidups.ups.mapping import Binding, BoundCondition, BoundFlag, BoundVariable
from usbhidups.ups.options import Options
from usbhidups.ups.profile import VariableRow
from usbhidups.ups.snapshot import Value
from usbhidups.ups.status.flags import FlagReport

__all__ = ["Context", "Decoded", "Source", "access", "decode", "holds"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What decoding needs beside the reports.

    ``strings`` are the USB strings by index, as far as they were fetched (an index that could not be
    read maps to ""). ``zone`` is the time zone of dates that the device keeps as a clock. ``family`` is
    the model family that ``naming`` found. ``settings`` are the values of the driver's own variables
    (ups.delay.shutdown, outlet.desc …) where they differ from the profile's default. ``memory`` is what
    the decoding before this one returned: scales that are decided once.
    """

    identity: Identity
    options: Options = field(default_factory=Options)
    strings: Mapping[int, str] = field(default_factory=dict)
    zone: tzinfo = UTC
    family: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    memory: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a variable came from; ``reading`` is None for a value of the driver's own."""

    bound: BoundVariable
    reading: Reading | None


@dataclass(frozen=True, slots=True)
class Decoded:
    """Everything that the reports say, in the profile's order.

    ``alarms`` are the texts that alarm rows raise now. ``wanted`` are string indexes that values ask
    for and ``Context.strings`` does not have. ``memory`` belongs into the next call's context. ``repairs``
    say in words which values were put right.
    """

    variables: Mapping[str, Value]
    sources: Mapping[str, Source]
    opinions: tuple[FlagReport, ...]
    alarms: tuple[str, ...]
    wanted: frozenset[int]
    memory: Mapping[str, float]
    repairs: tuple[str, ...] = ()


def decode(binding: Binding, evidence: Evidence, context: Context) -> Decoded:
    """Say what the reports of ``evidence`` mean by the rows of ``binding``."""
    decoder = _Decoder(binding, evidence, context)
    variables: dict[str, Value] = {}
    for name in decoder.names():
        value = decoder.value(name)
        if value is not None:
            variables[name] = value
    opinions, alarms = decoder.flags()
    return Decoded(
        variables=variables,
        sources=decoder.sources,
        opinions=opinions,
        alarms=alarms,
        wanted=frozenset(decoder.wanted),
        memory=decoder.memory,
        repairs=tuple(decoder.repairs),
    )


def access(binding: Binding, evidence: Evidence, context: Context) -> convert.Access:
    """What a write conversion may ask of the present state."""
    return _Decoder(binding, evidence, context)


def holds(when: BoundCondition | None, evidence: Evidence, context: Context) -> bool:
    """Whether a row's condition is met now."""
    if when is None:
        return True
    condition = when.condition
    if condition.families and context.family not in condition.families:
        return False
    if condition.option and not getattr(context.options, condition.option):
        return False
    if not condition.path:
        return True
    reading = None
    if when.field is not None:
        reading = evidence.reading(when.field, when.counterpart)
    listed = reading is not None and reading.logical in condition.values
    return listed is not condition.negated


class _Decoder:
    """One decoding. Values may ask for other values (``convert.Access``); each is worked out once."""

    def __init__(self, binding: Binding, evidence: Evidence, context: Context) -> None:
        self._binding = binding
        self._evidence = evidence
        self._context = context
        self._rows: dict[str, list[BoundVariable]] = {}
        for bound in binding.variables:
            self._rows.setdefault(bound.row.name, []).append(bound)
        self._values: dict[str, Value | None] = {}
        self.sources: dict[str, Source] = {}
        self.wanted: set[int] = set()
        self.repairs: list[str] = []
        self.memory: dict[str, float] = dict(context.memory)

    # What conversions may ask (convert.Access)

    @property
    def zone(self) -> tzinfo:
        """The time zone of the device's clock."""
        return self._context.zone

    @property
    def options(self) -> Options:
        """The administrator's options."""
        return self._context.options

    def string(self, index: int) -> str | None:
        """The USB string of an index; None while it was not fetched (it is then wanted)."""
        text = self._context.strings.get(index)
        if text is None:
            self.wanted.add(index)
        return text

    def report(self, field: Field) -> bytes | None:
        """The newest report that a field belongs to, id byte first."""
        got = self._evidence.report(field.report_type, field.report_id)
        return None if got is None else got.data

    def sibling(self, field: Field, usage: int) -> Reading | None:
        """The reading of another usage in the collection that a field lies in."""
        path = (*field.path[:-1], usage)
        readings = (
            self._evidence.reading(other)
            for other in self._binding.descriptor.fields
            if other.path == path
        )
        return next((reading for reading in readings if reading is not None), None)

    def note(self, words: str) -> None:
        """Tell people that a value was repaired."""
        self.repairs.append(words)

    def text(self, name: str) -> str | None:
        """Another variable as it is published; an override of the administrator's goes first."""
        given = self._context.options.overrides.get(name)
        if given is not None:
            return given
        value = self.value(name)
        return None if value is None else value.text

    def number(self, name: str) -> float | None:
        """Another variable as a number; None where it is not there or is none."""
        text = self.text(name)
        try:
            return None if text is None else float(text)
        except ValueError:
            return None

    # The work

    def names(self) -> list[str]:
        """The variables that the binding has rows for, in the profile's order."""
        return list(self._rows)

    def value(self, name: str) -> Value | None:
        """One variable, from the first of its rows that is usable."""
        if name not in self._values:
            self._values[name] = None  # what a value that asks for itself gets
            self._values[name] = self._first_usable(name)
        return self._values[name]

    def _first_usable(self, name: str) -> Value | None:
        for bound in self._rows.get(name, ()):
            if not holds(bound.when, self._evidence, self._context):
                continue
            row = bound.row
            if row.default is not None:
                self.sources[name] = Source(bound, None)
                return _published(row, self._context.settings.get(name, row.default), None)
            reading = self._evidence.reading(bound.field, bound.counterpart)
            if reading is None:
                if self._may_still_come(bound):
                    return None
                continue
            text = convert.text(row, reading, self)
            if text is not None:
                self.sources[name] = Source(bound, reading)
                return _published(row, text, reading.at)
        return None

    def _may_still_come(self, bound: BoundVariable) -> bool:
        """Whether a better source was not asked yet: a value must not jump between two sources."""
        return bound.field.report_type is ReportType.FEATURE and not self._evidence.refused(
            bound.field
        )

    def flags(self) -> tuple[tuple[FlagReport, ...], tuple[str, ...]]:
        """What flag rows say, and the texts that alarm rows raise."""
        opinions: list[FlagReport] = []
        alarms: list[str] = []
        for bound in self._binding.flags:
            opinion = self._opinion(bound)
            if opinion is None:
                continue
            if bound.row.alarm:
                alarms.extend(opinion.words)
            else:
                opinions.append(opinion)
        return tuple(opinions), tuple(alarms)

    def _opinion(self, bound: BoundFlag) -> FlagReport | None:
        if not holds(bound.when, self._evidence, self._context):
            return None
        reading = self._evidence.reading(bound.field, bound.counterpart)
        if reading is None:
            return None
        row = bound.row
        word = row.table.get(convert.masked(reading.logical, row.mask), row.otherwise)
        return FlagReport(row.path, (word,), reading.at) if word else None


def _published(row: VariableRow, text: str, at: float | None) -> Value:
    return Value(
        text=text,
        at=at,
        writable=row.writable,
        string=row.string,
        length=row.length,
        enum=convert.choices(row, text),
        ranges=row.ranges,
    )
