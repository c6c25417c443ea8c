"""What is read when: one transfer a report, status in a steady beat, learning from the interrupt endpoint."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.ups.made import HEALTHY, announce, made, say
from tests.ups.reports import ReportDevice
from usbhidups.errors import TransferKind
from usbhidups.hid.descriptor import ReportType
from usbhidups.ups.device import Ups
from usbhidups.ups.options import Options
from usbhidups.ups.plan import ReadRequest
from usbhidups.ups.reading.schedule import PollIntervals, Schedule
from usbhidups.ups.reading.wanted import Rank, Wanted

STATUS = (ReportType.FEATURE, 1)


def counted(device: ReportDevice, ups: Ups, seconds: float) -> Counter[int]:
    device.reads.clear()
    device.run(ups, seconds)
    return Counter(number for _, number in device.reads)


def test_status_is_read_first_and_alone_then_the_rest_in_small_batches() -> None:
    device, ups = made()
    first = ups.reads_due(0.0)
    assert [request.report_id for request in first] == [1]
    assert [request.size for request in first] == [3]
    device.read_what_is_due(ups)
    sizes = [device.read_what_is_due(ups) for _ in range(3)]
    assert all(0 < size <= 7 for size in sizes[:2])
    assert sorted(set(device.reads)) == sorted(
        {(ReportType.FEATURE, number) for number in range(1, 10)}, key=lambda key: key[1]
    )
    assert max(Counter(device.reads).values()) == 1


def test_reports_in_a_minute_on_mains() -> None:
    device, ups = made()
    device.run(ups, 60.0)
    reads = counted(device, ups, 600.0)
    assert 540 <= reads[1] <= 600
    assert 13 <= reads[2] <= 24  # values once in pollfreq, later every second time
    assert reads[9] <= 2  # settings
    assert sum(reads.values()) / 10 < 73  # the least of NUT's 122 a minute, times 0.6


def test_pollinterval_and_pollfreq_rule() -> None:
    device, ups = made(Options(pollinterval=10.0, pollfreq=100.0))
    device.run(ups, 60.0)
    reads = counted(device, ups, 800.0)
    assert 130 <= reads[1] <= 160
    assert 7 <= reads[2] <= 10


def test_a_value_that_never_moved_is_read_half_as_often_until_it_moves() -> None:
    device, ups = made()
    device.run(ups, 600.0)
    assert 9 <= counted(device, ups, 600.0)[2] <= 11
    device.feature[2] = bytes(
        (device.feature[2][0], device.feature[2][1] ^ 1, *device.feature[2][2:])
    )
    device.run(ups, 61.0)
    device.feature[2] = bytes(
        (device.feature[2][0], device.feature[2][1] ^ 1, *device.feature[2][2:])
    )
    assert 18 <= counted(device, ups, 600.0)[2] <= 90


def test_a_value_that_never_moved_is_read_like_the_others_on_battery() -> None:
    device, ups = made()
    device.run(ups, 600.0)
    say(device, "discharging", "present", "good")
    device.run(ups, 5.0)
    assert counted(device, ups, 60.0)[2] >= 5


def test_values_are_read_more_often_on_battery() -> None:
    device, ups = made()
    device.run(ups, 60.0)
    say(device, "discharging", "present", "good")
    device.run(ups, 5.0)
    assert counted(device, ups, 60.0)[2] >= 5


def test_values_of_an_outage_are_not_those_of_before_it() -> None:
    device, ups = made()
    device.run(ups, 60.0)
    device.feature[6] = b"\x06\0\0"  # no volts at the input
    announce(device, ups, "discharging", "present", "good")
    assert "OB" in ups.view(device.now).variables["ups.status"].text
    device.run(ups, 0.5)
    assert ups.view(device.now).variables["input.voltage"].text == "0.0"
    device.run(ups, 2.0)
    device.feature[6] = b"\x06" + (229).to_bytes(2, "little")
    announce(device, ups, *HEALTHY)
    device.run(ups, 0.5)
    assert ups.view(device.now).variables["input.voltage"].text == "229.0"


def test_a_report_that_was_announced_in_this_beat_is_not_fetched() -> None:
    device, ups = made()
    device.run(ups, 5.0)
    device.reads.clear()
    for _ in range(16):
        announce(device, ups, *HEALTHY)
        device.run(ups, 0.5)
    assert STATUS not in device.reads


def test_proven_announcements_turn_polling_into_a_cross_check() -> None:
    device, ups = made()
    device.run(ups, 20.0)
    for names in ((*HEALTHY, "charging"), HEALTHY) * 2:
        announce(device, ups, *names)
        device.run(ups, 3.0)
    reads = counted(device, ups, 600.0)
    assert 55 <= reads[1] <= 75


def test_a_change_that_was_not_announced_brings_the_polling_back() -> None:
    device, ups = made()
    device.run(ups, 20.0)
    for names in ((*HEALTHY, "charging"), HEALTHY) * 2:
        announce(device, ups, *names)
        device.run(ups, 3.0)
    say(device, *HEALTHY, "overload")
    device.run(ups, 25.0)
    assert counted(device, ups, 60.0)[1] >= 50


def test_an_announcement_just_after_the_poll_that_saw_the_change_is_a_proof() -> None:
    device, ups = made()
    device.run(ups, 20.0)
    for names in ((*HEALTHY, "charging"), HEALTHY) * 2:
        say(device, *names)
        while (ReportType.FEATURE, 1) not in device.reads:
            device.run(ups, 0.05)
        announce(device, ups, *names)
        device.reads.clear()
        device.run(ups, 3.0)
        device.reads.clear()
    assert counted(device, ups, 600.0)[1] <= 75


def test_polls_stay_where_the_endpoint_is_not_used() -> None:
    device, ups = made(Options(pollonly=True))
    assert not ups.listens
    device.run(ups, 20.0)
    assert counted(device, ups, 60.0)[1] >= 50


def test_interrupt_only_asks_for_nothing() -> None:
    device, ups = made(Options(interruptonly=True))
    device.run(ups, 60.0)
    assert device.reads == []
    assert ups.listens


def test_an_endpoint_that_only_fails_is_left_alone_for_minutes() -> None:
    device, ups = made()
    for _ in range(3):
        assert ups.listens
        ups.input_failed(TransferKind.IO, now=device.now)
    assert not ups.listens
    device.run(ups, 605.0)
    assert ups.listens


def test_timeouts_of_the_endpoint_are_no_failures() -> None:
    device, ups = made()
    for _ in range(10):
        ups.input_failed(TransferKind.TIMEOUT, now=device.now)
    assert ups.listens


def test_a_report_that_times_out_twice_is_quarantined() -> None:
    device, ups = made()
    device.failing[ReportType.FEATURE, 6] = TransferKind.TIMEOUT
    reads = counted(device, ups, 300.0)
    assert reads[6] == 3
    reads = counted(device, ups, 400.0)
    assert reads[6] == 1


def test_a_report_that_is_refused_is_tried_again_rarely() -> None:
    device, ups = made()
    del device.feature[6]
    reads = counted(device, ups, 500.0)
    assert reads[6] <= 3
    assert ups.view(device.now).fresh


def test_a_short_answer_is_a_failure_and_no_value() -> None:
    device, ups = made()
    device.feature[6] = b"\x06"
    device.run(ups, 30.0)
    assert "input.voltage" not in ups.view(device.now).variables


def test_a_longer_answer_is_cut_to_what_is_declared() -> None:
    _, ups = made()
    ups.reads_due(0.0)
    ups.got_report(ReportType.FEATURE, bytes([1, 1, 3]) + b"\xff" * 500, now=0.0)
    assert ups.view(0.0).fresh


@pytest.mark.parametrize("data", [b"", b"\x77\x01\x02"])
def test_reports_that_nobody_declared_are_no_evidence(data: bytes) -> None:
    device, ups = made()
    ups.got_report(ReportType.INPUT, data, now=0.0)
    assert not ups.view(0.0).fresh
    device.run(ups, 1.0)
    assert ups.view(device.now).fresh


def test_an_unannounced_change_is_seen_within_the_beat() -> None:
    worst = 0.0
    for step in range(20):
        device, ups = made()
        device.run(ups, 30.0 + step * 0.053)
        say(device, "discharging", "present", "good")
        since = device.now
        while "OB" not in ups.view(device.now).variables["ups.status"].text:
            device.run(ups, 0.01)
        worst = max(worst, device.now - since)
    assert worst <= 1.1


def test_the_view_is_worked_out_anew_only_now_and_then_while_nothing_changes() -> None:
    device, ups = made()
    device.run(ups, 20.0)
    views: list[object] = []
    for _ in range(600):
        device.run(ups, 0.1)
        view = ups.view(device.now)
        if not views or view is not views[-1]:
            views.append(view)
    assert len(views) <= 7


def test_a_change_that_was_not_announced_brings_the_polling_back_at_once() -> None:
    device, ups = made()
    device.run(ups, 20.0)
    for names in ((*HEALTHY, "charging"), HEALTHY) * 2:
        announce(device, ups, *names)
        device.run(ups, 3.0)
    say(device, "discharging", "present", "good")  # the endpoint is dead now
    while "OB" not in ups.view(device.now).variables["ups.status"].text:
        device.run(ups, 0.01)
    say(device, *HEALTHY)
    device.run(ups, 1.2)
    assert "OL" in ups.view(device.now).variables["ups.status"].text


def test_a_value_that_moved_and_fails_now_is_not_asked_for_in_every_beat() -> None:
    device, ups = made()
    for step in range(60):
        device.feature[8] = bytes([8, 20 + step % 3])
        device.run(ups, 8.0)
    device.failing[ReportType.FEATURE, 8] = TransferKind.IO
    assert counted(device, ups, 600.0)[8] < 25


def report(number: int, rank: Rank) -> Wanted:
    return Wanted(ReadRequest(ReportType.FEATURE, number, 3), rank)


def test_what_was_constant_and_now_gives_a_value_is_read_again() -> None:
    schedule = Schedule(PollIntervals())
    schedule.want([report(1, Rank.MAINS), report(5, Rank.CONSTANT)], now=0.0)
    reads: Counter[int] = Counter()
    for step in range(800):
        now = step / 4
        for request in schedule.due(now):
            reads[request.report_id] += 1
            schedule.answered((ReportType.FEATURE, request.report_id), now=now)
        if step == 400:
            assert reads[5] == 1
            schedule.want([report(1, Rank.MAINS), report(5, Rank.VALUE)], now=now)
    assert reads[5] >= 4


@pytest.mark.parametrize("gap", [0.0, 0.2])
def test_a_device_too_slow_for_all_of_it_is_asked_for_each_of_it(gap: float) -> None:
    """A second and a half for a report, on battery, a round ended after a second as the device_loop does."""
    schedule = Schedule(PollIntervals(gap=gap))
    ranks = (Rank.MAINS, Rank.STATUS, Rank.STATUS, Rank.VALUE, Rank.VALUE, Rank.CONSTANT)
    schedule.want([report(number, rank) for number, rank in enumerate(ranks, 1)], now=0.0)
    schedule.on_battery(yes=True, now=0.0)
    now, read_at, longest = 0.0, dict.fromkeys(range(1, 7), 0.0), Counter[int]()
    while now < 600.0:
        for request in schedule.due(now)[:2]:
            now += 1.5
            number = request.report_id
            schedule.answered((ReportType.FEATURE, number), now=now)
            longest[number] = max(longest[number], round(now - read_at[number]))
            read_at[number] = now
        now += schedule.next_due(now)
    assert longest[1] <= 8  # once each status report was tried
    assert longest[2] <= 30
    assert longest[4] <= 60
    assert longest[6] >= 1
    assert min(read_at[4], read_at[5]) > 500.0
