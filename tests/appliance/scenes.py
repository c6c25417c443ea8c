"""What is played on a stage. Each function gets a fresh machine and returns facts, as plain JSON values."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.appliance import agents, kill_stories, whole_story
from tests.appliance.passwords import probes
from tests.appliance.stage import SAMPLE, Stage, Wire, reaches

Facts = dict[str, Any]

SERVER = {
    "UPS_DRIVER": "usbhid-ups",
    "UPS_LISTEN_ALL": "yes",
    "UPS_MONITOR_PASS": "secret",
    "HOSTNAME": "attic",
}
POWERED = {**SERVER, "UPS_KILL_POWER": "yes"}


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
    stage.wait_event("SHUTDOWN")
    stage.until(lambda: len(stage.mails()) == 2 * (len(stage.events()) - 1), "every mail")
    facts["shutdowns"] = stage.shutdowns()
    facts["events"] = stage.lines("ups-status.log")
    facts["mails"] = stage.mails()
    facts["late_processes"] = stage.processes()
    facts["syslog"] = stage.lines("syslog")
    facts["master_password"] = _password(stage, "master")
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
    done = subprocess.run([stage.layout.upsmon, "-c", "fsd"], env=_nut(stage), check=False)
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
    for wire in [*watched, *stayers]:
        wire.close()
    return {"logins": sorted(logins), "answers": sorted(answers), "rounds": rounds, "took": took}


def accounts(stage: Stage) -> Facts:
    """What each account may do, and who may connect; then a further account by reload."""
    facts: Facts = {}
    (stage.base / "etc/users").write_text("")
    stage.boot(**SERVER, IPV6="yes", UPS_EXTRA_USERS=str(stage.base / "etc/users"))
    stage.ready()
    master = _password(stage, "master")
    for name, password in (("monuser", "secret"), ("master", master), ("nobody", "x")):
        with Wire() as wire:
            facts[name] = {"LOGIN": wire.log_in(name, password)}
            for line in (
                "PRIMARY ups",
                'SET VAR ups ups.id "x"',
                "INSTCMD ups load.off",
                "FSD ups",
            ):
                facts[name][line.split()[0]] = wire.ask(line)
        if name == "master":
            facts["status_after_fsd"] = stage.variable("ups.status")
    with Wire() as wire:
        facts["anonymous"] = [
            wire.ask_list("VAR ups")[0],
            wire.ask("LOGIN ups"),
            wire.ask("FSD ups"),
        ]
    facts["remote_v4"] = reaches("192.0.2.1")
    subprocess.run(["ip", "addr", "add", "2001:db8::1/128", "dev", "lo", "nodad"], check=True)
    facts["loopback_v6"] = reaches("::1")
    facts["remote_v6"] = reaches("2001:db8::1")
    stage.wait_shutdown()  # the FSD above
    _again(stage)
    (stage.base / "etc/users").write_text("guest pass1\n")
    kept = _text(stage, "upsd.users")
    stage.generate()
    text = re.sub(
        r'(\[master\]\s+password = )"[^"]*"',
        lambda m: f'{m[1]}"{master}"',
        _text(stage, "upsd.users"),
    )
    (stage.layout.conf_dir / "upsd.users").write_text(text)
    facts["account_was_new"] = "guest" not in kept
    subprocess.run([stage.layout.upsd, "-c", "reload"], env=_nut(stage), check=True)

    def guest_logs_in() -> bool:
        with Wire() as wire:
            return wire.log_in("guest", "pass1") == "OK"

    stage.until(guest_logs_in, "guest's login after the reload")
    stage.until(lambda: stage.logins() == 1, "upsmon still logged in")
    facts["events_over_reload"] = [e for e in stage.events() if e.startswith("COMM")]
    return facts


def loopback_only(stage: Stage) -> Facts:
    """Server off, another port; then an address that this host does not have."""
    facts: Facts = {}
    variables = {"UPS_DRIVER": "usbhid-ups", "UPS_LISTEN_PORT": "13493"}
    stage.boot(**variables)

    def logged_in() -> bool:
        try:
            with Wire(port=13493) as wire:
                return wire.ask("GET NUMLOGINS ups") == "NUMLOGINS ups 1"
        except OSError:
            return False

    stage.until(logged_in, "upsmon's login on port 13493")
    facts["remote"] = reaches("192.0.2.1", 13493)
    facts["old_port"] = reaches("127.0.0.1", 3493)
    facts["target"] = _active(stage)["target"]
    stage.services.stop()
    facts["processes_after_stop"] = stage.processes()
    stage.settings(**variables, UPS_LISTEN="203.0.113.9")
    outcome = stage.generate()
    facts["missing_address"] = list(outcome.plan.problems)
    stage.settings(UPS_DRIVER="usbhid-ups")
    stage.override("upsd.conf", "LISTEN 127.0.0.1\n")
    stage.generate()
    path = stage.layout.conf_dir / "upsd.conf"
    path.write_text("LISTEN 127.0.0.1\nLISTEN 203.0.113.9\n")  # the address went away since
    facts["start_complaints"] = stage.start()
    return facts


def driver_trouble(stage: Stage) -> Facts:
    """On mains the driver is late, hangs, dies and comes back."""
    facts: Facts = {}
    (stage.base / "stub/ups.json").unlink()
    facts["start"] = stage.boot(**POWERED)
    stage.wait_event("NOCOMM")
    facts["absent"] = stage.variable("ups.status")
    facts["absent_upsc"] = _upsc(stage)
    facts["absent_starts"] = stage.calls().count("absent ups") > 1
    stage.status("OL")
    stage.ready()
    facts["came_by_itself"] = stage.variable("ups.status")
    hang = stage.base / "stub/ups.hang"
    hang.touch()
    stage.until(lambda: stage.variable("ups.status") == "ERR DATA-STALE", "stale data")
    facts["stale_upsc"] = _upsc(stage)
    hang.unlink()
    stage.see("OL")
    stage.until(lambda: stage.events()[-1] == "COMMOK", "COMMOK")
    facts["events_before_death"] = stage.events()
    _driver_dies(stage)
    stage.see("OL")
    lost = len(facts["events_before_death"])
    stage.until(lambda: stage.events()[-1] == "COMMOK" and len(stage.events()) > lost, "COMMOK")
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
    stage.until(lambda: stage.events()[-1] == "ONLINE", "ONLINE")
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
        _again(stage)
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


def override_files(stage: Stage) -> Facts:
    """The page's two snippets in the old words; a fixed password; another section's name; timers."""
    facts: Facts = {}
    host = stage.layout
    users = (
        "[master]\n  password = @MASTER_PASS@\n  upsmon master\n"
        "[monuser]\n  password = astlinux\n  upsmon slave\n"
    )
    monitor = (
        f"RUN_AS_USER {host.run_user}\nMONITOR ups@localhost 1 master @MASTER_PASS@ master\n"
        f'SHUTDOWNCMD "{host.shutdown_command}"\nPOLLFREQ 1\nPOLLFREQALERT 1\nFINALDELAY 0\nDEADTIME 6\n'
    )
    stage.override("upsd.users", users)
    stage.override("upsmon.conf", monitor)
    facts["warnings"] = list(_boot_warnings(stage, UPS_DRIVER="usbhid-ups"))
    stage.ready()
    with Wire() as wire:
        facts["old_words"] = [
            wire.log_in("master", _password(stage, "master")),
            wire.ask("MASTER ups"),
        ]
    stage.status("OB LB")
    stage.wait_shutdown()
    facts["old_words_fsd"] = stage.variable("ups.status")
    # A password of the user's own in upsd.users alone: the generated upsmon.conf uses it.
    _again(stage)
    stage.services.stop()
    (host.override_dir / "upsmon.conf").unlink()
    stage.override("upsd.users", users.replace("@MASTER_PASS@", "fixed1"))
    facts["fixed"] = list(_boot_warnings(stage, UPS_DRIVER="usbhid-ups"))
    stage.ready()
    stage.services.stop()
    # Another section's name, and timers of upssched.
    (host.override_dir / "upsd.users").unlink()
    stage.override(
        "ups.conf", '[attic]\n  driver = usbhid-ups\n  port = auto\n  desc = "by hand"\n'
    )
    stage.publish({"ups.status": "OL"}, "attic")
    timers = stage.script("timers", f'#!/bin/sh\necho "$1" >>{stage.base}/stub/timers\n')
    sched = (
        f"CMDSCRIPT {timers}\nPIPEFN /run/usbhidups/upssched/pipe\nLOCKFN /run/usbhidups/upssched/lock\n"
        "AT ONBATT * START-TIMER early 1\nAT ONBATT * START-TIMER late 300\n"
        "AT ONLINE * CANCEL-TIMER late\nAT ONLINE * EXECUTE online\n"
    )
    stage.override("upssched.conf", sched)
    facts["named"] = list(_boot_warnings(stage))
    stage.until(lambda: stage.variable("ups.status", "attic") == "OL", "attic's data")
    stage.until(lambda: _logins(stage, "attic") == 1, "upsmon follows attic")
    stage.publish({"ups.status": "OB"}, "attic")
    stage.until(lambda: "early" in stage.lines("stub/timers"), "the timer")
    stage.publish({"ups.status": "OL"}, "attic")
    stage.until(lambda: "online" in stage.lines("stub/timers"), "ONLINE")
    facts["timers"] = stage.lines("stub/timers")
    return facts


def many_passwords(stage: Stage) -> Facts:
    """Every allowed character first, in the middle and last, through the real upsmon; 1000 passwords."""
    return probes(stage)


def network_drivers(stage: Stage) -> Facts:
    """snmp-ups against a local agent, netxml-ups against a local web server: NUT's own drivers."""
    facts: Facts = {}
    agent = agents.snmp_agent(stage.base)
    web = agents.xml_card()
    for driver, port in (
        ("snmp-ups", "127.0.0.1:1161"),
        ("netxml-ups", f"http://127.0.0.1:{web.server_port}"),
    ):
        began = time.monotonic()
        problems = stage.boot(UPS_DRIVER=driver, UPS_DRIVER_PORT=port)
        facts[driver] = {"problems": problems, "start_took": time.monotonic() - began}
        stage.until(lambda: stage.variable("ups.status").startswith("OL"), f"{driver}'s data")
        facts[driver]["charge"] = stage.variable("battery.charge")
        stage.services.stop()
    agent.terminate()
    agent.wait()
    web.shutdown()
    # Nobody at the address: the start does not wait for it.
    began = time.monotonic()
    facts["silent"] = stage.boot(UPS_DRIVER="snmp-ups", UPS_DRIVER_PORT="127.0.0.1:1162")
    facts["silent_took"] = time.monotonic() - began
    facts["silent_upsd"] = stage.variable("ups.status")
    return facts


def by_command(stage: Stage) -> Facts:
    """What a boot script runs: the command line, with its own choice of a layout."""
    facts: Facts = {}
    paths = {
        "USBHIDUPS_LAYOUT": "debian",
        "USBHIDUPS_SETTINGS": str(stage.layout.settings_file),
        "USBHIDUPS_OVERRIDES": str(stage.layout.override_dir),
        "USBHIDUPS_EVENTLOG": str(stage.layout.event_log),
        "NUT_CONFPATH": str(stage.layout.conf_dir),
    }

    def run(*words: str) -> list[Any]:
        done = subprocess.run(
            [sys.executable, "-m", "usbhidups", "appliance", *words],
            env={**os.environ, **paths},
            capture_output=True,
            text=True,
            check=False,
        )
        return [done.returncode, done.stdout, done.stderr]

    facts["nothing"] = run("start", "--generate")
    stage.settings(UPS_DRIVER="usbhid-ups", UPS_RUN_AS_USER="root", UPS_KILL_POWER="yes")
    facts["check"] = run("check")
    facts["start"] = run("start", "--generate")
    facts["again"] = run("start")
    facts["status"] = run("status", "--json")
    before = _text(stage, "upsd.users")
    facts["restart"] = run("restart")
    facts["same_password"] = _text(stage, "upsd.users") == before
    facts["apply"] = run("restart", "--generate")
    facts["new_password"] = _text(stage, "upsd.users") != before
    facts["killpower"] = run("killpower", "--late", "poweroff")
    facts["stop"] = run("stop")
    facts["processes_after_stop"] = stage.processes()
    stage.settings(UPS_DRIVER="nonsense", UPS_OFFDELAY="x")
    facts["refused"] = run("restart", "--generate")
    stage.settings()
    facts["disable"] = run("restart", "--generate")
    facts["files_after_disable"] = sorted(p.name for p in stage.layout.conf_dir.iterdir())
    facts["status_disabled"] = run("status")
    return facts


def cuts(stage: Stage) -> Facts:
    """Our own driver's kill step on a simulated UPS, with mains returning at each moment of spec 4.5."""
    return kill_stories.play(stage)


def story(stage: Stage) -> Facts:
    """From an empty machine to the return of the mains, with our driver; the page at each stage."""
    return whole_story.play(stage)


def _boot_warnings(stage: Stage, **variables: str) -> tuple[str, ...]:
    stage.settings(**variables)
    outcome = stage.generate()
    if outcome.plan.problems:
        raise AssertionError(outcome.plan.problems)
    problems = stage.start()
    return (*outcome.plan.warnings, *problems)


def _again(stage: Stage) -> None:
    """The next boot after a shutdown, mains present."""
    stage.services.stop()
    (stage.base / "shutdowns").unlink(missing_ok=True)
    stage.status("OL")
    stage.start()
    stage.ready()


def _nut(stage: Stage) -> dict[str, str]:
    return {**os.environ, **stage.layout.nut_environment}


def _text(stage: Stage, name: str) -> str:
    return (stage.layout.conf_dir / name).read_text()


def _password(stage: Stage, user: str) -> str:
    match = re.search(rf'\[{user}\]\s+password = "?([^"\s]*)', _text(stage, "upsd.users"))
    return match[1] if match else ""


def _active(stage: Stage) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(stage.layout.active_file.read_text())
    return found


def _logins(stage: Stage, ups: str) -> int:
    with Wire() as wire:
        answer = wire.ask(f"GET NUMLOGINS {ups}").rpartition(" ")[2]
        return int(answer) if answer.isdecimal() else -1


def _upsc(stage: Stage) -> list[Any]:
    done = subprocess.run(
        [stage.layout.upsc, "ups@localhost"], capture_output=True, text=True, check=False
    )
    return [done.returncode, done.stderr.strip().splitlines()[-1]]


def _kill_driver() -> None:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        words = path.read_bytes().split(b"\0")
        if b"-I" in words and any(word.endswith(b"/usbhid-ups") for word in words):
            os.kill(int(path.parent.name), signal.SIGKILL)
