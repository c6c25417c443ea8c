"""Put a file in place: complete, with its owner and mode from the first moment, or not at all.

The text goes to a temporary name that is created with mode 0600, gets owner and mode, and is renamed.
Nobody ever sees half a file or a wider mode (spec 3.1).
"""

from __future__ import annotations

import contextlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Owner", "make_directory", "remove", "replace_link", "write_file"]


@dataclass(frozen=True, slots=True)
class Owner:
    """Numbers of a user and a group; ``None`` leaves what the process has (tests, no root)."""

    user: int | None = None
    group: int | None = None

    def give(self, descriptor_or_path: int | Path) -> None:
        if self.user is not None or self.group is not None:
            user = -1 if self.user is None else self.user
            group = -1 if self.group is None else self.group
            os.chown(descriptor_or_path, user, group)


def write_file(path: Path, text: str, *, mode: int, owner: Owner) -> None:
    """Replace ``path`` by a file with ``text``. Raises OSError; then the old file is untouched."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            owner.give(file.fileno())
            os.fchmod(file.fileno(), mode)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.rename(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        raise


def make_directory(path: Path, *, mode: int, owner: Owner) -> None:
    """Make ``path`` with parents (those 0755); an existing directory gets owner and mode."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
    owner.give(path)
    path.chmod(mode)


def replace_link(path: Path, target: Path) -> None:
    """Let ``path`` be a symbolic link to ``target``, whatever it was before."""
    if path.is_symlink() and path.readlink() == target:
        return
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    temporary.symlink_to(target)
    temporary.rename(path)


def remove(path: Path) -> bool:
    """Remove ``path``; whether it was there."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True
