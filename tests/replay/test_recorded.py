"""Recorded devices beside what other programs saw of them; known defects and their right values.

The complete descriptors and their [seen] items are compared with hid-tools and NUT in
``tests/hid/test_second_opinion.py``, and what the fixtures publish in ``test_fixtures.py``. Here are the
recordings with a cut descriptor or none, and every published variable of all of them. ``recorded.toml`` says
why a value differs.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.replay.drive import Recording, load, read
from tests.replay.parity import OWN
from tests.replay.rebuild import TABLES, Item, from_published, from_seen, rebuilt
from usbhidups.hid.descriptor import Descriptor, Field, parse
from usbhidups.hid.usages import Names
from usbhidups.identity import Identity
from usbhidups.ups.evidence import Evidence
from usbhidups.ups.loading.choose import choose
from usbhidups.ups.loading.library import Library

DATA = tomllib.loads((Path(__file__).parent / "recorded.toml").read_text(encoding="utf-8"))
FIXTURES = Path(__file__).parents[2] / "fixtures" / "hid-descriptors"
CORPUS = Path(__file__).parents[3] / "shared" / "corpus"

RECORDINGS = {path.stem: load(path) for path in sorted(CORPUS.glob("*.toml"))}
PUBLISHED = [name for name, device in RECORDINGS.items() if "published" in device.content]
WITHOUT_WHOLE = [
    name
    for name, device in RECORDINGS.items()
    if not device.content.get("report_descriptor", {}).get("complete")
]
CUT = [name for name in WITHOUT_WHOLE if RECORDINGS[name].descriptor]
LOGGED = [name for name in WITHOUT_WHOLE if "seen" in RECORDINGS[name].content]

LAYOUTS = {entry["file"]: entry for entry in DATA["layout"]}

LIBRARY = Library()

WHO = ("ups.mfr", "ups.model", "ups.serial", "ups.vendorid", "ups.productid")
"""Parts of who a device is. They come from the bus, and not every recording has them in ``published``."""

needs_corpus = pytest.mark.skipif(not RECORDINGS, reason=f"no recordings at {CORPUS}")
"""The parameters below are empty without the corpus, which pytest shows as skipped tests as well."""


@needs_corpus
def test_the_corpus_is_whole() -> None:
    assert len(RECORDINGS) == 40


def names_of(recording: Recording, profile: str = "") -> Names:
    """The names that the log of a recording uses: those of its profile, or of another one."""
    if profile:
        return Names(LIBRARY.load(profile).usages)
    standard = Item("UPS.PowerSummary.PresentStatus.ACPresent", "Feature", 1, 0, 8, 1)
    stub = rebuilt(recording, [standard], Names())
    return Names(choose(LIBRARY, recording.identity, parse(stub.descriptor)).profile.usages)


# ---- What NUT's log shows, where the descriptor was not kept whole


def layout_of(name: str) -> tuple[Descriptor, Names]:
    """The descriptor by which a recording is read, and the names of its paths."""
    recording = RECORDINGS[name]
    entry = LAYOUTS.get(name)
    names = names_of(recording, entry.get("names", "") if entry else "")
    if entry is None:
        items = from_seen(recording.content["seen"]["paths"])
        return parse(rebuilt(recording, items, names).descriptor), names
    return parse(device(entry["of"]).descriptor), names


def device(name: str) -> Recording:
    """A fixture of the project, or a recording that is none."""
    path = FIXTURES / f"{name}.toml"
    return load(path) if path.exists() else RECORDINGS[name]


def field_of(descriptor: Descriptor, names: Names, entry: Mapping[str, Any]) -> Field | None:
    """The field in the place that the log shows, of the same path."""
    seen = (
        names.path(entry["path"]),
        entry["type"],
        int(entry["report_id"], 16),
        entry["offset"],
        entry["size"],
    )
    places = {
        (item.path, item.report_type.name.title(), item.report_id, item.offset, item.size): item
        for item in descriptor.fields
    }
    return places.get(seen)


@pytest.mark.parametrize("name", LOGGED)
def test_what_nut_saw_is_found_in_its_place(name: str) -> None:
    descriptor, names = layout_of(name)
    missing = {
        entry["path"]
        for entry in RECORDINGS[name].content["seen"]["paths"]
        if field_of(descriptor, names, entry) is None
    }
    assert missing == set(LAYOUTS.get(name, {}).get("elsewhere", ()))


def values_seen(name: str) -> list[tuple[str, str, str]]:
    """Path, value in NUT's log, and value here, of every item whose report was recorded."""
    recording = RECORDINGS[name]
    descriptor, names = layout_of(name)
    found = []
    for entry in recording.content["seen"]["paths"]:
        field = field_of(descriptor, names, entry)
        data = recording.feature.get(int(entry["report_id"], 16))
        if data is not None and field is not None and "value" in entry:
            evidence = Evidence(descriptor)
            evidence.feed(field.report_type, data, 0.0)
            reading = evidence.reading(field)
            ours = "" if reading is None else f"{reading.physical:g}"
            found.append((entry["path"], entry["value"], ours))
    return found


@needs_corpus
def test_recorded_bytes_have_the_values_that_nut_saw() -> None:
    seen = [(name, *value) for name in LOGGED for value in values_seen(name)]
    assert len(seen) > 50
    explained = [
        (entry["file"], entry["path"], entry["nut"], entry["ours"]) for entry in DATA["item"]
    ]
    assert sorted(value for value in seen if value[2] != value[3]) == sorted(explained)


@needs_corpus
def test_every_layout_is_used() -> None:
    assert set(LAYOUTS) <= set(LOGGED)


# ---- Descriptors of which a reader kept only the beginning


@pytest.mark.parametrize("name", CUT)
def test_the_usable_part_of_a_cut_descriptor_is_read(name: str) -> None:
    whole = RECORDINGS[name].descriptor
    fields = parse(whole).fields
    assert fields
    for length in range(len(whole) - 40, len(whole)):
        shorter = parse(whole[:length]).fields
        assert shorter == fields[: len(shorter)]


@needs_corpus
@pytest.mark.parametrize(
    ("name", "relative"),
    [
        ("051d-0002-apc-back-ups-rs-900mi", "051d-0002-apc-back-ups-rs-1000g"),
        ("051d-0002-apc-back-ups-xs-700u", "051d-0002-apc-back-ups-cs-750-rs"),
    ],
)
def test_a_cut_descriptor_begins_like_that_of_its_relative(name: str, relative: str) -> None:
    """Ranges of transfer voltages differ from unit to unit, places do not."""

    def places(recording: Recording) -> list[tuple[object, ...]]:
        fields = parse(recording.descriptor).fields
        return [
            (item.path, item.report_type, item.report_id, item.offset, item.size) for item in fields
        ]

    ours, others = places(RECORDINGS[name]), places(device(relative))
    assert len(ours) > 50
    assert ours == others[: len(ours)]


# ---- What was published


@dataclass(frozen=True)
class Finding:
    """A variable that differs; "" where one of the two has none."""

    file: str
    variable: str
    nut: str
    ours: str


def findings(name: str) -> list[Finding]:
    """Where a recording's published variables are not ours.

    A device without a descriptor is rebuilt from what was seen and published; then the variables that only we
    have say nothing, because what was not published could not be rebuilt.
    """
    recording = RECORDINGS[name]
    published = dict(recording.content["published"]["variables"])
    made_up: list[Item] = []
    if (FIXTURES / f"{name}.toml").exists():
        texts = read(device(name), LIBRARY).texts
    else:
        known = from_seen(recording.content.get("seen", {}).get("paths", ()))
        made_up, _ = from_published(recording.content["published"], known)
        again = rebuilt(recording, [*known, *made_up], names_of(recording))
        texts = read(again, LIBRARY).texts
    complete = recording.content["published"]["by"].startswith("NUT") and not made_up
    variables = published.keys() | (texts.keys() - {*OWN, *WHO} if complete else set())
    return [
        Finding(name, variable, published.get(variable, ""), texts.get(variable, ""))
        for variable in sorted(variables)
        if not variable.startswith(("driver.", "device."))
        and published.get(variable, "") != texts.get(variable, "")
    ]


@pytest.mark.skipif(not TABLES.exists(), reason=f"no tables at {TABLES}")
@pytest.mark.parametrize("name", PUBLISHED)
def test_what_was_published_is_ours_or_explained(name: str) -> None:
    explained = [
        Finding(entry["file"], entry["variable"], entry["nut"], entry["ours"])
        for entry in DATA["difference"]
        if entry["file"] == name
    ]
    by_variable = {finding.variable: finding for finding in explained}
    assert len(by_variable) == len(explained)
    assert {finding.variable: finding for finding in findings(name)} == by_variable


@needs_corpus
def test_every_difference_is_of_a_published_recording() -> None:
    assert {entry["file"] for entry in DATA["difference"]} <= set(PUBLISHED)
    assert all(entry["reason"] for kind in ("layout", "item", "difference") for entry in DATA[kind])


# ---- Known defects


def defective(entry: Mapping[str, Any]) -> Recording:
    """The device of a defect: a fixture with other answers, or one made of the items that matter."""
    reports = {data[0]: data for data in map(bytes.fromhex, entry.get("reports", ()))}
    if "device" in entry:
        recording = load(FIXTURES / f"{entry['device']}.toml")
        sent = {number: data for number, data in reports.items() if number in recording.input}
        return replace(
            recording, feature={**recording.feature, **reports}, input={**recording.input, **sent}
        )
    vendor, product = (int(number, 16) for number in entry["ids"].split(":"))
    identity = Identity(
        vendor_id=vendor, product_id=product, manufacturer=entry.get("manufacturer")
    )
    recording = Recording(Path(entry["title"]), identity, b"", {}, {}, {}, {})
    items = []
    for described in entry["items"]:
        data = bytes.fromhex(described["report"])
        limits = described.get("limits")
        items.append(
            Item(
                path=described["path"],
                report_type="Feature",
                report_id=data[0],
                offset=0,
                size=8 * (len(data) - 1),
                raw=int.from_bytes(data[1:], "little"),
                exponent=described.get("exponent", 0),
                limits=None if limits is None else (limits[0], limits[1]),
            )
        )
    return rebuilt(recording, items, names_of(recording))


@pytest.mark.parametrize(
    "entry",
    [pytest.param(entry, id=f"{entry['title']}, {entry['source']}") for entry in DATA["defect"]],
)
def test_a_known_defect_gives_the_right_value(entry: Mapping[str, Any]) -> None:
    recording = defective(entry)
    seen = read(recording, LIBRARY)
    for name, right in entry["expected"].items():
        if name.startswith("UPS."):  # an item that no variable shows
            descriptor = parse(recording.descriptor)
            field = next(item for item in descriptor.fields if item.path == Names().path(name))
            evidence = Evidence(descriptor)
            evidence.feed(field.report_type, recording.feature[field.report_id], 0.0)
            reading = evidence.reading(field)
            assert reading is not None
            assert f"{reading.physical:g}" == right
        else:
            assert seen.texts.get(name, "") == right
