"""Named repairs of report descriptors whose limits are wrong (vendor-quirks.md 0.5).

A profile names the fixes that its firmware family needs; ``disable_fix_report_desc`` leaves them out.
Values are never clamped anyway (``evidence``), but limits that are too small make bits look like junk.
Every item that a rule fits is repaired, not only the first of a report as in NUT.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from usbhidups.hid.descriptor import Descriptor, Field
from usbhidups.hid.usages import Names

__all__ = ["FIXES", "Repair", "repaired"]

_VOLTAGE = 0x00840030
_CONFIG_VOLTAGE = 0x00840040
_CONFIG_ACTIVE_POWER = 0x00840044
_HIGH_VOLTAGE_TRANSFER = 0x00840054


@dataclass(frozen=True, slots=True)
class Repair:
    """One limit that was changed: which fix, and the whole sentence for people."""

    fix: str
    text: str


Limits = tuple[int, int]
Fix = Callable[[Sequence[Field]], Mapping[int, Limits]]
"""From all fields of a descriptor, the new limits of some of them by their position."""


def repaired(descriptor: Descriptor, fixes: Iterable[str]) -> tuple[Descriptor, tuple[Repair, ...]]:
    """The descriptor with the fixes applied in order, and what they changed."""
    repairs: list[Repair] = []
    names = Names()
    for fix in fixes:
        fields = list(descriptor.fields)
        for position, (minimum, maximum) in sorted(FIXES[fix](fields).items()):
            old = fields[position]
            if (old.logical_minimum, old.logical_maximum) == (minimum, maximum):
                continue
            fields[position] = old._replace(logical_minimum=minimum, logical_maximum=maximum)
            where = f"{names.text(old.path)} ({old.report_type.name.lower()} report {old.report_id:#04x})"
            was = f"{old.logical_minimum}..{old.logical_maximum}"
            repair = Repair(fix, f"{where}: limits {was} taken as {minimum}..{maximum}")
            if repair not in repairs:  # one usage may stand for many fields
                repairs.append(repair)
        descriptor = replace(descriptor, fields=tuple(fields))
    return descriptor, tuple(repairs)


def _apc_input_limits(fields: Sequence[Field]) -> dict[int, Limits]:
    """Back-UPS: Input.Voltage has the limits of a nominal voltage, which may itself be cut (issue 1189)."""
    transfers = [fields[i].logical_maximum for i in _items(fields, 0x33, _HIGH_VOLTAGE_TRANSFER)]
    if not transfers:
        return {}
    highest = max(transfers)
    limits: dict[int, Limits] = {}
    for i in _items(fields, 0x31, _VOLTAGE):
        if highest > fields[i].logical_maximum:
            limits[i] = (0, 2 * highest)
    for i in _items(fields, 0x30, _CONFIG_VOLTAGE):
        if highest > fields[i].logical_maximum:
            limits[i] = (fields[i].logical_minimum, 255)
    return limits


def _cps_voltage_limits(fields: Sequence[Field]) -> dict[int, Limits]:
    """Output.Voltage and Input.Voltage inherit the limits of HighVoltageTransfer (issues 439, 581, 1512).

    The transfer limit is in report 0x10 or 0x11 (issue 815); 511 V is what nine bits hold.
    """
    transfer = {
        (fields[i].logical_minimum, fields[i].logical_maximum)
        for report_id in (0x10, 0x11)
        for i in _items(fields, report_id, _HIGH_VOLTAGE_TRANSFER)
    }
    limits: dict[int, Limits] = {}
    for report_id in (0x12, 0x0F):
        for i in _items(fields, report_id, _VOLTAGE):
            field = fields[i]
            if (field.logical_minimum, field.logical_maximum) in transfer:
                limits[i] = (0, _at_most(field, 511))
            elif field.assumed_maximum and field.logical_maximum < 511:
                limits[i] = (field.logical_minimum, _at_most(field, 511))
    return limits


def _cps_nominal_power(fields: Sequence[Field]) -> dict[int, Limits]:
    """ConfigActivePower is cut by a maximum below 2048 W (issue 2917)."""
    return {
        i: (fields[i].logical_minimum, _at_most(fields[i], 2048))
        for i in _items(fields, 0x18, _CONFIG_ACTIVE_POWER)
        if fields[i].logical_maximum < 2048
    }


def _limits_wider_than_field(fields: Sequence[Field]) -> dict[int, Limits]:
    """A maximum that the field cannot hold was sent with its bytes reversed (27 FF FF FF FE; failure A07)."""
    return {
        i: (field.logical_minimum, _largest(field))
        for i, field in enumerate(fields)
        if field.logical_minimum >= 0 and field.logical_maximum > _largest(field) and field.size > 1
    }


def _items(fields: Sequence[Field], report_id: int, usage: int) -> Iterator[int]:
    return (
        i for i, field in enumerate(fields) if field.report_id == report_id and field.usage == usage
    )


def _largest(field: Field) -> int:
    return (1 << field.size) - 1


def _at_most(field: Field, maximum: int) -> int:
    return max(field.logical_maximum, min(maximum, _largest(field)))


FIXES: Mapping[str, Fix] = MappingProxyType(
    {
        "apc-input-limits": _apc_input_limits,
        "cps-voltage-limits": _cps_voltage_limits,
        "cps-nominal-power": _cps_nominal_power,
        "limits-wider-than-field": _limits_wider_than_field,
    }
)
