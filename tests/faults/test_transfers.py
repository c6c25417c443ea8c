"""Group B: transfers that fail, lie, take too long or never end."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from tests.faults.catalogue import shows
from tests.faults.conftest import Make
from tests.faults.history import Arranged, spans
from tests.faults.rig import Rig, fixture
from tests.simulator.devices import bench

CPS = "0764-0501-cyberpower-cp1500epfclcd"
EATON = "0463-ffff-eaton-3s"
APC = "051d-0002-apc-back-ups-bk650m2-ch"


def requests_in(rig: Rig, seconds: float) -> int:
    """Control requests that the device gets in so many seconds."""
    before = rig.device.gadget.log.total
    rig.run(seconds)
    return rig.device.gadget.log.total - before


def reads(rig: Rig) -> Counter[int]:
    """How often each Feature report was asked for, as far as the log goes back."""
    log = rig.device.gadget.log.entries
    return Counter(entry.number for entry in log if entry.what == "get-feature")


def reports_of_status(rig: Rig) -> int:
    """The Feature report that is read most: the mains'."""
    return reads(rig).most_common(1)[0][0]


@shows(
    "B01",
    "reports fail with EIO at random, one in ten: next to nothing is reopened, nothing stale for long",
)
def test_random_errors(make: Make) -> None:
    rig = make(CPS)
    rig.run(30.0)
    opened = rig.opened
    rig.fault("io all chance 10", 1200.0)
    rig.run(1200.0)
    assert rig.opened - opened <= 2
    stale = _stale_seconds(rig)
    assert stale < 90.0


@shows("B01", "one report fails for ever: its value alone is withdrawn")
def test_one_report_fails(make: Make) -> None:
    rig = make(bench())
    rig.run(60.0)
    assert rig.text("ups.load") == "20"
    opened = rig.opened
    rig.do("io 0c")
    rig.run(1200.0)
    assert rig.status == "OL"
    assert rig.opened == opened
    assert rig.text("ups.load") is None


@shows(
    "B02",
    "every report takes 1.5 s: the status is there with the first reports, not after the walk",
)
def test_a_slow_walk(make: Make) -> None:
    rig = make(CPS)
    rig.excused = frozenset({"I3 outages", "I6 staleness"})
    rig.do("slow all 1.5")
    rig.run(12.0)
    moment = next(at for at, said in rig.history.said if said.fresh)
    assert moment - rig.history.began < 10.0
    rig.run(300.0)
    assert rig.status == "OL"


@pytest.mark.parametrize("fault", ["stall", "empty"])
@shows("B03", "reports are stalled or come empty from the first: no value is made of them")
def test_stalls(make: Make, fault: str) -> None:
    rig = make(bench())
    rig.do(f"{fault} 0c")
    rig.run(60.0)
    assert rig.status == "OL"
    assert rig.text("ups.load") is None
    assert rig.text("battery.charge") == "100"


@shows("B04", "from the mains edge on every control answer is longer than asked for: reopened, reset, and"
       " fresh again within seconds of the end")  # fmt: skip
def test_sticky_overflow(make: Make) -> None:
    rig = make(CPS)
    rig.run(30.0)
    rig.do("mains off")
    rig.fault("overflow", 40.0)
    opened = rig.opened
    rig.run(40.0)
    assert rig.opened > opened
    rig.run(15.0)
    assert rig.status == "OB DISCHRG"


@pytest.mark.parametrize("fault", ["long all 8", "long all 60"])
@shows("B05", "every report is padded with zeros beyond its length: values are as before")
def test_padded_answers(make: Make, fault: str) -> None:
    rig = make(CPS)
    rig.run(60.0)
    values = {name: text for name, text in rig.service.texts() if name.startswith("battery.")}
    rig.fault(fault, 300.0)
    rig.run(300.0)
    assert rig.status == "OL"
    assert {n: t for n, t in rig.service.texts() if n.startswith("battery.")} == values


@shows("B05", "a report answers with another report's id: it is not believed")
def test_another_reports_id(make: Make) -> None:
    rig = make(CPS)
    rig.run(60.0)
    rig.fault("misnumber all", 20.0)
    rig.run(60.0)
    assert set(rig.history.statuses) == {"OL"}


@shows(
    "B06",
    "reports come cut after one byte of data: what did not come has no value, what came counts",
)
def test_short_reports(make: Make) -> None:
    rig = make(EATON)
    rig.run(30.0)
    rig.fault("short all 2", 60.0)
    rig.run(60.0)
    assert not {"OB", "LB", "RB", "OFF"} & {w for s in rig.history.statuses for w in s.split()}


@shows("B07", "requests within 50 ms of the last are lost, the eighth locks it up: one reconnection, and the"
       " pace falls so that it survives")  # fmt: skip
def test_a_firmware_too_slow_for_polls(make: Make) -> None:
    rig = make(CPS)
    rig.run(60.0)
    healthy = requests_in(rig, 60.0)
    rig.fault("timeout all chance 50", 120.0)
    failing = requests_in(rig, 120.0) / 2
    assert failing < healthy


@shows("B08", "numbers that went up and down stand still while transfers go on: stale within 60 s, fresh when"
       " they move again")  # fmt: skip
def test_frozen_values(make: Make) -> None:
    rig = make(EATON)
    for step in range(120):
        rig.do(f"load {30 + (step * 7) % 5}")
        rig.run(5.0)
    rig.fault("frozen", 120.0)
    frozen_at = rig.clock.now
    for step in range(24):
        rig.do(f"load {30 + (step * 7) % 5}")
        rig.run(5.0)
    stale_at = [at for at, said in rig.history.said if not said.fresh and at > frozen_at]
    assert stale_at
    assert stale_at[0] - frozen_at <= 60.0
    for step in range(12):
        rig.do(f"load {30 + (step * 7) % 5}")
        rig.run(5.0)
    assert rig.status == "OL"


@shows("B08", "nothing has ever moved: an unchanged value is no proof of death, an hour long")
def test_still_values_are_no_freeze(make: Make) -> None:
    rig = make(EATON)
    rig.run(3600.0)
    assert [said.fresh for _, said in rig.history.said][1:].count(False) == 0


@shows("B08", "the interrupt endpoint falls silent: an outage is seen by control reads")
def test_a_silent_endpoint(make: Make) -> None:
    rig = make(CPS)
    rig.run(30.0)
    rig.do("interrupt-dead")
    rig.run(60.0)
    rig.do("mains off")
    rig.run(3.0)
    assert rig.status == "OB DISCHRG"


@shows(
    "B09", "errors rise: fewer requests before it locks up, and fewer openings the longer it lasts"
)
def test_a_board_that_would_lock_up(make: Make) -> None:
    rig = make(APC)
    rig.run(120.0)
    healthy = requests_in(rig, 120.0)
    rig.fault("io all", 1200.0)
    rig.run(120.0)
    opened = rig.opened
    failing = requests_in(rig, 120.0)
    assert failing < healthy
    rig.run(600.0)
    assert rig.opened - opened < 720.0 / 5.0


@pytest.mark.parametrize("kind", ["empty all", "io all", "stall all", "misnumber all"])
@shows(
    "B09",
    "nothing but empty or wrong answers, at once: opened again at a falling rate all the same",
)
def test_no_storm_of_openings(make: Make, kind: str) -> None:
    """Its first round is two reports: that they failed is not yet nothing, but no success either."""
    rig = make("050d-0f51-belkin-described-on-line")
    rig.run(60.0)
    rig.fault(kind, 30.0)
    rig.run(30.0)
    assert 2 <= rig.opened <= 12
    rig.run(20.0)
    assert rig.status == "OL"


@shows(
    "B10",
    "an Ellipse MAX that drops the load when opened within 20 s of a failed transfer: never done",
)
def test_reopening_too_early(make: Make) -> None:
    recorded = fixture(EATON)
    device = replace(recorded.device, product="Ellipse MAX 1500")
    rig = make(replace(recorded, device=device), "waitbeforereconnect=30")
    rig.run(30.0)
    rig.do("reopen-crash 20")
    rig.excused = frozenset({"I6 staleness"})  # it may not be opened sooner
    for _ in range(10):
        rig.fault("errors", 15.0)
        rig.run(120.0)
    assert rig.device.ups.main.on
    assert rig.device.cuts_on_mains() == []
    assert rig.status == "OL"


@shows(
    "B12",
    "one report hangs the device and the next three requests with it: left alone after two tries",
)
def test_a_report_that_hangs(make: Make) -> None:
    rig = make(bench())
    rig.run(60.0)
    rig.fault("hang 0c 3", 1800.0)
    rig.do("forget")
    rig.run(1800.0)
    assert reads(rig)[0x0C] <= 8
    assert _stale_seconds(rig) < 60.0


@shows("B13", "reports that no variable needs are never asked for")
def test_only_what_is_needed(make: Make) -> None:
    rig = make(APC)
    rig.run(600.0)
    asked = set(reads(rig))
    known = {
        number for kind, number in rig.device.gadget.unit.reports.keys if kind.name == "FEATURE"
    }
    assert asked < known


@pytest.mark.parametrize("fault", ["interrupt-error", "interrupt-dead"])
@shows(
    "B14",
    "the interrupt endpoint fails from the first second: polling serves, and driver.mode says so",
)
def test_no_interrupts(make: Make, fault: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    rig = make(CPS)
    rig.do(fault)
    rig.run(60.0)
    assert rig.status == "OL"
    failing = fault == "interrupt-error"
    assert rig.text("driver.mode") == (
        "polling (the interrupt endpoint fails)" if failing else "interrupts and polling"
    )
    rig.do("mains off")
    rig.run(3.0)
    assert rig.status == "OB DISCHRG"
    rig.do("mains on")
    rig.run(3.0)
    assert rig.status.startswith("OL")
    rig.run(1800.0)  # it is tried now and then; nobody is told each time
    assert caplog.text.count("reports come by") == 1 + failing
    rig.do("clear")
    rig.run(900.0)
    rig.do("mains off")
    rig.run(3.0)
    assert rig.text("driver.mode") == "interrupts and polling"


@shows(
    "B15", "every Feature report is stalled, only the interrupt endpoint speaks: its word counts"
)
def test_interrupts_only(make: Make) -> None:
    rig = make("0764-0601-cyberpower-cst135uc2")
    rig.excused = frozenset({"I6 staleness", "I3 outages"})
    rig.do("stall all")
    rig.run(5.0)
    rig.do("mains off")
    rig.run(5.0)
    rig.do("mains on")
    rig.run(5.0)
    assert "OB DISCHRG" in rig.history.statuses


@shows("B16", "a read shorter than the report takes it off the bus: never happens")
def test_whole_reads(make: Make) -> None:
    rig = make(EATON)
    rig.do("piecemeal")
    rig.run(300.0)
    rig.do("mains off")
    rig.run(60.0)
    assert rig.opened == 1


@shows("B17", "a load of 0 is a value")
def test_zero_is_data(make: Make) -> None:
    rig = make(CPS)
    rig.run(40.0)
    rig.do("load 0")
    rig.run(60.0)
    assert rig.text("ups.load") == "0"


@shows("B18", "a transfer hangs in the kernel: stale in time, the thread is left behind and replaced, jobs are"
       " answered, data are good again when the device is")  # fmt: skip
def test_a_transfer_that_never_returns(make: Make) -> None:
    rig = make(CPS)
    rig.run(30.0)
    rig.stuck = True
    rig.history.faults.append(_stuck(rig, 100.0))
    rig.at(100.0, lambda: setattr(rig, "stuck", False))
    rig.run(20.0)
    assert rig.status == "stale"
    assert "has not returned" in (rig.text("driver.state.reason") or "")
    assert rig.service.alive
    rig.run(60.0)
    assert rig.replaced >= 1
    rig.run(40.0)
    assert rig.status == "OL"


@shows("B18", "every transfer hangs for hours: few threads are left behind, and the service manager's watchdog"
       " is fed no more, so that the process is replaced too")  # fmt: skip
def test_transfers_that_never_return_again(make: Make) -> None:
    rig = make(CPS)
    rig.excused = frozenset({"I6 staleness"})
    rig.run(30.0)
    rig.stuck = True
    rig.history.faults.append(_stuck(rig, 7200.0))
    rig.at(7200.0, lambda: setattr(rig, "stuck", False))
    fed: list[bool] = []
    for seconds in (20.0, 50.0, 80.0):
        rig.at(seconds, lambda: fed.append(rig.service.alive))
    rig.run(7200.0)
    assert fed == [True, True, False]
    assert rig.replaced <= 8
    rig.run(4000.0)
    assert rig.status == "OL"
    assert rig.service.alive


@shows("B02", "every report takes 1.5 s, on battery: the values come too")
def test_slow_on_battery(make: Make) -> None:
    rig = make(CPS)
    rig.excused = frozenset({"I3 outages", "I6 staleness", "I6 truth"})
    rig.run(60.0)
    rig.fault("slow all 1.5", 600.0)
    rig.do("mains off")
    rig.run(200.0)
    before = reads(rig)
    rig.run(300.0)
    assert set(reads(rig) - before) >= {number for number in before if before[number] >= 3}


@shows("B05", "a device that is asked seldom answers rightly again: it is fresh when it has done well for 2 s,"
       " not at the next of its own reads")  # fmt: skip
def test_healing_ends_in_time(make: Make) -> None:
    rig = make("050d-0f51-belkin-described-on-line")
    rig.run(400.0)
    rig.fault("misnumber all", 60.0)
    rig.run(120.0)
    (again,) = [
        (end - begin, said)
        for begin, end, said in spans(rig.history.said, rig.history.ended)
        if said.reason == "answers again, not for long yet"
    ]
    assert not again[1].fresh
    assert 1.9 < again[0] < 3.0
    assert rig.status == "OL"


@shows("B20", "a wedged device: every transfer has its end, and the driver goes on by itself")
def test_a_wedge(make: Make) -> None:
    rig = make(CPS)
    rig.run(30.0)
    rig.fault("wedge", 300.0)
    rig.run(30.0)
    assert rig.status == "stale"
    rig.run(270.0)
    assert rig.replaced == 0
    rig.run(15.0)
    assert rig.status == "OL"


@shows("B21", "one request is under way at a time, and none is sent while the device is silent")
def test_back_pressure(make: Make) -> None:
    rig = make(CPS)
    rig.run(30.0)
    rig.fault("wedge", 120.0)
    assert requests_in(rig, 120.0) <= 120


def _stuck(rig: Rig, seconds: float) -> Arranged:
    return Arranged("stuck", rig.clock.now, rig.clock.now + seconds)


def _stale_seconds(rig: Rig) -> float:
    began = rig.history.began + 5.0
    return sum(
        end - max(begin, began)
        for begin, end, said in spans(rig.history.said, rig.history.ended)
        if not said.fresh and end > began
    )
