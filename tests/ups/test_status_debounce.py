"""Glitches of LB, RB, OFF and battery presence (invariant I2, failures D01, D03, D04) and zero reads (D08)."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.ups.made import HEALTHY, announce, flags, made, say
from tests.ups.reports import ReportDevice
from usbhidups.hid.descriptor import ReportType
from usbhidups.ups.device import Ups
from usbhidups.ups.options import Options

GLITCHES = ("below", "time", "imminent", "replace", "absent", "off")


def words(device: ReportDevice, ups: Ups) -> list[str]:
    value = ups.view(device.now).variables.get("ups.status")
    return [] if value is None else value.text.split()


def glitched(*kinds: str) -> tuple[str, ...]:
    """The healthy flags with some of them wrong."""
    names = [name for name in HEALTHY if not (name == "present" and "absent" in kinds)]
    names = [name for name in names if not (name == "good" and "off" in kinds)]
    return (*names, *(kind for kind in kinds if kind not in ("absent", "off")))


@pytest.mark.parametrize("kind", GLITCHES)
@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize("length", [0.1, 1.0, 2.5])
def test_short_glitches_on_mains_are_never_published(
    kind: str, length: float, *, announced: bool
) -> None:
    device, ups = made()
    device.run(ups, 20.0)
    seen: set[str] = set()
    if announced:
        announce(device, ups, *glitched(kind))
    else:
        say(device, *glitched(kind))
    until = device.now + length
    while device.now < until:
        device.run(ups, min(0.1, until - device.now))
        seen |= set(words(device, ups))
    say(device, *HEALTHY)
    for _ in range(100):
        device.run(ups, 0.1)
        seen |= set(words(device, ups))
    assert seen == {"OL"}


def test_the_sequence_of_false_alarms_of_d01_shows_nothing_but_the_discharge() -> None:
    device, ups = made()
    device.run(ups, 20.0)
    seen: set[str] = set()
    for names in (
        ("discharging", *HEALTHY),
        ("discharging", "below", *HEALTHY),
        ("below", "replace", *HEALTHY),
        HEALTHY,
    ):
        announce(device, ups, *names)
        for _ in range(5):
            device.run(ups, 0.1)
            seen |= set(words(device, ups))
    device.run(ups, 10.0)
    seen |= set(words(device, ups))
    assert seen <= {"OL", "DISCHRG"}


@pytest.mark.parametrize(
    ("kind", "word", "within"),
    [("replace", "RB", 6.0), ("absent", "RB", 6.0), ("off", "OFF", 14.0), ("below", "LB", 35.0)],
)
def test_what_lasts_is_published(kind: str, word: str, within: float) -> None:
    device, ups = made()
    device.run(ups, 20.0)
    say(device, *glitched(kind))
    device.run(ups, within)
    assert word in words(device, ups)


def test_a_plausible_low_battery_on_mains_is_published_within_seconds() -> None:
    device, ups = made()
    device.feature[2] = bytes([2, 12]) + (90).to_bytes(2, "little")
    device.run(ups, 20.0)
    say(device, *glitched("below"))
    device.run(ups, 6.0)
    assert words(device, ups) == ["OL", "LB"]


@pytest.mark.parametrize(("kind", "word"), [("below", "LB"), ("imminent", "LB"), ("replace", "RB")])
def test_on_battery_nothing_is_delayed(kind: str, word: str) -> None:
    device, ups = made()
    device.run(ups, 20.0)
    announce(device, ups, "discharging", "present", "good")
    assert words(device, ups) == ["OB", "DISCHRG"]
    announce(device, ups, "discharging", "present", "good", kind)
    assert word in words(device, ups)


def test_mains_and_low_going_together_are_published_together() -> None:
    device, ups = made()
    device.run(ups, 20.0)
    announce(device, ups, "discharging", "present", "good", "below")
    assert words(device, ups) == ["OB", "DISCHRG", "LB"]


def test_the_self_test_that_looks_like_off_for_eight_seconds_is_not_off() -> None:
    device, ups = made()
    device.run(ups, 20.0)
    seen: set[str] = set()
    say(device, *glitched("off"))
    for _ in range(90):
        device.run(ups, 0.1)
        seen |= set(words(device, ups))
    say(device, "discharging", *HEALTHY)
    device.run(ups, 5.0)
    assert "OFF" not in seen | set(words(device, ups))


def test_a_battery_that_feeds_the_load_is_there() -> None:
    device, ups = made()
    device.run(ups, 20.0)
    say(device, "discharging", "good")
    device.run(ups, 30.0)
    assert words(device, ups) == ["OB", "DISCHRG"]


def test_absence_that_flickers_back_for_one_read_stays_absence() -> None:
    device, ups = made()
    say(device, *glitched("absent"))
    device.run(ups, 10.0)
    assert "RB" in words(device, ups)
    announce(device, ups, *HEALTHY)
    assert "RB" in words(device, ups)
    say(device, *glitched("absent"))
    device.run(ups, 10.0)
    assert "RB" in words(device, ups)
    say(device, *HEALTHY)
    device.run(ups, 10.0)
    assert words(device, ups) == ["OL"]


def test_the_administrators_delay_rules() -> None:
    device, ups = made(Options(lbrb_log_delay_sec=0.0))
    device.run(ups, 20.0)
    announce(device, ups, *glitched("below"))
    assert words(device, ups) == ["OL", "LB"]


# -- D08 -------------------------------------------------------------------------------------


def test_one_read_of_all_zeros_is_read_again_before_it_is_published() -> None:
    device, ups = made()
    device.run(ups, 20.0)
    ups.got_report(ReportType.FEATURE, b"\x01\x00\x00", now=device.now)
    assert words(device, ups) == ["OL"]
    due = ups.reads_due(device.now)
    assert 1 in {request.report_id for request in due}
    for request in due:
        ups.got_report(ReportType.FEATURE, device.feature[request.report_id], now=device.now)
    assert words(device, ups) == ["OL"]


def test_two_reads_of_all_zeros_are_believed_at_once() -> None:
    device, ups = made()
    device.run(ups, 20.0)
    say(device)
    device.run(ups, 1.2)
    assert "OB" in words(device, ups)


def test_a_first_read_of_all_zeros_is_read_again_too() -> None:
    device, ups = made()
    ups.reads_due(0.0)
    ups.got_report(ReportType.FEATURE, b"\x01\x00\x00", now=0.0)
    assert not ups.view(0.0).fresh
    device.run(ups, 0.1)
    assert words(device, ups) == ["OL"]


def test_a_charge_that_falls_from_full_to_nothing_is_read_again() -> None:
    device, ups = made()
    device.run(ups, 20.0)
    ups.got_report(ReportType.FEATURE, bytes([2, 0, 8, 7]), now=device.now)
    assert ups.view(device.now).variables["battery.charge"].text == "100"
    device.run(ups, 0.1)
    assert ups.view(device.now).variables["battery.charge"].text == "100"
    device.feature[2] = bytes([2, 0, 8, 7])
    device.run(ups, 60.0)
    assert ups.view(device.now).variables["battery.charge"].text == "0"


def test_a_load_of_zero_is_a_value() -> None:
    device, ups = made()
    device.run(ups, 20.0)
    device.feature[8] = b"\x08\x00"
    device.run(ups, 60.0)
    assert ups.view(device.now).variables["ups.load"].text == "0"


# -- invariants I1 and I2 --------------------------------------------------------------------


class Truthful(RuleBasedStateMachine):
    """Whatever happens: OB, LB, RB, OFF only after a report that says so; no glitch on mains gets through."""

    @initialize()
    def start(self) -> None:
        self.device, self.ups = made()
        self.delivered: set[str] = set()
        self.lasting: tuple[str, ...] = HEALTHY
        self.device.run(self.ups, 5.0)

    def _note(self, names: tuple[str, ...]) -> None:
        self.delivered.update(names)
        if "ac" not in names:
            self.delivered.add("no ac")

    @rule(kinds=st.sets(st.sampled_from(GLITCHES), min_size=1), seconds=st.floats(0.05, 2.5))
    def glitch_on_mains(self, kinds: set[str], seconds: float) -> None:
        if "ac" not in self.lasting or self.lasting != HEALTHY:
            return
        self.device.run(self.ups, 11.0)
        announce(self.device, self.ups, *glitched(*sorted(kinds)))
        end = self.device.now + seconds
        while self.device.now < end:
            self.device.run(self.ups, min(0.3, end - self.device.now))
            assert words(self.device, self.ups) == ["OL"]
        announce(self.device, self.ups, *HEALTHY)

    @rule(names=st.sets(st.sampled_from(["discharging", "below", "replace", "present", "good"])))
    def outage(self, names: set[str]) -> None:
        self.lasting = tuple(sorted(names))
        self._note(self.lasting)
        announce(self.device, self.ups, *self.lasting)
        self.device.run(self.ups, 0.2)
        assert "OB" in words(self.device, self.ups)

    @rule()
    def mains_return(self) -> None:
        self.lasting = HEALTHY
        announce(self.device, self.ups, *HEALTHY)
        self.device.run(self.ups, 15.0)
        assert words(self.device, self.ups) == ["OL"]

    @rule(seconds=st.floats(0.1, 40.0))
    def time_passes(self, seconds: float) -> None:
        self.device.run(self.ups, seconds)

    @rule(junk=st.binary(max_size=3))
    def junk_comes(self, junk: bytes) -> None:
        if (
            junk[:1] != b"\x01" or len(junk) < 2
        ):  # cut short it still holds flags, which is evidence
            self.ups.got_report(ReportType.INPUT, junk, now=self.device.now)

    @rule()
    def zeros_once(self) -> None:
        if self.lasting:
            self.ups.got_report(ReportType.INPUT, flags(), now=self.device.now)
            self.device.run(self.ups, 0.05)

    @invariant()
    def nothing_without_a_report(self) -> None:
        if not hasattr(self, "device"):
            return
        shown = set(words(self.device, self.ups))
        if "no ac" not in self.delivered:
            assert "OB" not in shown
        if not self.delivered & {"below"}:
            assert "LB" not in shown
        assert len(shown & {"OB", "OL"}) == 1


Truthful.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestTruthful = Truthful.TestCase
