"""Text of strangers made fit for a terminal: what a device calls itself must not move the cursor."""

from __future__ import annotations

__all__ = ["safe"]

LONGEST = 400


def safe(text: str) -> str:
    """One line of printable characters; others (bidirectional controls too) become ``\\x1b``, ``\\u202e``."""
    shown = "".join(char if char.isprintable() else _escaped(char) for char in text[:LONGEST])
    return shown if len(text) <= LONGEST else f"{shown}…"


def _escaped(char: str) -> str:
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
