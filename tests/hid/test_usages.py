"""Names of usages: the standard ones, a vendor's, numbers, and what is none of them."""

from __future__ import annotations

import contextlib
import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usbhidups.errors import UnknownUsage
from usbhidups.hid.usage_names import STANDARD
from usbhidups.hid.usages import Names, index_node

REFERENCE = Path(__file__).parents[3] / "shared" / "reference" / "usages.csv"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("UPS", (0x00840004,)),
        ("UPS.PowerSummary.RemainingCapacity", (0x00840004, 0x00840024, 0x00850066)),
        (
            "UPS.PowerConverter.Input.[1].Voltage",
            (0x00840004, 0x00840016, 0x0084001A, index_node(1), 0x00840030),
        ),
        ("UPS.Flow.[127].ConfigVoltage", (0x00840004, 0x0084001E, index_node(127), 0x00840040)),
        ("UPS.ff010043", (0x00840004, 0xFF010043)),
        ("UPS.00ff0056", (0x00840004, 0x00FF0056)),
        ("00000000", (0,)),
        # as NUT spells them
        ("Usenext.Maxerror.iDevicename.SwitchOn/Off", (0x850019, 0x850063, 0x850088, 0x84006B)),
    ],
)
def test_text_and_path(text: str, path: tuple[int, ...]) -> None:
    assert Names().path(text) == path
    assert Names().text(path) == text


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("ups.POWERSUMMARY.iname", (0x00840004, 0x00840024, 0x00840001)),
        ("UPS.0xFF010043", (0x00840004, 0xFF010043)),
        ("0XfF010043", (0xFF010043,)),
        ("f", (0xF,)),
        ("0x0.1", (0, 1)),
        # on both pages: page 0x84 is meant
        ("Undefined", (0x00840000,)),
        ("VoltageOutOfRange", (0x00840063,)),
    ],
)
def test_other_ways_to_write_a_path(text: str, path: tuple[int, ...]) -> None:
    assert Names().path(text) == path


def test_names_of_a_vendor_go_first_both_ways() -> None:
    names = Names(
        {
            0xFF860052: "APCLineFailCause",
            0x00840030: "Strange",
            0xFFFF0001: "Current",
            0xFFFF0002: "CURRENT",
            0xFFFF0003: "beef",
        }
    )
    assert names.path("UPS.apclinefailcause") == (0x00840004, 0xFF860052)
    assert names.text((0x00840004, 0xFF860052)) == "UPS.APCLineFailCause"
    assert names.text((0x00840030, 0xFFFF0002)) == "Strange.CURRENT"
    assert names.path("Voltage.Current.BEEF") == (0x00840030, 0xFFFF0001, 0xFFFF0003)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", ""),
        ("UPS..Voltage", ""),
        ("UPS.Voltag", "Voltag"),
        ("UPS.Voltage ", "Voltage "),
        ("UPS.123456789", "123456789"),
        ("UPS.0x", "0x"),
        ("UPS.0x0x1", "0x0x1"),
        ("UPS.-1", "-1"),
        ("UPS.[]", "[]"),
        ("UPS.[128]", "[128]"),
        ("UPS.[01]", "[01]"),
        ("UPS.[1", "[1"),
        ("UPS.[[1]]", "[[1]]"),
        ("UPS.[\u0661]", "[\u0661]"),
        ("UPS.\u0661", "\u0661"),
    ],
)
def test_a_part_that_is_no_usage_is_named(text: str, part: str) -> None:
    with pytest.raises(UnknownUsage) as caught:
        Names().path(text)
    assert (caught.value.part, caught.value.path) == (part, text)
    assert str(caught.value) == f"no usage is called {part!r} (in {text!r})"


@pytest.mark.parametrize("index", [-1, 128])
def test_an_index_has_seven_bits(index: int) -> None:
    with pytest.raises(ValueError, match="not within"):
        index_node(index)


NODE = st.one_of(st.integers(0, 0xFFFFFFFF), st.integers(0, 127).map(index_node))
AMBIGUOUS = {0x00850000, 0x008500D8}


@given(st.lists(NODE.filter(lambda node: node not in AMBIGUOUS), min_size=1).map(tuple))
def test_every_path_survives_its_text(path: tuple[int, ...]) -> None:
    assert Names().path(Names().text(path)) == path


@given(st.text(max_size=40))
def test_any_text_is_a_path_or_unknown(text: str) -> None:
    with contextlib.suppress(UnknownUsage):
        assert all(node >= 0 for node in Names().path(text))


def test_no_name_of_the_standard_pages_looks_like_a_number() -> None:
    for name in STANDARD.values():
        assert not set(name.lower()) <= set("0123456789abcdef")
        assert "." not in name


@pytest.mark.skipif(not REFERENCE.exists(), reason=f"{REFERENCE} is not here")
def test_all_standard_usages_of_the_reference_are_named() -> None:
    with REFERENCE.open(encoding="utf-8", newline="") as lines:
        expected = {
            int(row["page"] + row["usage_id"], 16): row["name"]
            or row["standard_name"].replace(" ", "")
            for row in csv.DictReader(lines)
            if row["used_by"] == "generic"
        }
    assert expected == STANDARD
