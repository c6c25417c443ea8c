"""The outcome of one check. Data only."""

from __future__ import annotations

import enum
from dataclasses import dataclass

__all__ = ["Check", "Severity"]


class Severity(enum.Enum):
    """How it is."""

    OK = "ok"
    NOTE = "note"  # works, but should be known
    PROBLEM = "problem"
    SKIPPED = "skipped"  # could not be looked at, with the rights at hand


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, how it is, and what mends it ("" where nothing has to be mended)."""

    subject: str
    verdict: Severity
    text: str
    mend: str = ""
