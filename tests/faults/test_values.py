"""Group E, and strange fields of group A: values, as they are published."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.faults.catalogue import shows
from tests.faults.conftest import Make
from tests.faults.rig import fixture

CPS = "0764-0501-cyberpower-cp1500epfclcd"
EATON = "0463-ffff-eaton-3s"


@shows(
    "A06",
    "a CyberPower's output voltage with the limits of its transfer voltage: published as sent",
)
def test_limits_of_another_item(make: Make) -> None:
    rig = make(CPS)
    rig.run(40.0)
    assert rig.recorded.feature[0x12] == bytes.fromhex("12 ee 00")  # 238; its limits say 260 to 270
    assert rig.text("output.voltage") == "238.0"


@shows("A09", "the 183 bytes of the 5131:2007 chip: several usages for an item, fields of one bit")
def test_the_descriptor_that_others_choke_on(make: Make) -> None:
    rig = make("5131-2007-unknown-5131-2007")
    rig.run(10.0)
    assert rig.status == "OL"
    assert rig.text("battery.charge") == "100"
    rig.do("mains off")
    rig.run(3.0)
    assert rig.status.startswith("OB")


@pytest.mark.parametrize("serial", [" " * 16, "\0\0\0\0", "\r\n"])
@shows("A13", "a serial number of blanks is none")
def test_a_serial_number_of_blanks(make: Make, serial: str) -> None:
    recorded = fixture(CPS)
    rig = make(replace(recorded, device=replace(recorded.device, serial=serial)))
    rig.run(40.0)
    assert rig.status == "OL"
    assert rig.text("ups.serial") is None
    assert rig.text("device.serial") is None


@shows("E01", "a run time of 65535 is no run time")
def test_a_run_time_of_all_ones(make: Make) -> None:
    rig = make(EATON)
    rig.run(40.0)
    assert rig.text("battery.runtime") is not None
    rig.do("frozen")
    rig.do("report feature 06 06 64 ff ff ff ff")
    rig.run(40.0)
    assert rig.text("battery.charge") == "100"
    assert rig.text("battery.runtime") is None


@shows("E02", "a CyberPower on which no countdown runs: -1, not the -60 of its physical range")
def test_no_countdown(make: Make) -> None:
    rig = make(CPS)
    rig.run(40.0)
    assert (rig.text("ups.timer.shutdown"), rig.text("ups.timer.start")) == ("-1", "-1")
    assert rig.ask("shutdown.return").code == 0
    assert rig.text("ups.timer.shutdown") == "60"


@shows("E07", "an EcoFlow that counts minutes: its run time is published in seconds")
def test_run_time_in_minutes(make: Make) -> None:
    rig = make("3746-ffff-ecoflow-described-rich")
    rig.run(40.0)
    assert rig.text("battery.runtime") == str(11 * 60)  # report 0x0a: 0b 00
