"""The fields of a device with what they hold and what reads them: the long list of ``probe --all``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from usbhidups.hid.descriptor import Descriptor, Field, ReportType
from usbhidups.hid.usages import Names
from usbhidups.tools.probe.finding import FieldRow
from usbhidups.ups.evidence import Evidence
from usbhidups.ups.mapping import Binding

__all__ = ["field_rows", "unit_name"]

_UNITS = {
    0x00F0D121: "V",
    0x0000D121: "W",
    0x0000E121: "J",
    0x00100001: "A",
    0x00101001: "As",
    0x00001001: "s",
    0x00010001: "K",
    0x0000F001: "Hz",
}
"""Codes of the units that Power Devices use (HID 1.11 section 6.2.2.7)."""


def field_rows(
    descriptor: Descriptor,
    reports: Mapping[tuple[ReportType, int], bytes],
    *,
    names: Names | None = None,
    binding: Binding | None = None,
) -> tuple[FieldRow, ...]:
    """One row for each field in the descriptor's order; ``reports`` as read, id byte first."""
    names = names or Names()
    evidence = Evidence(descriptor)
    for (report_type, _), data in reports.items():
        evidence.feed(report_type, data, 0.0)
    feeds = _feeds(binding) if binding is not None else {}
    rows: list[FieldRow] = []
    for field in descriptor.fields:
        reading = evidence.reading(field)
        rows.append(
            FieldRow(
                path=names.text(field.path),
                field=field,
                raw=None if reading is None else reading.raw,
                value=None if reading is None else reading.physical,
                in_range=reading is None or reading.in_range,
                unit=unit_name(field),
                feeds=tuple(dict.fromkeys(feeds.get(field, ()))),
            )
        )
    return tuple(rows)


def unit_name(field: Field) -> str:
    """The unit's short name; its code where nobody gave it a name, "" where the field has none."""
    if not field.unit:
        return ""
    return _UNITS.get(field.unit, f"unit {field.unit:#x}")


def _feeds(binding: Binding) -> dict[Field, list[str]]:
    found: dict[Field, list[str]] = {}
    for field, name in _uses(binding):
        found.setdefault(field, []).append(name)
    return found


def _uses(binding: Binding) -> Iterator[tuple[Field, str]]:
    for variable in binding.variables:
        for field in (variable.field, variable.counterpart):
            if field is not None:
                yield field, variable.row.name
    for flag in binding.flags:
        for field in (flag.field, flag.counterpart):
            if field is not None:
                yield field, "ups.alarm" if flag.row.alarm else "ups.status"
    for command in binding.commands:
        yield command.field, f"{command.row.name}()"
