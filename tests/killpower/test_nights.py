"""Nights without mains, for every fixture: the cut comes when it shall, and the load comes back.

The judge is the simulated UPS: what happened to the load, when, and whether mains were there.
"""

from __future__ import annotations

import pytest

from tests.killpower.families import ABLE, ALL, AT_ONCE, PROVABLE, Family, night
from tests.killpower.stage import Night
from usbhidups.killpower.result import PoweroffStatus
from usbhidups.killpower.single import TIME_LIMIT
from usbhidups.simulator.output import Switching

SURE = (PoweroffStatus.VERIFIED, PoweroffStatus.ACCEPTED)

able = pytest.mark.parametrize("family", ABLE, ids=lambda family: family.fixture)
provable = pytest.mark.parametrize("family", PROVABLE, ids=lambda family: family.fixture)


def cuts(events: Night) -> list[Switching]:
    return [each for each in events.switchings if not each.on]


def expect_cut_in_time(family: Family, events: Night) -> None:
    low, high = family.cut
    after = events.cut_after()
    assert after is not None
    assert low <= after <= high


@able
def test_the_whole_night(family: Family) -> None:
    events = night(family.fixture)
    events.shut_down()
    assert events.load_on
    cut = events.kill_power()
    assert cut.result is (PoweroffStatus.VERIFIED if family.shows else PoweroffStatus.ACCEPTED)
    events.wait(1800)
    assert not events.load_on
    expect_cut_in_time(family, events)
    assert len(cuts(events)) == 1
    events.do("mains on")
    events.wait(600)
    assert events.load_on
    assert events.device.cuts_on_mains() == []


@able
@pytest.mark.parametrize("moment", ["before the late step", "before the cut"])
def test_mains_back_too_early_still_cycle_the_load(family: Family, moment: str) -> None:
    events = night(family.fixture)
    events.shut_down()
    if moment == "before the late step":
        events.do("mains on")
    assert events.kill_power().result in SURE
    events.wait(10)
    events.do("mains on")
    events.wait(900)
    expect_cut_in_time(family, events)
    assert len(cuts(events)) == 1
    assert events.load_on


@pytest.mark.parametrize("fixture", ALL)
def test_nothing_is_cut_that_was_not_announced(fixture: str) -> None:
    """Accepted means that the load goes and comes back; refused means that it stays."""
    events = night(fixture)
    events.shut_down()
    result = events.kill_power().result
    events.wait(400)
    if result in SURE:
        assert len(cuts(events)) == 1
    else:
        assert result is PoweroffStatus.REFUSED
        assert events.switchings == []
        assert events.wrote == []
    events.do("mains on")
    events.wait(900)
    assert events.load_on


@able
def test_rehearsal_tells_the_bytes_and_writes_nothing(family: Family) -> None:
    events = night(family.fixture)
    events.shut_down()
    assert events.rehearse().result is PoweroffStatus.NOTHING
    assert events.wrote == []
    told = "\n".join(events.said)
    events.kill_power()
    assert events.wrote
    for data in events.wrote:
        assert f"= {data}: " in told


@pytest.mark.parametrize(
    ("fixture", "words"),
    [
        ("051d-0002-apc-back-ups-rs-1000g", "the load goes after a time of the UPS's own"),
        ("2341-8036-arduino-hidpowerdevice", "the load goes at once"),
        ("0463-ffff-eaton-3s", ""),
    ],
)
def test_rehearsal_tells_of_a_delay_that_cannot_be_had(fixture: str, words: str) -> None:
    events = night(fixture)
    events.shut_down()
    events.rehearse()
    first = "\n".join(events.said).partition("if that is refused")[0]
    assert words in first
    assert ("file systems must be read-only before" in first) == bool(words)


@pytest.mark.parametrize(
    "family", [each for each in ABLE if not each.shows], ids=lambda f: f.fixture
)
def test_an_order_that_nothing_proves_is_not_the_last_request(family: Family) -> None:
    """A Back-UPS RS 1000G repeats its last request when it is plugged again (apcupsd)."""
    events = night(family.fixture)
    events.shut_down()
    events.do("forget")
    assert events.kill_power().result in SURE
    asked = [(each.what, each.number) for each in events.device.gadget.log.entries]
    ordered = {number for what, number in asked if what == "set-feature"}
    assert asked[-1][0] == "get-feature"
    assert asked[-1][1] not in ordered


@able
def test_device_that_wakes_after_ten_seconds(family: Family) -> None:
    events = night(family.fixture)
    events.shut_down()
    started = events.clock.now
    events.do("wedge for 10")
    assert events.kill_power().result in SURE
    assert 10 <= events.killed_at - started <= TIME_LIMIT
    events.wait(200)
    expect_cut_in_time(family, events)


@able
def test_device_that_bounces_at_the_edge(family: Family) -> None:
    """Mains return as the late step begins, and each edge takes the device off the bus for 5 s."""
    events = night(family.fixture)
    events.shut_down()
    events.do("bounce 5")
    events.do("mains on")
    assert events.kill_power().result in SURE
    events.wait(900)
    expect_cut_in_time(family, events)
    assert events.load_on


@provable
def test_device_that_leaves_between_two_writes(family: Family) -> None:
    events = night(family.fixture)
    events.shut_down()
    left = False

    def sleep(seconds: float) -> None:
        nonlocal left
        if not left and events.wrote:
            left = True
            events.do("disconnect 3")
        events.clock.sleep(seconds)

    assert events.kill_power(sleep=sleep).result is PoweroffStatus.VERIFIED
    events.wait(200)
    expect_cut_in_time(family, events)


@able
def test_accepted_and_ignored(family: Family) -> None:
    """On battery the UPS will run down; on mains the host must not be halted for a cut that never comes."""
    for mains in (False, True):
        events = night(family.fixture)
        events.shut_down()
        events.do("ignore all")
        if mains:
            events.do("mains on")
        cut = events.kill_power()
        events.wait(200)
        assert events.load_on
        assert cut.result is (
            PoweroffStatus.STAYS_ON if mains and family.shows else PoweroffStatus.ACCEPTED
        )
        assert ("the device shows" in cut.text) == family.shows


def test_timer_that_shows_the_number_by_chance_proves_nothing() -> None:
    events = night("2341-8036-arduino-described-rich")
    events.do("set PowerSummary.DelayBeforeReboot 58")
    events.do("ignore all")
    assert events.kill_power().result is PoweroffStatus.ACCEPTED


@able
def test_refused(family: Family) -> None:
    for mains, expected in ((False, PoweroffStatus.REFUSED), (True, PoweroffStatus.STAYS_ON)):
        events = night(family.fixture)
        events.shut_down()
        events.do("refuse all")
        if mains:
            events.do("mains on")
        assert events.kill_power().result is expected
        events.wait(200)
        assert events.load_on


@provable
def test_firmware_that_obeys_only_on_battery(family: Family) -> None:
    events = night(family.fixture)
    events.do("quirk deaf-on-mains on")
    events.shut_down()
    events.do("mains on")
    cut = events.kill_power()
    events.wait(600)
    assert cut.result is PoweroffStatus.STAYS_ON
    assert "reboot" in str(cut)
    assert events.load_on


@pytest.mark.parametrize("fixture", ["0463-ffff-eaton-3s", "0764-0501-cyberpower-cp1350c"])
def test_host_that_is_told_to_reboot_is_not_cut_later(fixture: str) -> None:
    """The UPS obeys and shows nothing: a timer left running would cut the load while the host boots."""
    events = night(fixture)
    events.do("frozen")
    assert events.kill_power().result is PoweroffStatus.STAYS_ON
    events.wait(900)
    assert events.switchings == []


def test_number_that_stands_still_proves_nothing() -> None:
    """Firmware that keeps what was written and does not count (failure F06)."""
    events = night("0463-ffff-eaton-3s")
    events.shut_down()
    events.do("ignore all")

    def sleep(seconds: float) -> None:
        events.clock.sleep(seconds)
        if len(events.wrote) == 2:
            events.do("frozen")
            events.do("report feature 09 09 3c 00 00 00")

    cut = events.kill_power(sleep=sleep)
    assert cut.result is PoweroffStatus.ACCEPTED
    assert "did not count" in cut.text


@able
def test_no_device(family: Family) -> None:
    events = night(family.fixture)
    events.do("disconnect")
    started = events.clock.now
    cut = events.kill_power()
    assert cut.result is PoweroffStatus.NOT_FOUND
    assert events.clock.now - started <= TIME_LIMIT


@able
def test_device_that_never_answers(family: Family) -> None:
    events = night(family.fixture)
    events.do("wedge")
    started = events.clock.now
    assert events.kill_power().result is PoweroffStatus.NOT_FOUND
    assert events.clock.now - started <= TIME_LIMIT + 5


@pytest.mark.parametrize(
    "family", [each for each in PROVABLE if each.cut != AT_ONCE], ids=lambda family: family.fixture
)
def test_the_administrators_delays_rule(family: Family) -> None:
    events = night(family.fixture, "offdelay=150", "ondelay=300")
    events.shut_down()
    assert events.kill_power().result is PoweroffStatus.VERIFIED
    events.wait(600)
    after = events.cut_after()
    assert after is not None
    assert 146 <= after <= 150 or 176 <= after <= 180  # rounded up to whole minutes
