"""Which copy of the report descriptor is kept (hid-power-device.md section 1, catalogue A01 to A05)."""

from __future__ import annotations

import pytest

from tests.usb.bytes import KEYBOARD, NO_SUMMARY, UPS, hid
from tests.usb.pipes import (
    HID_DESCRIPTOR,
    OVERFLOW,
    REPORT_DESCRIPTOR,
    STALL,
    TIMEOUT,
    Answer,
    TablePipe,
)
from usbhidups.errors import DescriptorError, DeviceGone
from usbhidups.usb.descriptors import HidInterface
from usbhidups.usb.handle import Setup
from usbhidups.usb.report_descriptor import best_descriptor

LONG = UPS[:-1] + b"\xb1\x02" * 2200 + b"\xc0"
"""A whole descriptor of more than 4096 bytes."""


def climb(
    *,
    embedded: int,
    requested: Answer,
    report: Answer | list[Answer],
    cached: bytes | None = None,
    index: int = 0,
) -> tuple[bytes, list[int], int]:
    """The kept copy, the lengths that were asked of the report descriptor in turn, and the pauses."""
    at = 0x2200 + index
    pipe = TablePipe({(0x81, 6, 0x2100 + index, 0): requested, (0x81, 6, at, 0): report})
    pauses: list[None] = []

    def ask(setup: Setup, length: int) -> bytes:
        return pipe.control_in(setup, length, timeout=1)

    kept = best_descriptor(
        ask,
        HidInterface(0, embedded),
        cached=cached,
        index=index,
        pause=lambda: pauses.append(None),
    )
    return kept, [length for *key, length in pipe.asked if key[2] == at], len(pauses)


@pytest.mark.parametrize(
    ("embedded", "requested", "report", "cached", "kept", "asked"),
    [
        pytest.param(len(UPS), STALL, UPS, None, UPS, [len(UPS)], id="as it should be: one read"),
        pytest.param(0, hid(len(UPS)), UPS, None, UPS, [len(UPS)], id="embedded copy says nothing"),
        pytest.param(
            61939, hid(len(UPS)), UPS, None, UPS, [len(UPS)], id="2441: absurd length is not asked for"
        ),
        pytest.param(len(UPS), hid(0), UPS, None, UPS, [len(UPS)], id="A03: class request says 0"),
        pytest.param(
            len(UPS) - 2,
            hid(len(UPS)),
            UPS,
            None,
            UPS,
            [len(UPS) - 2, len(UPS)],
            id="3568: the embedded length cuts it",
        ),
        pytest.param(
            len(NO_SUMMARY),
            hid(len(NO_SUMMARY)),
            NO_SUMMARY,
            None,
            NO_SUMMARY,
            [len(NO_SUMMARY)],
            id="a whole one without PowerSummary, both lengths agree",
        ),
        pytest.param(
            len(NO_SUMMARY), hid(4703), [NO_SUMMARY, STALL, LONG], None, LONG,
            [len(NO_SUMMARY), 4703, 4096, 6144], id="A02: the larger length fails, a larger read works",
        ),
        pytest.param(
            len(NO_SUMMARY), hid(4703), [NO_SUMMARY, STALL], UPS, UPS,
            [len(NO_SUMMARY), 4703, 4096, 6144], id="A02: the kernel's copy is the last source",
        ),
        pytest.param(
            len(NO_SUMMARY), hid(4703), [NO_SUMMARY, STALL], None, NO_SUMMARY,
            [len(NO_SUMMARY), 4703, 4096, 6144], id="A02: the light one is better than none",
        ),
        pytest.param(
            len(UPS), OVERFLOW, UPS[:20], None, UPS[:20],
            [len(UPS), 4096, 6144], id="a cut one is better than none",
        ),
        pytest.param(
            len(LONG), STALL, LONG, None, LONG, [len(LONG)], id="longer than 4096 bytes"
        ),
        pytest.param(0, b"", UPS, None, UPS, [4096], id="no length anywhere"),
    ],
)  # fmt: skip
def test_which_copy_is_kept(
    embedded: int,
    requested: Answer,
    report: Answer | list[Answer],
    cached: bytes | None,
    kept: bytes,
    asked: list[int],
) -> None:
    got, lengths, pauses = climb(
        embedded=embedded, requested=requested, report=report, cached=cached
    )
    assert got == kept
    assert lengths == asked
    assert pauses == 0


def test_junk_in_front_is_read_again() -> None:
    junk = bytes.fromhex("09 21 10 01 00 01 22 e0") + UPS  # failure A01
    got, lengths, pauses = climb(embedded=len(UPS), requested=b"", report=[junk, junk, junk, UPS])
    assert got == UPS
    assert pauses == 1
    assert lengths == [len(UPS), 4096, 6144, len(UPS)]


def test_the_first_reads_may_time_out() -> None:
    late: list[Answer] = [*[TIMEOUT] * 6, UPS]
    got, _, pauses = climb(embedded=len(UPS), requested=OVERFLOW, report=late)  # failure A04
    assert got == UPS
    assert pauses == 2


def test_a_keyboard_is_given_up_with_what_was_heard() -> None:
    with pytest.raises(
        DescriptorError, match=r"interface 0 is no Power Device: \d+ bytes that begin 05 01"
    ):
        climb(embedded=len(KEYBOARD), requested=hid(len(KEYBOARD)), report=KEYBOARD)


def test_silence_is_given_up_after_three_rounds() -> None:
    with pytest.raises(DescriptorError, match="scripted: timeout"):
        climb(embedded=len(UPS), requested=TIMEOUT, report=TIMEOUT)


def test_a_copy_of_more_than_6144_bytes_is_not_believed() -> None:
    with pytest.raises(DescriptorError):
        climb(
            embedded=0,
            requested=STALL,
            report=STALL,
            cached=UPS[:-1] + b"\xb1\x02" * 3100 + b"\xc0",
        )


def test_a_lost_device_ends_it() -> None:
    with pytest.raises(DeviceGone):
        climb(embedded=len(UPS), requested=STALL, report=DeviceGone("unplugged"))


def test_another_descriptor_index() -> None:
    got, lengths, _ = climb(embedded=20, requested=hid(len(UPS)), report=UPS, index=1)
    assert got == UPS
    assert lengths == [20, len(UPS)]


def test_requests_on_the_wire() -> None:
    pipe = TablePipe({HID_DESCRIPTOR: hid(len(UPS)), REPORT_DESCRIPTOR: UPS})
    best_descriptor(
        lambda setup, length: pipe.control_in(setup, length, timeout=1),
        HidInterface(0, len(UPS) - 1),
        pause=lambda: None,
    )
    assert pipe.asked == [
        (0x81, 0x06, 0x2200, 0, len(UPS) - 1),
        (0x81, 0x06, 0x2100, 0, 9),
        (0x81, 0x06, 0x2200, 0, len(UPS)),
    ]
