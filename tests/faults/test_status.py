"""Group D: what the status says, and when."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from tests.faults.catalogue import shows
from tests.faults.conftest import Make
from tests.faults.history import spans
from tests.faults.rig import Rig
from tests.faults.test_connection import longest_stale
from tests.simulator.devices import bench

CPS = "0764-0501-cyberpower-cp1500epfclcd"
EATON = "0463-ffff-eaton-3s"
EVERY = (
    "0764-0501-cyberpower-cp1500epfclcd",
    "0463-ffff-eaton-3s",
    "051d-0002-apc-described-on-line",
)


def words(rig: object) -> set[str]:
    """Every word that was published as fresh."""
    return {word for status in rig.history.statuses for word in status.split()}  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", EVERY)
@shows("D01", "LB and RB for 0.2 to 2.4 s at a time, forty times in an hour on mains: never shown")
def test_false_alarms_on_mains(make: Make, name: str) -> None:
    rig = make(name)
    rig.run(60.0)
    before = words(rig)
    chance = random.Random(1)
    for _ in range(40):
        rig.do(f"glitch {chance.choice(('low', 'replace'))} {chance.uniform(0.2, 2.4):.2f}")
        rig.run(chance.uniform(5.0, 90.0))
    assert words(rig) == before


@shows("D01", "on battery LB is shown at once")
def test_low_battery_on_battery(make: Make) -> None:
    rig = make(bench())
    rig.run(60.0)
    rig.do("mains off")
    rig.run(10.0)
    rig.do("flag low on")
    rig.run(2.5)
    assert "LB" in rig.status


@shows("D02", "discharging at 100 % on mains for ever: on line, and the log says it once")
def test_hovering(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    rig = make(bench())
    rig.run(60.0)
    rig.do("quirk hovers on")
    rig.run(60.0)
    caplog.clear()
    caplog.set_level("INFO")
    rig.run(900.0)
    assert "OB" not in words(rig)
    assert rig.status.startswith("OL")
    assert len(caplog.records) <= 1


@shows("D02", "ACPresent stays although mains are gone; the input voltage tells: on battery")
def test_a_liar_about_mains(make: Make) -> None:
    rig = make(bench())
    rig.excused = frozenset({"I3 outages", "I6 truth"})
    rig.run(60.0)
    rig.do("quirk blind-to-mains on")
    rig.do("mains off")
    rig.run(15.0)
    assert rig.status.startswith("OB")


@shows("D03", "OFF for the first 8 s of a self-test: never shown")
def test_off_at_a_self_test(make: Make) -> None:
    rig = make(EATON)
    rig.run(60.0)
    rig.do("quirk off-at-test on")
    for _ in range(5):
        rig.do("test quick")
        rig.run(300.0)
    assert "OFF" not in words(rig)
    assert "OB" not in words(rig)


@shows("D04", "battery presence flaps for a moment, fifty times: no RB, no alarm")
def test_battery_presence(make: Make) -> None:
    rig = make(bench())
    rig.run(60.0)
    chance = random.Random(2)
    for _ in range(50):
        rig.do(f"glitch no-battery {chance.uniform(0.1, 2.4):.2f}")
        rig.run(chance.uniform(5.0, 60.0))
    assert "RB" not in words(rig)
    assert {said.alarm for _, said in rig.history.said} == {""}


@shows(
    "D05",
    "shutdown imminent within a second of discharging, at full charge: LB, and which bit did it",
)
def test_the_cause_of_low_battery(make: Make) -> None:
    rig = make(bench())
    rig.run(60.0)
    rig.do("quirk nervous on")
    rig.do("mains off")
    rig.run(3.0)
    assert "LB" in rig.status
    assert "ShutdownImminent" in (rig.text("experimental.ups.status.reason") or "")
    assert rig.text("ups.alarm") == "Shutdown imminent!"


@shows("D06", "mains return at 3 % charge, the low flags stay until recharged: OL CHRG without LB")
def test_low_while_recharging(make: Make) -> None:
    rig = make(bench())
    rig.run(60.0)
    rig.do("charge 3")
    rig.run(120.0)
    assert rig.status == "OL CHRG"
    assert "BelowRemainingCapacityLimit" in (rig.text("experimental.ups.status.held") or "")


@shows("D08", "a charge that falls for good, in two reports at once, interrupt endpoint dead: each is the"
       " other's second look, and LB is not held back")  # fmt: skip
def test_a_fall_in_two_reports(make: Make) -> None:
    rig = make("5131-2007-unknown-5131-2007")
    rig.run(60.0)
    rig.fault("interrupt-error", 300.0)
    rig.run(400.0)
    rig.do("mains off")
    rig.run(5.0)
    assert rig.status == "OB DISCHRG"
    rig.do("charge 8")
    rig.run(3.0)
    assert rig.status == "OB DISCHRG LB"
    rig.run(30.0)


@pytest.mark.parametrize("name", EVERY)
@shows("D08", "one read of zeros, of each report in turn, thirty times: never published")
def test_one_reading_of_zeros(make: Make, name: str) -> None:
    rig = make(name)
    rig.run(60.0)
    before = words(rig)
    for _ in range(30):
        rig.fault("zero all times 1", 10.0)
        rig.run(40.0)
    assert words(rig) == before


@pytest.mark.parametrize("pollonly", [False, True])
@shows(
    "D09", "fifty outages at random moments: p95 within 3 s when polled, within 1 s when announced"
)
def test_how_soon_an_outage_is_shown(make: Make, pollonly: bool) -> None:  # noqa: FBT001
    rig = make(CPS, *(("pollonly",) if pollonly else ()), grain=0.05)
    rig.run(60.0)
    chance = random.Random(3)
    late: list[float] = []
    for _ in range(50):
        rig.run(chance.uniform(20.0, 40.0))
        rig.do("mains off")
        began = rig.clock.now
        while not rig.status.startswith("OB"):
            rig.run(0.1)
        late.append(rig.clock.now - began)
        rig.run(4.0)
        rig.do("mains on")
    assert sorted(late)[47] <= (3.0 if pollonly else 1.0)


@shows("D10", "the charger says charging at 100 % for ever: no CHRG")
def test_charging_for_ever(make: Make) -> None:
    rig = make(bench())
    rig.run(60.0)
    rig.do("quirk floats on")
    rig.run(600.0)
    assert words(rig) == {"OL"}


@shows(
    "D11",
    "a third of all reads time out for an hour: few changes of freshness, few lines in the log",
)
def test_no_flapping(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("WARNING")
    rig = make(EATON)
    rig.run(60.0)
    rig.fault("timeout all chance 30", 3600.0)
    rig.run(3600.0)
    changes = sum(
        one.fresh != other.fresh
        for (_, one), (_, other) in zip(rig.history.said, rig.history.said[1:], strict=False)
    )
    assert changes < 200
    assert len(caplog.records) < 140
    assert sum(_stale_for(rig)) < 700.0
    assert (
        max(_stale_for(rig)) < 60.0
    )  # the mains' report itself fails five times in a row now and then
    rig.run(60.0)
    assert rig.status == "OL"


@shows(
    "B09",
    "half of all reads are refused for an hour: it is not opened again for every three of them",
)
def test_no_storm_where_half_fails(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    """Twenty reports a round; it was opened 4,439 times, with 15,612 lines in the log."""
    caplog.set_level("INFO", "usbhidups")
    rig = make("2e51-ffff-ever-described-rich")
    rig.excused = frozenset({"I6 staleness"})
    rig.run(60.0)
    rig.fault("stall all chance 50", 3600.0)
    rig.run(3600.0)
    assert rig.opened < 3600.0 / 15.0
    assert len(caplog.records) < 1200
    rig.run(60.0)
    assert rig.status == "OL"


@pytest.mark.parametrize("seconds", [5.0, 10.0, 30.0])
@pytest.mark.parametrize("kind", ["wedge", "timeout all"])
@pytest.mark.parametrize(
    "name", [EATON, "0764-0501-cps-described-rich", "05dd-041b-delta-described-rich"]
)
@shows("D11", "nothing is answered for a while: good again within 12 s of its end")
def test_soon_good_again(make: Make, name: str, kind: str, seconds: float) -> None:
    """A status report that timed out twice rests; it is tried when anything answers."""
    rig = make(name)
    rig.run(60.0)
    rig.fault(kind, seconds)
    rig.run(seconds + 12.0)
    assert rig.status.startswith("OL")
    rig.run(20.0)
    assert rig.status.startswith("OL")


@pytest.mark.parametrize("seconds", [46.0, 49.0, 52.0, 55.0, 58.0, 61.0])
@shows(
    "D11",
    "the status report alone is not answered for most of a minute: good again within 16 s of its end",
)
def test_soon_good_again_after_a_long_rest(make: Make, seconds: float) -> None:
    """Its rests double, but none takes as long as what the long day allows."""
    rig = make(EATON)
    rig.run(60.0)
    rig.fault("timeout 01", seconds)
    rig.run(seconds)
    assert not rig.history.said[-1][1].fresh
    rig.run(16.0)
    assert rig.status == "OL"


@shows("D11", "a wedge of an hour is one warning")
def test_one_line_for_one_failure(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    rig = make(EATON)
    rig.run(60.0)
    caplog.set_level("INFO")
    caplog.clear()
    rig.fault("wedge", 3600.0)
    rig.run(3600.0)
    assert len([record for record in caplog.records if record.levelname == "WARNING"]) == 1
    assert len(caplog.records) <= 12


@shows("D12", "five seconds into an outage the link is lost for 8 s: never stale for 15 s")
def test_the_link_is_lost_on_battery(make: Make) -> None:
    rig = make(CPS)
    rig.run(60.0)
    rig.do("mains off")
    rig.run(5.0)
    began = rig.clock.now
    rig.unplug(8.0)
    rig.run(30.0)
    assert rig.status == "OB DISCHRG"
    assert longest_stale(rig, began) < 8.0


@shows("D13", "whatever is not known has a state, a reason and a time")
def test_the_unknown_has_a_name(make: Make) -> None:
    rig = make(CPS, plugged=False)
    rig.run(60.0)
    assert rig.text("ups.status") is None
    assert rig.text("driver.state") == "init.waiting"
    assert rig.text("driver.state.reason") == "no UPS found on this host's USB"
    assert rig.text("driver.state.since") == "1000.0"


@shows(
    "D14",
    "ids of a known maker, a mapping that is not its own: the standard's rows still give the status",
)
def test_a_wrong_mapping(make: Make) -> None:
    recorded = bench()
    for vendor in (0x0764, 0x051D, 0x0463, 0x09AE, 0x0D9F):
        rig = make(
            replace(recorded, device=replace(recorded.device, vendor_id=vendor, product_id=0x1234))
        )
        rig.run(30.0)
        assert rig.status == "OL"
        rig.do("mains off")
        rig.run(5.0)
        assert rig.status.startswith("OB")


def _stale_for(rig: Rig) -> list[float]:
    """How long each lapse of freshness was."""
    lapses: list[float] = []
    begun: float | None = None
    for begin, _, said in spans(rig.history.said, rig.history.ended):
        if said.fresh and begun is not None:
            lapses.append(begin - begun)
            begun = None
        elif not said.fresh and begin > rig.history.began + 5.0:
            begun = begin if begun is None else begun
    return lapses
