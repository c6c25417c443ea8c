"""Group C: connection, hotplug, rights and hosts."""

from __future__ import annotations

import pytest

from tests.faults.catalogue import shows
from tests.faults.conftest import Make
from tests.faults.history import spans
from tests.faults.rig import Rig, fixture
from tests.simulator.devices import bench
from usbhidups.errors import AccessDenied, DeviceBusy, DeviceNotFound
from usbhidups.simulator.device import SimulatedDevice

CPS = "0764-0501-cyberpower-cp1500epfclcd"
EATON = "0463-ffff-eaton-3s"


def longest_stale(rig: Rig, since: float) -> float:
    """The longest time that a client saw stale data."""
    longest, begun = 0.0, None
    for begin, end, said in spans(rig.history.said, rig.history.ended):
        if said.fresh or end <= since:
            begun = None
            continue
        begun = max(begin, since) if begun is None else begun
        longest = max(longest, end - begun)
    return longest


@pytest.mark.parametrize("events", [True, False])
@pytest.mark.parametrize("away", [0.2, 2.0, 8.0])
@shows("C01", "each mains edge takes it off the bus for 0.2, 2 and 8 s, with and without plug events:"
       " the outage is shown at its return, never stale for upsmon's 15 s")  # fmt: skip
def test_off_the_bus_at_the_edge(make: Make, away: float, events: bool) -> None:  # noqa: FBT001
    rig = make(CPS, events=events)
    rig.run(30.0)
    rig.fault(f"bounce {away}", 70.0)
    began = rig.clock.now
    rig.do("mains off")
    rig.run(away + 1.5)
    assert rig.status == "OB DISCHRG"
    rig.run(20.0)
    rig.do("mains on")
    rig.run(away + 1.5)
    assert rig.status.startswith("OL")
    assert longest_stale(rig, began) < 8.0


@shows("C02", "after a bounce the node has no rights for 3 s: waited for")
def test_rights_that_come_late(make: Make) -> None:
    rig = make(CPS)
    rig.run(30.0)
    rig.refuse(AccessDenied("Permission denied", node="/dev/bus/usb/001/005"), 3.5)
    rig.unplug(0.3)
    rig.run(2.0)
    assert "waiting for the rights" in (rig.text("driver.state.reason") or "")
    rig.run(8.0)
    assert rig.status == "OL"


@shows("C02", "the rights never come: after half a minute that is said, with the node")
def test_rights_that_never_come(make: Make) -> None:
    rig = make(CPS)
    rig.run(30.0)
    rig.refuse(AccessDenied("Permission denied", node="/dev/bus/usb/001/005"), 3600.0)
    rig.unplug(0.3)
    rig.run(60.0)
    reason = rig.text("driver.state.reason") or ""
    assert "/dev/bus/usb/001/005" in reason
    assert "waiting" not in reason
    assert rig.text("driver.state") == "reconnect.trying"


@shows("C03", "a device that leaves the bus after 20 s without a transfer never does")
def test_a_sleepy_device(make: Make) -> None:
    rig = make(CPS)
    rig.do("sleepy 20")
    for _ in range(3):  # announcements become proven, polls rare
        rig.do("mains off")
        rig.run(30.0)
        rig.do("mains on")
        rig.run(30.0)
    rig.run(1800.0)
    assert rig.opened == 1


@pytest.mark.parametrize("seconds", [5.0, 60.0])
@shows("C05", "all transfers fail for 5 and 60 s, then the same device works: no status is made up")
def test_a_host_that_stumbles(make: Make, seconds: float) -> None:
    rig = make(EATON)
    rig.run(30.0)
    rig.fault("errors", seconds)
    rig.run(seconds + 15.0)
    assert set(rig.history.statuses) == {"OL"}
    assert rig.status == "OL"


@shows(
    "C06", "thirty disconnections of 0.3 s in an hour: no stale data, and the count is published"
)
def test_a_bad_cable(make: Make) -> None:
    rig = make(CPS)
    rig.run(30.0)
    began = rig.clock.now
    for _ in range(30):
        rig.unplug(0.3)
        rig.run(120.0)
    assert longest_stale(rig, began) == 0.0
    assert rig.text("driver.disconnects") == "30"


@pytest.mark.parametrize("row_hours", [20.0 / 3600, 1.0])
@shows("C07", "the device appears 20 s after the start: waited for, then fresh within 2 s")
@shows("C09", "plugged in an hour after the start: fresh within 2 s")
@shows("G04", "started without a device: ready at once, stale with the reason, never ended")
def test_plugged_in_later(make: Make, row_hours: float) -> None:
    rig = make(CPS, plugged=False)
    rig.run(row_hours * 3600)
    assert rig.text("driver.state") == "init.waiting"
    assert rig.status == "stale"
    rig.do("reconnect")
    rig.run(2.0)
    assert rig.status == "OL"
    assert not rig.exits


@shows("C09", "the same without plug events: found within 6 s")
def test_plugged_in_later_without_events(make: Make) -> None:
    rig = make(CPS, plugged=False, events=False)
    rig.run(3600.0)
    rig.do("reconnect")
    rig.run(6.0)
    assert rig.status == "OL"


def test_another_ups(make: Make) -> None:
    """Plugged in where the first one was: its own names, and good with its first status."""
    rig = make(EATON)
    rig.run(60.0)
    rig.do("disconnect 600")
    rig.run(60.0)
    assert rig.status == "stale"
    first = rig.text("device.mfr")
    rig.device = SimulatedDevice(fixture(CPS), now=rig.clock.now)
    rig.excused = frozenset({"I6 staleness"})  # the new one never heard of the old one's absence
    rig.run(2.0)
    assert rig.status == "OL"
    assert rig.text("device.mfr") != first
    assert "answers again, not for long yet" not in {said.reason for _, said in rig.history.said}


@shows(
    "C10",
    "two identical UPSes and nothing to tell them apart: refused loudly, none picked by chance",
)
def test_two_alike(make: Make) -> None:
    rig = make(CPS)
    rig.refuse(
        DeviceNotFound("2 UPSes match (1-1, 1-2): say which one by serial, busport or another key"),
        60,
    )
    rig.run(30.0)
    assert rig.status == "stale"
    assert "2 UPSes match" in (rig.text("driver.state.reason") or "")


@shows("C11", "another driver holds the device: who it is is said, and it is had when it is free")
def test_a_second_driver(make: Make) -> None:
    rig = make(CPS)
    rig.refuse(DeviceBusy("the interface is taken", holder="usbhid-ups (pid 77)"), 60.0)
    rig.run(30.0)
    assert "held by usbhid-ups (pid 77)" in (rig.text("driver.state.reason") or "")
    rig.run(40.0)
    assert rig.status == "OL"


@shows("C16", "the host sleeps for 8 h: stale until it was read again, then fresh at once")
def test_a_suspend(make: Make) -> None:
    rig = make(CPS)
    rig.run(60.0)
    rig.suspend(8 * 3600.0)
    rig.service.tick()
    assert rig.status == "stale"
    rig.do("mains off")
    rig.run(5.0)
    assert rig.status == "OB DISCHRG"


@shows("C17", "pollonly, and the cable is pulled without any event: stale within 15 s")
def test_a_pulled_cable_with_pollonly(make: Make) -> None:
    rig = make(CPS, "pollonly", events=False)
    rig.run(30.0)
    rig.unplug(3600.0)
    rig.run(15.0)
    assert rig.status == "stale"


@shows("C17", "pollonly, and every read fails from now on")
def test_total_failure_with_pollonly(make: Make) -> None:
    rig = make(CPS, "pollonly", events=False)
    rig.run(30.0)
    rig.fault("io all", 60.0)
    rig.run(8.0)
    assert rig.status == "stale"


@shows("C18", "the charge reads 0 for one moment on mains: never published")
def test_a_moment_of_zero_charge(make: Make) -> None:
    rig = make(bench())
    rig.run(60.0)
    seen: set[str | None] = set()
    for _ in range(5):
        rig.do("zero 02 times 1")
        for _ in range(40):
            rig.run(1.0)
            seen.add(rig.text("battery.charge"))
    assert seen == {"100"}


@shows("C19", "the port is suspended: transfers go unanswered for 8 s")
def test_a_suspended_port(make: Make) -> None:
    rig = make(CPS)
    rig.run(30.0)
    rig.fault("wedge", 8.0)
    rig.run(30.0)
    assert rig.status == "OL"


@pytest.mark.parametrize(("tries", "status"), [("0", [1]), ("5", [1]), ("-1", [])])
@shows("G09", "reconnect_max_tries: gives up at once, after so many tries, or never")
def test_giving_up(make: Make, tries: str, status: list[int]) -> None:
    rig = make(CPS, f"reconnect_max_tries={tries}", events=False)
    rig.run(30.0)
    rig.unplug(3600.0)
    rig.run(5.0)
    assert rig.exits[:1] == (status if tries == "0" else [])
    rig.run(30.0)
    assert rig.exits[:1] == status


@shows("G09", "waitbeforereconnect is kept, however early a plug event comes")
def test_a_rest_before_reconnecting(make: Make) -> None:
    rig = make(CPS, "waitbeforereconnect=12")
    rig.excused = frozenset({"I6 staleness"})
    rig.run(30.0)
    rig.unplug(1.0)
    opened = rig.opened
    rig.run(11.0)
    assert rig.opened == opened
    rig.run(4.0)
    assert rig.status == "OL"


@shows("G09", "waitbeforereconnect of a minute: nobody takes the resting thread for one that hangs")
def test_a_long_rest_before_reconnecting(make: Make) -> None:
    rig = make(CPS, "waitbeforereconnect=60")
    rig.excused = frozenset({"I6 staleness"})
    rig.run(30.0)
    worker, opened = rig.worker, rig.opened
    rig.unplug(1.0)
    rig.run(10.0)
    assert rig.status == "stale"
    assert rig.text("driver.state") == "reconnect.trying"
    assert "has not returned" not in (rig.text("driver.state.reason") or "")
    rig.run(48.0)
    assert rig.opened == opened
    rig.run(6.0)
    assert rig.status == "OL"
    assert rig.worker is worker


@shows("B18", "a pollinterval of a minute: a thread that waits is none that hangs")
def test_a_long_pollinterval(make: Make) -> None:
    rig = make(CPS, "pollinterval=60", "pollonly")
    worker = rig.worker
    rig.run(600.0)
    assert rig.status == "OL"
    assert rig.worker is worker
    assert rig.opened == 1


@shows("G06", "three hundred replugs: the same device is taken up again each time")
def test_replugs(make: Make) -> None:
    rig = make(CPS, grain=1.0)
    rig.run(10.0)
    for _ in range(300):
        rig.unplug(0.2)
        rig.run(3.0)
    assert rig.status == "OL"
    assert rig.text("driver.disconnects") == "300"
