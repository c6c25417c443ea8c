"""``usbhidups record FILE``: a fixture of an attached UPS, serials replaced, nothing written to the device."""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path

from usbhidups import __version__
from usbhidups.cli.help import within
from usbhidups.cli.target import add_target_arguments, target_of
from usbhidups.errors import ConfigError
from usbhidups.tools.probe.clock import RealClock
from usbhidups.tools.probe.look import Look, Plan
from usbhidups.tools.probe.recording import Recorder
from usbhidups.tools.probe.ticker import Ticker
from usbhidups.tools.screen.safe import safe
from usbhidups.usb.fixture import Failure, dumps

__all__ = ["add_arguments", "run"]

EPILOG = """\
  usbhidups record my-ups.toml               what it is and says now
  usbhidups record outage.toml --minutes 10  and what happens: pull the plug
  usbhidups probe --replay my-ups.toml       look at what was recorded

Serial numbers are replaced by zeros. Nothing is written to the device.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's command line."""
    parser.epilog = EPILOG
    parser.add_argument("file", type=Path, help="the fixture to be written; it must not exist yet")
    add_target_arguments(parser)
    parser.add_argument(
        "--minutes",
        type=within(0, 24 * 60),
        default=0.0,
        help="go on recording what changes (Ctrl-C ends it)",
    )
    parser.add_argument(
        "--notes", default="", help="what should be known of this UPS, for the file"
    )


def run(arguments: argparse.Namespace) -> int:
    """0 when the file was written. Raises what looking for a device raises."""
    path: Path = arguments.file
    _must_be_new(path)
    target = target_of(arguments)
    opened = target.one()
    clock = RealClock()
    plan = Plan(everything=True, options=target.options, subdriver=target.subdriver)
    try:
        with Ticker() as ticker:
            name = opened.identity.port_path
            look = Look(
                opened.transport,
                target.library,
                plan,
                clock,
                progress=lambda report, done, of: ticker(name, f"{report} ({done + 1} of {of})"),
            )
            look.take(transport=opened.way, why=opened.why)
            recording = Recorder(look, opened.transport, clock).record(
                source=f"usbhidups {__version__} record, by {opened.way}",
                notes=arguments.notes,
                seconds=60 * arguments.minutes,
                progress=lambda text: ticker(name, text),
            )
    finally:
        opened.transport.close()
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(dumps(recording.fixture))
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror}", where=str(path)) from None
    answers = [*recording.fixture.feature.values(), *recording.fixture.input.values()]
    failed = sum(isinstance(answer, Failure) for answer in answers)
    print(f"{path}: {safe(_name(look))}: {len(answers)} reports, {failed} of them failed", end="")
    print(f", {len(recording.fixture.timeline)} events" if arguments.minutes else "")
    if recording.replaced:
        print(f"serial numbers replaced by zeros in: {', '.join(recording.replaced)}")
    else:
        print("no serial number was found in it")
    print(f"look at it: usbhidups probe --replay {path}")
    return 0


def _name(look: Look) -> str:
    who = look.ups.identity
    names = [name for name in (who.manufacturer, who.product) if name]
    return " ".join(names) or f"{who.vendor_id:04x}:{who.product_id:04x}"


def _must_be_new(path: Path) -> None:
    """Looked at before the device is: nobody should wait minutes for a refusal."""
    with contextlib.suppress(FileNotFoundError):
        path.lstat()
        raise ConfigError("exists already; choose another name or remove it", where=str(path))
    if not path.parent.is_dir():
        raise ConfigError("there is no such directory", where=str(path.parent))
