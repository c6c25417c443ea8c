"""What the checks may ask of a host: files below a root, programs that tell about themselves, users."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from usbhidups.configuration import Paths
from usbhidups.tools.probe.user import User

__all__ = ["Answered", "Machine"]

TIMEOUT = 10.0
LONGEST = 1 << 20

DRIVER_DIRECTORIES = (
    "lib/nut",
    "usr/lib/nut",
    "usr/libexec/nut",
    "usr/lib/ups",
    "usr/local/ups/bin",
)
"""Where NUT keeps its drivers, below the root."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A program's exit status (None: it is not there, or does not end) and what it wrote."""

    status: int | None
    text: str = ""


def _run(words: Sequence[str]) -> Answered:
    try:
        done = subprocess.run(
            list(words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return Answered(None)
    return Answered(done.returncode, done.stdout[:LONGEST].decode("utf-8", "replace").strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A host; another root and another ``run`` in tests."""

    places: Paths
    root: Path = Path("/")
    user: User = field(default_factory=User.present)
    run: Callable[[Sequence[str]], Answered] = _run

    @property
    def systemd(self) -> bool:
        """Whether systemd runs it."""
        return (self.root / "run/systemd/system").is_dir()

    def find(self, *candidates: str) -> Path | None:
        """The first of some paths below the root that exists."""
        return next((path for each in candidates if (path := self.root / each).exists()), None)

    def text(self, path: Path) -> str | None:
        """A file's text; None where it cannot be read."""
        with contextlib.suppress(OSError), path.open(encoding="utf-8", errors="replace") as file:
            return file.read(LONGEST)
        return None

    def upsd(self) -> Path | None:
        """NUT's server, the program itself and not a distribution's wrapper where both are there."""
        found = self.find(
            *(f"{each}/upsd" for each in DRIVER_DIRECTORIES), "usr/sbin/upsd", "sbin/upsd"
        )
        if found is None and self.root == Path("/"):
            elsewhere = shutil.which("upsd")
            return Path(elsewhere) if elsewhere else None
        return found

    def driver_directory(self, driverpath: str | None) -> Path | None:
        """Where upsdrvctl looks for drivers; ``driverpath`` is ups.conf's."""
        if driverpath:
            return Path(driverpath)
        return self.find(*DRIVER_DIRECTORIES)

    @staticmethod
    def account(name: str) -> pwd.struct_passwd | None:
        """A user by name."""
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
        return None

    @staticmethod
    def groups_of(name: str) -> frozenset[str]:
        """The groups of a user by name; none of somebody who is not there."""
        account = Machine.account(name)
        if account is None:
            return frozenset()
        return frozenset(
            each.gr_name
            for each in grp.getgrall()
            if name in each.gr_mem or each.gr_gid == account.pw_gid
        )

    @staticmethod
    def group(name: str) -> grp.struct_group | None:
        """A group by name."""
        with contextlib.suppress(KeyError):
            return grp.getgrnam(name)
        return None

    @staticmethod
    def owner(path: Path) -> tuple[str, str, int]:
        """Owner, group and mode of a file. Raises OSError."""
        status = path.stat()
        owner, group = str(status.st_uid), str(status.st_gid)
        with contextlib.suppress(KeyError):
            owner = pwd.getpwuid(status.st_uid).pw_name
        with contextlib.suppress(KeyError):
            group = grp.getgrgid(status.st_gid).gr_name
        return owner, group, status.st_mode & 0o7777

    def may_read(self, path: Path) -> bool:
        """Whether we may."""
        return os.access(path, os.R_OK)
