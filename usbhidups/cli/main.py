"""``usbhidups VERB …``: find the verb's module and run it; called as a driver, be that driver.

Each verb is one module of this package with ``add_arguments(parser)`` and ``run(arguments) -> int``
(the exit status), and perhaps ``WRONG_LINE``, its exit status for a wrong command line (else 2). Modules are
imported only when their verb is asked for: the daemon never pays for the tools' libraries.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Container, Sequence
from typing import TYPE_CHECKING

from usbhidups import __version__
from usbhidups.errors import UsbHidUpsError

if TYPE_CHECKING:
    import argparse

__all__ = ["VERBS", "command_line", "main"]

VERBS: dict[str, str] = {
    "run": "run the driver for UPSes of ups.conf",
    "probe": "show attached UPSes, or why they cannot be read",
    "record": "write a fixture file of a UPS, for reports and tests",
    "status": "show what a running driver publishes",
    "list-supported": "list the devices that are known by their ids",
    "killpower": "cut the power after a shutdown, until the mains return",
    "doctor": "check the installation, and say what to mend",
    "simulate": "be a UPS: export a fixture's device over USB/IP",
    "appliance": "NUT's files from variables; start, stop, kill power",
    "notify": "log and mail one event (upsmon runs this)",
    "web": "show the UPSes on a web page",
}
"""Verb and its one-line help, in the order in which help shows them."""

DRIVER_NAME = "usbhid-ups"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status. Expected errors are one line on stderr."""
    words = list(sys.argv[1:] if argv is None else argv)
    program = os.path.basename(sys.argv[0])
    if program in ("", "-c", "__main__.py"):
        program = "usbhidups"
    try:
        if program == DRIVER_NAME or (
            words and words[0].startswith("-") and words[0] not in ("--help", "--version")
        ):
            driver = importlib.import_module("usbhidups.cli.driver")
            return int(driver.run(program, words))
        return _run_verb(words)
    except UsbHidUpsError as error:
        print(f"{program}: {error}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "rich":
            raise
        mend = "Debian: apt install python3-rich; elsewhere docs/installation.md; or use --json"
        print(f"{program}: the Python package rich is missing: {mend}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130


def command_line(loaded: Container[str]) -> argparse.ArgumentParser:
    """The parser of all verbs; those in ``loaded`` have their arguments, the others only their names."""
    from usbhidups.cli.help import Parser  # not needed by the driver, which has NUT's options

    parser = Parser(
        prog="usbhidups",
        description="driver for USB HID UPSes that speaks to Network UPS Tools",
        epilog="usbhidups VERB --help tells more; usbhidups -h, how NUT starts it as a driver",
    )
    parser.add_argument("--version", action="version", version=f"usbhidups {__version__}")
    verbs = parser.add_subparsers(prog="usbhidups", dest="verb", metavar="VERB", required=True)
    for name, text in VERBS.items():
        verb = verbs.add_parser(name, help=text, description=text)
        if name in loaded:
            module = importlib.import_module(f"usbhidups.cli.{name.replace('-', '_')}")
            module.add_arguments(verb)
            verb.wrong = getattr(module, "WRONG_LINE", verb.wrong)
            verb.set_defaults(run=module.run, parser=verb)
    return parser


def _run_verb(words: list[str]) -> int:
    arguments, unknown = command_line(words[:1]).parse_known_args(words)
    if unknown:
        arguments.parser.error(f"no such argument: {unknown[0]}")
    return int(arguments.run(arguments))
