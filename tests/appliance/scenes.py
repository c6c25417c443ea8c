"""Power fails and drivers fail: scenes of what an appliance is there for.

Each function gets a fresh machine and returns facts, as plain JSON values; the tests assert on them.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.appliance import kill_stories, whole_story
from tests.appliance.routines import (
    POWERED,
    Facts,
    again,
    nut_environment,
    password_of,
    upsc,
)
from tests.appliance.stage import SAMPLE, Stage, Wire


def outage(stage: Stage) -> Facts:
    """A NAS follows; mains flicker, then fail for good; the NAS leaves; kill power; the next boot."""
    facts: Facts = {}
    stage.timing = replace(
        stage.timing, host_sync=600
    )  # only the NAS's own leave-taking ends the wait
    (stage.base / "etc/users").write_text("# QNAP\nadmin 123456\n")
    (stage.base / "etc/users").chmod(0o600)
    stage.status("OL")
    facts["start"] = stage.boot(
        **POWERED,
        UPS_ALIAS="qnapups",
        UPS_EXTRA_USERS=str(stage.base / "etc/users"),
        UPS_NOTIFY="one@example.org two@example.org bad@@address",
        UPS_NOTIFY_FROM="UPS <ups@example.org>",
    )
    stage.ready()
    facts["processes"] = stage.processes()
    with Wire("192.0.2.1") as nas, Wire() as qnap:
        facts["list_ups"] = sorted(nas.ask_list("UPS"))
        stage.see("OL", "qnapups")
        facts["alias_login"] = qnap.log_in("admin", "123456", "qnapups")
        same = [k for k in SAMPLE if stage.variable(k) == stage.variable(k, "qnapups")]
        facts["alias_equal"] = sorted(same) == sorted(SAMPLE)
        facts["nas_login"] = nas.log_in("monuser", "secret")
        facts["logins"] = stage.logins()
        stage.status("OB DISCHRG")
        stage.wait_event("ONBATT")
        stage.status("OL")
        stage.wait_event("ONLINE")
        facts["flicker"] = stage.events()
        facts["shutdowns_after_flicker"] = stage.shutdowns()
        # While its notify command runs, upsmon's login lasts: the child that waits for it has the connection.
        (stage.base / "mailer-lingers").touch()
        stage.status("OB DISCHRG LB")
        stage.until(lambda: "FSD" in nas.ask("GET VAR ups ups.status"), "FSD at the NAS")
        facts["shutdowns_at_fsd"] = stage.shutdowns()
        stage.until(
            lambda: stage.variable("ups.status", "qnapups").startswith("FSD"), "FSD at alias"
        )
        facts["goodbye"] = nas.ask("LOGOUT")
        stage.wait_shutdown()
    stage.status("OL CHRG")
    stage.see("FSD OL CHRG")
    for event, count in (("SHUTDOWN", 1), ("LOWBATT", 1), ("ONBATT", 2)):  # in any order
        stage.wait_event(event, count)
    stage.until(lambda: len(stage.mails()) == 2 * (len(stage.events()) - 1), "every mail")
    facts["shutdowns"] = stage.shutdowns()
    facts["events"] = stage.lines("ups-status.log")
    facts["mails"] = stage.mails()
    facts["late_processes"] = stage.processes()
    facts["syslog"] = stage.lines("syslog")
    facts["master_password"] = password_of(stage, "master")
    before_boot(stage, facts)
    return facts


def before_boot(stage: Stage, facts: Facts) -> None:
    """The halt's kill step, then the next boot with mains present."""
    facts["kill"] = stage.kill_power()
    facts["calls"] = stage.calls()
    facts["running_after_kill"] = [stage.services.running().upsd, stage.services.running().upsmon]
    facts["flag_before_boot"] = stage.layout.flag_file.exists()
    (stage.base / "shutdowns").unlink()
    stage.status("OL")
    facts["boot"] = stage.start()
    stage.ready()
    facts["flag_after_boot"] = stage.layout.flag_file.exists()
    facts["status_after_boot"] = stage.variable("ups.status")
    facts["shutdowns_after_boot"] = stage.shutdowns()
    facts["kill_on_plain_reboot"] = stage.kill_power()
    facts["calls_after_reboot"] = stage.calls()


def alone(stage: Stage) -> Facts:
    """No other host: mains fail until the battery is low."""
    stage.boot(**POWERED)
    stage.ready()
    stage.status("OB DISCHRG LB")
    stage.wait_shutdown()
    facts: Facts = {"shutdowns": stage.shutdowns(), "said": stage.events()}
    stage.until(lambda: {"ONBATT", "LOWBATT", "SHUTDOWN"} <= {*stage.events()}, "the events")
    facts["events"] = stage.events()
    stage.services.stop()
    # FSD lives in upsd: a full restart clears it, and nothing shuts down again.
    stage.status("OL")
    stage.start()
    stage.ready()
    facts["status_after_restart"] = stage.variable("ups.status")
    # A rehearsal on a healthy system: the same chain (check 46).
    (stage.base / "shutdowns").unlink()
    done = subprocess.run(
        [stage.layout.upsmon, "-c", "fsd"], env=nut_environment(stage), check=False
    )
    facts["fsd_status"] = done.returncode
    stage.wait_shutdown()
    facts["shutdowns_by_rehearsal"] = stage.shutdowns()
    return facts


def stubborn(stage: Stage) -> Facts:
    """One client never leaves, ten more log in, fifty keep reading: the shutdown is only so much later."""
    stage.boot(**POWERED)
    stage.ready()
    watched = [Wire("192.0.2.1") for _ in range(50)]
    stayers = [Wire("192.0.2.1") for _ in range(10)]
    logins = {wire.log_in("monuser", "secret") for wire in stayers}
    rounds = 0
    answers: set[str] = set()
    stage.status("OB DISCHRG LB")
    stage.until(lambda: "FSD" in stage.variable("ups.status"), "FSD")
    began = time.monotonic()
    while not stage.shutdowns():
        for wire in watched:
            answers.add(wire.ask("GET VAR ups ups.status"))
        rounds += 1
    took = time.monotonic() - began
    kill = stage.kill_power()
    for wire in [*watched, *stayers]:
        wire.close()
    return {
        "logins": sorted(logins),
        "answers": sorted(answers),
        "rounds": rounds,
        "took": took,
        "kill": kill,
    }


def driver_trouble(stage: Stage) -> Facts:
    """On mains the driver is late, hangs, dies and comes back."""
    facts: Facts = {}
    (stage.base / "stub/ups.json").unlink()
    facts["start"] = stage.boot(**POWERED)
    stage.wait_event("NOCOMM")
    facts["absent"] = stage.variable("ups.status")
    facts["absent_upsc"] = upsc(stage)
    facts["absent_starts"] = stage.calls().count("absent ups") > 1
    stage.status("OL")
    stage.ready()
    facts["came_by_itself"] = stage.variable("ups.status")
    stage.wait_event("COMMOK")
    hang = stage.base / "stub/ups.hang"
    hang.touch()
    stage.until(lambda: stage.variable("ups.status") == "ERR DATA-STALE", "stale data")
    facts["stale_upsc"] = upsc(stage)
    stage.wait_event("COMMBAD", 2)  # the first was of the boot
    hang.unlink()
    stage.see("OL")
    stage.wait_event("COMMOK", 2)
    facts["events_before_death"] = stage.events()
    _driver_dies(stage)
    stage.see("OL")
    stage.wait_event("COMMOK", 3)
    facts["events"] = stage.events()
    facts["shutdowns"] = stage.shutdowns()
    return facts


def driver_on_battery(stage: Stage) -> Facts:
    """On battery the driver dies and comes back; then it dies for good. A stranger's text; no flag."""
    facts: Facts = {}
    stage.status("OL")
    stage.boot(**POWERED)
    stage.ready()
    stage.status("OB DISCHRG")
    stage.wait_event("ONBATT")
    _driver_dies(stage)
    stage.see("OB DISCHRG")
    stage.status("OL")  # one poll later upsmon has seen it all
    stage.wait_event("ONLINE")
    facts["events_before"] = stage.events()
    facts["shutdowns_before"] = stage.shutdowns()
    mark = stage.base / "pwned"
    stage.status("ALARM OB DISCHRG", **{"ups.alarm": f"$(touch {mark}) `touch {mark}`"})
    stage.until(lambda: stage.events().count("ONBATT") == 2, "ONBATT again")
    (stage.base / "stub/ups.json").unlink()  # the keeper's restarts find nothing
    stage.layout.flag_dir.rmdir()
    stage.layout.flag_dir.write_text("")  # no flag can be written here, not even by root
    _kill_driver()
    stage.wait_shutdown()
    stage.until(
        lambda: any("power down flag!" in line for line in stage.lines("syslog")), "a word on it"
    )
    facts["shutdowns"] = stage.shutdowns()
    facts["syslog"] = stage.lines("syslog")
    facts["pwned"] = mark.exists()
    facts["kill"] = stage.kill_power()
    return facts


def _driver_dies(stage: Stage) -> None:
    """SIGKILL, and its keeper's restart."""
    count = len(stage.calls())
    _kill_driver()
    stage.until(lambda: len(stage.calls()) > count, "the keeper's restart")


def two_hosts(stage: Stage) -> Facts:
    """A second machine follows this one: its upsmon, its netns, its files made by the same generator."""
    facts: Facts = {}
    stage.boot(**POWERED)
    stage.ready()
    with stage.second_host("follower") as there:
        follower = Path("/run/follower")
        process = subprocess.Popen(
            [*there, *_client_command(follower)],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        stage.until(lambda: stage.logins() == 2, "the follower's login")
        with Wire() as wire:
            facts["clients"] = wire.ask_list("CLIENT ups")
        facts["follower"] = _report_of(process, "state")
        stage.status("OB DISCHRG LB")
        stage.wait_shutdown()
        facts["order"] = _report_of(process, "shutdown")
        facts["primary_shutdown"] = [stage.shutdowns(), stage.shutdown_time()]
        facts["follower_kill"] = _report_of(process, "kill")
        # Again, and this time the server vanishes: while all is well nothing happens.
        again(stage)
        facts["restarted"] = _report_of(process, "restart")
        stage.until(lambda: stage.logins() == 2, "the follower's second login")
        stage.services.stop()
        facts["vanished_on_line"] = _report_of(process, "nocomm")
        stage.status("OL")
        stage.start()
        stage.until(lambda: stage.logins() == 2, "the follower's third login")
        stage.status("OB DISCHRG")
        facts["on_battery"] = _report_of(process, "onbatt")
        stage.services.stop()
        facts["vanished_on_battery"] = _report_of(process, "shutdown")
        process.stdin.close() if process.stdin else None
        facts["follower_exit"] = process.wait(20)
        process.stdout.close() if process.stdout else None
    return facts


def _client_command(base: Path) -> list[str]:
    return [sys.executable, "-m", "tests.appliance.follower", str(base)]


def _report_of(process: subprocess.Popen[str], question: str) -> Any:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(question + "\n")
    process.stdin.flush()
    line = process.stdout.readline()
    if not line:
        raise AssertionError(f"the follower ended at {question}")
    return json.loads(line)


def cuts(stage: Stage) -> Facts:
    """Our own driver's kill step on a simulated UPS, with mains returning at each moment of spec 4.5."""
    return kill_stories.play(stage)


def story(stage: Stage) -> Facts:
    """From an empty machine to the return of the mains, with our driver; the page at each stage."""
    return whole_story.play(stage)


def _kill_driver() -> None:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        words = path.read_bytes().split(b"\0")
        if b"-I" in words and any(word.endswith(b"/usbhid-ups") for word in words):
            os.kill(int(path.parent.name), signal.SIGKILL)
