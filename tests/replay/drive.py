"""A recorded device read to the end: every report asked for is answered from the file, time is made up."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from usbhidups.errors import TransferKind
from usbhidups.hid.descriptor import ReportType, parse
from usbhidups.identity import Identity
from usbhidups.ups.device import Ups, attach
from usbhidups.ups.fixes import Repair, repaired
from usbhidups.ups.loading.choose import Choice, choose
from usbhidups.ups.loading.library import Library
from usbhidups.ups.naming import Models
from usbhidups.ups.options import Options
from usbhidups.ups.snapshot import Snapshot

__all__ = ["Recording", "Seen", "load", "read"]

SETTLED = 60.0
"""Seconds of made-up time after which everything was read and every doubt is settled."""


@dataclass(frozen=True)
class Recording:
    """What a fixture file says of a device: identity, descriptor, answers, and the rest as it stands."""

    path: Path
    identity: Identity
    descriptor: bytes
    feature: Mapping[int, bytes]
    input: Mapping[int, bytes]
    strings: Mapping[int, str]
    content: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Seen:
    """The device as it was understood."""

    choice: Choice
    repairs: tuple[Repair, ...]
    ups: Ups
    view: Snapshot

    @property
    def texts(self) -> dict[str, str]:
        """Published variables as plain text."""
        return {name: value.text for name, value in self.view.variables.items()}


def load(path: Path) -> Recording:
    """Read a fixture file, evidence sections included."""
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    device = content["device"]
    reports = content.get("reports", {})
    return Recording(
        path=path,
        identity=Identity(
            vendor_id=int(device["vendor_id"], 16),
            product_id=int(device["product_id"], 16),
            release=int(device.get("release", "0"), 16),
            manufacturer=device.get("manufacturer"),
            product=device.get("product"),
            serial=device.get("serial"),
            interface=device.get("interface", 0),
        ),
        descriptor=bytes.fromhex(content.get("report_descriptor", {}).get("hex", "")),
        feature=_answers(reports.get("feature", {})),
        input=_answers(reports.get("input", {})),
        strings={int(index): text for index, text in device.get("strings", {}).items()},
        content=content,
    )


def read(
    recording: Recording,
    library: Library,
    options: Options | None = None,
    *,
    until: float = SETTLED,
) -> Seen:
    """Let the driver's own reading side ask for what it wants, for some seconds of made-up time."""
    options = options or Options()
    descriptor = parse(recording.descriptor)
    choice = choose(library, recording.identity, descriptor)
    fixes = () if options.disable_fix_report_desc else choice.profile.fixes
    descriptor, repairs = repaired(descriptor, fixes)
    table = choice.profile.identification.models
    ups = attach(
        recording.identity,
        descriptor,
        choice.profile,
        options,
        models=Models(library, table) if table else None,
    )
    now = 0.0
    while now < until:
        if now == 0.0 or not choice.profile.pacing.use_feature:
            for data in recording.input.values():
                ups.got_report(ReportType.INPUT, data, now=now)
        for request in ups.reads_due(now):
            answer = recording.feature.get(request.report_id)
            if answer is None or request.report_type is not ReportType.FEATURE:
                ups.read_failed(request, TransferKind.STALL, now=now)
            else:
                ups.got_report(ReportType.FEATURE, answer, now=now)
        ups.view(now)
        for index in ups.strings_wanted():
            ups.got_string(index, recording.strings.get(index))
        now += max(0.25, min(ups.next_due(now), 1.0))
    return Seen(choice, repairs, ups, ups.view(now))


def _answers(reports: Mapping[str, str]) -> dict[int, bytes]:
    answers = {}
    for report_id, text in reports.items():
        if text not in {"stall", "timeout", "overflow", "empty"}:
            answers[int(report_id, 16)] = bytes.fromhex(text)
    return answers
