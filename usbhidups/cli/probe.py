"""``usbhidups probe``: the UPSes that are attached, what they say, or why they cannot be read."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from usbhidups.cli.target import Target, add_target_arguments, target_of
from usbhidups.errors import ConfigError, DescriptorError, FixtureError
from usbhidups.tools.probe.clock import RealClock
from usbhidups.tools.probe.finding import Finding
from usbhidups.tools.probe.look import Plan
from usbhidups.tools.probe.prober import Prober
from usbhidups.tools.probe.shape import dumps
from usbhidups.tools.probe.ticker import Ticker

__all__ = ["add_arguments", "run"]

EPILOG = """\
exit status: 0 found and read, 1 none found, 2 found but not readable

  usbhidups probe        what is attached, and how it is
  usbhidups probe --all  with every field of every report
"""

READ, NONE, UNREADABLE = 0, 1, 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's command line."""
    parser.epilog = EPILOG
    add_target_arguments(parser)
    parser.add_argument(
        "--replay", metavar="FILE", type=Path, help="a recording instead of a device"
    )
    parser.add_argument(
        "--decode",
        metavar="HEX|FILE",
        help="a descriptor: lsusb -v, usbhid-ups -DDD, hex; -: stdin",
    )
    parser.add_argument("--all", action="store_true", help="show every field, read every report")
    parser.add_argument("--json", action="store_true", help="for programs (docs/probe-json.md)")
    parser.add_argument("-w", "--watch", action="store_true", help="go on reading; Ctrl-C ends")
    parser.add_argument(
        "-v",
        "--verbose",
        action="store_true",
        help="tell of devices that are no UPS, and of each transfer",
    )


def run(arguments: argparse.Namespace) -> int:
    """0: found and read; 1: none; 2: found but not readable."""
    given = [name for name in ("replay", "decode") if getattr(arguments, name) is not None]
    if len(given) > 1:
        raise ConfigError("one of them at a time", where="command line", key="--replay, --decode")
    if arguments.verbose:
        _log_to_stderr()
    target = target_of(arguments)
    plan = Plan(
        everything=arguments.all or arguments.json or bool(given),
        patience=_RECORDED_PATIENCE if given else Plan().patience,
        options=target.options,
        subdriver=target.subdriver,
    )
    if arguments.watch and given:
        raise ConfigError(
            "a recording stays as it is; usbhidups simulate plays one",
            where="command line",
            key=f"--watch, --{given[0]}",
        )
    if arguments.watch:
        return _watch(arguments, target, plan)
    findings = _recorded(arguments, target, plan) if given else _attached(target, plan)
    _show(arguments, findings, target.passed_over() if arguments.verbose else ())
    if not findings:
        print(f"usbhidups: {target.nothing()}", file=sys.stderr)
    return exit_status(findings)


_RECORDED_PATIENCE = 60.0  # of made-up time


def exit_status(findings: Sequence[Finding]) -> int:
    """Of what was found."""
    if not findings:
        return NONE
    return READ if all(finding.readable for finding in findings) else UNREADABLE


def _recorded(arguments: argparse.Namespace, target: Target, plan: Plan) -> list[Finding]:
    if arguments.replay is not None:
        from usbhidups.tools.probe.replay import look_at_recording

        try:
            return [look_at_recording(arguments.replay, target.library, plan)]
        except FixtureError:
            form = _form(arguments.replay)
            if not form:
                raise
            raise ConfigError(
                f"no recording, but {form}: usbhidups probe --decode shows it",
                where=str(arguments.replay),
            ) from None
    from usbhidups.tools.probe.decode import decode
    from usbhidups.tools.probe.pasted import read_pasted

    where, data = _pasted(arguments.decode)
    try:
        return [
            decode(paste, target.library, plan, where=where)
            for paste in read_pasted(data, where=where)
        ]
    except DescriptorError as error:
        raise ConfigError(f"no whole report descriptor: {error}", where=where) from None


def _form(path: Path) -> str:
    """What ``--decode`` would take this text for, "" where it could not read it either."""
    from usbhidups.tools.probe.pasted import LARGEST, read_pasted

    with contextlib.suppress(OSError, ConfigError), path.open("rb") as file:
        data = file.read(LARGEST)
        if b"\0" not in data:
            return read_pasted(data, where=str(path))[0].form
    return ""


def _pasted(argument: str) -> tuple[str, bytes]:
    """The argument itself where it is no file: hexadecimal bytes."""
    from usbhidups.tools.probe.pasted import LARGEST

    if argument == "-":
        return "standard input", sys.stdin.buffer.read(LARGEST)
    try:
        with open(argument, "rb") as file:
            return argument, file.read(LARGEST)
    except OSError as error:
        if len(argument) > 255 or not Path(argument).exists():
            try:
                bytes.fromhex(argument.replace("0x", "").replace(",", " "))
            except ValueError:
                raise ConfigError(
                    f"is neither a file ({error.strerror}) nor hexadecimal bytes",
                    where=argument[:80],
                ) from None
            return "command line", argument.encode()
        raise ConfigError(f"cannot be read: {error.strerror}", where=argument) from None


def _attached(target: Target, plan: Plan) -> list[Finding]:
    with Ticker() as ticker:

        def progress(device: str, report: str, done: int, of: int) -> None:
            ticker(device, f"{report} ({done + 1} of {of})")

        return Prober(target.library, plan, RealClock(), progress=progress).findings(
            target.subjects()
        )


def _show(
    arguments: argparse.Namespace, findings: Sequence[Finding], passed_over: Iterable[str]
) -> None:
    if arguments.json:
        print(dumps(findings))
        return
    import datetime

    from usbhidups.tools.probe.card import card, field_lines
    from usbhidups.tools.screen.console import make_console, show
    from usbhidups.tools.screen.safe import safe

    console = make_console()
    today = datetime.datetime.now().astimezone().date()
    for number, finding in enumerate(findings):
        if number:
            print()
        show(console, card(finding, console, today=today))
        if finding.fields and (arguments.all or arguments.decode is not None):
            print()
            width = console.width if console.is_terminal else None
            for line in field_lines(finding, width=width):
                console.print(line) if width else print(line.plain.rstrip())
    for each in passed_over:
        print(f"passed over: {safe(each)}", file=sys.stderr)


def _watch(arguments: argparse.Namespace, target: Target, plan: Plan) -> int:
    from usbhidups.tools.probe.watch import Watch
    from usbhidups.tools.screen.console import can_redraw, make_console

    prober = Prober(target.library, plan, RealClock())
    watch = Watch(prober, target.subjects)
    with contextlib.suppress(KeyboardInterrupt), contextlib.closing(watch):
        if arguments.json:
            watch.objects(lambda findings: print(dumps(findings, indent=None), flush=True))
        elif can_redraw():
            watch.live(make_console())
        else:
            watch.lines(lambda line: print(line, flush=True))
    return exit_status(watch.findings)


def _log_to_stderr() -> None:
    import logging

    logging.basicConfig(level=logging.DEBUG, stream=sys.stderr, format="%(name)s: %(message)s")
