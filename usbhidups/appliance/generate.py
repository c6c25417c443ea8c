"""Write what was planned: NUT's files, our note, the small scripts; and take away what is ours no more.

Everything that can be refused is refused before the first byte is written. Run at boot and when settings
are applied; a plain restart uses the files again (spec 3.1).
"""

from __future__ import annotations

import grp
import os
import pwd
import re
import secrets
import shlex
import socket
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

from usbhidups.appliance.files import NutVersion, Timing
from usbhidups.appliance.layout import Layout
from usbhidups.appliance.overrides import lines_of
from usbhidups.appliance.plan import HEADER, Plan, make_plan
from usbhidups.appliance.settings import Driver, Mode
from usbhidups.appliance.sources import read_sources
from usbhidups.appliance.writer import Owner, make_directory, remove, replace_link, write_file

__all__ = ["Outcome", "apply_plan", "check", "generate", "listen_problems", "master_password"]

NUT_FILES = ("ups.conf", "upsd.conf", "upsd.users", "upsmon.conf", "upssched.conf", "nut.conf")
MASTER_BYTES = 24
"""192 bits, 32 characters of A-Z a-z 0-9 - _."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """``plan`` with the problems of this host added; ``written`` are the files put in place."""

    plan: Plan
    written: tuple[Path, ...] = ()


def master_password() -> str:
    """A fresh password in an alphabet that every file and the wire carry unchanged (spec 3.5)."""
    return secrets.token_urlsafe(MASTER_BYTES)


def check(layout: Layout, *, timing: Timing | None = None) -> Plan:
    """Plan for the settings on disk, and ask the host whether it can serve them. Writes nothing."""
    sources = read_sources(layout.settings_file, layout.override_dir)
    plan = make_plan(
        sources,
        layout,
        master_password=master_password(),
        nut_version=installed_nut(layout.upsmon),
        timing=timing,
    )
    problems, warnings = list(plan.problems), list(plan.warnings)
    if plan.mode is not Mode.DISABLED and not plan.problems:
        try:
            pwd.getpwnam(plan.active.run_user)
        except KeyError:
            problems.append(f"UPS_RUN_AS_USER: there is no user {plan.active.run_user}")
        for file in plan.files:
            if file.name == "upsd.conf":
                problems += [f"upsd.conf: {text}" for text in listen_problems(file.text)]
            if file.name == "upsmon.conf":
                warnings += [f"upsmon.conf: {text}" for text in _unknown_user(file.text)]
        if plan.mode is Mode.PRIMARY and not os.access(layout.program, os.X_OK):
            warnings.append(f"{layout.program}: is not installed, a USB UPS has no driver")
    files = () if problems else plan.files
    return replace(plan, files=files, problems=tuple(problems), warnings=tuple(warnings))


def generate(layout: Layout, *, timing: Timing | None = None) -> Outcome:
    """Check and, if nothing speaks against it, write. Raises OSError where the disk refuses."""
    plan = check(layout, timing=timing)
    if plan.problems:
        return Outcome(plan)
    return Outcome(plan, apply_plan(plan, layout))


def apply_plan(plan: Plan, layout: Layout) -> tuple[Path, ...]:
    """Write the files of ``plan`` and remove those that an earlier run wrote and this one does not."""
    owner, user = _owners(plan.active.run_user)
    _make_directories(layout, plan, owner, user)
    conf_dir = layout.conf_dir.resolve()
    planned = {file.name: file for file in plan.files}
    for name in NUT_FILES:
        path = conf_dir / name
        if name not in planned and _is_ours(path):
            remove(path)
    written: list[Path] = []
    for file in plan.files:
        path = conf_dir / file.name
        _keep_original(path)
        write_file(path, file.text, mode=file.mode, owner=owner)
        written.append(path)
    if plan.mode is not Mode.DISABLED:
        _write_scripts(layout, owner)
    write_file(layout.active_file, plan.active.as_text(), mode=0o640, owner=owner)
    return tuple(written)


def listen_problems(upsd_conf: str) -> list[str]:
    """LISTEN lines that would make upsd exit: addresses that this host does not have (spec 3.4)."""
    problems: list[str] = []
    for words in lines_of(upsd_conf):
        if words[0] != "LISTEN" or len(words) < 2 or words[1] == "*":
            continue
        try:
            found = socket.getaddrinfo(words[1], 0, type=socket.SOCK_STREAM)
            family, kind, protocol, _, address = found[0]
            with socket.socket(family, kind, protocol) as probe:
                probe.bind(address)
        except OSError:
            problems.append(
                f"LISTEN {words[1]}: this host has no such address now, upsd would not start"
            )
    return problems


def installed_nut(upsmon: Path) -> NutVersion:
    """The version of the installed upsmon, 2.8.0 where it does not say."""
    try:
        done = subprocess.run(
            [upsmon, "-V"], capture_output=True, timeout=5, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return (2, 8, 0)
    match = re.search(rb"(\d+)\.(\d+)\.(\d+)", done.stdout + done.stderr)
    return (int(match[1]), int(match[2]), int(match[3])) if match else (2, 8, 0)


def _unknown_user(upsmon_conf: str) -> list[str]:
    for words in lines_of(upsmon_conf):
        if words[0] == "RUN_AS_USER" and len(words) > 1:
            try:
                pwd.getpwnam(words[1])
            except KeyError:
                return [
                    f"RUN_AS_USER {words[1]}: no such user, upsmon would vanish after its start"
                ]
    return []


def _owners(run_user: str) -> tuple[Owner, Owner]:
    """root:<run group> for files, <run user>:<run group> for what upsd and upsmon write themselves."""
    if os.geteuid() != 0:
        return Owner(), Owner()
    try:
        entry = pwd.getpwnam(run_user)
        group = grp.getgrgid(entry.pw_gid).gr_gid
    except KeyError:
        return Owner(0, 0), Owner(0, 0)
    return Owner(0, group), Owner(entry.pw_uid, group)


def _make_directories(layout: Layout, plan: Plan, owner: Owner, user: Owner) -> None:
    make_directory(layout.conf_dir.resolve(), mode=0o750, owner=owner)
    make_directory(layout.run_dir, mode=0o755, owner=owner)
    if plan.mode is Mode.DISABLED:
        return
    root = Owner(owner.user, owner.user)
    make_directory(layout.flag_dir, mode=0o700, owner=root)
    make_directory(layout.driver_links, mode=0o755, owner=root)
    for path in dict.fromkeys((layout.state_dir, layout.pid_dir)):
        make_directory(path, mode=0o770, owner=owner)
    make_directory(layout.run_dir / "upssched", mode=0o700, owner=user)
    make_directory(layout.upsmon_pid_file.parent, mode=0o770, owner=owner)
    layout.event_log.parent.mkdir(parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    log = os.open(layout.event_log, flags, 0o640)
    try:
        user.give(log)
        os.fchmod(log, 0o640)
    finally:
        os.close(log)


def _write_scripts(layout: Layout, owner: Owner) -> None:
    """The notify command (upsmon allows no arguments), the driver's keeper, the directory of drivers."""
    program, active = shlex.quote(str(layout.program)), shlex.quote(str(layout.active_file))
    command = f'exec {program} notify --active {active} -- "$1"'
    notify = f"#!/bin/sh\n{HEADER}itself: upsmon's NOTIFYCMD.\n{command}\n"
    write_file(layout.notify_script, notify, mode=0o755, owner=owner)
    keeper = Path(__file__).with_name("keep-driver.sh").read_text(encoding="utf-8")
    write_file(layout.keeper_script, keeper, mode=0o755, owner=owner)
    if layout.driver_dir.is_dir():
        for driver in layout.driver_dir.iterdir():
            if driver.name not in (Driver.USB.value, "upsd", "upsmon"):
                replace_link(layout.driver_links / driver.name, driver)
    replace_link(layout.driver_links / Driver.USB.value, layout.program)


def _is_ours(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(len(HEADER)) == HEADER
    except FileNotFoundError:
        return False


def _keep_original(path: Path) -> None:
    """A file that is not ours (the distribution's sample, the administrator's own) is kept beside."""
    kept = path.with_name(path.name + ".before-usbhidups")
    if path.is_file() and not _is_ours(path) and not kept.exists():
        os.link(path, kept)
