"""Checks of the UPSes in ups.conf: their sections, their programs, their sockets, and what they can do."""

from __future__ import annotations

from collections.abc import Iterator

from usbhidups.configuration import DRIVER_NAMES, read_upsconf
from usbhidups.errors import ConfigError
from usbhidups.nut.upsconf import DriverOptions, UpsConf, driver_options
from usbhidups.tools.doctor.check import Check, Severity
from usbhidups.tools.doctor.machine import Machine
from usbhidups.tools.status.snapshot import Snapshot, State, take
from usbhidups.tools.status.sockets import DriverSocket

__all__ = ["Configured", "configuration", "kill_power", "programs", "sockets"]

CUTS = ("shutdown.return", "shutdown.reboot", "load.off.delay", "shutdown.stayoff")
"""Commands of which kill-power needs one."""

LATE = 10.0
"""Seconds of pollinterval above which an outage is noticed too late."""


class Configured:
    """The UPSes of ups.conf that are this driver's, as far as they can be read."""

    def __init__(self) -> None:
        self.conf: UpsConf | None = None
        self.options: dict[str, DriverOptions] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(self.options)


def configuration(machine: Machine, found: Configured) -> Iterator[Check]:
    """Read ups.conf into ``found``."""
    path = machine.places.conf / "ups.conf"
    if path.exists() and not machine.may_read(path):
        yield Check(
            "ups.conf", Severity.SKIPPED, f"{path} is not for us to read", "run the doctor as root"
        )
        return
    try:
        conf = read_upsconf(machine.places.conf)
    except ConfigError as error:
        yield Check("ups.conf", Severity.PROBLEM, str(error), "write it; man ups.conf")
        return
    found.conf = conf
    sections = conf.sections_for(DRIVER_NAMES)
    if not sections:
        wanted = " or ".join(DRIVER_NAMES)
        yield Check(
            "ups.conf",
            Severity.PROBLEM,
            f"{path} has no section with driver = {wanted}",
            "add one:  [ups]  driver = usbhidups  port = auto",
        )
    for section in sections:
        try:
            options = driver_options(conf.settings(section.name), program=section.driver)
        except ConfigError as error:
            yield Check(f"[{section.name}]", Severity.PROBLEM, str(error), "mend that line")
            continue
        found.options[section.name] = options
        notes = (*conf.notes_for(section.name), *options.notes)
        if options.pollinterval > LATE:
            notes = (*notes, f"pollinterval = {options.pollinterval:g} notices outages late")
        if notes:
            for note in notes:
                yield Check(f"[{section.name}]", Severity.NOTE, note)
        else:
            yield Check(f"[{section.name}]", Severity.OK, f"driver = {section.driver}")


def programs(machine: Machine, found: Configured) -> Iterator[Check]:
    """Does upsdrvctl find this driver under the name that ups.conf uses."""
    if found.conf is None:
        return
    given = [setting.value for setting in found.conf.globals if setting.key == "driverpath"]
    folder = machine.driver_directory(given[-1] if given else None)
    drivers = {found.conf.section(name).driver for name in found.names}
    for driver in sorted(drivers):
        if folder is None:
            yield Check(
                f"driver {driver}",
                Severity.NOTE,
                "NUT's driver directory was not found",
                "driverpath =",
            )
            continue
        path = folder / driver
        if not path.exists():
            yield Check(
                f"driver {driver}",
                Severity.PROBLEM,
                f"{path} does not exist: upsdrvctl and nut-driver@ cannot start it",
                f"ln -s /usr/bin/usbhidups {path} (docs/switching.md), or use usbhidups@NAME.service",
            )
        elif path.resolve().name == "usbhidups" or "usbhidups" in (machine.text(path) or "")[:4096]:
            yield Check(f"driver {driver}", Severity.OK, f"{path} is this driver")
        else:
            yield Check(
                f"driver {driver}",
                Severity.NOTE,
                f"{path} is NUT's own driver, not this one",
                "driver = usbhidups in ups.conf, or see docs/switching.md",
            )


def sockets(machine: Machine, found: Configured, seen: dict[str, Snapshot]) -> Iterator[Check]:
    """Do the drivers run, answer, and know something; what they say goes to ``seen``."""
    for name in found.names:
        program = found.conf.section(name).driver if found.conf else DRIVER_NAMES[0]
        socket = DriverSocket(name, program, machine.places.socket(program, name))
        snapshot = take(socket)
        seen[name] = snapshot
        subject = f"driver of {name}"
        if snapshot.closed:
            yield Check(
                subject,
                Severity.SKIPPED,
                f"{socket.path} is not for us to ask",
                "run the doctor as root",
            )
            continue
        if snapshot.problem:
            yield Check(
                subject,
                Severity.PROBLEM,
                snapshot.problem,
                f"systemctl start usbhidups@{name}, or upsdrvctl start {name}",
            )
            continue
        owner, group, mode = machine.owner(socket.path)
        if mode & 0o007:
            yield Check(
                subject,
                Severity.PROBLEM,
                f"{socket.path} is {owner}:{group} {mode:04o}: everybody may command the UPS",
                f"chmod o= {socket.path}, and umask 007 where the driver is started",
            )
        elif snapshot.state is State.UNKNOWN:
            yield Check(
                subject, Severity.PROBLEM, snapshot.why_unknown, "usbhidups probe tells why"
            )
        else:
            status = snapshot.text("ups.status")
            yield Check(subject, Severity.OK, f"{socket.path} answers, status {status}")


def kill_power(seen: dict[str, Snapshot]) -> Iterator[Check]:
    """Can each UPS cut its power on command."""
    for name, snapshot in seen.items():
        if snapshot.problem or not snapshot.fresh:
            continue
        can = [command for command in CUTS if command in snapshot.commands]
        if can[:1] == ["shutdown.reboot"]:
            yield Check(
                f"kill-power of {name}",
                Severity.NOTE,
                "possible by shutdown.reboot, which may cut the load at once",
                "file systems must be read-only before the kill-power step: docs/kill-power.md, No delay",
            )
        elif can:
            yield Check(f"kill-power of {name}", Severity.OK, f"possible by {can[0]}")
        else:
            yield Check(
                f"kill-power of {name}",
                Severity.PROBLEM,
                "this UPS has no command that cuts its power",
                "the host will not come back by itself when mains return during its shutdown",
            )
