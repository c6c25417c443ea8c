"""Acceptance checks 25 to 35: who may do what, and what becomes of a driver's troubles."""

from __future__ import annotations

from typing import Any

import pytest

from usbhidups.appliance.files import PRIMARY_TIMING

Facts = dict[str, Any]
DENIED = "ERR ACCESS-DENIED"


@pytest.mark.scene("loopback_only")
def test_25_server_off(facts: Facts) -> None:
    assert facts["remote"] is False


@pytest.mark.scene("accounts")
def test_25_server_on(facts: Facts) -> None:
    assert facts["remote_v4"]
    assert facts["loopback_v6"]
    assert facts["remote_v6"] is False


@pytest.mark.scene("loopback_only")
def test_26_a_missing_address_is_reported(facts: Facts) -> None:
    text = "upsd.conf: LISTEN 203.0.113.9: this host has no such address now, upsd would not start"
    assert facts["missing_address"] == [text]
    assert facts["start_complaints"][0] == text
    assert facts["start_complaints"][1].startswith("upsd did not start (status 1): ")


@pytest.mark.scene("accounts")
def test_27_rights_of_the_secondary_account(facts: Facts) -> None:
    found = facts["monuser"]
    assert found.pop("LOGIN") == "OK"
    assert found == {"PRIMARY": DENIED, "FSD": DENIED, "SET": DENIED, "INSTCMD": DENIED}
    assert facts["anonymous"] == [
        "BEGIN LIST VAR ups",
        "ERR USERNAME-REQUIRED",
        "ERR USERNAME-REQUIRED",
    ]


@pytest.mark.scene("accounts")
def test_28_rights_of_the_primary_account(facts: Facts) -> None:
    assert facts["master"] == {
        "LOGIN": "OK",
        "PRIMARY": "OK PRIMARY-GRANTED",
        "SET": DENIED,
        "INSTCMD": DENIED,
        "FSD": "OK FSD-SET",
    }
    assert facts["status_after_fsd"] == "FSD OL"


@pytest.mark.scene("driver_trouble")
def test_29_driver_absent_at_boot(facts: Facts) -> None:
    assert facts["start"] == []
    assert facts["absent"] == "ERR DRIVER-NOT-CONNECTED"
    assert facts["absent_upsc"] == [1, "Error: Driver not connected"]
    assert facts["events"][:3] == ["START", "COMMBAD", "NOCOMM"]
    assert facts["shutdowns"] == []
    assert facts["absent_starts"]  # it is tried again and again
    assert facts["came_by_itself"] == "OL"


@pytest.mark.scene("driver_trouble")
def test_30_a_hanging_driver_becomes_stale(facts: Facts) -> None:
    # after MAXAGE, which is NUT's own clock; the scene runs with 4 s, an appliance with NUT's 15 s
    assert facts["stale_upsc"] == [1, "Error: Data stale"]
    assert PRIMARY_TIMING.max_age == 15


@pytest.mark.scene("driver_trouble")
def test_31_driver_killed_on_mains(facts: Facts) -> None:
    after = facts["events"][len(facts["events_before_death"]) :]
    # whose notify command is first to write is the system's choice
    assert {"COMMBAD", "COMMOK"} <= {*after} <= {"COMMBAD", "COMMOK", "NOCOMM"}
    assert facts["shutdowns"] == []


@pytest.mark.scene("driver_on_battery")
def test_32_driver_killed_on_battery_comes_back_in_time(facts: Facts) -> None:
    on_battery = facts["events_before"][facts["events_before"].index("ONBATT") :]
    assert {"COMMBAD", "ONLINE"} <= {*on_battery}
    assert not {"FSD", "SHUTDOWN"} & {*on_battery}
    assert facts["shutdowns_before"] == []
    # an appliance's clock leaves room for several restarts, each 2 s after the last
    assert PRIMARY_TIMING.dead_time >= PRIMARY_TIMING.poll * 3 + 5 * 2


@pytest.mark.scene("driver_on_battery")
def test_33_driver_killed_on_battery_and_gone(facts: Facts) -> None:
    assert len(facts["shutdowns"]) == 1
    assert any("set FSD on UPS [ups]" in line for line in facts["syslog"])


@pytest.mark.scene("accounts")
def test_34_reload_with_a_new_account(facts: Facts) -> None:
    # the new account logged in and upsmon stayed, or the scene would have failed
    assert facts["account_was_new"]
    assert facts["events_over_reload"] == []


@pytest.mark.scene("alone")
def test_35_a_full_restart_clears_fsd(facts: Facts) -> None:
    assert facts["status_after_restart"] == "OL"
    assert len(facts["shutdowns"]) == 1


@pytest.mark.scene("loopback_only")
def test_stop_leaves_no_process(facts: Facts) -> None:
    left = " ".join(facts["processes_after_stop"])
    assert not any(name in left for name in ("upsd", "upsmon", "keep-driver", "usbhid-ups"))
