"""Kept inputs: one file per target, one input per line in hexadecimal, shortest first. No duplicates."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

__all__ = ["load", "save"]

_DIRECTORY = Path(__file__).parent / "corpus"


def load(target: str) -> list[bytes]:
    """The inputs kept for a target; none where it has no file yet."""
    file = _DIRECTORY / f"{target}.hex"
    if not file.exists():
        return []
    return [bytes.fromhex(line) for line in file.read_text(encoding="ascii").split("\n")[:-1]]


def save(target: str, inputs: Iterable[bytes]) -> None:
    """Replace the inputs kept for a target."""
    ordered = sorted(set(inputs), key=lambda data: (len(data), data))
    text = "".join(f"{data.hex()}\n" for data in ordered)
    _DIRECTORY.mkdir(exist_ok=True)
    (_DIRECTORY / f"{target}.hex").write_text(text, encoding="ascii")
