"""``usbhidups simulate``: be one or more UPSes, exported over USB/IP."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from usbhidups.cli.help import within
from usbhidups.errors import ConfigError
from usbhidups.simulator.scenarios import SCENARIOS
from usbhidups.simulator.setup import SimulatorSetup
from usbhidups.simulator.simulator import Simulator
from usbhidups.usb import fixture

__all__ = ["add_arguments", "run"]

EXAMPLE = Path(__file__).parents[1] / "simulator" / "example.toml"
"""A UPS for those who have recorded none."""

DEFAULT_LISTEN = "127.0.0.1:3240"
PATIENCE = 10.0
"""Seconds for a running simulator's answer."""

EPILOG = f"""\
scenarios: {", ".join(list(SCENARIOS)[:6])},
{", ".join(list(SCENARIOS)[6:])}

  usbhidups simulate --scenario outage
  usbhidups simulate --control /tmp/ups --tell "mains off"
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's command line."""
    parser.epilog = EPILOG
    parser.add_argument(
        "fixture", nargs="*", type=Path, help="recording; each is one device (default: an example)"
    )
    parser.add_argument(
        "--scenario",
        metavar="NAME",
        choices=list(SCENARIOS),
        help="what happens, beside the fixtures' own timelines",
    )
    parser.add_argument(
        "--listen",
        metavar="HOST:PORT",
        default=DEFAULT_LISTEN,
        help=f"for USB/IP clients; port 0: any (default {DEFAULT_LISTEN})",
    )
    parser.add_argument(
        "--control", metavar="SOCKET", type=Path, help="socket for commands while it runs"
    )
    parser.add_argument(
        "--tell",
        metavar="COMMAND",
        help="give a command to the one that runs with this --control",
    )
    parser.add_argument(
        "--speed",
        metavar="N",
        type=within(0, 1e6),
        default=1.0,
        help="how fast the UPS's own time runs (default 1; 0: stands)",
    )
    parser.add_argument(
        "--delay-ms",
        metavar="N",
        type=within(0, 1e6),
        default=0.0,
        help="what each control transfer takes",
    )
    parser.add_argument(
        "--seed", metavar="N", type=int, default=0, help="of faults that strike by chance"
    )
    parser.add_argument(
        "-q", "--quiet", action="store_true", help="only say where it listens, then nothing"
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve until a signal or ``quit`` on the control socket."""
    if arguments.tell is not None:
        return _tell(arguments.control, arguments.tell)
    host, port = _address(arguments.listen)
    simulator = Simulator(
        [fixture.load(path) for path in arguments.fixture or (EXAMPLE,)],
        host=host,
        port=port,
        control=arguments.control,
        speed=arguments.speed,
        seed=arguments.seed,
    )
    for device in simulator.devices.values():
        if arguments.delay_ms:
            device.command(f"delay {arguments.delay_ms}", 0.0)
        if arguments.scenario:
            device.command(f"scenario {arguments.scenario}", 0.0)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have had it ignored
    listening = "{}:{}".format(*simulator.address)
    with contextlib.suppress(KeyboardInterrupt), simulator:
        print(f"listening on {listening} busids {' '.join(simulator.devices)}", flush=True)
        _watch(simulator, listening, quiet=arguments.quiet)
    return 0


def _watch(simulator: Simulator, listening: str, *, quiet: bool) -> None:
    from usbhidups.tools.live_view.watch import lines, live
    from usbhidups.tools.screen.console import can_redraw

    def take() -> Sequence[SimulatorSetup] | None:
        return simulator.scenes() if simulator.running else None

    if not quiet and can_redraw():
        live(take, listening, wait=time.sleep)
    elif not quiet:
        try:
            for line in lines(take, wait=time.sleep):
                print(line, flush=True)
        except BrokenPipeError:  # nobody reads any more: no reason to end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    simulator.wait()


def _tell(control: Path | None, command: str) -> int:
    """Give a running simulator a command and print what it answers."""
    if control is None:
        raise ConfigError(
            "needs --control SOCKET, that of a running simulator",
            where="command line",
            key="--tell",
        )
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(PATIENCE)
            connection.connect(os.fspath(control))
            connection.sendall(" ".join(command.split()).encode() + b"\n")
            with connection.makefile("rb") as lines:
                answer = json.loads(lines.readline() or b"{}")
    except OSError as error:
        raise ConfigError(
            f"no simulator there: {error.strerror or error}", where=str(control)
        ) from None
    if not answer.get("ok"):
        raise ConfigError(str(answer.get("error", "it ended")), where="simulator")
    result = answer["result"]
    done = isinstance(result, dict) and result and all(each is None for each in result.values())
    if result is not None and not done:  # several devices that have done it answer nothing each
        print(json.dumps(result, indent=1))
    return 0


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise ConfigError(f"{text!r} is not HOST:PORT", where="command line", key="--listen")
    return host.strip("[]"), int(port)
