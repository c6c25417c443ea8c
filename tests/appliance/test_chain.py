"""Acceptance checks 36 to 46: from the mains' failure to the shutdown command, with the real upsmon.

The scenes run with a faster clock than an appliance (``FAST``); that the generated files carry an
appliance's own clock is checked in ``test_timing_of_an_appliance``.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.appliance.planning import layout_below, plan, private_upsmon, text_of, write_settings
from tests.appliance.stage import FAST
from tests.nut_tools import find_program
from usbhidups.appliance.files import PRIMARY_TIMING
from usbhidups.appliance.generate import generate

Facts = dict[str, Any]
MAGIC = "upsmon-shutdown-file"
COMMAND = f"-h +0 now [{MAGIC}]"


def test_timing_of_an_appliance() -> None:
    text = text_of(plan(UPS_DRIVER="usbhid-ups"), "upsmon.conf")
    found = dict(re.findall(r"^([A-Z]+) (\d+)$", text, re.M))
    assert found == {
        "MINSUPPLIES": "1",
        "POLLFREQ": "5",
        "POLLFREQALERT": "5",
        "HOSTSYNC": "15",
        "DEADTIME": "25",
        "FINALDELAY": "5",
        "RBWARNTIME": "43200",
        "NOCOMMWARNTIME": "300",
    }


@pytest.mark.scene("outage")
def test_36_a_flicker_is_told_and_nothing_else(facts: Facts) -> None:
    events = [event for event in facts["flicker"] if not event.startswith("COMM")]
    assert events == ["START", "ONBATT", "ONLINE"]
    assert facts["shutdowns_after_flicker"] == []


@pytest.mark.scene("alone")
def test_37_low_battery_without_others(facts: Facts) -> None:
    assert facts["shutdowns"] == [COMMAND]  # once, with the flag already there
    events = [event for event in facts["events"] if not event.startswith("COMM")]
    # whose notify command is first to write is the system's choice
    assert (events[0], sorted(events[1:])) == ("START", ["LOWBATT", "ONBATT", "SHUTDOWN"])


@pytest.mark.scene("outage")
def test_38_a_secondary_that_leaves(facts: Facts) -> None:
    assert facts["shutdowns_at_fsd"] == []  # it was waited for
    assert facts["goodbye"] == "OK Goodbye"
    assert facts["shutdowns"] == [COMMAND]


@pytest.mark.scene("stubborn")
def test_39_a_secondary_that_never_leaves(facts: Facts) -> None:
    # of the scene's HOSTSYNC, 5 s, at least a part; and it did not last for ever
    assert facts["took"] > FAST.final_delay
    assert facts["logins"] == ["OK"]


@pytest.mark.scene("two_hosts")
def test_40_a_real_secondary_goes_first(facts: Facts) -> None:
    (follower, follower_time), (primary, primary_time) = facts["order"], facts["primary_shutdown"]
    assert follower == ["-h +0 now []"]
    assert primary == [COMMAND]
    assert follower_time < primary_time


@pytest.mark.scene("outage")
def test_41_mains_back_after_fsd(facts: Facts) -> None:
    # the scene waited for the status FSD OL CHRG after the mains' return
    assert facts["shutdowns"] == [COMMAND]


@pytest.mark.scene("two_hosts")
def test_42_a_secondary_whose_server_vanishes(facts: Facts) -> None:
    events, shutdowns = facts["vanished_on_line"]
    assert events[:3] == ["START", "COMMBAD", "NOCOMM"]
    assert shutdowns == []
    assert facts["vanished_on_battery"][0] == ["-h +0 now []"]


@pytest.mark.scene("alone")
def test_43_arguments_of_the_command_arrive(facts: Facts) -> None:
    assert facts["shutdowns"][0].startswith("-h +0 now ")


@pytest.mark.scene("driver_on_battery")
def test_44_no_flag_can_be_written(facts: Facts) -> None:
    assert facts["shutdowns"] == ["-h +0 now []"]
    assert any("Failed to create power down flag" in line for line in facts["syslog"])
    assert facts["kill"] == [0, ["kill power: nothing to do: no powerfail shutdown"]]


@pytest.mark.skipif(
    not find_program("upsmon") or os.geteuid() != 0, reason="needs NUT's upsmon, and root"
)
@pytest.mark.parametrize(("content", "status"), [(None, 1), ("something else", 1), (MAGIC, 0)])
def test_45_what_upsmon_says_of_the_flag(tmp_path: Path, content: str | None, status: int) -> None:
    layout = layout_below(tmp_path)
    write_settings(layout, UPS_DRIVER="usbhid-ups", UPS_KILL_POWER="yes", UPS_RUN_AS_USER="root")
    generate(layout)
    if content is not None:
        layout.flag_file.write_text(content)
    done = subprocess.run(
        [private_upsmon(tmp_path), "-K"],
        env=layout.nut_environment,
        capture_output=True,
        check=False,
    )
    assert done.returncode == status


@pytest.mark.scene("outage")
def test_45_the_next_boot_removes_the_flag(facts: Facts) -> None:
    assert facts["flag_before_boot"]
    assert not facts["flag_after_boot"]
    assert facts["status_after_boot"] == "OL"
    assert facts["shutdowns_after_boot"] == []


@pytest.mark.scene("alone")
def test_46_a_rehearsal_runs_the_chain(facts: Facts) -> None:
    assert facts["fsd_status"] == 0
    assert facts["shutdowns_by_rehearsal"] == [COMMAND]
    assert PRIMARY_TIMING.final_delay == 5
