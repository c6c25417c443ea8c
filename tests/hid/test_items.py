"""Items: sizes, offsets, long items, ends in the middle, signs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usbhidups.hid import items
from usbhidups.hid.items import Item, iterate, signed


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("", []),
        ("c0", [(0, items.END_COLLECTION, 0, 0)]),
        ("05 84", [(0, items.USAGE_PAGE, 1, 0x84)]),
        ("06 86 ff", [(0, items.USAGE_PAGE, 2, 0xFF86)]),
        ("27 ff ff ff fe", [(0, items.LOGICAL_MAXIMUM, 4, 0xFEFFFFFF)]),
        ("09 04 a1 01", [(0, items.USAGE, 1, 4), (2, items.COLLECTION, 1, 1)]),
        # long items: 0xFE, data length, tag, data (HID 1.11 section 6.2.2.3)
        ("fe 02 00 aa bb c0", [(0, items.LONG, 2, 0xBBAA), (5, items.END_COLLECTION, 0, 0)]),
        ("fe 00 07 c0", [(0, items.LONG, 0, 0), (3, items.END_COLLECTION, 0, 0)]),
        # cut off
        ("c0 05", [(0, items.END_COLLECTION, 0, 0), (1, items.TRUNCATED, 1, 0)]),
        ("27 ff ff ff", [(0, items.TRUNCATED, 4, 0)]),
        ("fe", [(0, items.TRUNCATED, 1, 0)]),
        ("fe 02", [(0, items.TRUNCATED, 2, 0)]),
        ("fe 02 00 aa", [(0, items.TRUNCATED, 4, 0)]),
        # 0xfc, 0xfd and 0xff are short items of the reserved type, only 0xfe is a long one
        ("fd 01", [(0, 0xFC, 1, 1)]),
    ],
)
def test_items(data: str, expected: list[Item]) -> None:
    assert list(iterate(bytes.fromhex(data))) == expected


@pytest.mark.parametrize(
    ("value", "size", "number"),
    [
        (0, 0, 0),
        (0x7F, 1, 127),
        (0x80, 1, -128),
        (0xFF, 1, -1),
        (0x00FF, 2, 255),
        (0xFFFF, 2, -1),
        (0x7FFFFFFF, 4, 2147483647),
        (0xFFFFFFFE, 4, -2),
        (0x0000FFFF, 4, 65535),
    ],
)
def test_sign_is_that_of_the_written_size(value: int, size: int, number: int) -> None:
    assert signed(value, size) == number


@given(st.binary(max_size=300))
def test_items_cover_any_bytes_without_gap(data: bytes) -> None:
    following = 0
    for offset, tag, size, value in iterate(data):
        assert offset == following
        if tag == items.TRUNCATED:
            assert offset + size == len(data)
            following = len(data)
        elif tag == items.LONG:
            following = offset + 3 + size
        else:
            assert tag == data[offset] - data[offset] % 4
            assert value == sum(
                byte << 8 * place for place, byte in enumerate(data[offset + 1 : offset + 1 + size])
            )
            following = offset + 1 + size
    assert following == len(data)
