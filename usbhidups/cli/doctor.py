"""``usbhidups doctor``: is the installation whole, and what to mend where it is not."""

from __future__ import annotations

import argparse
import json
import os
import textwrap
from collections.abc import Sequence
from dataclasses import asdict

from usbhidups.configuration import Paths
from usbhidups.tools.doctor.check import Check, Severity
from usbhidups.tools.doctor.examine import examine, healthy
from usbhidups.tools.doctor.machine import Machine
from usbhidups.ups.loading.library import Library

__all__ = ["add_arguments", "run"]

EPILOG = "exit status: 0 nothing has to be mended, 1 something has"

SUBJECT = 18
"""Columns of the subject at most."""

NARROW = 60
"""Columns below which the subject stands above the text, not beside it."""

_MARKS = {
    Severity.OK: ("ok", "green"),
    Severity.NOTE: ("note", "yellow"),
    Severity.PROBLEM: ("problem", "bold red"),
    Severity.SKIPPED: ("skipped", "magenta"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's command line."""
    parser.epilog = EPILOG
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("-q", "--quiet", action="store_true", help="only what is not in order")


def run(arguments: argparse.Namespace) -> int:
    """0: nothing has to be mended; 1: something has."""
    places = Paths.of(os.environ)
    checks = list(examine(Machine(places=places), Library([places.profiles])))
    if arguments.json:
        print(
            json.dumps(
                [{**asdict(each), "verdict": each.verdict.value} for each in checks], indent=1
            )
        )
    else:
        shown = [c for c in checks if not arguments.quiet or c.verdict is not Severity.OK]
        _show(shown, checks)
    return 0 if healthy(checks) else 1


def _show(shown: Sequence[Check], checks: Sequence[Check]) -> None:
    from rich.table import Table
    from rich.text import Text

    from usbhidups.tools.screen.console import make_console, show
    from usbhidups.tools.screen.safe import safe

    console = make_console()
    table = Table.grid()  # no padding: releases of rich differ in what it adds to a width
    narrow = console.width < NARROW
    subjects = ["\n".join(textwrap.wrap(safe(check.subject), SUBJECT)) for check in shown]
    longest = max((len(line) for each in subjects for line in each.splitlines()), default=0)
    table.add_column(width=8, no_wrap=True)
    if not narrow:
        table.add_column(width=longest + 1, no_wrap=True)
    table.add_column(overflow="fold")
    for check, subject in zip(shown, subjects, strict=True):
        mark, style = _MARKS[check.verdict]
        text = Text(safe(check.text))
        if check.mend:
            text.append("\nmend: ", "bold")
            text.append(safe(check.mend))
        if narrow:
            table.add_row(
                Text(mark, style=style), Text.assemble((safe(check.subject), "bold"), "\n", text)
            )
        else:
            table.add_row(Text(mark, style=style), Text(subject), text)
    show(console, table)
    problems = sum(check.verdict is Severity.PROBLEM for check in checks)
    if problems:
        show(
            console,
            Text(f"{problems} of {len(checks)} checks found something to mend", style="bold"),
        )
    else:
        show(console, Text(f"{len(checks)} checks, nothing to mend", style="bold green"))
