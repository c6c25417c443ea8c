"""Stale when, and only when, freshness cannot be proven (B01, B08, C01, C17, D11; invariants I4, I6, I7)."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ups.made import HEALTHY, IDENTITY, announce, made, say
from tests.ups.reports import ReportDevice
from usbhidups.errors import TransferKind
from usbhidups.hid.descriptor import ReportType
from usbhidups.ups.device import Ups
from usbhidups.ups.options import Options
from usbhidups.ups.reading.failures import Failures
from usbhidups.ups.reading.freeze import FreezeDetector
from usbhidups.ups.reading.freshness import Freshness, Health, Proof

EVERY = [(ReportType.FEATURE, number) for number in range(1, 10)]


def plain() -> Freshness:
    """Of a device of which nothing is known."""
    return Freshness(FreezeDetector(now=0.0), Failures())


def jitter(device: ReportDevice, rng: random.Random, often: float) -> None:
    """Move input voltage and load as a living device does: each with probability ``often``."""
    if rng.random() < often:
        device.feature[6] = b"\x06" + rng.randrange(225, 236).to_bytes(2, "little")
    if rng.random() < often:
        device.feature[8] = bytes([8, rng.randrange(15, 25)])


def live(device: ReportDevice, ups: Ups, seconds: float, rng: random.Random, often: float) -> bool:
    """Let a jittering device live; return whether it was ever called stale."""
    stale = False
    end = device.now + seconds
    while device.now < end:
        jitter(device, rng, often)
        device.run(ups, 1.0)
        stale = stale or not ups.view(device.now).fresh
    return stale


def test_a_device_that_never_moves_is_never_called_frozen() -> None:
    device, ups = made()
    device.run(ups, 1.0)
    for _ in range(200):
        device.run(ups, 60.0)
        assert ups.view(device.now).fresh
        assert ups.look(device.now)[1].health is Health.FRESH


@pytest.mark.parametrize("seed", range(10))
def test_a_frozen_device_is_declared_within_a_minute(seed: int) -> None:
    rng = random.Random(seed)
    device, ups = made()
    assert not live(device, ups, 600.0, rng, often=0.3)
    device.run(ups, 60.0)
    view = ups.view(device.now)
    assert not view.fresh
    assert "frozen" in view.reason


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32), often=st.sampled_from([0.02, 0.1, 0.3, 0.9]))
def test_a_living_device_is_never_declared_frozen(seed: int, often: float) -> None:
    device, ups = made()
    device.run(ups, 1.0)
    assert not live(device, ups, 1800.0, random.Random(seed), often)


def test_a_frozen_device_is_opened_again_and_stays_stale_until_something_moves() -> None:
    rng = random.Random(7)
    device, ups = made()
    live(device, ups, 600.0, rng, often=0.5)
    device.run(ups, 60.0)
    assert ups.look(device.now)[1].health is Health.REOPEN
    ups.disconnected(now=device.now)
    device.now += 1.0
    ups.reconnected(IDENTITY, now=device.now)
    device.run(ups, 20.0)
    assert not ups.view(device.now).fresh
    assert ups.look(device.now)[1].health is Health.STALE
    live(device, ups, 20.0, rng, often=0.9)
    assert ups.view(device.now).fresh


def test_one_failing_report_costs_that_value_only() -> None:
    device, ups = made()
    device.run(ups, 40.0)
    device.failing[ReportType.FEATURE, 6] = TransferKind.IO
    for _ in range(40):
        device.run(ups, 10.0)
        assert ups.view(device.now).fresh
        assert ups.look(device.now)[1].health in (Health.FRESH, Health.DOUBTFUL)
    assert "input.voltage" not in ups.view(device.now).variables
    assert "ups.load" in ups.view(device.now).variables


@pytest.mark.parametrize("kind", [TransferKind.IO, TransferKind.TIMEOUT, TransferKind.STALL])
def test_when_everything_fails_the_device_is_opened_again_soon(kind: TransferKind) -> None:
    device, ups = made()
    device.run(ups, 40.0)
    device.failing = dict.fromkeys(EVERY, kind)
    device.run(ups, 5.0)
    assert ups.look(device.now)[1].health is Health.REOPEN


def test_a_status_report_that_fails_alone_makes_the_data_stale_without_a_reopening() -> None:
    device, ups = made()
    device.run(ups, 40.0)
    device.failing[ReportType.FEATURE, 1] = TransferKind.IO
    reopened = False
    for _ in range(100):
        device.run(ups, 0.1)
        reopened = reopened or ups.look(device.now)[1].health is Health.REOPEN
    assert not ups.view(device.now).fresh
    assert not reopened


def test_after_a_lapse_fresh_is_said_once_and_not_at_the_first_answer() -> None:
    device, ups = made()
    device.run(ups, 40.0)
    device.failing[ReportType.FEATURE, 1] = TransferKind.IO
    device.run(ups, 10.0)
    changes = 0
    before = ups.view(device.now).fresh
    assert not before
    device.failing.clear()
    for _ in range(100):
        device.run(ups, 0.1)
        fresh = ups.view(device.now).fresh
        changes += fresh is not before
        before = fresh
    assert before
    assert changes == 1


def test_a_short_bounce_is_bridged_and_a_long_one_is_stale() -> None:
    device, ups = made()
    device.run(ups, 10.0)
    announce(device, ups, "discharging", "present", "good")
    ups.disconnected(now=device.now)
    device.now += 2.0
    assert ups.view(device.now).fresh
    device.now += 3.0
    view = ups.view(device.now)
    assert not view.fresh
    assert view.variables["ups.status"].text == "OB DISCHRG"
    ups.reconnected(IDENTITY, now=device.now)
    device.read_what_is_due(ups)
    assert ups.view(device.now).fresh


def test_after_a_reconnection_the_status_is_read_first_and_names_are_kept() -> None:
    device, ups = made()
    device.run(ups, 10.0)
    ups.disconnected(now=device.now)
    device.now += 30.0
    ups.reconnected(IDENTITY, now=device.now)
    device.reads.clear()
    device.read_what_is_due(ups)
    assert device.reads == [(ReportType.FEATURE, 1)]
    assert ups.view(device.now).variables["battery.charge"].text == "100"


def test_the_request_rate_falls_as_errors_rise() -> None:
    device, ups = made()
    device.run(ups, 60.0)
    healthy = device.run(ups, 60.0)
    device.failing = {key: TransferKind.IO for key in EVERY if key[1] != 1}
    rng = random.Random(3)
    failing = 0
    for _ in range(60):
        if rng.random() < 0.5:
            device.failing[ReportType.FEATURE, 1] = TransferKind.TIMEOUT
        else:
            device.failing.pop((ReportType.FEATURE, 1), None)
        failing += device.run(ups, 1.0)
    assert failing < healthy * 0.6


def test_silence_on_the_interrupt_endpoint_is_no_proof_of_health() -> None:
    device, ups = made()
    device.run(ups, 20.0)
    device.failing = dict.fromkeys(EVERY, TransferKind.TIMEOUT)
    for _ in range(20):
        ups.no_input()
        device.run(ups, 1.0)
    assert not ups.view(device.now).fresh


def test_an_empty_endpoint_is_reopened_only_where_the_administrator_says_so() -> None:
    for tolerance, expected in ((-1, Health.FRESH), (5, Health.REOPEN)):
        device, ups = made(Options(interrupt_pipe_no_events_tolerance=tolerance))
        device.run(ups, 20.0)
        for _ in range(6):
            ups.no_input()
        assert ups.look(device.now)[1].health is expected


def test_an_interrupt_only_device_that_only_reports_changes_stays_fresh() -> None:
    device, ups = made(Options(interruptonly=True))
    announce(device, ups, *HEALTHY)
    assert ups.reads_due(0.0) == ()
    assert ups.view(0.0).fresh
    say(device)
    assert ups.view(50.0).fresh


def test_a_device_whose_control_reads_are_refused_lives_on_its_announcements() -> None:
    device, ups = made()
    device.failing = dict.fromkeys(EVERY, TransferKind.STALL)
    device.run(ups, 2.0)
    assert not ups.view(device.now).fresh
    for _ in range(5):
        announce(device, ups, *HEALTHY)
        device.run(ups, 30.0)
        assert ups.view(device.now).fresh
        assert ups.look(device.now)[1].health is Health.FRESH


def test_an_announced_outage_of_zeros_is_believed_where_it_cannot_be_asked_for() -> None:
    device, ups = made()
    device.run(ups, 5.0)
    device.failing[ReportType.FEATURE, 1] = TransferKind.TIMEOUT
    device.run(ups, 3.0)
    ups.got_report(ReportType.INPUT, b"\x01\x00\x00", now=device.now)
    assert "OB" in ups.view(device.now).variables["ups.status"].text


def test_a_lapse_ends_with_a_proof_and_not_with_more_patience() -> None:
    """As transfers fail the next proof may take longer; what was called stale stays so until one comes."""
    freshness = plain()
    stale = freshness.stale
    assert stale(Proof(0.0, 1.1), now=5.0) == ""
    assert stale(Proof(0.0, 1.1), now=5.2)
    assert stale(Proof(0.0, 4.2), now=5.3)
    assert stale(Proof(0.0, 4.2), now=8.0)
    assert stale(Proof(8.1, 4.2), now=8.1) == "answers again, not for long yet"
    assert stale(Proof(10.2, 4.2), now=10.2) == ""


def test_a_lapse_that_others_saw_ends_with_a_proof_too() -> None:
    freshness = plain()
    stale = freshness.stale
    assert stale(Proof(0.0, 1.1), now=3.0) == ""
    freshness.lapsed()
    assert stale(Proof(0.0, 4.2), now=5.3)
    assert stale(Proof(0.0, 4.2), now=8.0)
    assert stale(Proof(8.1, 4.2), now=8.1) == "answers again, not for long yet"
    assert stale(Proof(10.2, 4.2), now=10.2) == ""


def test_the_loss_of_a_stale_device_makes_nothing_good() -> None:
    """A lost one has some grace; nobody gets back what was not proven before. (found by a long day)"""
    freshness = plain()
    stale = freshness.stale
    assert stale(Proof(0.0, 1.1), now=6.0)
    freshness.disconnected(now=6.1)
    assert stale(Proof(0.0, 1.1), now=6.1)
    freshness.reconnected(now=7.0)
    assert stale(Proof(0.0, 1.1), now=7.0)
    assert stale(Proof(7.1, 1.1), now=7.1) == ""  # the first status is enough then


def test_a_failed_reading_of_the_mains_is_not_doing_well() -> None:
    device, ups = made()
    device.run(ups, 40.0)
    device.failing[ReportType.FEATURE, 1] = TransferKind.IO
    device.run(ups, 10.0)
    device.failing.clear()
    while ups.view(device.now).reason != "answers again, not for long yet":
        device.run(ups, 0.1)
    device.failing[ReportType.FEATURE, 1] = TransferKind.IO
    device.run(ups, 4.0)
    assert not ups.view(device.now).fresh
    device.failing.clear()
    device.run(ups, 12.0)
    assert ups.view(device.now).fresh


def test_when_a_lost_device_is_stale_is_known_beforehand() -> None:
    """Its last proof ages although it is gone; and who waits longer for the next has 4 s all the same."""
    for expected, until in ((1.1, 5.1), (8.0, 7.0)):
        freshness = plain()
        assert freshness.stale(Proof(0.0, expected), now=0.0) == ""
        freshness.disconnected(now=3.0)
        assert freshness.good_until(Proof(0.0, expected)) == pytest.approx(until)
        assert freshness.stale(Proof(0.0, expected), now=until - 0.1) == ""
        assert freshness.stale(Proof(0.0, expected), now=until + 0.1)


def test_fresh_again_comes_with_an_answer_and_not_with_time() -> None:
    """One answer, then nothing: it is not good after 2 s because nobody has asked since. (a third times out)"""
    freshness = plain()
    assert freshness.stale(Proof(0.0, 1.1), now=6.0)
    assert freshness.stale(Proof(6.5, 8.0), now=6.5) == "answers again, not for long yet"
    assert freshness.healed_at == 8.5
    assert freshness.stale(Proof(6.5, 8.0), now=11.0) == "answers again, not for long yet"
    assert freshness.stale(Proof(11.5, 8.0), now=11.5) == ""


def test_where_nothing_can_be_asked_two_seconds_are_enough() -> None:
    """An interrupt-only device may say its next word in a minute."""
    freshness = plain()
    assert freshness.stale(Proof(0.0, 60.0, asked=False), now=65.0)
    assert freshness.stale(Proof(70.0, 60.0, asked=False), now=70.0)
    assert freshness.stale(Proof(70.0, 60.0, asked=False), now=72.1) == ""


@pytest.mark.parametrize("closed", [True, False])
def test_the_first_status_is_enough_of_what_was_gone_not_of_what_was_closed(
    *, closed: bool
) -> None:
    """A device that was opened anew since it answered nothing has to show that it does."""
    failures = Failures()
    freshness = Freshness(FreezeDetector(now=0.0), failures)
    assert freshness.stale(Proof(0.0, 1.1), now=6.0)
    if closed:
        for number in range(8):
            key = (ReportType.FEATURE, number)
            failures.failed(key, TransferKind.IO, supported=True, now=6.0)
    freshness.disconnected(now=6.1)
    failures.forget()
    freshness.reconnected(now=7.0)
    assert bool(freshness.stale(Proof(7.1, 1.1), now=7.1)) is closed


def test_the_first_status_is_not_enough_where_a_reading_of_it_failed_first() -> None:
    freshness = plain()
    assert freshness.stale(Proof(0.0, 1.1), now=6.0)
    freshness.disconnected(now=6.1)
    freshness.reconnected(now=7.0)
    freshness.unproven()
    assert freshness.stale(Proof(7.1, 1.1), now=7.1) == "answers again, not for long yet"
