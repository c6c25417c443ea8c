"""Which field of this device feeds which row of its profile: the binding.

Paths match exactly (NUT matches prefixes: differences-from-nut.md). Feature items are preferred; the Input
item of the same path is the counterpart that brings events, and the source where there is no Feature item.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from usbhidups.hid.descriptor import Descriptor, Field, ReportType
from usbhidups.hid.usages import Names
from usbhidups.ups.profile import CommandRow, Condition, FlagRow, Profile, VariableRow

__all__ = [
    "Binding",
    "BoundCommand",
    "BoundCondition",
    "BoundFlag",
    "BoundVariable",
    "bind",
]


_CONSTANT = 1  # data bit of an item: for an Input item it says nothing of writing
_UNDECLARED_BYTES = (
    7  # of a report that no descriptor tells the length of: one 8-byte packet with its id
)


@dataclass(frozen=True, slots=True)
class BoundCondition:
    """A row's condition and the field it looks at; ``field`` is None where the device has no such path."""

    condition: Condition
    field: Field | None = None
    counterpart: Field | None = None


@dataclass(frozen=True, slots=True)
class BoundVariable:
    """A variable row and the field that feeds it; ``counterpart`` is the same path as an Input item, if any."""

    row: VariableRow
    field: Field
    counterpart: Field | None = None
    when: BoundCondition | None = None


@dataclass(frozen=True, slots=True)
class BoundFlag:
    """A flag row and the field that feeds it; ``counterpart`` as above."""

    row: FlagRow
    field: Field
    counterpart: Field | None = None
    when: BoundCondition | None = None


@dataclass(frozen=True, slots=True)
class BoundCommand:
    """A command row and the Feature field it writes."""

    row: CommandRow
    field: Field
    when: BoundCondition | None = None


@dataclass(frozen=True, slots=True)
class Binding:
    """All that a profile finds on one device, in the profile's order.

    ``descriptor`` has the reports that the profile reads without their being declared.
    ``variables`` keeps every row whose path exists: rows of one name stand together, the first usable
    one wins. ``commands`` holds the first row of each name. ``writable`` rows are fed by Feature fields.
    """

    profile: Profile
    descriptor: Descriptor
    variables: tuple[BoundVariable, ...]
    flags: tuple[BoundFlag, ...]
    commands: tuple[BoundCommand, ...]

    def alternatives(self, name: str) -> Iterator[BoundVariable]:
        """The rows of one variable, best first."""
        return (bound for bound in self.variables if bound.row.name == name)

    def command(self, name: str) -> BoundCommand | None:
        """The row of one command, None where the device has none."""
        return next((bound for bound in self.commands if bound.row.name == name), None)

    def field(self, path: str) -> Field | None:
        """The field of a path written as in the profile, None where the device has none."""
        return _Fields(self.descriptor, self.profile).find(path)[0]


class _Fields:
    """The fields of a descriptor by path; the first item of a path owns it."""

    def __init__(self, descriptor: Descriptor, profile: Profile) -> None:
        self._names = Names(profile.usages)
        self._feature: dict[tuple[int, ...], Field] = {}
        self._input: dict[tuple[int, ...], Field] = {}
        self._use_feature = profile.pacing.use_feature
        never = frozenset(profile.pacing.never_read)
        for field in descriptor.fields:
            if field.report_type is ReportType.FEATURE:
                if field.report_id not in never:
                    self._feature.setdefault(field.path, field)
            elif field.report_type is ReportType.INPUT:
                self._input.setdefault(field.path, field)

    def find(self, path: str) -> tuple[Field | None, Field | None]:
        """The field of a path and its Input counterpart."""
        nodes = self._names.path(path)
        feature = self._feature.get(nodes) if self._use_feature else None
        event = self._input.get(nodes)
        return (event, None) if feature is None else (feature, event)

    def to_write(self, path: str) -> Field | None:
        """The Feature field of a path; on interrupt-only devices an Input item stands in for it."""
        nodes = self._names.path(path)
        field = self._feature.get(nodes)
        if field is None and not self._use_feature and nodes in self._input:
            item = self._input[nodes]
            return item._replace(report_type=ReportType.FEATURE, flags=item.flags & ~_CONSTANT)
        return field


def bind(profile: Profile, descriptor: Descriptor) -> Binding:
    """Find the profile's paths on a device; what the device lacks is left out."""
    fields = _Fields(descriptor, profile)
    return Binding(
        profile=profile,
        descriptor=_with_undeclared(descriptor, profile.variables),
        variables=tuple(_variables(profile.variables, fields)),
        flags=tuple(_flags(profile.flags, fields)),
        commands=tuple(_commands(profile.commands, fields)),
    )


def _with_undeclared(descriptor: Descriptor, rows: tuple[VariableRow, ...]) -> Descriptor:
    """The descriptor with the reports that only the profile knows of."""
    lengths = dict(descriptor.report_bytes)
    for row in rows:
        if row.report is not None:
            lengths.setdefault((ReportType.FEATURE, row.report), _UNDECLARED_BYTES)
    return replace(descriptor, report_bytes=lengths)


def _first_byte(field: Field, report_id: int) -> Field:
    """A made-up field for a report that is read as bytes; it keeps the path that the row stands for."""
    return field._replace(
        report_type=ReportType.FEATURE,
        report_id=report_id,
        offset=0,
        size=8,
        logical_minimum=0,
        logical_maximum=255,
        physical_minimum=None,
        physical_maximum=None,
        unit=0,
        exponent=0,
    )


def _variables(rows: tuple[VariableRow, ...], fields: _Fields) -> Iterator[BoundVariable]:
    for row in rows:
        field, counterpart = fields.find(row.path)
        possible, when = _condition(row.when, fields)
        if field is None or not possible:
            continue
        if row.report is not None:
            yield BoundVariable(row, _first_byte(field, row.report), None, when)
        else:
            yield BoundVariable(row, field, counterpart, when)


def _flags(rows: tuple[FlagRow, ...], fields: _Fields) -> Iterator[BoundFlag]:
    for row in rows:
        field, counterpart = fields.find(row.path)
        possible, when = _condition(row.when, fields)
        if field is not None and possible:
            yield BoundFlag(row, field, counterpart, when)


def _commands(rows: tuple[CommandRow, ...], fields: _Fields) -> Iterator[BoundCommand]:
    taken: set[str] = set()
    for row in rows:
        field = fields.to_write(row.path)
        possible, when = _condition(row.when, fields)
        if field is not None and possible and row.name not in taken:
            taken.add(row.name)
            yield BoundCommand(row, field, when)


def _condition(condition: Condition | None, fields: _Fields) -> tuple[bool, BoundCondition | None]:
    """Whether the row can ever count on this device, and what has to be looked at each time."""
    if condition is None:
        return True, None
    if condition.lacks and fields.find(condition.lacks)[0] is not None:
        return False, None
    field, counterpart = fields.find(condition.path) if condition.path else (None, None)
    if condition.path and field is None and not condition.negated:
        return False, None
    return True, BoundCondition(condition, field, counterpart)
