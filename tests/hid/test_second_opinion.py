"""Recorded descriptors: every field's place, usage and value against hid-tools, and against what NUT saw."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hidtools.hid import HidReport, ReportDescriptor

from tests.hid.recordings import CORPUS, FIXTURES, Recording, load
from usbhidups.hid import report
from usbhidups.hid.descriptor import ReportType, parse
from usbhidups.hid.units import to_physical
from usbhidups.hid.usages import Names

RECORDINGS = [*load(FIXTURES)]
ELSEWHERE = [
    recording
    for recording in load(CORPUS)
    if recording.name not in {fixture.name for fixture in RECORDINGS}
]
ABSENT = pytest.param(None, id="corpus", marks=pytest.mark.skip(reason=f"{CORPUS} is not here"))
EVERY = pytest.mark.parametrize(
    "recording",
    [pytest.param(recording, id=recording.name) for recording in RECORDINGS + ELSEWHERE]
    + ([] if ELSEWHERE else [ABSENT]),
)


def reports_of(other: ReportDescriptor, report_type: ReportType) -> dict[int, HidReport]:
    """The reports of hid-tools by id; it has -1 where reports are not numbered."""
    by_type = {
        ReportType.INPUT: other.input_reports,
        ReportType.OUTPUT: other.output_reports,
        ReportType.FEATURE: other.feature_reports,
    }
    return {max(number, 0): found for number, found in by_type[report_type].items()}


@EVERY
def test_hid_tools_finds_the_same_bits(recording: Recording) -> None:
    descriptor = parse(recording.descriptor)
    other = ReportDescriptor.from_bytes(recording.descriptor)
    others = {
        (report_type, number): found
        for report_type in ReportType
        for number, found in reports_of(other, report_type).items()
    }
    shift = 8 if descriptor.numbered else 0  # hid-tools counts the id byte where there is one
    assert descriptor.report_bytes == {
        key: (found.bitsize - shift + 7) // 8 for key, found in others.items()
    }
    noise = random.Random(recording.name)
    for key, length in descriptor.report_bytes.items():
        data = bytes([key[1]]) + noise.randbytes(length)
        wire = list(data if descriptor.numbered else data[1:])
        expected = [
            (field.start - shift, field.size, field.usage, field.get_values(wire)[0])
            for field in others[key].fields
            if field.usage  # without it: padding
        ]
        fields = [
            field for field in descriptor.fields if (field.report_type, field.report_id) == key
        ]
        raw = [report.extract(field, data) for field in fields]
        assert [
            (field.offset, field.size, field.usage, report.logical(field, bits))
            for field, bits in zip(fields, raw, strict=True)
            if bits is not None
        ] == expected


@EVERY
def test_a_recorded_descriptor_is_whole(recording: Recording) -> None:
    descriptor = parse(recording.descriptor)
    assert descriptor.applications
    # Some firmware writes a maximum as -1; nothing else here is odd.
    assert all("is taken as" in oddity.text for oddity in descriptor.oddities)
    for field in descriptor.fields:
        assert Names().path(Names().text(field.path))[0] == field.path[0]


SEEN = [
    pytest.param(
        recording, seen, id=f"{recording.name}-{seen['type']}-{seen['report_id']}-{seen['path']}"
    )
    for recording in RECORDINGS + ELSEWHERE
    for seen in recording.seen
]


@pytest.mark.parametrize(("recording", "seen"), SEEN)
def test_what_nut_saw_is_found_with_the_same_value(
    recording: Recording, seen: dict[str, Any]
) -> None:
    """NUT's debug log of the real device: path, type, id, offset, size and physical value as ``%g`` prints it.

    One difference: where a descriptor has fewer usages than fields (051d-0002-apc-back-ups-bk650m2-ch leaves
    the count of its status bits in force for the rest), NUT gives the path to the first field only, and by
    the specification the last usage repeats. So the first of ours is the one that NUT saw.
    """
    field, *repeated = [
        field
        for field in parse(recording.descriptor).fields
        if field.path == Names().path(seen["path"])
        and field.report_type.name.title() == seen["type"]
        and field.report_id == int(seen["report_id"], 16)
    ]
    assert (field.offset, field.size) == (seen["offset"], seen["size"])
    assert [again.offset for again in repeated] == [
        field.offset + field.size * place for place in range(1, len(repeated) + 1)
    ]
    data = recording.reports.get((seen["type"].lower(), seen["report_id"]))
    raw = None if data is None else report.extract(field, data)
    if raw is not None:
        assert f"{to_physical(field, report.folded(field, raw)):g}" == seen["value"]
        assert f"{to_physical(field, report.logical(field, raw)):g}" == seen["value"]


def test_most_of_what_nut_saw_has_a_recorded_value() -> None:
    """So that the test above does not pass for want of reports."""
    with_value = [
        seen
        for recording in RECORDINGS
        for seen in recording.seen
        if (seen["type"].lower(), seen["report_id"]) in recording.reports
    ]
    assert len(with_value) > 60
