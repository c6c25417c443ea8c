"""``usbhidups list-supported``: the devices that profiles know by their ids."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from usbhidups.cli.target import own_profiles
from usbhidups.configuration import Paths
from usbhidups.supported import Supported, supported
from usbhidups.ups.loading.library import Library

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's options."""
    parser.add_argument("--json", action="store_true", help="an array of objects, for programs")
    parser.add_argument(
        "--profiles",
        metavar="DIR",
        type=own_profiles,
        help="profiles of your own (default: /etc/usbhidups/profiles.d)",
    )
    parser.epilog = "Any other UPS that keeps to the USB HID Power Device class works as well."


def run(arguments: argparse.Namespace) -> int:
    """Print the list; return the exit status."""
    own: Path = arguments.profiles or Paths.of(os.environ).profiles
    devices = supported(Library([own]))
    if arguments.json:
        print(json.dumps([_object(device) for device in devices], indent=2))
        return 0
    for device in devices:
        words = [device.name or device.title, f"({device.condition})" if device.condition else ""]
        print(f"{device.ids:10} {device.profile:10} {' '.join(filter(None, words))}")
    return 0


def _object(device: Supported) -> dict[str, str | None]:
    product = device.product_id
    return {
        "vendor_id": f"{device.vendor_id:04x}",
        "product_id": None if product is None else f"{product:04x}",
        "name": device.name,
        "profile": device.profile,
        "title": device.title,
        "condition": device.condition,
    }
