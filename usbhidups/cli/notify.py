"""``usbhidups notify``: upsmon's notify command (NOTIFYCMD), started by the generated script."""

from __future__ import annotations

import argparse
import os
from datetime import datetime
from pathlib import Path

from usbhidups.appliance.active import load_active
from usbhidups.appliance.notify import notify

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--active", type=Path, required=True, help="the generator's note")
    parser.add_argument(
        "message", help="what upsmon says; NOTIFYTYPE and UPSNAME are in the environment"
    )


def run(arguments: argparse.Namespace) -> int:
    """Always 0, as upsmon could do nothing about a failure; what goes wrong is logged."""
    notify(
        load_active(arguments.active),
        kind=os.environ.get("NOTIFYTYPE", "OTHER"),
        ups=os.environ.get("UPSNAME", ""),
        message=arguments.message,
        when=datetime.now().astimezone(),
    )
    return 0
