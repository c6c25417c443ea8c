"""Fixture format 1: the reader as the schema, the writer as its inverse."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usbhidups.errors import FixtureError
from usbhidups.usb.fixture import (
    Answer,
    Device,
    Failure,
    Fixture,
    Moment,
    Origin,
    OriginKind,
    dumps,
    load,
    parse,
)

WHOLE = """
format = 1

[device]
vendor_id = "0764"
product_id = "0501"
release = "0001"
manufacturer = "CPS"
product = "CP1500EPFCLCD"
serial = "000000000000"
interface = 2
endpoint_in = 0x84

[device.strings]
1 = "CPS"
12 = "PbAcid"

[origin]
kind = "recorded"
source = "somewhere"
notes = "none"

[report_descriptor]
complete = true
hex = \"\"\"
05 84 09 04 a1 01
c0
\"\"\"

[reports.feature]
"08" = "08 64 98 3a 2c 01"
"40" = "stall"
"41" = "timeout"
"42" = "overflow"
"43" = "empty"
[reports.input]
"08" = "08 64"

[seen]
paths = [ { path = "UPS", anything = 1 } ]
[published]
by = "another program"
[published_280]
whatever = true

[expected.variables]
"battery.charge" = "100"

[[timeline]]
at = 5
feature = { "0b" = "0b 02", "0c" = "stall" }
[[timeline]]
at = 6.5
input = "0b 02"
event = "stall:40"
"""

MINIMAL = """
format = 1
[device]
vendor_id = "0764"
product_id = "0501"
[origin]
kind = "made-up"
"""


def test_everything_the_format_has() -> None:
    fixture = parse(WHOLE, "x.toml")
    assert fixture == Fixture(
        device=Device(
            vendor_id=0x0764,
            product_id=0x0501,
            release=1,
            manufacturer="CPS",
            product="CP1500EPFCLCD",
            serial="000000000000",
            interface=2,
            endpoint_in=0x84,
            strings={1: "CPS", 12: "PbAcid"},
        ),
        origin=Origin(kind=OriginKind.RECORDED, source="somewhere", notes="none"),
        descriptor=bytes.fromhex("05840904a101c0"),
        complete=True,
        feature={
            8: bytes.fromhex("0864983a2c01"),
            0x40: Failure.STALL,
            0x41: Failure.TIMEOUT,
            0x42: Failure.OVERFLOW,
            0x43: Failure.EMPTY,
        },
        input={8: b"\x08\x64"},
        expected={"battery.charge": "100"},
        timeline=(
            Moment(at=5.0, feature={0x0B: b"\x0b\x02", 0x0C: Failure.STALL}),
            Moment(at=6.5, input=b"\x0b\x02", event="stall:40"),
        ),
    )
    assert fixture.where == "x.toml"


def test_what_may_be_left_out() -> None:
    fixture = parse(MINIMAL, "x.toml")
    assert fixture.descriptor == b""
    assert not fixture.complete
    assert fixture.device.endpoint_in == 0x81
    assert fixture.expected is None
    assert fixture.timeline == ()


@pytest.mark.parametrize(
    ("broken", "key"),
    [
        (MINIMAL.replace("format = 1", ""), "format"),
        (MINIMAL.replace("format = 1", "format = 2"), "format"),
        (MINIMAL.replace("format = 1", "format = true"), "format"),
        (MINIMAL.replace('"0764"', '"764"'), "device.vendor_id"),
        (MINIMAL.replace('"0764"', '"076A"'), "device.vendor_id"),
        (MINIMAL.replace('"0764"', "1892"), "device.vendor_id"),
        (MINIMAL.replace('vendor_id = "0764"', ""), "device.vendor_id"),
        (MINIMAL.replace('product_id = "0501"', ""), "device.product_id"),
        (MINIMAL.replace('kind = "made-up"', ""), "origin.kind"),
        (MINIMAL.replace("made-up", "guessed"), "origin.kind"),
        (MINIMAL.replace('[origin]\nkind = "made-up"', ""), "origin"),
        ('format = 1\n[origin]\nkind = "made-up"', "device"),
        ("format = 1\ndevice = 3", "device"),
        (MINIMAL + "colour = 1", "origin.colour"),
        (MINIMAL + "[colours]", "colours"),
        (MINIMAL.replace("[origin]", "vid = 1\n[origin]"), "device.vid"),
        (MINIMAL.replace("[origin]", "interface = 256\n[origin]"), "device.interface"),
        (MINIMAL.replace("[origin]", "endpoint_in = 1\n[origin]"), "device.endpoint_in"),
        (MINIMAL.replace("[origin]", "serial = 1\n[origin]"), "device.serial"),
        (MINIMAL + '[device.strings]\n0 = "a"', "device.strings.0"),
        (MINIMAL + '[device.strings]\n256 = "a"', "device.strings.256"),
        (MINIMAL + '[device.strings]\nx = "a"', "device.strings.x"),
        (MINIMAL + "[device.strings]\n1 = 1", "device.strings.1"),
        (MINIMAL + "[report_descriptor]\ncomplete = true", "report_descriptor.hex"),
        (MINIMAL + "[report_descriptor]\nhex = '00'", "report_descriptor.complete"),
        (MINIMAL + "[report_descriptor]\ncomplete=1\nhex='00'", "report_descriptor.complete"),
        (MINIMAL + "[report_descriptor]\ncomplete=true\nhex='0g'", "report_descriptor.hex"),
        (
            MINIMAL + f"[report_descriptor]\ncomplete=true\nhex='{'00' * 65536}'",
            "report_descriptor.hex",
        ),
        (MINIMAL + "[report_descriptor]\ncomplete=true\nhex='00'\nx=1", "report_descriptor.x"),
        (MINIMAL + "[reports.output]", "reports.output"),
        (MINIMAL + "[reports.feature]\n8 = '08'", "reports.feature.8"),
        (MINIMAL + "[reports.feature]\n'0A' = '0a'", "reports.feature.0A"),
        (MINIMAL + "[reports.feature]\n'08' = '09 00'", "reports.feature.08"),
        (MINIMAL + "[reports.feature]\n'08' = 'nak'", "reports.feature.08"),
        (MINIMAL + "[reports.input]\n'08' = ''", "reports.input.08"),
        (MINIMAL + "[reports.input]\n'08' = 8", "reports.input.08"),
        (MINIMAL + "[expected]\ncommands = []", "expected.commands"),
        (MINIMAL + "[expected.variables]\n'ups.load' = 1", "expected.variables.ups.load"),
        (MINIMAL + "[timeline]", "timeline"),
        (MINIMAL + "[[timeline]]\nevent = 'disconnect'", "timeline[1].at"),
        (MINIMAL + "[[timeline]]\nat = -1", "timeline[1].at"),
        (MINIMAL + "[[timeline]]\nat = nan", "timeline[1].at"),
        (MINIMAL + "[[timeline]]\nat = inf", "timeline[1].at"),
        (MINIMAL + "[[timeline]]\nat = 2\n[[timeline]]\nat = 1", "timeline[2].at"),
        (MINIMAL + "[[timeline]]\nat = 1\nevent = 'Boom!'", "timeline[1].event"),
        (MINIMAL + "[[timeline]]\nat = 1\nfeature = 3", "timeline[1].feature"),
        (MINIMAL + "[[timeline]]\nat = 1\ninput = 'stall'", "timeline[1].input"),
        (MINIMAL + "[[timeline]]\nat = 1\nwhen = 1", "timeline[1].when"),
        (f"format = {'9' * 5000}", ""),
        ("x = " + "[" * 100_000, ""),
        ("not toml", ""),
    ],
)
def test_errors_name_file_and_key(broken: str, key: str) -> None:
    with pytest.raises(FixtureError) as caught:
        parse(broken, "broken.toml")
    assert caught.value.where == "broken.toml"
    assert caught.value.key == key
    assert str(caught.value).startswith("broken.toml: ")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(FixtureError, match="No such file"):
        load(tmp_path / "none.toml")
    latin = tmp_path / "latin.toml"
    latin.write_bytes(b"# caf\xe9")
    with pytest.raises(FixtureError, match="not UTF-8 at byte 5"):
        load(latin)
    huge = tmp_path / "huge.toml"
    huge.write_bytes(b"#" * 4_000_001)
    with pytest.raises(FixtureError, match="longer than"):
        load(huge)


def test_a_written_file_is_read_back(tmp_path: Path) -> None:
    fixture = parse(WHOLE, "x.toml")
    path = tmp_path / "x.toml"
    path.write_text(dumps(fixture), encoding="utf-8")
    assert load(path) == fixture


def test_what_a_written_file_looks_like() -> None:
    fixture = Fixture(
        device=Device(vendor_id=0x51D, product_id=2, product='a"b\\c\x1b\n\U000e0001é'),
        origin=Origin(kind=OriginKind.RECORDED),
        descriptor=bytes(range(20)),
        feature={1: b"\x01\xff", 2: Failure.STALL},
        timeline=(Moment(at=1.5, event="disconnect"),),
    )
    assert dumps(fixture) == (
        "format = 1\n"
        "\n"
        "[device]\n"
        'vendor_id = "051d"\n'
        'product_id = "0002"\n'
        'product = "a\\"b\\\\c\\u001b\\n\\U000e0001é"\n'
        "\n"
        "[origin]\n"
        'kind = "recorded"\n'
        "\n"
        "[report_descriptor]\n"
        "complete = false\n"
        'hex = """\n'
        "00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f\n"
        "10 11 12 13\n"
        '"""\n'
        "\n"
        "[reports.feature]\n"
        '"01" = "01 ff"\n'
        '"02" = "stall"\n'
        "\n"
        "[[timeline]]\n"
        "at = 1.5\n"
        'event = "disconnect"\n'
    )


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
ids = st.integers(0, 0xFFFF)


@st.composite
def answers(draw: st.DrawFn) -> dict[int, Answer]:
    result: dict[int, Answer] = {}
    for report_id in draw(st.sets(st.integers(0, 255), max_size=4)):
        data = bytes([report_id]) + draw(st.binary(max_size=8))
        result[report_id] = draw(st.just(data) | st.sampled_from(Failure))
    return result


moments = st.builds(
    Moment,
    at=st.floats(0, 1e9),
    feature=answers(),
    input=st.none() | st.binary(min_size=1, max_size=9),
    event=st.sampled_from(["", "disconnect", "stall:40", "mains:off"]),
)
fixtures = st.builds(
    Fixture,
    device=st.builds(
        Device,
        vendor_id=ids,
        product_id=ids,
        release=st.none() | ids,
        manufacturer=st.none() | texts,
        product=st.none() | texts,
        serial=st.none() | texts,
        interface=st.integers(0, 255),
        endpoint_in=st.integers(0x81, 0x8F),
        strings=st.dictionaries(st.integers(1, 255), texts, max_size=3),
    ),
    origin=st.builds(Origin, kind=st.sampled_from(OriginKind), source=texts, notes=texts),
    descriptor=st.binary(min_size=1, max_size=40),
    complete=st.booleans(),
    feature=answers(),
    input=answers(),
    expected=st.none() | st.dictionaries(texts, texts, max_size=3),
    timeline=st.lists(moments, max_size=3).map(
        lambda entries: tuple(sorted(entries, key=lambda entry: entry.at))
    ),
)


@given(fixtures)
def test_written_and_read_is_the_same(fixture: Fixture) -> None:
    assert parse(dumps(fixture), "w") == fixture


@given(st.text())
def test_any_text_gives_a_fixture_or_a_fixture_error(text: str) -> None:
    with pytest.raises(FixtureError):
        parse(text, "w")


@given(st.data())
def test_any_damage_gives_a_fixture_or_a_fixture_error(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(WHOLE)))
    end = data.draw(st.integers(start, min(len(WHOLE), start + 30)))
    middle = data.draw(texts)
    with contextlib.suppress(FixtureError):
        fixture = parse(WHOLE[:start] + middle + WHOLE[end:], "w")
        assert parse(dumps(fixture), "w") == fixture
