"""What is compared: one row per figure, with its goal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Figure", "table"]


@dataclass(frozen=True, slots=True)
class Figure:
    """``values`` by contender, ours under ``""``; ``scale`` and ``digits`` say how they are shown.

    The goal is met when ours is at most ``most``, and at most ``ratio`` times each other's; None: not asked.
    """

    name: str
    unit: str
    values: Mapping[str, float]
    ratio: float | None = None
    most: float | None = None
    scale: float = 1.0
    digits: int = 2

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None where there is none."""
        if self.ratio is None and self.most is None:
            return None
        below = self.most is None or self.values[""] <= self.most
        return below and (self.ratio is None or max(self.ratios.values()) <= self.ratio)

    @property
    def ratios(self) -> dict[str, float]:
        """Ours to each other's."""
        return {name: self.values[""] / value for name, value in self.values.items() if name}

    def cell(self, contender: str) -> str:
        """A value as shown, "" where it was not measured."""
        value = self.values.get(contender)
        return "" if value is None else f"{value * self.scale:.{self.digits}f}"

    @property
    def goal(self) -> str:
        """The goal in words."""
        parts = [] if self.ratio is None else [f"ratio ≤ {self.ratio:.2g}"]
        if self.most is not None:
            parts.append(f"≤ {self.most * self.scale:g} {self.unit}")
        return ", ".join(parts)


def table(figures: list[Figure], contenders: list[str]) -> str:
    """A Markdown table of all figures."""
    heads = [
        "figure",
        "unit",
        "usbhidups",
        *contenders,
        *("ratio" for _ in contenders),
        "goal",
        "met",
    ]
    lines = [heads, ["---"] * len(heads)]
    for figure in figures:
        ratios = [
            f"{figure.ratios[name]:.3f}" if name in figure.values else "" for name in contenders
        ]
        met = {True: "yes", False: "**no**", None: ""}[figure.met]
        cells = [figure.cell(name) for name in ("", *contenders)]
        lines.append([figure.name, figure.unit, *cells, *ratios, figure.goal, met])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
