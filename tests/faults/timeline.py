"""A clock that moves only when somebody waits, and what is to happen on the way."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable

__all__ = ["Timeline"]


class Timeline:
    """Seconds of virtual time. Something arranged happens exactly when its moment is passed."""

    def __init__(self, start: float = 1000.0) -> None:
        self.now = start
        self._arranged: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def __call__(self) -> float:
        return self.now

    def at(self, moment: float, action: Callable[[], None]) -> None:
        """Arrange something; what is due already happens with the next ``sleep``."""
        heapq.heappush(self._arranged, (moment, next(self._order), action))

    @property
    def next_event(self) -> float:
        """When something happens next, infinity when nothing is arranged."""
        return self._arranged[0][0] if self._arranged else float("inf")

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        end = self.now + seconds
        while self._arranged and self._arranged[0][0] <= end:
            moment, _, action = heapq.heappop(self._arranged)
            self.now = max(self.now, moment)
            action()
        self.now = max(self.now, end)
