"""``usbhidups web``: the status page, or its content once (``--fragment``, ``--json``)."""

from __future__ import annotations

import argparse
import ipaddress
import os
import signal
import sys
import threading
from pathlib import Path

from usbhidups.appliance import grammar
from usbhidups.appliance.layout import choose_layout
from usbhidups.appliance.web.collector import Collector, Source
from usbhidups.appliance.web.exports import as_json, as_prometheus
from usbhidups.appliance.web.page import fragment
from usbhidups.appliance.web.server import StatusServer
from usbhidups.errors import ConfigError

__all__ = ["add_arguments", "run"]

DEFAULT_LISTEN = "127.0.0.1:8493"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--listen", default=DEFAULT_LISTEN, metavar="ADDRESS:PORT", help=f"default {DEFAULT_LISTEN}"
    )
    parser.add_argument(
        "--host-name", action="append", default=[], metavar="NAME", help="answer to this name too"
    )
    parser.add_argument(
        "--upsd",
        default="",
        metavar="[NAME@]HOST[:PORT]",
        help="instead of the appliance's own UPS",
    )
    parser.add_argument(
        "--event-log", type=Path, metavar="FILE", help="with --upsd: events to show"
    )
    parser.add_argument("--interval", type=float, default=5.0, metavar="SECONDS")
    once = parser.add_mutually_exclusive_group()
    once.add_argument(
        "--fragment", action="store_true", help="print the HTML content and end (CGI, PHP)"
    )
    once.add_argument("--json", action="store_true", help="print JSON and end")
    once.add_argument("--prometheus", action="store_true", help="print Prometheus' text and end")


def run(arguments: argparse.Namespace) -> int:
    source = _source(arguments)
    if arguments.interval < 1:
        raise ConfigError("must be at least 1 second", where="command line", key="--interval")
    if arguments.fragment or arguments.json or arguments.prometheus:
        snapshot = Collector(source).look()
        form = as_json if arguments.json else as_prometheus if arguments.prometheus else fragment
        sys.stdout.write(form(snapshot))
        return 0
    address = _address(arguments.listen)
    state = os.environ.get("USBHIDUPS_WEB_STATE", "")
    collector = Collector(
        source,
        interval=arguments.interval,
        state_file=Path(state) / "history.json" if state else None,
    )
    try:
        server = StatusServer(
            address, lambda: collector.snapshot, names=frozenset(arguments.host_name)
        )
    except OSError as error:
        raise ConfigError(error.strerror or str(error), where=arguments.listen) from error
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    collector.start()
    host, port = server.place
    shown = f"[{host}]" if ":" in host else host
    print(f"http://{shown}:{port}/", flush=True)
    try:
        server.serve_forever()
    finally:
        server.server_close()
        collector.close()
    return 0


def _source(arguments: argparse.Namespace) -> Source:
    if not arguments.upsd:
        return Source(active_file=choose_layout(os.environ).active_file)
    name, _, place = arguments.upsd.rpartition("@")
    problem = grammar.host_port_problem(place) or (name and grammar.ups_name_problem(name))
    if problem:
        raise ConfigError(problem, where="command line", key="--upsd")
    return Source(target=f"{name}@{place}", event_log=arguments.event_log)


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    try:
        ipaddress.ip_address(host)
        number = int(port)
    except ValueError:
        raise ConfigError("must be ADDRESS:PORT", where="command line", key="--listen") from None
    if not 0 <= number <= 65535:
        raise ConfigError("a port is at most 65535", where="command line", key="--listen")
    return host, number
