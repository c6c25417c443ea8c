"""Every fixture of the project says what must come out; it comes out, exactly."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.replay.drive import Recording, Seen, load, read
from tests.replay.parity import OWN
from usbhidups.hid import report
from usbhidups.hid.descriptor import ReportType, parse
from usbhidups.hid.usages import Names
from usbhidups.ups.convert import READERS
from usbhidups.ups.evidence import Evidence
from usbhidups.ups.fixes import FIXES
from usbhidups.ups.loading.library import Library

FIXTURES = Path(__file__).parents[2] / "fixtures" / "hid-descriptors"
PATHS = sorted(FIXTURES.glob("*.toml"))

WATCHED = [path for path in PATHS if "[seen]" in path.read_text(encoding="utf-8")]
"""Recordings that another program's log came with."""

STRANGE = {
    "04d8-d005-wallecube-w150-openups": "the profile knows that its BatteryPresent is never set",
    "3746-ffff-ecoflow": "the profile knows that its run time is in minutes",
}
"""Devices whose status or run time only their profile can tell, and why."""


@pytest.fixture(scope="module")
def library() -> Library:
    return Library()


@pytest.fixture(scope="module")
def everything(library: Library) -> dict[str, tuple[Recording, Seen]]:
    devices = {path.stem: load(path) for path in PATHS}
    return {name: (device, read(device, library)) for name, device in devices.items()}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_what_is_expected_comes_out(
    path: Path, everything: dict[str, tuple[Recording, Seen]]
) -> None:
    recording, seen = everything[path.stem]
    published = {name: text for name, text in seen.texts.items() if name not in OWN}
    assert published == recording.content["expected"]["variables"]


@pytest.mark.parametrize(
    "path",
    [path for path in PATHS if not path.stem.startswith(tuple(STRANGE))],
    ids=lambda path: path.stem,
)
def test_a_maker_that_nobody_knows_works_at_once(path: Path, library: Library) -> None:
    """Charge, run time, status and load of a device whose ids occur nowhere."""
    recording = load(path)
    expected = recording.content["expected"]["variables"]
    stranger = replace(recording.identity, vendor_id=0x1234, product_id=0x5678)
    texts = read(replace(recording, identity=stranger), library).texts
    for name in ("battery.charge", "battery.runtime", "ups.status"):
        assert texts.get(name) == expected.get(name)
    assert ("ups.load" in texts) == ("ups.load" in expected)
    if "ups.load" in expected:
        assert float(texts["ups.load"]) == pytest.approx(float(expected["ups.load"]), abs=0.5)


@pytest.mark.parametrize("path", WATCHED, ids=lambda path: path.stem)
def test_fields_are_where_another_program_saw_them(
    path: Path, everything: dict[str, tuple[Recording, Seen]]
) -> None:
    """[seen] is what NUT's debug log decoded from the same reports: place and value."""
    recording, seen = everything[path.stem]
    paths = recording.content["seen"]["paths"]
    descriptor = parse(recording.descriptor)
    names = Names(seen.ups.profile.usages)
    evidence = Evidence(descriptor)
    for report_type, answers in (
        (ReportType.FEATURE, recording.feature),
        (ReportType.INPUT, recording.input),
    ):
        for data in answers.values():
            evidence.feed(report_type, data, 0.0)
    for item in paths:
        field = next(
            field
            for field in descriptor.fields
            if field.path == names.path(item["path"])
            and field.report_type.name.lower() == item["type"].lower()
            and field.report_id == int(item["report_id"], 16)
            and (field.offset, field.size) == (item["offset"], item["size"])
        )
        reading = evidence.reading(field)
        if reading is not None:
            assert reading.physical == pytest.approx(float(item["value"]), rel=1e-4)


def test_every_conversion_is_seen_on_some_fixture(
    everything: dict[str, tuple[Recording, Seen]],
) -> None:
    used = set()
    for _, seen in everything.values():
        used |= {bound.row.convert for bound in seen.ups.binding.variables}
    assert set(READERS) - used == set()


def test_every_fix_repairs_some_fixture(everything: dict[str, tuple[Recording, Seen]]) -> None:
    assert {repair.fix for _, seen in everything.values() for repair in seen.repairs} == set(FIXES)


def test_the_output_voltage_of_issue_439_is_not_clamped(
    everything: dict[str, tuple[Recording, Seen]],
) -> None:
    recording, seen = everything["0764-0501-cyberpower-cp1500epfclcd"]
    field = seen.ups.binding.field("UPS.Output.Voltage")
    assert field is not None
    assert report.extract(field, recording.feature[0x12]) == 0xEE
    assert seen.texts["output.voltage"] == "238.0"
