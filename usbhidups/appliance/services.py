"""Start and stop NUT's programs in the right order: drivers, upsd, upsmon; and the other way round.

``Direct`` starts the programs itself (BusyBox, SysV, containers) and keeps each driver running with a small
shell script; ``Systemd`` asks for the distribution's units. Starting never waits for a driver: one without
its device, or an SNMP walk, must not hold up a boot. FSD lives in upsd, so upsd and upsmon are only ever
restarted together (spec 4.2).
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from usbhidups import __version__
from usbhidups.appliance import processes
from usbhidups.appliance.active import Active, load_active
from usbhidups.appliance.eventlog import event_line, start_log
from usbhidups.appliance.generate import installed_nut, listen_problems
from usbhidups.appliance.layout import Layout
from usbhidups.appliance.overrides import lines_of, sections
from usbhidups.appliance.settings import Driver, Mode

__all__ = ["Direct", "Running", "Services", "Systemd", "choose_services", "start_all"]

STOP_SECONDS = 5.0
START_SECONDS = 20.0
DRIVER_SECONDS = 6.0
SYSTEMCTL = "systemctl"


@dataclass(frozen=True, slots=True)
class Running:
    """Which of NUT's programs run now; ``drivers`` are the UPS names whose driver is kept running."""

    upsd: bool
    upsmon: bool
    drivers: tuple[str, ...]


class Services(Protocol):
    """One way to start and stop. Both return what went wrong, one sentence each."""

    def start(self) -> list[str]: ...
    def stop(self) -> list[str]: ...
    def running(self) -> Running: ...


def start_all(layout: Layout) -> list[str]:
    """Start what was generated, with a fresh event log; what went wrong, one sentence each."""
    active = load_active(layout.active_file)
    if active.mode != Mode.DISABLED.value:
        version = ".".join(str(number) for number in installed_nut(layout.upsmon))
        text = f"upsmon {version}, usbhidups {__version__}"
        start_log(layout.event_log, event_line(datetime.now().astimezone(), "START", text))
    return choose_services(layout, active).start()


def choose_services(layout: Layout, active: Active) -> Services:
    return Systemd(layout, active) if layout.systemd else Direct(layout, active)


class Direct:
    """NUT's programs as our own children, detached; found again by their pid files."""

    def __init__(self, layout: Layout, active: Active) -> None:
        self._layout = layout
        self._active = active
        self._environment = {"PATH": os.environ.get("PATH", os.defpath), **layout.nut_environment}

    def start(self) -> list[str]:
        if self._active.mode == Mode.DISABLED.value:
            return []
        problems: list[str] = []
        if self._active.mode == Mode.PRIMARY.value:
            for name in self._active.ups_names:
                self._keep(name)
            self._await_drivers()
            problems += self._start_upsd()
            for name in self._active.aliases:  # these follow upsd, and try until it is there
                self._keep(name)
        return problems + self._start_upsmon()

    def stop(self) -> list[str]:
        """upsmon first, so that nothing reads the others' end as a failure."""
        self.stop_upsmon()
        self.stop_server()
        return []

    def stop_upsmon(self) -> None:
        processes.end(self._layout.upsmon_pid_file, "upsmon", seconds=STOP_SECONDS)

    def stop_server(self) -> None:
        """upsd, then every driver: the keeper ends its driver, wherever it was started from."""
        processes.end(self._upsd_pid_file, "upsd", seconds=STOP_SECONDS)
        for keeper in self._keepers():
            processes.end(keeper, self._layout.keeper_script.name, seconds=STOP_SECONDS)
            keeper.unlink(missing_ok=True)

    def running(self) -> Running:
        name = self._layout.keeper_script.name
        return Running(
            upsd=processes.find(self._upsd_pid_file, "upsd") is not None,
            upsmon=processes.find(self._layout.upsmon_pid_file, "upsmon") is not None,
            drivers=tuple(k.stem for k in self._keepers() if processes.find(k, name) is not None),
        )

    @property
    def _upsd_pid_file(self) -> Path:
        return self._layout.pid_dir / "upsd.pid"

    def _keepers(self) -> list[Path]:
        return sorted(self._layout.run_dir.glob("*.keeper"))

    def _keep(self, name: str) -> None:
        pid_file = self._layout.run_dir / f"{name}.keeper"
        if processes.find(pid_file, self._layout.keeper_script.name) is not None:
            return
        driver = self._driver_of(name)
        command: list[str | Path] = [
            self._layout.keeper_script,
            driver,
            name,
            self._active.run_user,
        ]
        processes.launch(command, pid_file, self._environment)

    def _await_drivers(self) -> None:
        """Give USB drivers a moment, so that upsmon does not begin with a false alarm; never more."""
        if self._active.network_driver:
            return
        paths = [
            self._layout.state_dir / f"{self._driver_of(name).name}-{name}"
            for name in self._active.ups_names
        ]
        deadline = time.monotonic() + DRIVER_SECONDS
        while not all(_listens(path) for path in paths) and time.monotonic() < deadline:
            time.sleep(0.1)

    def _driver_of(self, name: str) -> Path:
        """The program of a section, in the directory that the file's last ``driverpath`` names."""
        text = (self._layout.conf_dir / "ups.conf").read_text(encoding="utf-8", errors="replace")
        directory = self._layout.driver_links
        for words in lines_of(text):
            if words[0].startswith("["):
                break
            if words[0] == "driverpath" and len(words) > 2:
                directory = Path(words[2])
        found = {section.name: section.keys.get("driver", "") for section in sections(text)}
        return directory / (found.get(name, "") or Driver.USB.value)

    def _start_upsd(self) -> list[str]:
        if self.running().upsd:
            return []
        text = (self._layout.conf_dir / "upsd.conf").read_text(encoding="utf-8", errors="replace")
        problems = [f"upsd.conf: {problem}" for problem in listen_problems(text)]
        command: list[str | Path] = [self._layout.upsd, "-u", self._active.run_user]
        status, said = processes.run_bounded(command, self._environment, seconds=START_SECONDS)
        if status != 0:
            problems.append(f"upsd did not start (status {status}): {_reason(said)}")
        return problems

    def _start_upsmon(self) -> list[str]:
        if self.running().upsmon:
            return []
        command = [self._layout.upsmon]
        status, said = processes.run_bounded(command, self._environment, seconds=START_SECONDS)
        if status != 0:
            return [f"upsmon did not start (status {status}): {_reason(said)}"]
        return []


def _reason(said: str) -> str:
    """What a program of NUT complained about, without its banner."""
    lines = [line.strip() for line in said.splitlines() if not line.startswith("Network UPS Tools")]
    return "; ".join(line for line in lines if line) or "no reason given"


def _listens(path: Path) -> bool:
    """Whether somebody answers at a driver's socket; a file may be left from one that was killed."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.settimeout(1)
            probe.connect(str(path))
        except OSError:
            return False
    return True


class Systemd:
    """The distribution's units; our drop-ins make a driver come back in 2 s (spec 4.4)."""

    def __init__(self, layout: Layout, active: Active) -> None:
        self._layout = layout
        self._active = active

    def start_commands(self) -> list[list[str]]:
        if self._active.mode == Mode.DISABLED.value:
            return []
        if self._active.mode == Mode.CLIENT.value:
            return [[SYSTEMCTL, "start", "nut-monitor.service"]]
        return [
            [SYSTEMCTL, "restart", "nut-driver-enumerator.service"],
            [SYSTEMCTL, "start", "--no-block", "nut-driver.target"],
            [SYSTEMCTL, "start", "nut-server.service"],
            [SYSTEMCTL, "start", "nut-monitor.service"],
        ]

    def stop_commands(self) -> list[list[str]]:
        units = ("nut-monitor.service", "nut-server.service", "nut-driver.target")
        return [[SYSTEMCTL, "stop", unit] for unit in units]

    def start(self) -> list[str]:
        return self._run(self.start_commands())

    def stop(self) -> list[str]:
        return self._run(self.stop_commands())

    def running(self) -> Running:
        direct = Direct(self._layout, self._active)
        names = self._active.ups_names + self._active.aliases
        return Running(
            upsd=self._is_active("nut-server.service"),
            upsmon=direct.running().upsmon,
            drivers=tuple(n for n in names if self._is_active(f"nut-driver@{n}.service")),
        )

    def _is_active(self, unit: str) -> bool:
        done = subprocess.run([SYSTEMCTL, "is-active", "--quiet", unit], check=False)
        return done.returncode == 0

    def _run(self, commands: list[list[str]]) -> list[str]:
        problems: list[str] = []
        for command in commands:
            status, said = processes.run_bounded(command, os.environ, seconds=90)
            if status != 0:
                problems.append(f"{' '.join(command)}: {said or f'status {status}'}")
        return problems
