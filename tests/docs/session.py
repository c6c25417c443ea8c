"""A shell in which the commands of a document are typed, one after the other.

It starts in a directory of its own that has the tree's ``fixtures``; ``usbhidups`` is the tree's. With NUT it
also has its own network, process numbers, /run, /etc/nut as a distribution leaves it (with ``user = root``, as
the tree may not be readable to others), and NUT's driver directory with this driver in it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.docs.blocks import ROOT, Step

__all__ = ["DRIVERS", "Typed", "namespaces", "type_in"]

MARK = "\x01"
DEADLINE = 60
DRIVERS = Path("/lib/nut")
CONFIGURATION = {
    "nut.conf": "MODE=standalone\n",
    "ups.conf": "user = root\ngroup = nut\nmaxretry = 3\n",
    "upsd.conf": "LISTEN 127.0.0.1 3493\n",
    "upsd.users": "",
    "upsmon.conf": 'SHUTDOWNCMD "/bin/true"\nPOWERDOWNFLAG /etc/killpower\n',
}

ALONE = ("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child")
SETTING = f"""
set -e
mount -t proc proc /proc
ip link set lo up
mount -t tmpfs none /run
install -d -m 770 -g nut /run/nut
chgrp nut "$HOME"/nut/*
chmod 640 "$HOME"/nut/*
mount --bind "$HOME/nut" /etc/nut
mount --bind "$HOME/drivers" {DRIVERS}
exec "$@"
"""

Typed = tuple[Step, str, int]
"""A command, what it printed, and its exit status."""


def namespaces() -> bool:
    """Whether this user may make a world of its own here."""
    if os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("ip"):
        return False
    done = subprocess.run([*ALONE, "true"], capture_output=True, check=False)
    return done.returncode == 0


def type_in(steps: Sequence[Step], home: Path, *, nut: bool) -> list[Typed]:
    """Type the commands; those that were not reached are missing. Nothing that they start goes on."""
    _furnish(home, nut=nut)
    script = "".join(
        f"{each.command}\ns=$?; printf '{MARK}%s{MARK}' $s\n"
        + ("" if each.may_fail else "[ $s -eq 0 ] || exit\n")
        for each in steps
    )
    output = home / "output"
    alone = (*ALONE, "sh", "-c", SETTING, "sh") if nut else ()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NUT_")}
    environment |= {
        "HOME": str(home),
        "PATH": f"{home / 'bin'}:{os.environ['PATH']}:/usr/sbin:/sbin",
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "100",
        "LC_ALL": "C.UTF-8",
        "NUT_QUIET_INIT_BANNER": "true",
    }
    with (
        output.open("wb") as printed,
        subprocess.Popen(
            [*alone, "timeout", "-k", "5", str(DEADLINE), "bash"],
            cwd=home / "work",
            env=environment,
            stdin=subprocess.PIPE,
            stdout=printed,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as shell,
    ):
        try:
            shell.communicate(script.encode(), timeout=DEADLINE + 20)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)
    parts = output.read_text(encoding="utf-8", errors="replace").split(MARK)
    told = zip(steps, parts[0::2], parts[1::2], strict=False)
    return [(step, text.strip("\n"), int(status)) for step, text, status in told]


def _furnish(home: Path, *, nut: bool) -> None:
    (home / "bin").mkdir()
    (home / "work").mkdir()
    (home / "work" / "fixtures").symlink_to(ROOT / "fixtures")
    program = home / "bin" / "usbhidups"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m usbhidups "$@"\n')
    program.chmod(0o755)
    if nut:
        (home / "nut").mkdir()
        for name, text in CONFIGURATION.items():
            (home / "nut" / name).write_text(text)
        shutil.copytree(DRIVERS, home / "drivers", symlinks=True)
        shutil.copy(program, home / "drivers" / "usbhidups")
