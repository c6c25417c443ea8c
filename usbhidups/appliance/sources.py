"""What the user left on disk: the settings file, the override files, the file of further accounts.

Reads, decides nothing.
"""

from __future__ import annotations

import os
import socket
import stat
from dataclasses import dataclass
from pathlib import Path

from usbhidups.appliance.settings import KNOWN
from usbhidups.appliance.variables import parse_assignments
from usbhidups.errors import ConfigError

__all__ = ["OVERRIDABLE", "Sources", "read_sources"]

OVERRIDABLE = ("ups.conf", "upsd.conf", "upsd.users", "upsmon.conf", "upssched.conf")
LARGEST = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """``overrides`` maps a file's name to its text; ``notify_override`` is an executable, "" for none."""

    values: dict[str, str]
    problems: tuple[str, ...] = ()
    settings_file: str = ""
    overrides: dict[str, str]
    override_dir: str = ""
    notify_override: str = ""
    notify_override_ignored: bool = False
    extra_users_text: str = ""
    system_hostname: str = ""


def read_sources(settings_file: Path, override_dir: Path) -> Sources:
    """Read everything. A missing settings file is an empty one. Raises ConfigError for unreadable files."""
    text = _text(settings_file)
    parsed = parse_assignments(text or "", KNOWN, where=str(settings_file))
    problems = list(parsed.problems)
    overrides = {
        name: found for name in OVERRIDABLE if (found := _text(override_dir / name)) is not None
    }
    extra_users = ""
    if extra := parsed.values.get("UPS_EXTRA_USERS", ""):
        found = _text(Path(extra))
        if found is None or not extra.startswith("/"):
            problems.append("UPS_EXTRA_USERS: must be the absolute name of a file that exists")
        else:
            extra_users = found
    notify = override_dir / "upsnotify"
    executable = notify.is_file() and os.access(notify, os.X_OK)
    return Sources(
        values=parsed.values,
        problems=tuple(problems),
        settings_file=str(settings_file),
        overrides=overrides,
        override_dir=str(override_dir),
        notify_override=str(notify) if executable else "",
        notify_override_ignored=notify.is_file() and not executable,
        extra_users_text=extra_users,
        system_hostname=socket.gethostname(),
    )


def _text(path: Path) -> str | None:
    """The text of a regular file, None if there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigError(error.strerror or str(error), where=str(path)) from error
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return None
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise ConfigError("is larger than a settings file can be", where=str(path))
    return data.decode("utf-8", errors="replace")
