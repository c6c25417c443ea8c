"""Where things are on this system: directories, programs, users. Data, and the choice between layouts.

NUT's own variables (NUT_CONFPATH, NUT_STATEPATH, NUT_ALTPIDPATH) win over a layout, and
``USBHIDUPS_*`` over ours, so that everything can run beside an installed system.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from usbhidups.errors import ConfigError

__all__ = ["LAYOUTS", "Layout", "choose_layout"]

PROGRAM = "usbhidups"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One platform. ``run_dir`` is ours, on tmpfs; ``systemd`` says whose units start NUT's programs."""

    name: str
    settings_file: Path
    override_dir: Path
    conf_dir: Path
    state_dir: Path
    pid_dir: Path
    upsmon_pid_file: Path
    run_dir: Path
    event_log: Path
    run_user: str
    driver_dir: Path
    upsd: Path
    upsmon: Path
    upsdrvctl: Path
    upsc: Path
    upssched: Path
    sendmail: Path
    shutdown_command: str
    reboot_command: tuple[str, ...]
    program: Path
    nut_conf: bool = False
    stock_shutdown_hook: bool = False
    systemd: bool = False

    @property
    def active_file(self) -> Path:
        """What is in force, as the generator left it; holds no secret."""
        return self.run_dir / "active.json"

    @property
    def notify_script(self) -> Path:
        return self.run_dir / "notify"

    @property
    def keeper_script(self) -> Path:
        return self.run_dir / "keep-driver"

    @property
    def driver_links(self) -> Path:
        """The directory that ``driverpath`` names: our driver, and links to NUT's."""
        return self.run_dir / "drivers"

    @property
    def flag_dir(self) -> Path:
        """Root's alone: whoever writes here can order a cut at the next halt (spec 8.3)."""
        return self.run_dir / "flag"

    @property
    def flag_file(self) -> Path:
        return self.flag_dir / "killpower"

    @property
    def nut_environment(self) -> dict[str, str]:
        """The variables with which NUT's programs find this layout's files."""
        return {
            "NUT_CONFPATH": str(self.conf_dir),
            "NUT_STATEPATH": str(self.state_dir),
            "NUT_ALTPIDPATH": str(self.pid_dir),
            "NUT_IGNORE_CHECKPROCNAME": "true",  # our driver's executable is an interpreter
        }


DEBIAN = Layout(
    name="debian",
    settings_file=Path("/etc/usbhidups/appliance.conf"),
    override_dir=Path("/etc/usbhidups/ups"),
    conf_dir=Path("/etc/nut"),
    state_dir=Path("/run/nut"),
    pid_dir=Path("/run/nut"),
    upsmon_pid_file=Path("/run/nut/upsmon.pid"),
    run_dir=Path("/run/usbhidups"),
    event_log=Path("/var/log/ups-status.log"),
    run_user="nut",
    driver_dir=Path("/lib/nut"),
    upsd=Path("/lib/nut/upsd"),  # /sbin/upsd is a wrapper that obeys nut.conf alone
    upsmon=Path("/lib/nut/upsmon"),
    upsdrvctl=Path("/sbin/upsdrvctl"),
    upsc=Path("/bin/upsc"),
    upssched=Path("/sbin/upssched"),
    sendmail=Path("/usr/sbin/sendmail"),
    shutdown_command="/sbin/shutdown -h +0",
    reboot_command=("/bin/systemctl", "reboot", "--force", "--force"),
    program=Path("/usr/bin/usbhidups"),
    nut_conf=True,
    stock_shutdown_hook=True,
    systemd=True,
)

ASTLINUX = Layout(
    name="astlinux",
    settings_file=Path("/etc/rc.conf"),
    override_dir=Path("/mnt/kd/ups"),
    conf_dir=Path("/etc/ups"),
    state_dir=Path("/var/state/ups"),
    pid_dir=Path("/var/run/ups"),
    upsmon_pid_file=Path("/var/run/upsmon.pid"),
    run_dir=Path("/var/run/usbhidups"),
    event_log=Path("/var/log/ups-status.log"),
    run_user="nobody",
    driver_dir=Path("/usr/lib/ups"),
    upsd=Path("/usr/sbin/upsd"),
    upsmon=Path("/usr/sbin/upsmon"),
    upsdrvctl=Path("/usr/sbin/upsdrvctl"),
    upsc=Path("/usr/bin/upsc"),
    upssched=Path("/usr/sbin/upssched"),
    sendmail=Path("/usr/sbin/sendmail"),
    shutdown_command="/sbin/poweroff",
    reboot_command=("/sbin/reboot", "-f"),
    program=Path("/usr/bin/usbhidups"),
)

LAYOUTS = {layout.name: layout for layout in (DEBIAN, ASTLINUX)}


def choose_layout(environment: Mapping[str, str], *, name: str = "") -> Layout:
    """The layout called ``name``, else the one that fits this system, with the environment's paths.

    Raises ConfigError for an unknown name.
    """
    wanted = name or environment.get("USBHIDUPS_LAYOUT", "")
    if wanted and wanted not in LAYOUTS:
        raise ConfigError(f"no layout {wanted!r}; known are {', '.join(LAYOUTS)}")
    layout = LAYOUTS[wanted] if wanted else (ASTLINUX if Path("/mnt/kd").is_dir() else DEBIAN)
    layout = replace(
        layout,
        program=_own_program(layout.program),
        systemd=layout.systemd and Path("/run/systemd/system").is_dir(),
        stock_shutdown_hook=layout.stock_shutdown_hook
        and any(
            Path(d, "systemd/system-shutdown/nutshutdown").exists() for d in ("/lib", "/usr/lib")
        ),
    )
    paths = {
        "USBHIDUPS_SETTINGS": "settings_file",
        "USBHIDUPS_OVERRIDES": "override_dir",
        "USBHIDUPS_RUNDIR": "run_dir",
        "USBHIDUPS_EVENTLOG": "event_log",
        "NUT_CONFPATH": "conf_dir",
        "NUT_STATEPATH": "state_dir",
    }
    given = {field: Path(environment[key]) for key, field in paths.items() if environment.get(key)}
    pids = environment.get("NUT_ALTPIDPATH") or environment.get("NUT_STATEPATH")
    if pids:
        given["pid_dir"] = Path(pids)
    for field, path in given.items():
        if (
            not path.is_absolute()
            or not str(path).isprintable()
            or any(c in '"\\#' for c in str(path))
        ):
            raise ConfigError("must be an absolute path without quotes, # or \\", key=field)
    return replace(layout, **given)  # type: ignore[arg-type]  # every given field is a Path


def _own_program(default: Path) -> Path:
    """The installed command that runs this code: a driver link and the hooks must find the same one."""
    called = Path(sys.argv[0])
    if called.name == PROGRAM and called.is_absolute():
        return called
    found = shutil.which(PROGRAM)
    beside = Path(sys.executable).with_name(PROGRAM)
    return Path(found) if found else beside if beside.exists() else default
