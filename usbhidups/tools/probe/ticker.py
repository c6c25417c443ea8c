"""What is being read, on a terminal's standard error: a slow device takes its time."""

from __future__ import annotations

import os
import sys
from typing import Self, TextIO

__all__ = ["Ticker"]

LONGEST = 76


class Ticker:
    """One line that is written over; nothing where standard error is no terminal. Gone at the end."""

    def __init__(self, file: TextIO | None = None) -> None:
        self._file = file or sys.stderr
        self._shown = self._file.isatty() and os.environ.get("TERM", "dumb") != "dumb"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._write("")

    def __call__(self, device: str, text: str) -> None:
        """Say what is done now; ``device`` is its port path."""
        self._write(f"{device}: {text}")

    def _write(self, text: str) -> None:
        if self._shown:
            self._file.write(f"\r\x1b[K{text[:LONGEST]}")
            self._file.flush()
