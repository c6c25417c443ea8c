"""A finding as JSON: the shape that other programs rely on (docs/probe-json.md).

Keys are added, never renamed, removed or given another type, as long as ``format`` stays 1.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any

from usbhidups.tools.probe.finding import FieldRow, Finding, Link

__all__ = ["FORMAT", "as_object", "dumps"]

FORMAT = 1

Object = dict[str, Any]


def dumps(findings: Iterable[Finding], *, indent: int | None = 1) -> str:
    """An array of objects, in ASCII, so that nothing a device says can upset a terminal; None: in one line."""
    return json.dumps([as_object(finding) for finding in findings], indent=indent)


def as_object(finding: Finding) -> Object:
    """One device."""
    profile = finding.profile
    problem = finding.problem
    return {
        "format": FORMAT,
        "device": _device(finding),
        "readable": finding.readable,
        "problem": problem
        and {
            "situation": problem.situation.value,
            "reason": problem.reason,
            "mend": problem.mend,
        },
        "other_driver": finding.other_driver or None,
        "profile": (profile.name or None) if profile else None,
        "profile_title": profile.title if profile else None,
        "profile_version": profile.version if profile else None,
        "profile_variant": (profile.variant or None) if profile else None,
        "profile_reason": profile.why if profile else None,
        "transport": finding.transport or None,
        "transport_reason": finding.why or None,
        "variables": {name: value.text for name, value in sorted(finding.variables.items())},
        "commands": list(finding.commands),
        "writable": sorted(finding.writable),
        "settings": {
            name: {
                "length": value.length or None,
                "enum": list(value.enum),
                "ranges": [list(pair) for pair in value.ranges],
            }
            for name, value in sorted(finding.variables.items())
            if value.writable
        },
        "fields": [_field(row) for row in finding.fields],
        "repairs": list(profile.repairs) if profile else [],
        "killpower": {"plan": list(finding.cut.plan), "refusal": finding.cut.refusal or None},
        "link": _link(finding.link),
        "warnings": [*finding.warnings, *finding.oddities],
    }


def _device(finding: Finding) -> Object:
    who = finding.identity
    return {
        "vendor_id": f"{who.vendor_id:04x}",
        "product_id": f"{who.product_id:04x}",
        "release": f"{who.release:04x}",
        "manufacturer": who.manufacturer,
        "product": who.product,
        "serial": who.serial,
        "port": who.port_path,
        "bus": who.bus,
        "address": who.address,
        "interface": who.interface,
    }


def _field(row: FieldRow) -> Object:
    field = row.field
    return {
        "path": row.path,
        "type": field.report_type.name.capitalize(),
        "report_id": field.report_id,
        "offset": field.offset,
        "size": field.size,
        "raw": row.raw,
        "value": _number(row.value),
        "unit": row.unit or None,
        "in_range": row.in_range,
        "logical_minimum": field.logical_minimum,
        "logical_maximum": field.logical_maximum,
        "feeds": list(row.feeds),
    }


def _number(value: float | None) -> int | float | None:
    """As JSON has it: whole numbers without a fraction, no infinities, no noise of binary fractions."""
    if value is None or not math.isfinite(value):
        return None
    if value == int(value):
        return int(value)
    return float(f"{value:.12g}")


def _link(link: Link) -> Object:
    slowest = link.slowest
    return {
        "transfers": len(link.transfers),
        "seconds": round(link.seconds, 3),
        "failed": {each.name: each.failure for each in link.failed},
        "slowest": slowest and {"report": slowest.name, "seconds": round(slowest.seconds, 3)},
    }
