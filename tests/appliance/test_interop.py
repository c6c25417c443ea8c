"""Acceptance checks 70 to 75: other people's clients, and NUT's own drivers for network UPSes."""

from __future__ import annotations

import re
import shutil
from typing import Any

import pytest

from tests.appliance.planning import plan, plan_for, text_of
from usbhidups.appliance.overrides import sections

Facts = dict[str, Any]

WINNUT = [
    *("ups.mfr", "ups.model", "ups.serial", "ups.firmware"),
    *("battery.charge", "battery.voltage", "battery.runtime", "battery.capacity"),
    *("input.frequency", "output.frequency", "input.voltage", "output.voltage"),
    *(
        "ups.load",
        "ups.realpower.nominal",
        "ups.power.nominal",
        "ups.current.nominal",
        "ups.status",
    ),
]
TEXTS = {"ups.mfr", "ups.model", "ups.serial", "ups.firmware", "ups.status"}


@pytest.mark.scene("outage")
def test_70_synology(facts: Facts) -> None:
    assert facts["nas_login"] == "OK"
    assert facts["logins"] == 2
    # it polled ups.status, saw FSD and left; upsmon then went on without the rest of HOSTSYNC (600 s)
    assert facts["goodbye"] == "OK Goodbye"
    assert facts["shutdowns"] == ["-h +0 now [upsmon-shutdown-file]"]


@pytest.mark.scene("outage")
def test_71_qnap(facts: Facts) -> None:
    # the scene waited for FSD on the alias
    assert facts["alias_login"] == "OK"
    assert facts["alias_equal"]


def test_71_alias_section() -> None:
    made = plan(UPS_DRIVER="usbhid-ups", UPS_ALIAS="qnapups other", UPS_LISTEN_PORT="13493")
    found = {section.name: section.keys for section in sections(text_of(made, "ups.conf"))}
    assert list(found) == ["ups", "qnapups", "other"]
    assert found["qnapups"]["driver"] == "dummy-ups"
    assert found["qnapups"]["port"] == "ups@localhost:13493"
    assert made.active.ups_names == ("ups",)  # only this one is ever commanded
    for bad in ("ups", "UPS", "a a", "a;b", "-a"):
        assert plan(UPS_DRIVER="usbhid-ups", UPS_ALIAS=bad).problems


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("admin 123456\n", ""),
        ("# only a comment\n\n", ""),
        ("admin\n", "line 1: must be a name and a password"),
        ("master x\n", "line 1: the account name master is reserved"),
        ("a 1\na 2\n", "line 2: the account a exists already"),
        ("monuser 2\n", "line 1: the account monuser exists already"),
        ("a p#q\n", 'line 1: a password may not contain # = " or \\'),
    ],
)
def test_71_further_accounts(text: str, problem: str) -> None:
    made = plan_for({"UPS_DRIVER": "usbhid-ups"}, extra_users=text)
    assert made.problems == ((f"UPS_EXTRA_USERS: {problem}",) if problem else ())
    if not problem:
        users = sections(text_of(made, "upsd.users"))
        assert all(section.keys["upsmon"] == "secondary" for section in users[1:])


@pytest.mark.scene("story")
def test_72_winnut(facts: Facts) -> None:
    published = facts["variables"]
    there = [name for name in WINNUT if name in published]
    assert len(there) >= 9
    for name in there:
        assert published[name].strip(), name
        if name not in TEXTS:
            assert re.fullmatch(r"-?\d+(\.\d+)?", published[name]), name
    assert "" not in published.values()


@pytest.mark.scene("story")
def test_73_description_and_serial(facts: Facts) -> None:
    assert facts["description"] == "UPS of attic"
    assert facts["serial"] == facts["serial_after_restart"]


@pytest.mark.scene("network_drivers")
@pytest.mark.skipif(
    not all(
        shutil.which(name, path="/lib/nut:/usr/lib/ups:/usr/sbin:/sbin")
        for name in ("snmp-ups", "netxml-ups", "snmpd")
    ),
    reason="needs nut-snmp, nut-xml and snmpd",
)
def test_74_nuts_own_network_drivers(facts: Facts) -> None:
    assert facts["snmp-ups"]["problems"] == facts["netxml-ups"]["problems"] == []
    assert facts["snmp-ups"]["charge"] == "77"
    assert facts["netxml-ups"]["charge"] == "66"
    # nobody at the address: upsd and upsmon are up all the same
    assert facts["silent"] == []
    assert facts["silent_upsd"] == "ERR DRIVER-NOT-CONNECTED"


@pytest.mark.scene("stubborn")
def test_75_many_readers(facts: Facts) -> None:
    # fifty readers without pause through the whole of a shutdown; none ever saw stale data
    assert facts["answers"] == ['VAR ups ups.status "FSD OB DISCHRG LB"']
    assert facts["rounds"] > 10
