"""Settings, files, accounts and commands: scenes of how an appliance is set up.

As in ``scenes``, each function gets a fresh machine and returns facts.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from typing import Any

from tests.appliance import agents
from tests.appliance.passwords import probes
from tests.appliance.routines import (
    SERVER,
    Facts,
    active_note,
    again,
    nut_environment,
    password_of,
    text_of,
)
from tests.appliance.stage import Stage, Wire, reaches


def accounts(stage: Stage) -> Facts:
    """What each account may do, and who may connect; then a further account by reload."""
    facts: Facts = {}
    (stage.base / "etc/users").write_text("")
    stage.boot(**SERVER, IPV6="yes", UPS_EXTRA_USERS=str(stage.base / "etc/users"))
    stage.ready()
    master = password_of(stage, "master")
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
    again(stage)
    (stage.base / "etc/users").write_text("guest pass1\n")
    kept = text_of(stage, "upsd.users")
    stage.generate()
    text = re.sub(
        r'(\[master\]\s+password = )"[^"]*"',
        lambda m: f'{m[1]}"{master}"',
        text_of(stage, "upsd.users"),
    )
    (stage.layout.conf_dir / "upsd.users").write_text(text)
    facts["account_was_new"] = "guest" not in kept
    subprocess.run([stage.layout.upsd, "-c", "reload"], env=nut_environment(stage), check=True)

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
    facts["target"] = active_note(stage)["target"]
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
            wire.log_in("master", password_of(stage, "master")),
            wire.ask("MASTER ups"),
        ]
    stage.status("OB LB")
    stage.wait_shutdown()
    facts["old_words_fsd"] = stage.variable("ups.status")
    # A password of the user's own in upsd.users alone: the generated upsmon.conf uses it.
    again(stage)
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
    before = text_of(stage, "upsd.users")
    facts["restart"] = run("restart")
    facts["same_password"] = text_of(stage, "upsd.users") == before
    facts["apply"] = run("restart", "--generate")
    facts["new_password"] = text_of(stage, "upsd.users") != before
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


def _boot_warnings(stage: Stage, **variables: str) -> tuple[str, ...]:
    stage.settings(**variables)
    outcome = stage.generate()
    if outcome.plan.problems:
        raise AssertionError(outcome.plan.problems)
    problems = stage.start()
    return (*outcome.plan.warnings, *problems)


def _logins(stage: Stage, ups: str) -> int:
    with Wire() as wire:
        answer = wire.ask(f"GET NUMLOGINS {ups}").rpartition(" ")[2]
        return int(answer) if answer.isdecimal() else -1
