"""A UPS that leaves the bus, and what the real upsmon makes of it. (issue "A status you can bet the house on")

upsmon gives a UPS up that was on battery and of which nothing good was heard for its DEADTIME, 15 s: a bounce
must stay below that, and a device that never comes back must not be hidden from it. These tests run on the
clock of the wall, as upsmon does; they wait for what happens, never for time.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.driver_tools import eventually
from tests.killpower.home import Home, at_home, conf_of
from tests.nut_tools import Upsd, find_program, needs_nut, running_upsd

pytestmark = [
    pytest.mark.nut,
    needs_nut,
    pytest.mark.skipif(not find_program("upsmon"), reason="needs the distribution's upsmon"),
]

AWAY = 8
"""Seconds off the bus: the bounce that the issue names."""

BUSIDS = {"outage": "1-1", "ended": "1-2", "mains": "1-3", "begun": "1-4"}
"""Four UPSes bounce: during an outage that goes on, during one that ends meanwhile, on mains, and on mains
that fail meanwhile."""

DEVICES = (
    "0463-ffff-eaton-3s",
    "0764-0501-cyberpower-cp1500epfclcd",
    "051d-0002-apc-back-ups-bk650m2-ch",
    "2341-8036-arduino-hidpowerdevice",
)

PATIENT = 60.0
"""Seconds after which something that takes upsmon's DEADTIME counts as not happening."""


def words(upsd: Upsd, name: str) -> set[str]:
    """The words of ups.status, none where upsd calls the data stale."""
    return set(upsd.upsc(name).get("ups.status", "").split())


def wait_for_status(upsd: Upsd, word: str, *names: str) -> None:
    """Until each of the UPSes has that word in its status."""
    for name in names:
        upsd.wait_for(lambda name=name: word in words(upsd, name))  # type: ignore[misc]


def wait_for_upsmon(home: Home, upsd: Upsd, said: str, *names: str) -> None:
    """Until upsmon has said that of each of the UPSes."""
    for name in names:
        line = f"UPS {upsd.address(name)} {said}"
        eventually(lambda line=line: line in home.said(), line)  # type: ignore[misc]


def number(home: Home, busid: str) -> int:
    """The device number on the bus."""
    found: Any = home.simulator.command(f"{busid} state")
    address: int = found["address"]
    return address


def start(home: Home, upsd: Upsd, *names: str) -> None:
    """Driver, upsd and upsmon run and see UPSes on mains with a full battery."""
    home.simulator.command("charge 100")
    home.simulator.command("runtime 3000")
    home.start_driver(*names)
    wait_for_status(upsd, "OL", *names)
    home.start_upsmon(upsd, *names)
    for name in names:
        asked = ("upsc", "-c", upsd.address(name))
        upsd.wait_for(lambda asked=asked: "127.0.0.1" in upsd.run(*asked).stdout)  # type: ignore[misc]


def test_a_bounce_shuts_nothing_down_and_what_is_published_then_is_so(tmp_path: Path) -> None:
    names = tuple(BUSIDS)
    with at_home(tmp_path, DEVICES, names) as home:
        conf = conf_of(home.simulator, *names)
        with running_upsd(home.directory, names, ups_conf=conf) as upsd:
            start(home, upsd, *names)
            for name in ("outage", "ended"):
                home.simulator.command(f"{BUSIDS[name]} mains off")
            wait_for_status(upsd, "OB", "outage", "ended")
            wait_for_upsmon(home, upsd, "on battery", "outage", "ended")

            numbers = {name: number(home, busid) for name, busid in BUSIDS.items()}
            home.simulator.command(f"disconnect {AWAY}")
            home.simulator.command(f"{BUSIDS['ended']} mains on")
            home.simulator.command(f"{BUSIDS['begun']} mains off")
            for name in names:
                upsd.wait_for(lambda name=name: not words(upsd, name))  # type: ignore[misc]

            wanted = {"outage": "OB", "ended": "OL", "mains": "OL", "begun": "OB"}
            for name, word in wanted.items():
                upsd.wait_for(lambda name=name: bool(words(upsd, name)))  # type: ignore[misc]
                assert words(upsd, name) & {"OB", "OL", "LB", "RB", "OFF", "FSD"} == {word}, name
                assert upsd.upsc(name)["driver.disconnects"] == "1"
                assert number(home, BUSIDS[name]) != numbers[name]
            # upsmon has taken in what came after the bounce, and wants nothing
            wait_for_upsmon(home, upsd, "on line power", "ended")
            wait_for_upsmon(home, upsd, "on battery", "begun")
            assert not home.shutdown_record.exists()
            assert not home.flag.exists()
            # and it would shut down, were there a reason
            home.simulator.command(f"{BUSIDS['outage']} charge 5")
            eventually(home.shutdown_record.exists, "SHUTDOWNCMD")


def test_a_device_that_never_comes_back_in_an_outage_leads_to_the_shutdown(tmp_path: Path) -> None:
    name = "lost"
    with at_home(tmp_path, DEVICES[:1], [name]) as home:
        conf = conf_of(home.simulator, name)
        with running_upsd(home.directory, [name], ups_conf=conf) as upsd:
            start(home, upsd, name)
            home.simulator.command("mains off")
            wait_for_upsmon(home, upsd, "on battery", name)
            home.simulator.command("disconnect")
            upsd.wait_for(lambda: not words(upsd, name))
            assert not home.shutdown_record.exists()
            eventually(home.shutdown_record.exists, "SHUTDOWNCMD", seconds=PATIENT)
            assert home.flag.exists()
            assert not words(upsd, name)
