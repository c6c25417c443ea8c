"""``usbhidups killpower [UPS…]``: cut the power of UPSes after a shutdown, or say what would be done."""

from __future__ import annotations

import argparse
import os
import textwrap
from pathlib import Path

from usbhidups.configuration import DRIVER_NAMES, Paths, read_upsconf
from usbhidups.errors import ConfigError
from usbhidups.killpower import PoweroffStatus, Wanted, cut_all
from usbhidups.killpower.flag import PowerdownFlag
from usbhidups.nut.upsconf import Section, UpsConf, driver_options

__all__ = ["add_arguments", "run"]

EPILOG = textwrap.fill(
    "exit status: " + "; ".join(f"{int(each)} {each.words}" for each in PoweroffStatus), 76
)

DRIVER_DIRS = ("/lib/nut", "/usr/lib/nut", "/usr/libexec/nut", "/usr/local/ups/bin")
"""Where NUT keeps its drivers, unless ups.conf says ``driverpath``."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's own arguments."""
    parser.epilog = EPILOG
    parser.add_argument(
        "ups",
        nargs="*",
        help="sections of ups.conf (default: all that this driver serves, by their sdorder)",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="print what would be written, and write nothing"
    )
    parser.add_argument(
        "--if-flag",
        action="store_true",
        help="only after a power-fail shutdown: upsmon's POWERDOWNFLAG is there",
    )


def run(arguments: argparse.Namespace) -> int:
    """PoweroffResult the power; the greatest of all results."""
    places = Paths.of(os.environ)
    if not arguments.if_flag:
        return _run(arguments, places)
    wish = PowerdownFlag.of(places.conf)
    if not wish.wanted:
        print(f"{PoweroffStatus.NOTHING.words}: {wish.why_not}")
        return int(PoweroffStatus.NOTHING)
    try:
        return _run(arguments, places)
    except ConfigError as error:  # the flag is there: who called must not take this for no flag
        print(f"{PoweroffStatus.NOT_FOUND.words} ({error})")
        return int(PoweroffStatus.NOT_FOUND)


def _run(arguments: argparse.Namespace, places: Paths) -> int:
    conf = read_upsconf(places.conf)
    wanted = _named(conf, arguments.ups) if arguments.ups else _all(conf)
    if not wanted:
        print(f"{PoweroffStatus.NOTHING.words}: {conf.where} has no section for this driver")
        return int(PoweroffStatus.NOTHING)
    places = Paths.of(os.environ, statepath=wanted[0].options.statepath)
    results = {cut.result for cut in cut_all(wanted, places, dry_run=arguments.dry_run)}
    if arguments.dry_run and results == {PoweroffStatus.NOTHING}:
        return 0
    return int(max(results))


def _named(conf: UpsConf, names: list[str]) -> list[Wanted]:
    return [_wanted(conf, conf.section(name)) for name in dict.fromkeys(names)]


def _all(conf: UpsConf) -> list[Wanted]:
    """Those that are ours and not kept out by a negative sdorder."""
    found = [_wanted(conf, section) for section in conf.sections_for(DRIVER_NAMES)]
    ours = [each for each in found if each.program == DRIVER_NAMES[0] or _is_ours(conf)]
    return [each for each in ours if each.order >= 0]


def _wanted(conf: UpsConf, section: Section) -> Wanted:
    program = section.driver if section.driver in DRIVER_NAMES else DRIVER_NAMES[0]
    options = driver_options(conf.settings(section.name), program=program)
    return Wanted(program, section.name, options, _order(conf, section))


def _order(conf: UpsConf, section: Section) -> int:
    text = section.value("sdorder") or "0"
    try:
        return int(text)
    except ValueError:
        raise ConfigError(
            f"{text!r} is no number", where=conf.where, key=f"[{section.name}] sdorder"
        ) from None


def _is_ours(conf: UpsConf) -> bool:
    """Whether NUT's directory holds us under NUT's name; where there is none, nobody else does it."""
    given = [setting.value for setting in conf.globals if setting.key == "driverpath"]
    for directory in [given[-1] or ""] if given else DRIVER_DIRS:
        driver = Path(directory) / DRIVER_NAMES[1]
        if driver.exists():
            return driver.resolve().name == DRIVER_NAMES[0]
    return True
