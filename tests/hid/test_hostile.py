"""Descriptors made to break their reader: only DescriptorError, and little memory and work."""

from __future__ import annotations

import contextlib
import random
import sys
import tracemalloc
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hid import build
from tests.hid.build import item, ups
from tests.hid.recordings import FIXTURES, load
from usbhidups.errors import DescriptorError
from usbhidups.hid.descriptor import Descriptor, parse
from usbhidups.hid.report import extract, folded, in_range, insert, logical
from usbhidups.hid.units import grain, to_physical
from usbhidups.hid.usages import Names

LONGEST = 65535
FIELD = item(build.USAGE, 0x30) + item(build.FEATURE, 2)
START = ups(FIELD)[:-1]
ALL_ONES = 0xFFFFFFFF


def filled(unit: bytes) -> bytes:
    """A beginning with one good field, then the unit over and over, as long as a descriptor can be."""
    return (START + unit * (LONGEST // len(unit)))[:LONGEST]


HOSTILE = {
    "huge count": filled(item(build.COUNT, ALL_ONES, 4) + FIELD),
    "huge count of single bits": filled(item(build.SIZE, 1) + item(build.COUNT, 500000, 4) + FIELD),
    "huge size": filled(item(build.SIZE, ALL_ONES, 4) + item(build.COUNT, ALL_ONES, 4) + FIELD),
    "many fields": filled(FIELD),
    "usages without end": filled(item(build.USAGE, size=0)),
    "4-byte usages without end": filled(item(build.USAGE, ALL_ONES, 4)),
    "range of everything": filled(item(build.USAGE_MIN, 0, 4) + item(build.USAGE_MAX, ALL_ONES, 4)),
    "ranges of a page": filled(item(build.USAGE_MIN, 0) + item(build.USAGE_MAX, 0xFFFF, 2)),
    "ranges and fields": filled(
        item(build.USAGE_MIN, 0) + item(build.USAGE_MAX, 0xFFFF, 2) + item(build.FEATURE, size=0)
    ),
    "nested collections": START
    + item(build.COLLECTION, 1) * 10000
    + FIELD
    + item(build.END, size=0) * 10001,
    "nested to the end": filled(item(build.COLLECTION, size=0)),
    "indexed and nested": filled(item(build.USAGE, 0x1E) + item(build.COLLECTION, 0xFF)),
    "opened and closed": filled(item(build.COLLECTION, size=0) + item(build.END, size=0)),
    "ends only": filled(item(build.END, size=0)),
    "push only": filled(item(build.PUSH, size=0)),
    "push and pop": filled(item(build.PUSH, size=0) + item(build.POP, size=0)),
    "pop only": filled(item(build.POP, size=0)),
    "padding only": filled(item(build.FEATURE, size=0)),
    "reserved items": filled(b"\xfc"),
    "delimiters": filled(
        item(build.DELIMITER, 1) + item(build.USAGE, 1) + item(build.DELIMITER, 0)
    ),
    "open delimiters": filled(item(build.DELIMITER, 1)),
    "long items": filled(b"\xfe\x00\x00"),
    "longest items": filled(b"\xfe\xff\x00" + bytes(255)),
    "every report id": b"".join(
        item(build.REPORT_ID, number, 2) + b"\x80\x90\xb0" for number in range(9000)
    ),
    "an oddity each": START
    + b"".join(item(build.LOGICAL_MIN, 1 + number, 2) + b"\x24" + FIELD for number in range(4000)),
    "noise": random.Random(1).randbytes(LONGEST),
    "zeros": bytes(LONGEST),
    "ones": b"\xff" * LONGEST,
}
EACH = pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())


def count_steps(data: bytes) -> int:
    """Python lines that a parse runs: work that does not depend on the machine."""
    steps = 0

    def trace(_frame: FrameType, _event: str, _argument: Any) -> Any:
        nonlocal steps
        steps += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        with contextlib.suppress(DescriptorError):
            parse(data)
    finally:
        sys.settrace(before)
    return steps


@EACH
def test_memory_is_bounded(data: bytes) -> None:
    tracemalloc.start()
    try:
        with contextlib.suppress(DescriptorError):
            parse(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5_000_000  # the least machine has 20 MB for it


@EACH
def test_work_is_bounded(data: bytes) -> None:
    # At most 65535 items; the dearest byte costs 42 lines, and 3 million lines are about 0.1 s.
    assert count_steps(data) < 45 * LONGEST


@EACH
def test_results_are_bounded(data: bytes) -> None:
    with contextlib.suppress(DescriptorError):
        descriptor = parse(data)
        assert len(descriptor.fields) <= 4096
        assert len(descriptor.oddities) <= 100
        assert max(descriptor.report_bytes.values()) < 65536
        assert max(len(field.path) for field in descriptor.fields) <= 65


def test_what_is_beyond_a_bound_is_noted_and_what_came_before_stays() -> None:
    for name, text in (
        ("huge count", "feature report 0x01 is too long to transfer"),
        ("huge count of single bits", "more than 4096 fields are ignored"),
        ("nested collections", "collections more than 32 deep; their items are ignored"),
        ("push only", "more than 64 pushes; the rest is ignored"),
        ("ranges of a page", "usage range 0x00840000 to 0x0084ffff is ignored"),
    ):
        descriptor = parse(HOSTILE[name])
        assert text in [oddity.text for oddity in descriptor.oddities]
        assert descriptor.fields[0].path == (0x00840004, 0x00840030)


def test_after_too_deep_collections_fields_count_again() -> None:
    descriptor = parse(
        START + item(build.COLLECTION, 1) * 100 + FIELD + item(build.END, size=0) * 100 + FIELD
    )
    assert [(field.offset, field.path) for field in descriptor.fields] == [
        (0, (0x00840004, 0x00840030)),
        (16, (0x00840004, 0x00840030)),
    ]


def use(descriptor: Descriptor, data: bytes) -> None:
    """Everything that is done with a descriptor, on every field."""
    names = Names()
    for field in descriptor.fields:
        names.path(names.text(field.path))
        length = descriptor.report_bytes[field.report_type, field.report_id]
        assert field.offset + field.size <= 8 * length
        extract(field, data)
        whole = (data + bytes(1 + length))[: 1 + length]
        raw = extract(field, whole)
        assert raw is not None
        for value in (logical(field, raw), folded(field, raw)):
            in_range(field, value)
            to_physical(field, value)
        grain(field)
        assert extract(field, insert(field, whole, logical(field, raw))) == raw


TAGS = st.sampled_from(
    [
        *(build.INPUT, build.OUTPUT, build.FEATURE, build.COLLECTION, build.END),
        *(build.PAGE, build.LOGICAL_MIN, build.LOGICAL_MAX, build.PHYSICAL_MIN, build.PHYSICAL_MAX),
        *(
            build.EXPONENT,
            build.UNIT,
            build.SIZE,
            build.REPORT_ID,
            build.COUNT,
            build.PUSH,
            build.POP,
        ),
        *(build.USAGE, build.USAGE_MIN, build.USAGE_MAX, build.DELIMITER, 0x38, 0xFC),
    ]
)
SMALL = st.integers(0, 40)
ITEMS = st.lists(
    st.one_of(
        st.builds(item, TAGS, SMALL, st.just(1)),
        st.builds(item, TAGS, st.integers(0, ALL_ONES), st.sampled_from([0, 1, 2, 4])),
        st.just(FIELD),
    ),
    max_size=60,
).map(b"".join)


@given(st.binary(max_size=400), st.binary(max_size=40))
def test_any_bytes(data: bytes, answer: bytes) -> None:
    with contextlib.suppress(DescriptorError):
        use(parse(data), answer)


@given(ITEMS, st.binary(max_size=40))
def test_any_items(data: bytes, answer: bytes) -> None:
    with contextlib.suppress(DescriptorError):
        use(parse(START + data), answer)


REAL = [recording.descriptor for recording in load(FIXTURES)]


@given(st.sampled_from(REAL), st.data())
def test_any_damage_to_a_real_descriptor(descriptor: bytes, draw: st.DataObject) -> None:
    damaged = bytearray(descriptor)
    for _ in range(draw.draw(st.integers(1, 8))):
        damaged[draw.draw(st.integers(0, len(damaged) - 1))] = draw.draw(st.integers(0, 255))
    cut = draw.draw(st.integers(0, len(damaged)))
    with contextlib.suppress(DescriptorError):
        use(parse(bytes(damaged)), bytes(damaged[:64]))
    with contextlib.suppress(DescriptorError):
        use(parse(bytes(damaged[cut:])), bytes(64))
