"""When a device counts as answering nothing, and when it does not (failures B04, B09)."""

from __future__ import annotations

import pytest

from usbhidups.errors import TransferKind
from usbhidups.hid.descriptor import ReportType
from usbhidups.ups.reading.failures import Failures


def fail(failures: Failures, reports: list[int], *, now: float) -> None:
    """Let reads of these reports fail at one moment."""
    for number in reports:
        key = (ReportType.FEATURE, number)
        failures.failed(key, TransferKind.IO, supported=True, now=now)


def test_three_of_a_round_are_chance_and_three_for_a_second_are_not() -> None:
    failures = Failures()
    fail(failures, [1, 2, 3], now=5.0)
    assert not failures.nothing_works(5.0)
    fail(failures, [1], now=6.1)
    assert "4 transfers" in failures.nothing_works(6.1)


def test_eight_at_once_are_enough() -> None:
    failures = Failures()
    fail(failures, list(range(1, 8)), now=5.0)
    assert not failures.nothing_works(5.0)
    fail(failures, [8], now=5.0)
    assert failures.nothing_works(5.0)


def test_two_that_fail_slowly_count_after_four_seconds_and_one_alone_after_eight() -> None:
    for reports, seconds in (([1, 2], 4.0), ([1, 1], 8.0)):
        failures = Failures()
        fail(failures, reports[:1], now=0.0)
        fail(failures, reports[1:], now=3.0)
        assert not failures.nothing_works(seconds - 0.1)
        assert failures.nothing_works(seconds + 0.1)


def test_a_refusal_of_what_never_worked_is_no_failure() -> None:
    failures = Failures()
    for number in range(20):
        key = (ReportType.FEATURE, number)
        failures.failed(key, TransferKind.STALL, supported=False, now=float(number))
    assert failures.number == 0


@pytest.mark.parametrize("ever", [True, False])
def test_an_announcement_is_an_answer_only_of_what_never_gave_another(*, ever: bool) -> None:
    failures = Failures()
    if ever:
        failures.answered()
    fail(failures, [1, 2, 3], now=0.0)
    failures.announced()
    assert bool(failures.nothing_works(2.0)) is ever
    failures.answered()
    assert not failures.nothing_works(2.0)
