"""Settings in, plan out, without touching the system: what most generator tests do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from tests.nut_tools import find_program
from usbhidups.appliance.layout import DEBIAN, Layout
from usbhidups.appliance.plan import Plan, make_plan
from usbhidups.appliance.sources import Sources

__all__ = [
    "MASTER",
    "layout_below",
    "plan",
    "plan_for",
    "private_upsmon",
    "text_of",
    "write_settings",
]

MASTER = "Master-Password_0123456789abcdef"


def layout_below(directory: Path) -> Layout:
    """Debian's programs, every file below ``directory``."""
    return replace(
        DEBIAN,
        settings_file=directory / "appliance.conf",
        override_dir=directory / "overrides",
        conf_dir=directory / "nut",
        state_dir=directory / "state",
        pid_dir=directory / "state",
        upsmon_pid_file=directory / "state/upsmon.pid",
        run_dir=directory / "run",
        event_log=directory / "log/ups-status.log",
        program=Path("/bin/true"),
        systemd=False,
    )


def private_upsmon(directory: Path) -> Path:
    """The real upsmon, blind to the pid files of this system (its directory is compiled in). Needs root."""
    script = directory / "upsmon"
    inner = (
        f'mkdir -p /run/nut && mount -t tmpfs none /run/nut && exec {find_program("upsmon")} "$@"'
    )
    script.write_text(f"#!/bin/sh\nexec unshare --mount sh -c '{inner}' sh \"$@\"\n")
    script.chmod(0o755)
    return script


def write_settings(layout: Layout, **variables: str) -> None:
    """The settings file in single quotes, which carry everything but themselves."""
    lines = [f"{name}='{value}'\n" for name, value in variables.items()]
    layout.settings_file.write_text("".join(lines))


def plan(overrides: Mapping[str, str] | None = None, /, **variables: str) -> Plan:
    """The plan for these variables and override files on a Debian system."""
    return plan_for(variables, overrides or {})


def plan_for(
    variables: Mapping[str, str],
    overrides: Mapping[str, str] | None = None,
    *,
    layout: Layout = DEBIAN,
    notify: str = "",
    extra_users: str = "",
    version: tuple[int, int, int] = (2, 8, 0),
) -> Plan:
    sources = Sources(
        values=dict(variables),
        settings_file="/etc/usbhidups/appliance.conf",
        overrides=dict(overrides or {}),
        override_dir="/etc/usbhidups/ups",
        notify_override=notify,
        extra_users_text=extra_users,
        system_hostname="host",
    )
    return make_plan(sources, layout, master_password=MASTER, nut_version=version)


def text_of(made: Plan, name: str) -> str:
    """The planned text of a file; "" if it is not to exist."""
    return next((file.text for file in made.files if file.name == name), "")
