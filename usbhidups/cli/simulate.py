"""``usbhidups simulate``: be one or more UPSes, exported over USB/IP."""

from __future__ import annotations

import argparse
import signal
from pathlib import Path

from usbhidups.errors import ConfigError
from usbhidups.simulator.scenarios import SCENARIOS
from usbhidups.simulator.simulator import Simulator
from usbhidups.usb import fixture

__all__ = ["add_arguments", "run"]

DEFAULT_LISTEN = "127.0.0.1:3240"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's command line."""
    parser.add_argument("fixture", nargs="+", type=Path, help="fixture file; each is one device")
    parser.add_argument(
        "--listen",
        metavar="HOST:PORT",
        default=DEFAULT_LISTEN,
        help=f"where USB/IP clients find it; port 0: any free one (default {DEFAULT_LISTEN})",
    )
    parser.add_argument(
        "--control", metavar="SOCKET", type=Path, help="control socket, for commands while it runs"
    )
    parser.add_argument(
        "--scenario",
        metavar="NAME",
        choices=list(SCENARIOS),
        help=f"what happens, beside the fixtures' own timelines: {', '.join(SCENARIOS)}",
    )
    parser.add_argument(
        "--speed",
        type=float,
        default=1.0,
        help="how fast the UPS's own time runs (default 1; 0: stands)",
    )
    parser.add_argument(
        "--delay-ms", type=float, default=0.0, help="milliseconds that each control transfer takes"
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="seed of faults that strike by chance (default 0)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve until a signal or ``quit`` on the control socket."""
    host, port = _address(arguments.listen)
    if arguments.speed < 0 or arguments.delay_ms < 0:
        raise ConfigError("must not be negative", where="command line", key="--speed, --delay-ms")
    simulator = Simulator(
        [fixture.load(path) for path in arguments.fixture],
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
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: simulator.stop())
    listening = "{}:{}".format(*simulator.address)
    print(f"listening on {listening} busids {' '.join(simulator.devices)}", flush=True)
    simulator.run()
    return 0


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise ConfigError(f"{text!r} is not HOST:PORT", where="command line", key="--listen")
    return host.strip("[]"), int(port)
