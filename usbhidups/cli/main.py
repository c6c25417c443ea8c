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
from usbhidups.cli import streams
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

DEEDS = ("run", "killpower", "appliance", "notify")
"""Verbs that go on where nobody can be told: the console may be gone at the end of a shutdown."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status. Expected errors are one line on stderr."""
    words = list(sys.argv[1:] if argv is None else argv)
    streams.prepare()
    program = os.path.basename(sys.argv[0])
    if program in ("", "-c", "__main__.py"):
        program = "usbhidups"
    try:
        if program == DRIVER_NAME or (
            words and words[0].startswith("-") and words[0] not in ("--help", "--version")
        ):
            streams.forgive()
            driver = importlib.import_module("usbhidups.cli.driver")
            status = int(driver.run(program, words))
        else:
            if words and words[0] in DEEDS:
                streams.forgive()
            status = _run_verb(words)
        sys.stdout.flush()
        return status
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
        streams.say_no_more()
        return _unsaid(words)
    except OSError as error:
        if error.errno not in streams.UNWRITTEN or error.filename is not None:
            raise
        streams.say_no_more()
        print(f"{program}: standard output: {error.strerror}", file=sys.stderr)
        return _unsaid(words)
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


def _unsaid(words: list[str]) -> int:
    """The verb's exit status when it could not say what it had to."""
    verb = sys.modules.get(f"usbhidups.cli.{words[0]}") if words else None
    return int(getattr(verb, "WRONG_LINE", 1))


def _run_verb(words: list[str]) -> int:
    arguments, unknown = command_line(words[:1]).parse_known_args(words)
    if unknown:
        arguments.parser.error(f"no such argument: {unknown[0]}")
    return int(arguments.run(arguments))
