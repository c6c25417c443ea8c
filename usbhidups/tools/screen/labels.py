"""NUT's tokens and plain numbers in words for people."""

from __future__ import annotations

import enum
import math

__all__ = ["Tone", "duration", "in_words", "number", "tone_of"]

_WORDS = {
    "OL": "on line",
    "OB": "on battery",
    "LB": "battery low",
    "HB": "battery high",
    "RB": "replace the battery",
    "CHRG": "charging",
    "DISCHRG": "discharging",
    "BYPASS": "on bypass: no protection",
    "CAL": "calibrating",
    "OFF": "output is off",
    "OVER": "overloaded",
    "TRIM": "trimming high voltage",
    "BOOST": "boosting low voltage",
    "FSD": "forced shutdown",
    "ALARM": "alarm",
    "TEST": "testing",
    "ECO": "economy mode",
}


class Tone(enum.Enum):
    """How a state is to be taken."""

    GOOD = "good"
    NOTE = "note"
    BAD = "bad"
    UNKNOWN = "unknown"


_BAD = frozenset({"LB", "RB", "OFF", "OVER", "FSD", "ALARM"})
_NOTE = frozenset({"OB", "BYPASS", "CAL", "TRIM", "BOOST", "DISCHRG", "TEST"})


def in_words(status: str) -> str:
    """``ups.status`` in words: ``on line, charging``; tokens that nobody knows stay as they are."""
    words = sorted(status.split(), key=lambda word: word == "ALARM")
    return ", ".join(_WORDS.get(word, word) for word in words) or "unknown"


def tone_of(status: str) -> Tone:
    """The most serious of its tokens; UNKNOWN where the status says neither on line nor on battery."""
    tokens = set(status.split())
    if tokens & _BAD:
        return Tone.BAD
    if "OB" in tokens:
        return Tone.NOTE
    if "OL" not in tokens:
        return Tone.UNKNOWN
    return Tone.NOTE if tokens & _NOTE else Tone.GOOD


def duration(seconds: float) -> str:
    """``45 s``, ``12 min``, ``1 h 5 min``, ``3 d 2 h``."""
    whole = round(seconds)
    if whole < 0:
        return "unknown"
    if whole < 120:
        return f"{whole} s"
    minutes = whole // 60
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def number(text: str) -> float | None:
    """A published value as a number; None where it is none."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
