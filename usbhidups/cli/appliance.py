"""``usbhidups appliance``: check, generate, start, stop, restart, status, killpower."""

from __future__ import annotations

import argparse
import json
import os
import sys

from usbhidups.appliance.active import Active, load_active
from usbhidups.appliance.eventlog import last_events
from usbhidups.appliance.generate import Outcome, check, generate
from usbhidups.appliance.killpower import Stage, Step, kill_power
from usbhidups.appliance.layout import LAYOUTS, Layout, choose_layout
from usbhidups.appliance.services import choose_services, start_all
from usbhidups.appliance.settings import Mode
from usbhidups.appliance.upsd import UpsdClient, split_target
from usbhidups.errors import ConfigError, UsbHidUpsError

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--layout", choices=sorted(LAYOUTS), default="", help="default: by the system"
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("check", help="say what is wrong with the settings; writes nothing")
    actions.add_parser("generate", help="check, then write NUT's files")
    for name, text in (
        ("start", "start drivers, upsd and upsmon from the files that are there"),
        ("restart", "stop, then start"),
    ):
        action = actions.add_parser(name, help=text)
        action.add_argument(
            "--generate", action="store_true", help="write the files first (boot, apply)"
        )
    actions.add_parser("stop", help="stop upsmon, upsd and drivers")
    status = actions.add_parser("status", help="what runs, what the UPS says, the last events")
    status.add_argument("--json", action="store_true")
    kill = actions.add_parser(
        "killpower", help="at the end of a powerfail shutdown: command the UPS"
    )
    kill.add_argument("--stage", choices=[s.value for s in Stage], default=Stage.ALL.value)
    kill.add_argument("--late", nargs="?", const="poweroff", default="", metavar="VERB")


def run(arguments: argparse.Namespace) -> int:
    layout = choose_layout(os.environ, name=arguments.layout)
    try:
        if arguments.action == "check":
            return _report(Outcome(check(layout)), wrote=False)
        if arguments.action == "generate":
            return _report(generate(layout), wrote=True)
        if arguments.action == "killpower":
            return _kill_power(layout, arguments)
        if arguments.action == "status":
            return _status(layout, as_json=arguments.json)
        return _start_stop(layout, arguments)
    except OSError as error:
        raise ConfigError(error.strerror or str(error), where=str(error.filename or "")) from error


def _report(outcome: Outcome, *, wrote: bool) -> int:
    """One line for each problem and warning on stderr, the result on stdout."""
    plan = outcome.plan
    for text in plan.problems:
        print(f"error: {text}", file=sys.stderr)
    for text in plan.warnings:
        print(f"warning: {text}", file=sys.stderr)
    if plan.problems:
        return 1
    print(f"{plan.mode.value}: {plan.active.target}" if plan.active.target else plan.mode.value)
    for path in outcome.written if wrote else ():
        print(f"  {path}")
    return 0


def _start_stop(layout: Layout, arguments: argparse.Namespace) -> int:
    problems: list[str] = []
    if arguments.action in ("stop", "restart"):
        problems += choose_services(layout, load_active(layout.active_file)).stop()
    if arguments.action in ("start", "restart"):
        if arguments.generate and _report(generate(layout), wrote=False) != 0:
            return 1
        problems += start_all(layout)
        if not arguments.generate:
            print(load_active(layout.active_file).mode)
    for text in problems:
        print(f"error: {text}", file=sys.stderr)
    return 1 if problems else 0


def _kill_power(layout: Layout, arguments: argparse.Namespace) -> int:
    step = Step(stage=Stage(arguments.stage), action=arguments.late, late=bool(arguments.late))
    return kill_power(layout, load_active(layout.active_file), step, say=_say)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _status(layout: Layout, *, as_json: bool) -> int:
    """0 if all that should run runs and upsd has data, else 1."""
    active = load_active(layout.active_file)
    running = choose_services(layout, active).running()
    variables, trouble = _variables(active)
    events = last_events(layout.event_log, 4)
    if as_json:
        values = {
            "mode": active.mode,
            "target": active.target,
            "upsd": running.upsd,
            "upsmon": running.upsmon,
            "drivers": running.drivers,
            "trouble": trouble,
            "variables": variables,
            "events": events,
        }
        print(json.dumps(values, indent=1))
    else:
        print(f"mode     {active.mode}" + (f", follows {active.target}" if active.target else ""))
        for name, runs in (("upsd", running.upsd), ("upsmon", running.upsmon)):
            print(f"{name:<8} {'running' if runs else 'not running'}")
        print(f"drivers  {' '.join(running.drivers) or '-'}")
        print(f"status   {variables.get('ups.status', trouble or '-')}")
        for line in events:
            print(f"event    {line}")
    if active.mode == Mode.DISABLED.value:
        return 0
    server = running.upsd or active.mode == Mode.CLIENT.value
    return 0 if server and running.upsmon and not trouble else 1


def _variables(active: Active) -> tuple[dict[str, str], str]:
    if not active.target:
        return {}, ""
    name, host, port = split_target(active.target)
    try:
        with UpsdClient(host, port, seconds=5) as client:
            return client.variables(name), ""
    except UsbHidUpsError as error:
        return {}, str(error)
