"""A set of measurements, shown by the numbers that are compared."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Spread"]


@dataclass(frozen=True, slots=True)
class Spread:
    """Measured values in ascending order; at least one."""

    values: tuple[float, ...]

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """The spread of ``values``."""
        return cls(tuple(sorted(values)))

    def quantile(self, share: float) -> float:
        """The smallest value that at least this share of all do not exceed (nearest rank)."""
        return self.values[max(0, math.ceil(share * len(self.values)) - 1)]

    @property
    def median(self) -> float:
        """Half of the values are at most this."""
        return self.quantile(0.5)

    @property
    def p99(self) -> float:
        """99 of 100 are at most this."""
        return self.quantile(0.99)

    @property
    def greatest(self) -> float:
        """The worst."""
        return self.values[-1]
