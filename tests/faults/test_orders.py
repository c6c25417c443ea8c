"""Group F, and orders of the groups B and E: what is said of an order is what the device makes of it."""

from __future__ import annotations

import pytest

from tests.faults.catalogue import shows
from tests.faults.conftest import Make
from tests.killpower.families import night
from usbhidups.killpower.result import PoweroffStatus

CPS = "0764-0501-cyberpower-cp1500epfclcd"
EATON = "0463-ffff-eaton-3s"


@shows(
    "B11", "a write within 125 ms of the last is lost: both delays arrive, with a gap between them"
)
def test_writes_keep_their_distance(make: Make) -> None:
    rig = make(EATON)
    rig.run(30.0)
    rig.do("write-gap 0.125")
    assert rig.ask("shutdown.return").code == 0
    rig.run(2.0)
    assert int(rig.text("ups.timer.shutdown") or -1) > 0
    assert rig.text("ups.timer.start") == "120"


@shows("E08", "a setting is acknowledged and not taken: the answer is failure, the old value stays")
def test_a_setting_that_is_not_taken(make: Make) -> None:
    rig = make(EATON)
    rig.run(30.0)
    assert rig.ask("battery.charge.low", value="30").code == 0
    assert rig.text("battery.charge.low") == "30"
    rig.do("ignore all")
    answer = rig.ask("battery.charge.low", value="40")
    assert answer.code != 0
    assert "shows 30" in answer.text
    assert rig.text("battery.charge.low") == "30"


@shows("F06", "an order of a client is acknowledged and ignored: the answer is failure")
def test_an_order_that_is_ignored(make: Make) -> None:
    rig = make(EATON)
    rig.run(30.0)
    rig.do("ignore all")
    answer = rig.ask("shutdown.return")
    assert answer.code != 0
    assert "shows -1" in answer.text


@shows("F10", "a shutdown that the firmware does not stop: shutdown.stop fails, the timer is shown")
def test_a_shutdown_that_cannot_be_stopped(make: Make) -> None:
    rig = make(EATON)
    rig.run(30.0)
    assert rig.ask("shutdown.return").code == 0
    assert rig.ask("shutdown.stop").code == 0
    rig.do("quirk no-cancel on")
    assert rig.ask("shutdown.return").code == 0
    answer = rig.ask("shutdown.stop")
    assert answer.code != 0
    assert "the device shows" in answer.text
    assert int(rig.text("ups.timer.shutdown") or -1) > 0


@pytest.mark.parametrize(("ondelay", "returns"), [("120", True), ("-1", False)])
@shows("F04", "a CyberPower whose start timer does not wait for mains gives power after ondelay; with"
       " ondelay = -1, as documented, it stays off until somebody switches it on")  # fmt: skip
def test_a_start_timer_that_does_not_wait(ondelay: str, returns: bool) -> None:  # noqa: FBT001
    events = night(CPS, f"ondelay={ondelay}")
    events.do("quirk start-without-mains on")
    events.shut_down()
    assert events.kill_power().result is PoweroffStatus.VERIFIED
    events.wait(90)
    assert not events.load_on
    events.wait(120)
    assert events.load_on is returns


@shows("F07", "off for two seconds only, whatever was asked: nothing shows that beforehand; the load is cut"
       " once and comes back once")  # fmt: skip
def test_off_for_two_seconds() -> None:
    events = night(EATON)
    events.do("quirk fixed-off-time 2")
    events.shut_down()
    events.do("mains on")
    assert events.kill_power().result is PoweroffStatus.VERIFIED
    events.wait(900)
    cut, back = events.switchings
    assert (cut.on, back.on) == (False, True)
    assert back.at - cut.at == pytest.approx(2.0, abs=0.5)
    assert events.load_on


@shows("F08", "after kill-power no second order is on its way: over a day of mains that come and go the load is"
       " only ever off because the battery is empty")  # fmt: skip
def test_one_cut_for_one_order() -> None:
    events = night(EATON)
    events.shut_down()
    assert events.kill_power().result is PoweroffStatus.VERIFIED
    written = len(events.wrote)
    events.wait(300)
    events.do("mains on")
    events.wait(24 * 3600)
    assert [each.on for each in events.switchings] == [False, True]
    assert len(events.wrote) == written


@shows("F11", "a UPS that starts at 30 % of charge only: that threshold is left as it is, the load returns when"
       " it is reached")  # fmt: skip
def test_no_start_before_it_is_charged() -> None:
    events = night(EATON)
    events.do("quirk restart-charge 30")
    events.shut_down(minutes_on_battery=14.0)
    assert events.kill_power().result is PoweroffStatus.VERIFIED
    events.wait(300)
    events.do("mains on")
    events.wait(60)
    assert not events.load_on
    events.wait(6 * 3600)
    assert events.load_on
