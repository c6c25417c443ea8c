"""The simulator's own descriptor reader, against recorded vectors, a worked example and plain arithmetic."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulator.devices import DESCRIPTOR
from usbhidups.simulator.layout import Kind, Layout, Slot, read_layout
from usbhidups.simulator.reports import Reports, extract
from usbhidups.simulator.usages import index_node, node_text, parse_path

REFERENCE = Path(__file__).parents[3] / "shared" / "reference"
VECTORS = REFERENCE / "hid-parse-vectors.csv"
CORPUS = Path(__file__).parents[3] / "shared" / "corpus"


def rows(layout: Layout) -> list[tuple[str, int, int, int, int, int]]:
    return [
        (s.kind.name, s.report_id, s.offset, s.size, s.logical_minimum, s.logical_maximum)
        for s in layout.slots
    ]


@pytest.mark.skipif(not VECTORS.exists(), reason="the parse vectors are not in this checkout")
def test_parse_vectors() -> None:
    descriptors: dict[str, bytes] = {}
    expected: dict[str, list[tuple[str, int, int, int, int, int]]] = {}
    with VECTORS.open(newline="") as file:
        for row in csv.DictReader(file):
            name = row["vector"]
            if row["descriptor_hex"]:
                descriptors[name] = bytes.fromhex(row["descriptor_hex"])
            if row["rules"] == "spec":
                expected.setdefault(name, []).append(
                    (
                        row["type"].upper(),
                        int(row["report_id"], 16),
                        int(row["bit_offset"]),
                        int(row["bit_size"]),
                        int(row["logical_min"]),
                        int(row["logical_max"]),
                    )
                )
    assert expected
    found = {name: rows(read_layout(descriptors[name])) for name in expected}
    assert found == expected


def test_bench_descriptor() -> None:
    layout = read_layout(DESCRIPTOR)
    assert layout.numbered
    assert layout.lengths == {
        (Kind.FEATURE, 1): 1,
        (Kind.INPUT, 1): 1,
        (Kind.FEATURE, 2): 3,
        (Kind.FEATURE, 3): 2,
        (Kind.FEATURE, 4): 2,
        (Kind.FEATURE, 5): 2,
        (Kind.FEATURE, 8): 3,
        (Kind.FEATURE, 0x0A): 2,
        (Kind.FEATURE, 0x0B): 2,
        (Kind.FEATURE, 0x0C): 1,
        (Kind.FEATURE, 7): 4,
    }
    runtime = layout.of_report(Kind.FEATURE, 2)[1]
    assert (runtime.offset, runtime.size) == (8, 16)
    assert runtime.path == parse_path("UPS.PowerSummary.RunTimeToEmpty")
    assert layout.of_report(Kind.FEATURE, 0x0A)[0].value_of(23000) == 230.0


def test_push_ranges_indices_and_long_items() -> None:
    layout = read_layout(
        bytes.fromhex(
            "0584 0904 a101 091a a181 1500 2564 7508 9503 a4 7501 b4"  # Input.[1]; push, pop
            "fe0200aabb"  # a long item
            "1930 2932 b102"  # usages 30 to 32
            "c0 c0"
        )
    )
    input_1 = (0x840004, 0x84001A, index_node(1))
    assert [slot.path for slot in layout.slots] == [
        (*input_1, 0x840030),
        (*input_1, 0x840031),
        (*input_1, 0x840032),
    ]
    assert [slot.offset for slot in layout.slots] == [0, 8, 16]
    assert not layout.numbered


def test_delimiters_take_the_first() -> None:
    layout = read_layout(bytes.fromhex("0584 1500 2564 7508 9501 a901 0930 0931 a900 b102"))
    assert [slot.usage for slot in layout.slots] == [0x840030]


def test_cyberpower_minutes() -> None:
    """Logical -1..32767 over physical -60..1966020 s: one step is a minute (NUT issue 2854)."""
    (slot,) = read_layout(
        bytes.fromhex("0584 0957 7510 9501 15ff 26ff7f 35c4 47c4ff1d00 660110 b1a2")
    ).slots
    assert slot.value_of(-1) == -60.0
    assert slot.value_of(2) == 120.0
    assert slot.raw_of(120.0) == 2


def test_maximum_written_as_minus_one() -> None:
    (slot,) = read_layout(bytes.fromhex("0585 0966 7508 9501 1500 25ff b102")).slots
    assert (slot.logical_minimum, slot.logical_maximum) == (0, 255)


@pytest.mark.parametrize(
    ("exponent", "expected"), [("5507", 7), ("550f", -1), ("55fe", -2), ("5508", -8), ("5500", 0)]
)
def test_unit_exponents(exponent: str, expected: int) -> None:
    (slot,) = read_layout(bytes.fromhex(f"0584 0930 7508 9501 {exponent} b102")).slots
    assert slot.exponent == expected


@given(st.binary(max_size=300))
def test_any_bytes_can_be_read(data: bytes) -> None:
    layout = read_layout(data)
    assert len(layout.slots) <= 4096


@given(
    offset=st.integers(0, 40),
    size=st.integers(1, 32),
    before=st.binary(min_size=10, max_size=10),
    value=st.integers(0, (1 << 32) - 1),
)
def test_bits_are_written_where_arithmetic_says(
    offset: int, size: int, before: bytes, value: int
) -> None:
    slot = Slot(
        kind=Kind.FEATURE,
        report_id=1,
        offset=offset,
        size=size,
        path=(0x840030,),
        logical_minimum=0,
        logical_maximum=0,
        physical_minimum=0,
        physical_maximum=0,
        unit=0,
        exponent=0,
    )
    value &= (1 << size) - 1
    reports = Reports()
    reports.load(Kind.FEATURE, 1, before)
    reports.put(slot, value)
    mask = (1 << size) - 1 << offset
    whole = int.from_bytes(before, "little") & ~mask | value << offset
    assert reports.read(Kind.FEATURE, 1) == whole.to_bytes(10, "little")
    assert reports.get(slot) == value
    assert extract(before, slot) == int.from_bytes(before, "little") >> offset & (1 << size) - 1


def test_paths_in_words() -> None:
    path = parse_path("UPS.Outlet.[2].SwitchOnOff")
    assert path == (0x840004, 0x840020, index_node(2), 0x84006B)
    assert [node_text(node) for node in path] == ["UPS", "Outlet", "[2]", "SwitchOnOff"]
    assert parse_path("ff860060") == (0xFF860060,)
    assert node_text(0xFF860060) == "ff860060"
    with pytest.raises(ValueError, match="unknown usage 'Wattage'"):
        parse_path("UPS.Wattage")
