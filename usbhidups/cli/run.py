"""``usbhidups run [UPS…]``: the driver, several UPSes in one process; in the foreground unless told."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from usbhidups.configuration import DRIVER_NAMES, Paths, anchored, read_upsconf
from usbhidups.driver.start import Start, serve
from usbhidups.errors import ConfigError
from usbhidups.nut.upsconf import DriverOptions, UpsConf, driver_options

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's own arguments."""
    parser.add_argument(
        "ups", nargs="*", help="sections of ups.conf (default: all that name this driver)"
    )
    parser.add_argument(
        "-D", "--debug", action="count", default=0, help="log more; may be repeated"
    )
    parser.add_argument(
        "-B", "--background", action="store_true", help="go to the background, with PID files"
    )
    parser.add_argument("-u", "--user", default="", help="user to become when started as root")
    parser.add_argument("-g", "--group", default="", help="group that may use the state sockets")


def run(arguments: argparse.Namespace) -> int:
    """Serve until stopped; the exit status."""
    conf_dir = Paths.of(os.environ).conf
    conf = read_upsconf(conf_dir)
    names = list(arguments.ups) or [s.name for s in conf.sections_for(DRIVER_NAMES)]
    if not names:
        known = " or ".join(DRIVER_NAMES)
        raise ConfigError(f"no section names {known} as its driver", where=conf.where)
    programs = {conf.section(name).driver or DRIVER_NAMES[0] for name in names}
    if len(programs) > 1:
        raise ConfigError(
            f"sections for {' and '.join(sorted(programs))} cannot share one process",
            where=conf.where,
        )
    program = programs.pop()

    here = Path.cwd()

    def reread(name: str) -> DriverOptions:
        return anchored(_options(read_upsconf(conf_dir), name, program), here)

    upses = tuple((name, anchored(_options(conf, name, program), here)) for name in names)
    return serve(
        Start(
            program=program,
            upses=upses,
            places=Paths.of(os.environ, statepath=upses[0][1].statepath),
            reread=reread,
            debug=arguments.debug,
            foreground=not arguments.background,
            user=arguments.user,
            group=arguments.group,
            notes=tuple(note for name in names for note in conf.notes_for(name)),
        )
    )


def _options(conf: UpsConf, name: str, program: str) -> DriverOptions:
    if program not in DRIVER_NAMES:
        raise ConfigError(
            f"is for {program}, not for this driver", where=conf.where, key=f"[{name}] driver"
        )
    return driver_options(conf.settings(name), program=program)
