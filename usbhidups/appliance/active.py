"""What is in force: the generator's note to the programs that run later (notify, kill power, the page).

One JSON file on tmpfs, owned by root, readable by upsmon's user, without any secret. A halt acts on what
was generated and started, not on settings that somebody edited since; without the file nothing is killed.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from usbhidups.appliance.settings import Mode
from usbhidups.errors import ConfigError

__all__ = ["Active", "load_active"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Active:
    """``ups_names`` are local UPSes with a driver of their own, ``aliases`` further names of the first;
    ``poweroff_wait`` is in seconds, 0 for none; ``notify_from`` is "" where no sender is known."""

    mode: str = Mode.DISABLED.value
    ups_names: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    network_driver: bool = False
    target: str = ""
    run_user: str = ""
    serves_others: bool = False
    default_password: bool = False
    show_status: bool = True
    kill_power: bool = False
    poweroff_wait: int = 0
    notify_to: tuple[str, ...] = ()
    notify_from: str = ""
    hostname: str = ""
    event_log: str = ""
    sendmail: str = ""
    upsc: str = ""
    upsmon_pid_file: str = ""

    def as_text(self) -> str:
        return json.dumps(asdict(self), indent=1) + "\n"


def load_active(path: Path) -> Active:
    """The note at ``path``; a missing one means: nothing is in force. Raises ConfigError, OSError."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Active()
    try:
        found = json.loads(text)
    except ValueError:
        raise ConfigError(
            "not written by 'usbhidups appliance generate'", where=str(path)
        ) from None
    values: dict[str, object] = {}
    default = Active()
    for field in fields(Active):
        value = found.get(field.name) if isinstance(found, dict) else None
        if isinstance(value, list) and all(isinstance(word, str) for word in value):
            value = tuple(value)
        if type(value) is not type(getattr(default, field.name)):
            raise ConfigError("missing or of the wrong kind", where=str(path), key=field.name)
        values[field.name] = value
    return Active(**values)  # type: ignore[arg-type]  # each value's type was compared with its default's
