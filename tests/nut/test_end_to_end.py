"""The main job: a UPS's bytes over USB/IP, our driver, the distribution's upsd, upsc. (issue "Main job")"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.driver_tools import FIXTURES, eventually, running_driver
from tests.nut_tools import needs_nut, running_upsd
from usbhidups.simulator.simulator import Simulator
from usbhidups.usb.fixture import load

pytestmark = [pytest.mark.nut, needs_nut]

SHOWN = (
    "0764-0501-cyberpower-cp1500epfclcd",
    "051d-0002-apc-back-ups-bk650m2-ch",
    "0463-ffff-eaton-3s",
    "2341-8036-arduino-hidpowerdevice",
)
"""The four devices that the issue asks to be shown."""


@pytest.mark.parametrize("name", SHOWN)
def test_upsc_prints_every_expected_variable_and_the_mains_edge(name: str, tmp_path: Path) -> None:
    fixture = load(FIXTURES / f"{name}.toml")
    expected = fixture.expected
    assert expected, f"{name} has no [expected]"
    with (
        running_upsd(tmp_path, ["sim"]) as upsd,
        Simulator([fixture], speed=0) as simulator,
        running_driver(upsd.state, "sim", simulator.url()) as driver,
    ):
        driver.wait_for(lambda dump: dump.fresh and set(expected) <= set(dump.variables))
        upsd.wait_for(lambda: dict(expected).items() <= upsd.upsc("sim").items())

        simulator.command("mains off")
        upsd.wait_for(lambda: upsd.upsc("sim").get("ups.status", "").startswith("OB"))
        assert "DISCHRG" in upsd.upsc("sim")["ups.status"].split()
        simulator.command("mains on")
        upsd.wait_for(lambda: upsd.upsc("sim").get("ups.status", "").startswith("OL"))


@pytest.mark.parametrize("state", ["fresh", "stale"])
def test_upsd_recovers_when_the_driver_is_killed_and_started_again(
    state: str, tmp_path: Path
) -> None:
    fixture = load(FIXTURES / f"{SHOWN[0]}.toml")
    with running_upsd(tmp_path, ["sim"]) as upsd, Simulator([fixture], speed=0) as simulator:
        with running_driver(upsd.state, "sim", simulator.url()) as driver:
            upsd.wait_for(lambda: upsd.upsc("sim").get("ups.status") == "OL")
            if state == "stale":
                simulator.command("disconnect")
                upsd.wait_for(lambda: not upsd.upsc("sim"))
            driver.process.send_signal(signal.SIGKILL)
            driver.process.wait(20)
            if state == "stale":
                simulator.command("reconnect")
            assert driver.path.exists()  # nobody was there to remove it
            upsd.wait_for(lambda: not upsd.upsc("sim"))
        with running_driver(upsd.state, "sim", simulator.url()):
            upsd.wait_for(lambda: upsd.upsc("sim").get("ups.status") == "OL")


def test_the_driver_may_start_before_upsd(tmp_path: Path) -> None:
    fixture = load(FIXTURES / f"{SHOWN[0]}.toml")
    with (
        Simulator([fixture], speed=0) as simulator,
        running_driver(tmp_path / "run", "sim", simulator.url()) as driver,
    ):
        driver.wait_for(lambda dump: dump.fresh)
        with running_upsd(tmp_path, ["sim"]) as upsd:
            upsd.wait_for(lambda: upsd.upsc("sim").get("ups.status") == "OL")


def test_upsdrvctl_starts_and_stops_it(tmp_path: Path) -> None:
    """Started by the name in ups.conf from a driver path, in the background, as 2.8.0 does it."""
    fixture = load(FIXTURES / f"{SHOWN[0]}.toml")
    programs = tmp_path / "drivers"
    programs.mkdir()
    (programs / "usbhid-ups").write_text(
        f"#!{sys.executable}\nfrom usbhidups.cli.main import main\nraise SystemExit(main())\n"
    )
    (programs / "usbhid-ups").chmod(0o755)
    user = "user = root\n" if os.geteuid() == 0 else ""
    with Simulator([fixture], speed=0) as simulator:
        conf = (
            f"driverpath = {programs}\nmaxretry = 1\n{user}"
            f"[sim]\n driver = usbhid-ups\n port = {simulator.url()}\n desc = simulated\n"
        )
        with running_upsd(tmp_path, ["sim"], ups_conf=conf) as upsd:
            words = ["-u", "root"] if os.geteuid() == 0 else []
            started = upsd.run("upsdrvctl", *words, "start", "sim")
            try:
                assert started.returncode == 0, started
                assert (upsd.state / "usbhid-ups-sim").is_socket()  # there when upsdrvctl returned
                pid_text = (upsd.state / "usbhid-ups-sim.pid").read_text()
                assert pid_text == f"{int(pid_text)}\n"
                upsd.wait_for(lambda: upsd.upsc("sim").get("ups.status") == "OL")
                assert upsd.upsc("sim")["driver.name"] == "usbhid-ups"
            finally:
                stopped = upsd.run("upsdrvctl", *words, "stop", "sim")
            assert stopped.returncode == 0, stopped
            eventually(
                lambda: not list(upsd.state.glob("usbhid-ups-sim*")), "its files are removed"
            )
