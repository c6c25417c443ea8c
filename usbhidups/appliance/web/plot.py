"""A day as a line, drawn as SVG on the server: no script, no styles inside, nothing from elsewhere.

Colours and fonts come from the page's style sheet by class names. Gaps in the data are gaps in the line.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo
from html import escape

__all__ = ["Band", "day_plot"]

WIDTH, HEIGHT = 420, 150
LEFT, RIGHT, TOP, BOTTOM = 38, 8, 8, 24
GAP = 300
DAY = 24 * 3600
MOST_POINTS = 400

Band = tuple[float, float]
Point = tuple[int, float | None]


def day_plot(
    points: Sequence[Point],
    *,
    now: float,
    title: str,
    unit: str,
    band: Band | None,
    kind: str,
    zone: tzinfo | None,
) -> str:
    """``points`` are (epoch seconds, value); ``band`` fixes the scale, else the values choose it;
    ``kind`` becomes the line's class. "" where there is nothing to draw."""
    values = [value for _, value in points if value is not None]
    if not values:
        return ""
    low, high = band or _scale(values)
    start = now - DAY

    def across(when: float) -> float:
        return LEFT + (when - start) / DAY * (WIDTH - LEFT - RIGHT)

    def down(value: float) -> float:
        part = (min(max(value, low), high) - low) / (high - low)
        return TOP + (1 - part) * (HEIGHT - TOP - BOTTOM)

    runs = _runs(points)
    lines, areas = [], []
    floor = HEIGHT - BOTTOM
    for run in runs:
        path = " ".join(f"{across(when):.1f},{down(value):.1f}" for when, value in run)
        if len(run) == 1:
            path += f" {across(run[0][0]) + 1:.1f},{down(run[0][1]):.1f}"
        first, last = across(run[0][0]), across(run[-1][0])
        areas.append(
            f'<polygon class="area" points="{first:.1f},{floor} {path} {last:.1f},{floor}"/>'
        )
        lines.append(f'<polyline class="line" points="{path}"/>')
    grid = _grid(low, high, down) + _hours(start, now, across, zone)
    last_when, last_value = runs[-1][-1]
    dot = f'<circle class="dot" cx="{across(last_when):.1f}" cy="{down(last_value):.1f}" r="3.5"/>'
    label = f"{title}, last 24 hours: {min(values):g} to {max(values):g} {unit}, now {last_value:g} {unit}"
    return (
        f'<svg class="plot {escape(kind)}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(label)}"><title>{escape(label)}</title>{grid}'
        f"{''.join(areas)}{''.join(lines)}{dot}</svg>"
    )


def _scale(values: Sequence[float]) -> Band:
    """Round limits around the values, never so tight that noise looks like an event."""
    low, high = min(values), max(values)
    middle, half = (low + high) / 2, max((high - low) / 2, abs(high) * 0.03, 0.5)
    step = _step(half * 2)
    bottom = ((middle - half * 1.15) // step) * step
    if low >= 0:
        bottom = max(bottom, 0.0)
    return bottom, -((-(middle + half * 1.15)) // step) * step


def _step(span: float) -> float:
    """A step of 1, 2 or 5 times a power of ten that divides ``span`` into about four."""
    raw = span / 4
    power = 1.0
    while power > raw:
        power /= 10
    while power * 10 <= raw:
        power *= 10
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw)


def _runs(points: Sequence[Point]) -> list[list[tuple[int, float]]]:
    """The points in unbroken stretches, thinned to what a screen shows: extremes are kept."""
    runs: list[list[tuple[int, float]]] = []
    before: int | None = None
    for when, value in points:
        if value is None:
            before = None
            continue
        if before is None or when - before > GAP:
            runs.append([])
        runs[-1].append((when, value))
        before = when
    total = sum(len(run) for run in runs)
    return [_thinned(run, max(2, MOST_POINTS * len(run) // total)) for run in runs]


def _thinned(run: list[tuple[int, float]], most: int) -> list[tuple[int, float]]:
    if len(run) <= most:
        return run
    size = -(-len(run) * 2 // most)
    kept: list[tuple[int, float]] = []
    for at in range(0, len(run), size):
        part = run[at : at + size]
        extremes = {min(part, key=lambda point: point[1]), max(part, key=lambda point: point[1])}
        kept += sorted(extremes)
    if kept[-1] != run[-1]:
        kept.append(run[-1])
    return kept


def _grid(low: float, high: float, down: Callable[[float], float]) -> str:
    step = _step(high - low)
    right = WIDTH - RIGHT
    parts: list[str] = []
    value = -(-low // step) * step + 0.0  # no negative zero
    while value <= high + step / 1000:
        y = down(value)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(_tick(LEFT - 6, y + 4, f"{value:g}", "end"))
        value += step
    return "".join(parts)


def _hours(start: float, now: float, across: Callable[[float], float], zone: tzinfo | None) -> str:
    """A mark at every sixth full hour of local time."""
    parts: list[str] = []
    hour = int(start // 3600 + 1) * 3600
    while hour <= now:
        local = datetime.fromtimestamp(hour, zone)
        if local.hour % 6 == 0:
            x = across(hour)
            foot = HEIGHT - BOTTOM
            parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{foot}"/>')
            parts.append(_tick(x, HEIGHT - 6, f"{local:%H:%M}", "middle"))
        hour += 3600
    return "".join(parts)


def _tick(x: float, y: float, text: str, anchor: str) -> str:
    return (
        f'<text class="tick" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
    )
