"""The guest as a host with a user: udev rules, accounts, programs run as somebody."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.standin.state import StateSocket
from tests.vm.bus import eventually

__all__ = ["PATIENCE", "driver", "no_rules", "probe", "rules", "state"]

RULES = Path(__file__).parents[2] / "udev/99-ups.rules"
INSTALLED = Path("/etc/udev/rules.d/99-ups.rules")
SHIPPED = Path("/usr/lib/udev/rules.d")
STATE = Path("/run/nut")
PATIENCE = 60.0  # seconds, emulated


@contextmanager
def no_rules() -> Iterator[None]:
    """The distribution's rules for UPSes are switched off, as udev lets an administrator do."""
    INSTALLED.parent.mkdir(exist_ok=True)
    wanted = [INSTALLED.with_name(path.name) for path in SHIPPED.glob("*nut*.rules")]
    masks = [mask for mask in wanted if not mask.is_symlink()]
    for mask in masks:
        mask.symlink_to("/dev/null")
    _reload()
    try:
        yield
    finally:
        for mask in masks:
            mask.unlink()
        _reload()


@contextmanager
def rules() -> Iterator[None]:
    """The project's rules, and they alone; devices that are plugged in already keep what they have."""
    with no_rules():
        shutil.copyfile(RULES, INSTALLED)
        _reload()
        try:
            yield
        finally:
            INSTALLED.unlink()


def _reload() -> None:
    subprocess.run(["udevadm", "control", "--reload"], check=True)


def probe(*, user: str, groups: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """What ``usbhidups probe --json`` says to a user in no other groups than these."""
    done = subprocess.run(
        [sys.executable, "-m", "usbhidups", "probe", "--json"],
        user=user,
        group=groups[0] if groups else user if user == "root" else "nogroup",
        extra_groups=list(groups),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "HOME": "/", "NUT_STATEPATH": str(STATE)},
    )
    try:
        found: list[dict[str, Any]] = json.loads(done.stdout)
    except ValueError:
        raise AssertionError(f"{done.stdout}\n{done.stderr}") from None
    return found


@contextmanager
def driver(*options: str, user: str = "nut") -> Iterator[subprocess.Popen[bytes]]:
    """The driver as a system starts it: as root, for the user ``nut``."""
    STATE.mkdir(exist_ok=True)
    shutil.chown(STATE, "root", "nut")
    STATE.chmod(0o770)
    words = ["-F", "-s", "dev", "-u", user, "-x", "port=auto"]
    process = subprocess.Popen(
        [sys.executable, "-m", "usbhidups", *words, *(w for o in options for w in ("-x", o))],
        env={**os.environ, "NUT_STATEPATH": str(STATE), "NUT_ALTPIDPATH": str(STATE)},
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def state() -> StateSocket:
    """A connection to that driver's state socket, as soon as it is there."""

    def connected() -> StateSocket | None:
        with suppress(OSError):
            return StateSocket(STATE / "usbhidups-dev")
        return None

    return eventually(connected, "the driver's socket")
