"""Descriptors item by item: what each rule of hid-power-device.md section 2 makes of written-down bytes."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.hid import build
from tests.hid.build import item, ups
from usbhidups.errors import DescriptorError
from usbhidups.hid.descriptor import Descriptor, Field, ReportType, parse
from usbhidups.hid.usages import Names, index_node

VECTORS = tomllib.loads((Path(__file__).parent / "vectors.toml").read_text())["vector"]
BY_NAME = pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])

FIELD = item(build.FEATURE, build.VARIABLE)
VOLTAGE, CURRENT, FREQUENCY = 0x00840030, 0x00840031, 0x00840032


def line(field: Field) -> str:
    return (
        f"{field.report_type.name.title()} {field.report_id:02x} {field.offset} {field.size} "
        f"{Names().text(field.path)} {field.logical_minimum} {field.logical_maximum}"
    )


def usages(descriptor: Descriptor) -> list[int]:
    return [field.usage for field in descriptor.fields]


def only(*parts: bytes) -> Field:
    (field,) = parse(ups(*parts)).fields
    return field


def oddities(descriptor: Descriptor) -> str:
    return "; ".join(f"{oddity.offset}: {oddity.text}" for oddity in descriptor.oddities)


@BY_NAME
def test_fields_are_those_of_the_specification(vector: dict[str, Any]) -> None:
    descriptor = parse(bytes.fromhex(vector["descriptor"]))
    assert [line(field) for field in descriptor.fields] == vector["fields"]


@BY_NAME
def test_each_difference_from_nut_has_its_reason(vector: dict[str, Any]) -> None:
    assert ("nut" in vector) == ("because" in vector)
    assert vector.get("nut") != vector["fields"]


def test_a_report_is_as_long_as_its_fields_and_padding_and_separate_by_type() -> None:
    vector = next(vector for vector in VECTORS if vector["name"] == "dev_5131_2007")
    descriptor = parse(bytes.fromhex(vector["descriptor"]))
    assert descriptor.report_bytes == {
        (ReportType.FEATURE, 0x0B): 22,
        (ReportType.INPUT, 0x0B): 6,
    }
    assert descriptor.numbered
    assert descriptor.applications == (0x00840004,)
    assert descriptor.oddities == ()


def test_without_report_ids_everything_is_report_0() -> None:
    vector = next(vector for vector in VECTORS if vector["name"] == "no_report_id")
    descriptor = parse(bytes.fromhex(vector["descriptor"]))
    assert not descriptor.numbered
    assert descriptor.report_bytes == {(ReportType.FEATURE, 0): 2}


# Usages


def test_a_usage_has_the_page_that_is_current_when_it_is_met() -> None:
    field = only(item(build.USAGE, 0x30), item(build.PAGE, 0x85), FIELD)
    assert field.usage == VOLTAGE


def test_pages_may_change_between_usages() -> None:
    descriptor = parse(
        ups(
            item(build.COUNT, 3),
            item(build.USAGE, 0x30),
            item(build.PAGE, 0x85),
            item(build.USAGE, 0xD0),
            item(build.PAGE, 0xFF86, size=2),
            item(build.USAGE, 0x52),
            FIELD,
        )
    )
    assert usages(descriptor) == [VOLTAGE, 0x008500D0, 0xFF860052]


def test_a_4_byte_usage_brings_its_page_even_page_0() -> None:
    assert only(item(build.USAGE, 0x00850042, 4), FIELD).usage == 0x00850042
    assert only(item(build.USAGE, 0x00000042, 4), FIELD).usage == 0x42


def test_a_page_has_16_bits() -> None:
    field = only(item(build.PAGE, 0x12340084, 4), item(build.USAGE, 0x30), FIELD)
    assert field.usage == VOLTAGE


def test_usages_beyond_the_count_are_ignored_and_do_not_reach_the_next_item() -> None:
    redundant = item(build.USAGE, 0x30) + item(build.USAGE, 0x31) + FIELD
    assert usages(parse(ups(redundant, item(build.USAGE, 0x32), FIELD))) == [VOLTAGE, FREQUENCY]


@pytest.mark.parametrize("main", [item(build.COLLECTION, 0), item(build.END, size=0), FIELD])
def test_every_main_item_drops_the_queue(main: bytes) -> None:
    parts = item(build.COLLECTION, 2) + item(build.USAGE, 0x30) + main
    descriptor = parse(ups(parts, item(build.USAGE, 0x31), FIELD))
    assert usages(descriptor)[-1] == CURRENT


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("size", [1, 4])
def test_a_usage_range_in_either_order_and_size(size: int, *, reverse: bool) -> None:
    page = 0 if size < 4 else 0x00840000
    ends = [item(build.USAGE_MIN, page + 0x30, size), item(build.USAGE_MAX, page + 0x32, size)]
    if reverse:
        ends.reverse()
    descriptor = parse(ups(item(build.COUNT, 3), *ends, FIELD))
    assert usages(descriptor) == [VOLTAGE, CURRENT, FREQUENCY]
    assert not descriptor.oddities


def test_ranges_and_single_usages_queue_up_and_the_last_repeats() -> None:
    descriptor = parse(
        ups(
            item(build.COUNT, 5),
            item(build.USAGE, 0x40),
            item(build.USAGE_MIN, 0x30),
            item(build.USAGE_MAX, 0x31),
            item(build.USAGE, 0x32),
            FIELD,
        )
    )
    assert usages(descriptor) == [0x00840040, VOLTAGE, CURRENT, FREQUENCY, FREQUENCY]


@pytest.mark.parametrize(
    ("first", "last"), [(0x00840032, 0x00840030), (0x00840030, 0x00850030), (0, 0xFFFFFFFF)]
)
def test_a_senseless_range_is_ignored_and_noted(first: int, last: int) -> None:
    descriptor = parse(
        ups(
            item(build.USAGE_MIN, first, 4),
            item(build.USAGE_MAX, last, 4),
            item(build.USAGE, 0x31),
            FIELD,
        )
    )
    assert usages(descriptor) == [CURRENT]
    assert oddities(descriptor) == f"21: usage range {first:#010x} to {last:#010x} is ignored"


def test_half_a_range_is_ignored_and_noted() -> None:
    half = item(build.USAGE_MIN, 0x30) + item(build.USAGE, 0x31)
    descriptor = parse(
        ups(half, FIELD, item(build.USAGE_MAX, 0x30), item(build.USAGE, 0x32), FIELD)
    )
    assert usages(descriptor) == [CURRENT, FREQUENCY]
    assert oddities(descriptor) == "20: half a usage range is ignored"


def test_of_alternatives_the_first_is_taken() -> None:
    descriptor = parse(
        ups(
            item(build.COUNT, 2),
            item(build.DELIMITER, 1),
            item(build.USAGE, 0x30),
            item(build.USAGE, 0x40),
            item(build.USAGE, 0x41),
            item(build.DELIMITER, 0),
            item(build.USAGE, 0x31),
            FIELD,
        )
    )
    assert usages(descriptor) == [VOLTAGE, CURRENT]
    assert not descriptor.oddities


def test_an_unclosed_set_of_alternatives_ends_with_its_item() -> None:
    one = item(build.DELIMITER, 1) + item(build.USAGE, 0x30) + item(build.USAGE, 0x40)
    descriptor = parse(ups(item(build.COUNT, 2), one, FIELD, item(build.USAGE, 0x31), FIELD))
    assert usages(descriptor) == [VOLTAGE, VOLTAGE, CURRENT, CURRENT]


def test_delimiters_out_of_place_are_noted() -> None:
    stray = item(build.DELIMITER, 0) + item(build.DELIMITER, 1) + item(build.DELIMITER, 1)
    descriptor = parse(ups(stray, item(build.USAGE, 0x30), FIELD))
    assert oddities(descriptor) == "16: delimiter ends no set; 20: delimiter within a set"


# Main items


def test_constant_with_a_usage_is_data_and_without_is_padding() -> None:
    constant = item(build.FEATURE, 0x03)
    descriptor = parse(
        ups(item(build.USAGE, 0x30), constant, constant, item(build.USAGE, 0x31), FIELD)
    )
    assert [(field.usage, field.offset, field.flags) for field in descriptor.fields] == [
        (VOLTAGE, 0, 0x03),
        (CURRENT, 16, 0x02),
    ]
    assert descriptor.report_bytes == {(ReportType.FEATURE, 1): 3}


def test_padding_without_constant_is_padding_too() -> None:
    descriptor = parse(ups(item(build.COUNT, 3), FIELD, item(build.USAGE, 0x30), FIELD))
    assert [field.offset for field in descriptor.fields] == [24, 32, 40]


def test_buffered_bytes_keep_their_flag() -> None:
    field = only(item(build.USAGE, 0x30), item(build.FEATURE, 0x0102, 2))
    assert field.flags == 0x102


def test_an_array_with_a_usage_for_each_slot_is_read_as_variables() -> None:
    array = item(build.COUNT, 2) + item(build.USAGE, 0x30) + item(build.USAGE, 0x31)
    assert usages(parse(ups(array, item(build.FEATURE, build.DATA)))) == [VOLTAGE, CURRENT]


def test_an_array_that_chooses_among_usages_names_none_of_them() -> None:
    choices = item(build.PAGE, 0x85) + item(build.USAGE_MIN, 0x42) + item(build.USAGE_MAX, 0x4B)
    descriptor = parse(ups(item(build.COUNT, 2), choices, item(build.INPUT, build.DATA)))
    assert usages(descriptor) == [0x00850000, 0x00850000]
    assert oddities(descriptor) == "24: an array chooses among usages; its fields have no name"


@pytest.mark.parametrize("tag", [build.SIZE, build.COUNT])
def test_no_bits_make_no_field(tag: int) -> None:
    nothing = item(tag, 0) + item(build.USAGE, 0x30) + FIELD
    descriptor = parse(
        ups(nothing, item(build.SIZE, 8), item(build.COUNT, 1), item(build.USAGE, 0x31), FIELD)
    )
    assert [(field.usage, field.offset) for field in descriptor.fields] == [(CURRENT, 0)]


def test_layouts_are_counted_by_type_and_id_across_collections() -> None:
    voltage = item(build.USAGE, 0x30)
    descriptor = parse(
        ups(
            voltage + FIELD + voltage + item(build.INPUT, 2) + voltage + item(build.OUTPUT, 2),
            item(build.COLLECTION, 0) + voltage + FIELD + item(build.END, size=0),
            item(build.REPORT_ID, 2) + voltage + FIELD,
            item(build.REPORT_ID, 1) + voltage + FIELD,
        )
    )
    assert [
        (field.report_type.name, field.report_id, field.offset) for field in descriptor.fields
    ] == [
        ("FEATURE", 1, 0),
        ("INPUT", 1, 0),
        ("OUTPUT", 1, 0),
        ("FEATURE", 1, 8),
        ("FEATURE", 2, 0),
        ("FEATURE", 1, 16),
    ]


def test_report_length_is_rounded_up_to_bytes() -> None:
    bit = item(build.SIZE, 1) + item(build.COUNT, 9) + item(build.USAGE, 0x30) + FIELD
    assert parse(ups(bit)).report_bytes == {(ReportType.FEATURE, 1): 2}


def test_a_report_too_long_to_transfer_is_noted_and_spoils_no_other() -> None:
    huge = item(build.COUNT, 0xFFFFFFFF, 4) + item(build.USAGE, 0x31) + FIELD
    after = item(build.COUNT, 1) + item(build.USAGE, 0x32) + FIELD
    other = item(build.REPORT_ID, 2) + item(build.USAGE, 0x32) + FIELD
    descriptor = parse(ups(item(build.USAGE, 0x30), FIELD, huge, after, other))
    assert [(field.usage, field.report_id) for field in descriptor.fields] == [
        (VOLTAGE, 1),
        (FREQUENCY, 2),
    ]
    assert descriptor.report_bytes == {(ReportType.FEATURE, 1): 65534, (ReportType.FEATURE, 2): 1}
    assert oddities(descriptor) == "27: feature report 0x01 is too long to transfer"


@pytest.mark.parametrize(("written", "size", "report_id"), [(0x0102, 2, 2), (0x100, 2, 0)])
def test_a_report_id_has_one_byte(written: int, size: int, report_id: int) -> None:
    descriptor = parse(ups(item(build.REPORT_ID, written, size), item(build.USAGE, 0x30), FIELD))
    assert descriptor.fields[0].report_id == report_id
    assert oddities(descriptor) == f"21: report id {written} does not fit its byte"


def test_ids_on_some_reports_only_are_noted() -> None:
    without = item(build.PAGE, 0x84) + item(build.SIZE, 8) + item(build.COUNT, 1)
    descriptor = parse(
        without + item(build.USAGE, 0x30) + FIELD + ups(item(build.USAGE, 0x30), FIELD)
    )
    assert descriptor.numbered
    assert oddities(descriptor) == "0: some reports have an id and some have none"


# Globals


def test_globals_stay_until_changed_also_in_items_that_do_not_want_them() -> None:
    limits = (
        item(build.PHYSICAL_MIN, 10)
        + item(build.PHYSICAL_MAX, 300, 2)
        + item(build.UNIT, 0x00F0D121, 4)
        + item(build.EXPONENT, 5)
    )
    outside = ups(item(build.USAGE, 0x30), FIELD, limits, item(build.USAGE, 0x31), FIELD)
    descriptor = parse(outside + item(build.USAGE, 0x32) + FIELD)
    first, second, third = descriptor.fields
    assert (first.physical_minimum, first.physical_maximum, first.unit, first.exponent) == (
        None,
        None,
        0,
        0,
    )
    assert second._replace(offset=16, path=(FREQUENCY,)) == third
    assert (third.physical_minimum, third.physical_maximum, third.unit, third.exponent) == (
        10,
        300,
        0x00F0D121,
        5,
    )


def test_push_and_pop_keep_all_globals() -> None:
    changes = (
        item(build.PAGE, 0x85)
        + item(build.REPORT_ID, 9)
        + item(build.SIZE, 16)
        + item(build.COUNT, 2)
        + item(build.LOGICAL_MIN, -5)
        + item(build.LOGICAL_MAX, -1)
        + item(build.PHYSICAL_MIN, 1)
        + item(build.PHYSICAL_MAX, 2)
        + item(build.UNIT, 0x1001, 2)
        + item(build.EXPONENT, 3)
    )
    push, pop = item(build.PUSH, size=0), item(build.POP, size=0)
    usage = item(build.USAGE, 0x66)
    descriptor = parse(
        ups(usage, FIELD, push, changes, push, usage, FIELD, pop, usage, FIELD, pop, usage, FIELD)
    )
    before, inside, _, again, _, after = descriptor.fields
    assert (inside.usage, inside.report_id, inside.size) == (0x00850066, 9, 16)
    assert (inside.logical_minimum, inside.logical_maximum) == (-5, -1)
    assert (inside.physical_minimum, inside.physical_maximum) == (1, 2)
    assert (inside.unit, inside.exponent) == (0x1001, 3)
    assert again == inside._replace(offset=32)
    assert after == before._replace(offset=8)


def test_pop_without_push_changes_nothing() -> None:
    descriptor = parse(ups(item(build.POP, size=0), item(build.USAGE, 0x30), FIELD))
    assert usages(descriptor) == [VOLTAGE]
    assert oddities(descriptor) == "16: pop without push"


@pytest.mark.parametrize(
    ("minimum", "maximum", "size", "expected", "assumed"),
    [
        (0, 0xFF, 1, 255, True),
        (0, 0xFFFF, 2, 65535, True),
        (0, 0xFFFFFFFF, 4, 4294967295, True),
        (0, 0xFEFFFFFF, 4, 4278190079, True),  # ff ff ff fe, bytes in the wrong order
        (0, 0xFFFE, 2, 65534, True),
        (-1, 0x7FFF, 2, 32767, False),
        (-1, 0xFFFE, 2, 65534, True),
        (-10, 0xFF, 1, -1, False),
        (0, 0x0000FFFF, 4, 65535, False),
        (20, 10, 1, 10, False),  # nothing helps; left as it is
    ],
)
@pytest.mark.parametrize("maximum_first", [False, True])
def test_a_maximum_below_the_minimum_is_read_unsigned(
    minimum: int, maximum: int, size: int, expected: int, *, assumed: bool, maximum_first: bool
) -> None:
    limits = [item(build.LOGICAL_MIN, minimum), item(build.LOGICAL_MAX, maximum, size)]
    if maximum_first:
        limits.reverse()
    descriptor = parse(ups(*limits, item(build.USAGE, 0x30), FIELD))
    (field,) = descriptor.fields
    assert (field.logical_minimum, field.logical_maximum) == (minimum, expected)
    assert field.assumed_maximum == assumed
    assert bool(descriptor.oddities) == (assumed or expected < minimum)


def test_an_assumed_maximum_marks_no_later_field() -> None:
    odd = item(build.LOGICAL_MAX, 0xFF) + item(build.USAGE, 0x30) + FIELD
    descriptor = parse(ups(odd, item(build.LOGICAL_MAX, 100), item(build.USAGE, 0x31), FIELD))
    assert [field.assumed_maximum for field in descriptor.fields] == [True, False]
    assert oddities(descriptor) == "20: logical maximum -1 below minimum 0 is taken as 255"


@pytest.mark.parametrize(
    ("written", "size", "exponent"),
    [
        (0x00, 0, 0),
        (0x07, 1, 7),
        (0x08, 1, -8),
        (0x0D, 1, -3),
        (0x0F, 1, -1),
        (0x000E, 2, -2),
        (0xFE, 1, -2),
        (0x80, 1, 0),
        (0x10, 1, 16),
        (0xFFFFFFFF, 4, -1),
        (0x7FFFFFFF, 4, 0),
    ],
)
def test_unit_exponents_of_four_bits_and_of_a_byte(written: int, size: int, exponent: int) -> None:
    assert (
        only(item(build.EXPONENT, written, size), item(build.USAGE, 0x30), FIELD).exponent
        == exponent
    )


# Collections


def test_a_collection_type_from_0x80_on_adds_an_index() -> None:
    field = only(
        item(build.USAGE, 0x1E) + item(build.COLLECTION, 0x84),
        item(build.USAGE, 0x30) + FIELD,
        item(build.END, size=0),
    )
    assert field.path == (0x00840004, 0x0084001E, index_node(4), VOLTAGE)


def test_an_index_is_no_usage_of_page_00ff() -> None:
    usage = item(build.USAGE, 0x00FF0001, 4)
    field = only(usage + item(build.COLLECTION, 0x81), usage + FIELD, item(build.END, size=0))
    assert field.path == (0x00840004, 0x00FF0001, index_node(1), 0x00FF0001)
    assert index_node(1) > 0xFFFFFFFF


def test_a_collection_without_usage_is_node_0() -> None:
    field = only(item(build.COLLECTION, 0), item(build.USAGE, 0x30), FIELD, item(build.END, size=0))
    assert field.path == (0x00840004, 0, VOLTAGE)


def test_application_collections_of_the_top_are_listed() -> None:
    inner = item(build.USAGE, 0x24) + item(build.COLLECTION, 1) + item(build.END, size=0)
    mouse = item(build.USAGE, 0x00010002, 4) + item(build.COLLECTION, 1) + item(build.END, size=0)
    physical = (
        item(build.USAGE, 0x00010001, 4) + item(build.COLLECTION, 0) + item(build.END, size=0)
    )
    descriptor = parse(mouse + physical + ups(inner, item(build.USAGE, 0x30), FIELD))
    assert descriptor.applications == (0x00010002, 0x00840004)


def test_an_end_too_many_is_noted() -> None:
    end = item(build.END, size=0)
    descriptor = parse(ups(item(build.USAGE, 0x30), FIELD) + end + item(build.USAGE, 0x31) + FIELD)
    assert [field.path for field in descriptor.fields] == [(0x00840004, VOLTAGE), (CURRENT,)]
    assert oddities(descriptor) == "21: end of a collection that is not open"


def test_an_end_too_few_is_noted() -> None:
    descriptor = parse(ups(item(build.USAGE, 0x30), FIELD)[:-1])
    assert oddities(descriptor) == "20: a collection is not closed"


# Items that say nothing, and descriptors that do not


def test_strings_designators_and_long_items_are_passed_over_in_silence() -> None:
    ignored = b"".join(item(tag, 5) for tag in (0x38, 0x48, 0x58, 0x78, 0x88, 0x98))
    descriptor = parse(ups(ignored, b"\xfe\x02\x09\x09\x30", item(build.USAGE, 0x30), FIELD))
    assert usages(descriptor) == [VOLTAGE]
    assert not descriptor.oddities


def test_reserved_items_are_noted() -> None:
    descriptor = parse(
        ups(item(0xC4, 1), item(0x68, 1), item(0xFC, 1), item(build.USAGE, 0x30), FIELD)
    )
    assert usages(descriptor) == [VOLTAGE]
    assert (
        oddities(descriptor)
        == "16: reserved item 0xc4; 18: reserved item 0x68; 20: reserved item 0xfc"
    )


def test_a_descriptor_cut_off_keeps_what_came_before() -> None:
    descriptor = parse(ups(item(build.USAGE, 0x30), FIELD)[:-1] + b"\x27\xff")
    assert usages(descriptor) == [VOLTAGE]
    assert (
        oddities(descriptor)
        == "20: the descriptor ends inside an item; 22: a collection is not closed"
    )


@pytest.mark.parametrize(
    ("data", "problem", "offset"),
    [
        (b"", "no usable item: it has no field", 0),
        (ups(), "no usable item: it has no field", 17),
        (b"\xc0\x27", "no usable item: end of a collection that is not open", 0),
        (bytes(65536), "65536 bytes are more than a report descriptor can have", None),
    ],
)
def test_nothing_usable_is_an_error(data: bytes, problem: str, offset: int | None) -> None:
    with pytest.raises(DescriptorError) as caught:
        parse(data)
    assert (caught.value.problem, caught.value.offset) == (problem, offset)
