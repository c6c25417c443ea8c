"""``usbhidups probe``: the UPSes that are attached, or why they cannot be read."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from usbhidups.configuration import Places
from usbhidups.probe.look import Plan
from usbhidups.probe.replay import look_at_recording
from usbhidups.probe.shape import dumps
from usbhidups.ups.library import Library

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's command line."""
    parser.add_argument("--json", action="store_true", help="for programs (docs/probe-json.md)")
    parser.add_argument("--replay", metavar="FILE", type=Path, help="a recording instead of a device")


def run(arguments: argparse.Namespace) -> int:
    """0: found and read; 1: none; 2: found but not readable."""
    library = Library([Places.of(os.environ).profiles])
    plan = Plan(everything=True, patience=60.0)
    findings = [look_at_recording(arguments.replay, library, plan)]
    print(dumps(findings))
    return 0
