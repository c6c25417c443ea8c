"""Snapshots for programs and shells: JSON, and a line by a pattern."""

from __future__ import annotations

import json
import re
from typing import Any

from usbhidups.errors import ConfigError
from usbhidups.tools.screen.safe import safe
from usbhidups.tools.status.snapshot import Snapshot

__all__ = ["as_object", "dumps", "formatted"]

_PART = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]|\\(.)")
_ESCAPES = {"n": "\n", "t": "\t", "\\": "\\"}


def as_object(snapshot: Snapshot) -> dict[str, Any]:
    """One UPS. ``state`` is ``on-line``, ``on-battery``, ``low`` or ``unknown``."""
    return {
        "ups": snapshot.ups,
        "driver": snapshot.socket.program,
        "socket": str(snapshot.socket.path),
        "state": snapshot.state.name.lower().replace("_", "-"),
        "fresh": snapshot.fresh,
        "reason": snapshot.why_unknown or None,
        "variables": dict(sorted(snapshot.variables.items())),
        "commands": sorted(snapshot.commands),
        "writable": sorted(snapshot.writable),
    }


def dumps(snapshots: tuple[Snapshot, ...], *, indent: int | None = 1) -> str:
    """An array of objects, in ASCII."""
    return json.dumps([as_object(snapshot) for snapshot in snapshots], indent=indent)


def formatted(pattern: str, snapshot: Snapshot) -> str:
    r"""``pattern`` with ``{name}`` replaced by what is published, "" where it is not.

    Beside NUT's names there are ``{ups}``, ``{state}`` and ``{reason}``; ``{{`` and ``}}`` are braces, ``\n``
    and ``\t`` what they are in C. ConfigError for a single brace.
    """

    def replaced(part: re.Match[str]) -> str:
        if part[2] is not None:
            return _ESCAPES.get(part[2], part[0])
        if part[0] in ("{{", "}}"):
            return part[0][0]
        if part[1] is None:
            raise ConfigError(f"a single {part[0]} means nothing; write it twice", key="--format")
        own = {
            "ups": snapshot.ups,
            "state": snapshot.state.name.lower().replace("_", "-"),
            "reason": snapshot.why_unknown,
        }
        return safe(own.get(part[1], snapshot.text(part[1])))

    return _PART.sub(replaced, pattern)
