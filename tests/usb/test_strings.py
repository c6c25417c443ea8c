"""String descriptors of firmwares that are not at their best (catalogue A10, A11, A12)."""

from __future__ import annotations

import pytest

from tests.usb.bytes import string
from tests.usb.pipes import STALL, TIMEOUT, Answer, Clock, TablePipe
from usbhidups.errors import DeviceGone, TransferFailed
from usbhidups.usb.strings import StringReader

LANGUAGES = (0x80, 0x06, 0x0300, 0)
GERMAN = bytes.fromhex("04 03 07 04")
ENGLISH = bytes.fromhex("04 03 09 04")


def text(index: int, language: int = 0x0409) -> tuple[int, int, int, int]:
    return (0x80, 0x06, 0x0300 | index, language)


def reader(pipe: TablePipe, copies: dict[int, str] | None = None) -> tuple[StringReader, Clock]:
    clock = Clock()
    return StringReader(pipe.control_in, copies or {}, clock=clock, sleep=clock.sleep), clock


def test_languages_first_then_the_text() -> None:
    pipe = TablePipe({LANGUAGES: ENGLISH, text(2): string("CP1500"), text(3): string("0000")})
    strings, _ = reader(pipe)
    assert strings.read(2, 5) == "CP1500"
    assert strings.read(3, 5) == "0000"
    assert pipe.asked == [(*LANGUAGES, 4), (*text(2), 255), (*text(3), 255)]


@pytest.mark.parametrize(
    "languages",
    [
        GERMAN,
        bytes.fromhex("04 03 ff ff"),
        bytes.fromhex("02 03"),
        bytes.fromhex("de ad be ef"),
        STALL,
    ],
    ids=["another", "nonsense", "empty", "no descriptor", "stall"],
)
def test_english_is_tried_whatever_the_table_says(languages: Answer) -> None:
    strings, _ = reader(TablePipe({LANGUAGES: languages, text(1): string("CPS")}))
    assert strings.read(1, 5) == "CPS"


def test_a_hundred_and_twenty_six_languages() -> None:
    """As many as a table can hold: the first is asked for, then English, and nobody else."""
    table = bytes([254, 3]) + b"".join((0x0800 + n).to_bytes(2, "little") for n in range(126))
    pipe = TablePipe({LANGUAGES: table, text(1): string("CPS")})
    strings, _ = reader(pipe)
    assert strings.read(1, 5) == "CPS"
    assert {asked[:4] for asked in pipe.asked} == {LANGUAGES, text(1, 0x0800), text(1)}


def test_the_language_that_worked_is_kept() -> None:
    pipe = TablePipe({LANGUAGES: GERMAN, text(1): string("CPS"), text(2): string("CP")})
    strings, _ = reader(pipe)
    strings.read(1, 5)
    pipe.asked.clear()
    assert strings.read(2, 5) == "CP"
    assert pipe.asked == [(*text(2), 255)]


def test_three_tries_with_pauses() -> None:
    pipe = TablePipe({LANGUAGES: ENGLISH, text(1): [STALL, b"", string("Tripp Lite")]})
    strings, clock = reader(pipe)
    assert strings.read(1, 5) == "Tripp Lite"
    assert clock.now == pytest.approx(100.1)


def test_no_string() -> None:
    strings, _ = reader(
        TablePipe({LANGUAGES: ENGLISH, text(1): STALL, text(2): bytes.fromhex("02 03")})
    )
    assert strings.read(1, 5) is None
    assert strings.read(2, 5) is None


def test_indices_that_are_none_cost_nothing() -> None:
    pipe = TablePipe({})
    strings, _ = reader(pipe)
    assert [strings.read(index, 5) for index in (0, -1, 256)] == [None, None, None]
    assert pipe.asked == []


def test_the_kernels_copy_costs_nothing() -> None:
    pipe = TablePipe({})
    strings, _ = reader(pipe, {1: "CPS"})
    assert strings.read(1, 5) == "CPS"
    assert pipe.asked == []


def test_silence_uses_no_more_than_the_time_given() -> None:
    pipe = TablePipe({})
    strings, clock = reader(pipe)

    def slow(setup: object, length: int) -> Answer:
        clock.sleep(pipe.timeouts[-1])
        return TIMEOUT

    pipe.table[LANGUAGES] = slow
    with pytest.raises(TransferFailed, match="scripted"):
        strings.read(1, 5)
    assert clock.now <= 105.1


def test_a_lost_device_ends_it() -> None:
    strings, _ = reader(TablePipe({LANGUAGES: DeviceGone("unplugged")}))
    with pytest.raises(DeviceGone):
        strings.read(1, 5)
