"""Named repairs of report descriptors whose limits or exponents are wrong (vendor-quirks.md 0.5).

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

_EXPONENTS_OF_TENTHS = {0x00F0D121: 6, 0x0000F001: -1, 0x00100001: -1}  # volts count in 10^-7 V


@dataclass(frozen=True, slots=True)
class Repair:
    """One item that was changed: which fix, and the whole sentence for people."""

    fix: str
    text: str


Fix = Callable[[Sequence[Field]], Mapping[int, Field]]
"""From all fields of a descriptor, what some of them should be, by their position."""


def repaired(descriptor: Descriptor, fixes: Iterable[str]) -> tuple[Descriptor, tuple[Repair, ...]]:
    """The descriptor with the fixes applied in order, and what they changed."""
    repairs: list[Repair] = []
    names = Names()
    for fix in fixes:
        fields = list(descriptor.fields)
        for position, new in sorted(FIXES[fix](fields).items()):
            old = fields[position]
            if new == old:
                continue
            fields[position] = new
            where = f"{names.text(old.path)} ({old.report_type.name.lower()} report {old.report_id:#04x})"
            repair = Repair(fix, f"{where}: {_change(old, new)}")
            if repair not in repairs:  # one usage may stand for many fields
                repairs.append(repair)
        descriptor = replace(descriptor, fields=tuple(fields))
    return descriptor, tuple(repairs)


def _change(old: Field, new: Field) -> str:
    if new.exponent != old.exponent:
        return f"unit exponent {old.exponent} taken as {new.exponent}"
    was = f"{old.logical_minimum}..{old.logical_maximum}"
    return f"limits {was} taken as {new.logical_minimum}..{new.logical_maximum}"


def _apc_input_limits(fields: Sequence[Field]) -> dict[int, Field]:
    """Back-UPS: Input.Voltage has the limits of a nominal voltage, which may itself be cut (issue 1189)."""
    transfers = [fields[i].logical_maximum for i in _items(fields, 0x33, _HIGH_VOLTAGE_TRANSFER)]
    if not transfers:
        return {}
    highest = max(transfers)
    mended: dict[int, Field] = {}
    for i in _items(fields, 0x31, _VOLTAGE):
        if highest > fields[i].logical_maximum:
            mended[i] = _limited(fields[i], 0, 2 * highest)
    for i in _items(fields, 0x30, _CONFIG_VOLTAGE):
        if highest > fields[i].logical_maximum:
            mended[i] = _limited(fields[i], fields[i].logical_minimum, 255)
    return mended


def _cps_voltage_limits(fields: Sequence[Field]) -> dict[int, Field]:
    """Output.Voltage and Input.Voltage inherit the limits of HighVoltageTransfer (issues 439, 581, 1512).

    The transfer limit is in report 0x10 or 0x11 (issue 815); 511 V is what nine bits hold. Fields of two bytes
    with the limits of one (0..255 on a 230 V unit, CP1500EPFCLCD) would make 6 V of 262.
    """
    transfer = {
        (fields[i].logical_minimum, fields[i].logical_maximum)
        for report_id in (0x10, 0x11)
        for i in _items(fields, report_id, _HIGH_VOLTAGE_TRANSFER)
    }
    mended: dict[int, Field] = {}
    for report_id in (0x12, 0x0F):
        for i in _items(fields, report_id, _VOLTAGE):
            field = fields[i]
            if (field.logical_minimum, field.logical_maximum) in transfer:
                mended[i] = _limited(field, 0, _at_most(field, 511))
            elif field.logical_maximum < 511:
                mended[i] = _limited(field, field.logical_minimum, _at_most(field, 511))
    return mended


def _cps_nominal_power(fields: Sequence[Field]) -> dict[int, Field]:
    """ConfigActivePower is cut by a maximum below 2048 W (issue 2917)."""
    return {
        i: _limited(fields[i], fields[i].logical_minimum, _at_most(fields[i], 2048))
        for i in _items(fields, 0x18, _CONFIG_ACTIVE_POWER)
        if fields[i].logical_maximum < 2048
    }


def _limits_wider_than_field(fields: Sequence[Field]) -> dict[int, Field]:
    """A maximum that the field cannot hold was sent with its bytes reversed (27 FF FF FF FE; failure A07)."""
    return {
        i: _limited(field, field.logical_minimum, _largest(field))
        for i, field in enumerate(fields)
        if field.logical_minimum >= 0 and field.logical_maximum > _largest(field) and field.size > 1
    }


def _limits_of_a_byte(fields: Sequence[Field]) -> dict[int, Field]:
    """Fields of two bytes have the limits of the one-byte field before them.

    Minuteman PRO1500RT2U (NUT pull request 1848): ``19 57 02`` are 59.9 Hz, and 255 leaves 8.7 of it.
    """
    return {
        i: _limited(field, 0, _largest(field))
        for i, field in enumerate(fields)
        if (field.logical_minimum, field.logical_maximum) == (0, 0xFF) and field.size > 8
    }


def _exponent_of_tenths(fields: Sequence[Field]) -> dict[int, Field]:
    """Volts, hertz and amperes in tenths have 1 for exponent (the same device)."""
    return {
        i: field._replace(exponent=_EXPONENTS_OF_TENTHS[field.unit])
        for i, field in enumerate(fields)
        if field.exponent == 1 and field.unit in _EXPONENTS_OF_TENTHS
    }


def _limited(field: Field, minimum: int, maximum: int) -> Field:
    return field._replace(logical_minimum=minimum, logical_maximum=maximum)


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
        "exponent-of-tenths": _exponent_of_tenths,
        "limits-of-a-byte": _limits_of_a_byte,
        "limits-wider-than-field": _limits_wider_than_field,
    }
)
