"""Bars and sparklines as text."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["bar", "sparkline"]

_EIGHTHS = " ▏▎▍▌▋▊▉"
_LEVELS = "▁▂▃▄▅▆▇█"
_ASCII_LEVELS = "_.-=+*#"


def bar(share: float, width: int, *, drawn: bool = True) -> tuple[str, str]:
    """The full and the empty part of a bar, ``width`` columns together; ``share`` is taken into 0..1."""
    share = min(1.0, max(0.0, share))
    if not drawn:
        full = round(share * width)
        return "#" * full, "." * (width - full)
    eighths = round(share * width * 8)
    whole, part = divmod(eighths, 8)
    text = "█" * whole + (_EIGHTHS[part] if part else "")
    return text, "░" * (width - len(text))


def sparkline(
    values: Sequence[float | None],
    width: int,
    *,
    lowest: float | None = None,
    highest: float | None = None,
    drawn: bool = True,
) -> str:
    """The newest ``width`` values as a line of bars; None is a gap.

    ``lowest`` and ``highest`` fix the scale, otherwise it is that of the values; a line that hardly
    moves stays flat in the middle instead of showing noise.
    """
    shown = list(values)[-width:]
    known = [value for value in shown if value is not None and math.isfinite(value)]
    if not known:
        return ""
    low = min(known) if lowest is None else lowest
    high = max(known) if highest is None else highest
    least = max(1.0, abs(high) * 0.02)
    if high - low < least:
        middle = (high + low) / 2
        low, high = middle - least / 2, middle + least / 2
    levels = _LEVELS if drawn else _ASCII_LEVELS
    return "".join(_level(value, low, high, levels) for value in shown)


def _level(value: float | None, low: float, high: float, levels: str) -> str:
    if value is None or not math.isfinite(value):
        return " "
    share = min(1.0, max(0.0, (value - low) / (high - low)))
    return levels[min(len(levels) - 1, int(share * len(levels)))]
