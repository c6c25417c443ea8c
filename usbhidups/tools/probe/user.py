"""Who runs this program, and whether a container is around it."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
from dataclasses import dataclass
from pathlib import Path

__all__ = ["User", "in_container"]


@dataclass(frozen=True, slots=True)
class User:
    """A user's name and the names of all groups that count."""

    name: str
    groups: frozenset[str]

    @classmethod
    def present(cls) -> User:
        """Whom we run as."""
        name = str(os.geteuid())
        with contextlib.suppress(KeyError):
            name = pwd.getpwuid(os.geteuid()).pw_name
        groups: set[str] = set()
        for number in {os.getegid(), *os.getgroups()}:
            with contextlib.suppress(KeyError):
                groups.add(grp.getgrgid(number).gr_name)
        return cls(name, frozenset(groups))


def in_container(root: Path = Path("/")) -> bool:
    """Whether this is a container, as docker, podman and systemd mark them."""
    marks = (".dockerenv", "run/.containerenv", "run/systemd/container")
    return any((root / mark).exists() for mark in marks)
