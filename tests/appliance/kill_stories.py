"""Mains return at every moment around the cut (spec 4.5): kill step, our driver, a simulated UPS.

The UPS's own clock runs faster than ours, so a delay of 60 s takes a second; its history says when which outlet
was switched, and whether mains was there.
"""

from __future__ import annotations

import subprocess
from typing import Any

from tests.appliance.stage import REPOSITORY, Stage
from usbhidups.simulator.simulator import Simulator
from usbhidups.usb import fixture

FIXTURE = REPOSITORY / "fixtures/hid-descriptors/0463-ffff-eaton-3s.toml"
SETTINGS = {"UPS_DRIVER": "usbhid-ups", "UPS_KILL_POWER": "yes", "UPS_RUN_AS_USER": "root"}


def play(stage: Stage) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    for name in ("mains_before_kill", "mains_before_cut", "mains_after_cut", "mains_never"):
        with Simulator([fixture.load(FIXTURE)]) as simulator:
            facts[name] = _cut(stage, simulator, name)
    with Simulator([fixture.load(FIXTURE)]) as simulator:
        simulator.command("quirk deaf-on-mains on")
        facts["deaf"] = _cut(stage, simulator, "deaf", UPS_POWEROFF_WAIT="180")
        facts["deaf"]["rebooted"] = stage.lines("rebooted")
    with Simulator([fixture.load(FIXTURE)]) as simulator:
        facts["bare"] = _bare(stage, simulator)
    with Simulator([fixture.load(FIXTURE)]) as simulator:
        facts["beside"] = _beside(stage, simulator)
    return facts


def _prepare(stage: Stage, simulator: Simulator, **more: str) -> None:
    stage.settings(**SETTINGS, **more)
    problems = stage.generate().plan.problems
    if problems:
        raise AssertionError(problems)
    stage.use_real_driver(simulator.url("1-1"))
    stage.layout.flag_file.write_text("upsmon-shutdown-file")


def _cut(stage: Stage, simulator: Simulator, name: str, **more: str) -> dict[str, Any]:
    """One halt. The simulated seconds between its events are those of the spec's table."""
    _prepare(stage, simulator, **more)
    simulator.command("charge 20")
    simulator.command("mains off")
    if name in ("mains_before_kill", "deaf"):
        simulator.command("mains on")
    before = _time(simulator)
    code, said = stage.kill_power()
    commanded = _time(simulator)
    if name == "mains_before_cut":
        simulator.command("mains on")
    simulator.command("speed 400")
    stage.until(lambda: _time(simulator) > commanded + 150, "150 s of the UPS's time")
    if name == "mains_after_cut":
        simulator.command("mains on")
    stage.until(lambda: _time(simulator) > commanded + 400, "400 s of the UPS's time")
    simulator.command("speed 0")
    history = simulator.command("history")
    return {
        "code": code,
        "said": said,
        "history": history,
        "before": before,
        "commanded": commanded,
    }


def _time(simulator: Simulator) -> float:
    """The UPS's own time, in seconds."""
    state = simulator.command("state")
    return float(state["time"]) if isinstance(state, dict) else 0.0


def _bare(stage: Stage, simulator: Simulator) -> dict[str, Any]:
    """The driver alone, as a late hook has it: no environment, nothing writable, no state directory."""
    _prepare(stage, simulator)
    script = (
        'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && umount -l /run/dev 2>/dev/null; '
        "mount -o remount,bind,ro / 2>/dev/null || mount --bind / / ; rm -f /dev/log; "
        'exec env -i NUT_CONFPATH="$1" NUT_STATEPATH=/nonexistent PYTHONDONTWRITEBYTECODE=1 "$2" -a ups -k'
    )
    driver = stage.layout.driver_links / "usbhid-ups"
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, "sh", str(stage.layout.conf_dir), str(driver)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd="/",
    )
    return {
        "code": done.returncode,
        "said": done.stdout + done.stderr,
        "wrote": simulator.command("wrote"),
    }


def _beside(stage: Stage, simulator: Simulator) -> dict[str, Any]:
    """``-k`` while the daemon has the device: one of them talks to it."""
    _prepare(stage, simulator)
    stage.start()
    stage.until(lambda: stage.variable("ups.status").startswith("OL"), "our driver's data")
    driver = stage.layout.driver_links / "usbhid-ups"
    done = subprocess.run(
        [driver, "-a", "ups", "-k", "-u", "root"],
        env=stage.layout.nut_environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    wrote = simulator.command("wrote")
    stage.services.stop()
    return {"code": done.returncode, "said": done.stdout + done.stderr, "wrote": wrote}
