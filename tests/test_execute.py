"""Carrying out plans: what is sent, what is said of it, withdrawal, fallbacks, bounded time."""

from __future__ import annotations

import pytest

from tests.ups.made import announce, made
from tests.ups.reports import ReportDevice
from usbhidups.errors import DeviceGone, TransferKind
from usbhidups.execute import Result, ResultKind, describe, execute
from usbhidups.hid.descriptor import ReportType
from usbhidups.ups.device import Ups
from usbhidups.ups.options import Options
from usbhidups.ups.plan import Refusal, Write, WritePlan

RETURN = ["feature:03 = 03 78 00", "feature:04 = 04 3c 00"]


def started() -> tuple[ReportDevice, Ups]:
    device, ups = made()
    device.run(ups, 5.0)
    device.reads.clear()
    return device, ups


def plan_of(planned: WritePlan | Refusal | None) -> WritePlan:
    assert isinstance(planned, WritePlan), planned
    return planned


def carry(device: ReportDevice, plan: WritePlan) -> Result:
    return execute(plan, device, sleep=device.sleep, now=device.clock)


def test_shutdown_return_start_delay_first_then_the_gap_then_the_cut_verified() -> None:
    device, ups = started()
    outcome = carry(device, plan_of(ups.instcmd("shutdown.return", None, now=device.now)))
    assert device.written == RETURN
    assert device.written_at[1] - device.written_at[0] >= 0.125
    assert outcome.verdict is ResultKind.VERIFIED
    assert outcome.done
    assert outcome.verified
    assert [sent.data.hex() for sent in outcome.sent] == ["037800", "043c00"]


def test_the_start_delay_is_withdrawn_when_the_cut_is_refused() -> None:
    device, ups = started()
    device.refuses = {4}
    outcome = carry(device, plan_of(ups.instcmd("shutdown.return", None, now=device.now)))
    assert device.written == [RETURN[0], "feature:03 = 03 ff ff"]
    assert outcome.verdict is ResultKind.REFUSED
    assert "withdrawn" in outcome.text
    assert not outcome.done


def test_an_acknowledged_and_ignored_command_is_no_success() -> None:
    device, ups = started()
    device.obeys = False
    outcome = carry(device, plan_of(ups.instcmd("shutdown.return", None, now=device.now)))
    assert outcome.verdict is ResultKind.IGNORED
    assert not outcome.done
    assert "shows -1" in outcome.text


def test_a_timer_that_cannot_be_read_back_is_accepted_not_verified() -> None:
    device, ups = started()
    device.failing[ReportType.FEATURE, 4] = TransferKind.STALL
    outcome = carry(device, plan_of(ups.instcmd("shutdown.return", None, now=device.now)))
    assert outcome.verdict is ResultKind.ACCEPTED
    assert outcome.done
    assert not outcome.verified


def test_a_countdown_that_already_moved_on_is_verified() -> None:
    device, ups = started()
    plan = plan_of(ups.instcmd("shutdown.return", None, now=device.now))

    class Ticking(ReportDevice):
        def set_feature(self, data: bytes, *, timeout: float = 5.0) -> None:
            super().set_feature(data, timeout=timeout)
            if data[0] == 4:
                self.feature[4] = b"\x04\x37\x00"

    ticking = Ticking(device.identity, device.feature, {}, {})
    assert carry(ticking, plan).verdict is ResultKind.VERIFIED


def test_killpower_falls_back_when_the_first_choice_is_refused() -> None:
    device, ups = started()
    device.refuses = {3}
    outcome = carry(device, plan_of(ups.killpower(now=device.now)))
    assert device.written == ["feature:05 = 05 3c 00"]
    assert outcome.plan == "shutdown.reboot"
    assert outcome.verdict is ResultKind.VERIFIED


def on_battery() -> tuple[ReportDevice, Ups]:
    device, ups = started()
    announce(device, ups, "discharging", "present", "good")
    return device, ups


def test_killpower_of_a_device_that_obeys_nothing_never_undoes_what_it_may_obey_silently() -> None:
    device, ups = on_battery()
    device.obeys = False
    outcome = carry(device, plan_of(ups.killpower(now=device.now)))
    assert device.written == [*RETURN, "feature:05 = 05 3c 00", "feature:04 = 04 3c 00"]
    assert outcome.verdict is ResultKind.IGNORED


def test_an_ignored_command_is_not_followed_by_one_that_would_undo_it() -> None:
    device, ups = made(Options(sdcommands=("shutdown.return", "shutdown.stayoff")))
    device.obeys = False
    outcome = carry(device, plan_of(ups.killpower(now=device.now)))
    assert device.written == RETURN
    assert outcome.verdict is ResultKind.IGNORED


def test_while_mains_are_there_only_what_brings_the_load_back_is_tried() -> None:
    device, ups = started()
    device.refuses = {3, 5}
    assert not carry(device, plan_of(ups.killpower(now=device.now))).done
    assert device.written == []


def test_killpower_of_a_device_that_refuses_everything() -> None:
    device, ups = on_battery()
    device.refuses = {3, 4, 5}
    outcome = carry(device, plan_of(ups.killpower(now=device.now)))
    assert device.written == []
    assert outcome.verdict is ResultKind.REFUSED
    assert "load.off.delay" in outcome.text


def test_a_device_that_goes_away_is_an_outcome_and_no_exception() -> None:
    device, ups = started()
    plan = plan_of(ups.killpower(now=device.now))

    class Leaving(ReportDevice):
        def set_feature(self, data: bytes, *, timeout: float = 5.0) -> None:
            raise DeviceGone("unplugged")

    leaving = Leaving(device.identity, device.feature, {}, {})
    outcome = carry(leaving, plan)
    assert outcome.verdict is ResultKind.FAILED
    assert len(outcome.sent) == 1
    assert not outcome.sent[0].taken


def test_a_wedged_device_is_given_up_in_bounded_time() -> None:
    device, ups = started()
    plan = plan_of(ups.killpower(now=device.now))

    class Wedged(ReportDevice):
        def set_feature(self, data: bytes, *, timeout: float = 5.0) -> None:
            self.now += timeout
            self.refuses = {data[0]}
            super().set_feature(data, timeout=timeout)

        def get_feature(self, report_id: int, size: int, *, timeout: float = 5.0) -> bytes:
            self.now += timeout
            return super().get_feature(report_id, size, timeout=timeout)

    wedged = Wedged(device.identity, {}, {}, {})
    before = wedged.now
    assert not carry(wedged, plan).done
    assert wedged.now - before <= 30.0


def test_neighbours_in_a_report_keep_what_they_hold() -> None:
    device, ups = started()
    field = ups.binding.field("UPS.PowerSummary.RunTimeToEmpty")
    assert field is not None
    plan = WritePlan("test", (Write(field, 4, 0x1234, "run time"),))
    device.feature[2] = b"\x02\x63\x00\x00"
    carry(device, plan)
    assert device.written == ["feature:02 = 02 63 34 12"]


def test_a_setting_that_the_device_does_not_take_is_a_failure() -> None:
    device, ups = started()
    assert carry(device, plan_of(ups.set("battery.charge.low", "30", now=device.now))).verified
    assert device.feature[9] == b"\x09\x1e"
    device.obeys = False
    outcome = carry(device, plan_of(ups.set("battery.charge.low", "40", now=device.now)))
    assert not outcome.done
    assert "shows 30" in outcome.text


def test_describe_tells_bytes_and_meaning_and_sends_nothing() -> None:
    device, ups = started()
    lines = describe(plan_of(ups.killpower(now=device.now)), device.feature)
    assert device.written == []
    assert device.reads == []
    assert lines[0] == "shutdown.return:"
    assert "  write feature 03 = 03 78 00: UPS.PowerSummary.DelayBeforeStartup = 120 s" in lines
    assert "  wait 0.125 s" in lines
    assert "  write feature 04 = 04 3c 00: UPS.PowerSummary.DelayBeforeShutdown = 60 s" in lines
    assert "if that is refused, shutdown.reboot:" in lines


@pytest.mark.parametrize("name", ["beeper.enable", "beeper.disable"])
def test_the_beeper_is_verified(name: str) -> None:
    device, ups = started()
    outcome = carry(device, plan_of(ups.instcmd(name, None, now=device.now)))
    assert outcome.verified
