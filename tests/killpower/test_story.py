"""The whole story with NUT's real upsd, upsmon and upsdrvctl, from the failure of mains to its return."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from tests.driver_tools import eventually
from tests.killpower.home import Home, at_home, conf_of
from tests.nut_tools import Upsd, find_program, needs_nut, running_upsd

NAME = "story"

pytestmark = [
    pytest.mark.nut,
    needs_nut,
    pytest.mark.skipif(not find_program("upsmon"), reason="needs the distribution's upsmon"),
]


def state(home: Home) -> dict[str, Any]:
    found = home.simulator.command("state")
    assert isinstance(found, dict)
    return found


def history(home: Home) -> list[dict[str, Any]]:
    found = home.simulator.command("history")
    assert isinstance(found, dict)
    events: list[dict[str, Any]] = found["main"]
    return events


def settle_in(home: Home, upsd: Upsd, *, final_delay: int = 0) -> Any:
    """Driver, upsd and upsmon run and see a UPS on mains."""
    driver = home.start_driver(NAME)
    upsd.wait_for(lambda: "OL" in upsd.upsc(NAME).get("ups.status", "").split())
    home.start_upsmon(upsd, NAME, final_delay=final_delay)
    clients = ("-c", upsd.address(NAME))
    upsd.wait_for(lambda: "127.0.0.1" in upsd.run("upsc", *clients).stdout)
    return driver


def lose_mains(home: Home, *, charge: int) -> None:
    """Mains fail; the battery says that it is low a few seconds later."""
    for line in (f"charge {charge}", "runtime 3000", "speed 10", "mains off"):
        home.simulator.command(line)


def wait_for_cut(home: Home, asked_at: float) -> None:
    home.simulator.command("speed 60")
    eventually(lambda: not state(home)["output"], "the cut")
    cuts = [event for event in history(home) if not event["on"]]
    assert [event["cause"] for event in cuts] == ["shutdown timer"]
    assert 40 <= cuts[0]["at"] - asked_at <= 90


def test_from_blackout_to_return(tmp_path: Path) -> None:
    with at_home(tmp_path, ["0463-ffff-eaton-3s"], [NAME]) as home:
        conf = conf_of(home.simulator, NAME)
        with running_upsd(home.directory, [NAME], ups_conf=conf) as upsd:
            driver = settle_in(home, upsd)
            assert home.usbhidups("killpower", "--if-flag").returncode == 7
            lose_mains(home, charge=21)
            upsd.wait_for(lambda: "LB" in upsd.upsc(NAME).get("ups.status", "").split())
            eventually(home.shutdown_record.exists, "SHUTDOWNCMD")
            assert home.flag.read_bytes() == b"upsmon-shutdown-file"
            assert history(home) == []
            home.stop(driver)
        asked_at = state(home)["time"]
        late = home.usbhidups("killpower", "--if-flag")
        assert late.returncode == 0, late.stdout
        wait_for_cut(home, asked_at)
        home.simulator.command("mains on")
        eventually(lambda: bool(state(home)["output"]), "the load's return")
        assert not [event for event in history(home) if not event["on"] and event["mains"]]


def test_mains_back_during_final_delay_and_the_driver_hangs(tmp_path: Path) -> None:
    """The host goes down all the same, so the load must be cycled although mains are there."""
    with at_home(tmp_path, ["0764-0501-cyberpower-cp1500epfclcd"], [NAME]) as home:
        conf = conf_of(home.simulator, NAME)
        with running_upsd(home.directory, [NAME], ups_conf=conf) as upsd:
            driver = settle_in(home, upsd, final_delay=2)
            lose_mains(home, charge=11)
            upsd.wait_for(lambda: "FSD" in upsd.upsc(NAME).get("ups.status", "").split())
            assert not home.shutdown_record.exists()
            home.simulator.command("mains on")
            eventually(home.shutdown_record.exists, "SHUTDOWNCMD")
        driver.send_signal(signal.SIGSTOP)
        assert state(home)["mains"]
        asked_at = state(home)["time"]
        home.simulator.command("speed 1")
        done = home.upsdrvctl("shutdown")
        assert done.returncode == 0, done.stdout
        assert driver.wait(5) == -signal.SIGKILL
        wait_for_cut(home, asked_at)
        eventually(lambda: bool(state(home)["output"]), "the load's return")
