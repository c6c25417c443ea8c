"""``usbhidups status``: what running drivers publish, and an exit status for shells."""

from __future__ import annotations

import argparse
import contextlib
import datetime
import os
import sys
from collections.abc import Sequence

from usbhidups.cli.help import within
from usbhidups.configuration import Paths
from usbhidups.errors import UsbHidUpsError
from usbhidups.tools.screen.safe import safe
from usbhidups.tools.status.history import Event
from usbhidups.tools.status.snapshot import Snapshot, State, take, worst
from usbhidups.tools.status.sockets import DriverSocket, find_sockets
from usbhidups.tools.status.text import dumps, formatted

__all__ = ["WRONG_LINE", "add_arguments", "run"]

WRONG_LINE = int(State.UNKNOWN)
"""Exit status for a command line or host on which nothing can be said: 1 and 2 are states of a UPS."""

EPILOG = """\
exit status, the worst of the UPSes shown: 0 on line, 1 on battery,
2 on battery and low, 3 stale, unreachable, unknown, or a wrong command line

  usbhidups status                        all UPSes
  usbhidups status --watch office         one of them, live
  usbhidups status -q office || echo "not on line"
  usbhidups status --format '{ups} {ups.status} {battery.charge}'
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's command line."""
    parser.epilog = EPILOG
    parser.add_argument("ups", nargs="*", help="names of UPSes (default: all that have a driver)")
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--json", action="store_true", help="for programs; with --watch a line per change"
    )
    how.add_argument(
        "--format", metavar="PATTERN", help="a line per UPS; {name} is a variable's value"
    )
    how.add_argument("-q", "--quiet", action="store_true", help="only the exit status")
    parser.add_argument("-w", "--watch", action="store_true", help="go on, live; Ctrl-C ends")
    parser.add_argument(
        "--interval",
        metavar="SECONDS",
        type=within(0.1, 3600),
        default=1.0,
        help="with --watch (default 1)",
    )


def run(arguments: argparse.Namespace) -> int:
    """The exit status is the state's number; whatever stands in the way counts as unknown."""
    try:
        return _run(arguments)
    except UsbHidUpsError as error:
        print(f"usbhidups: {error}", file=sys.stderr)
        return WRONG_LINE


def _run(arguments: argparse.Namespace) -> int:
    sockets = find_sockets(Paths.of(os.environ), arguments.ups)
    if arguments.watch:
        return _watch(arguments, sockets)
    snapshots = tuple(take(socket) for socket in sockets)
    if arguments.json:
        print(dumps(snapshots))
    elif arguments.format is not None:
        for snapshot in snapshots:
            print(formatted(arguments.format, snapshot))
    elif not arguments.quiet:
        _cards(snapshots)
    return int(worst(snapshots))


def _cards(snapshots: Sequence[Snapshot]) -> None:
    from usbhidups.tools.screen.console import make_console, show
    from usbhidups.tools.status.card import card

    console = make_console()
    today = datetime.datetime.now().astimezone().date()
    for number, snapshot in enumerate(snapshots):
        if number:
            print()
        show(console, card(snapshot, console, today=today))


def _watch(arguments: argparse.Namespace, sockets: Sequence[DriverSocket]) -> int:
    from usbhidups.tools.screen.console import can_redraw, make_console
    from usbhidups.tools.status.live import Watch

    watch = Watch(sockets, interval=arguments.interval)

    def show(snapshot: Snapshot, news: Sequence[Event]) -> None:
        if arguments.json:
            print(dumps((snapshot,), indent=None), flush=True)
        elif arguments.format is not None:
            print(formatted(arguments.format, snapshot), flush=True)
        elif not arguments.quiet:
            for event in news:
                print(f"{event.at} {safe(event.ups)} {safe(event.text)}", flush=True)

    with contextlib.suppress(KeyboardInterrupt):
        plain = arguments.json or arguments.format is not None or arguments.quiet
        if not plain and can_redraw():
            watch.live(make_console())
        else:
            watch.lines(show)
    return int(watch.state)
