"""The built-in profiles, each worked out once for all devices alike: tests attach thousands."""

from __future__ import annotations

from collections.abc import Callable

from usbhidups.ups.loading.file import Head
from usbhidups.ups.loading.library import Library
from usbhidups.ups.profile import Match, Profile

__all__ = ["ReadOnce"]

Asked = list[tuple[Match, bool]]


class ReadOnce(Library):
    """A library that remembers. A profile depends on nothing but its files and on what ``fits`` answered."""

    def __init__(self) -> None:
        super().__init__()
        self._heads: dict[str, Head] = {}
        self._loaded: dict[str, list[tuple[Asked, Profile]]] = {}

    def head(self, name: str) -> Head:
        if name not in self._heads:
            self._heads[name] = super().head(name)
        return self._heads[name]

    def load(self, name: str, fits: Callable[[Match], bool] | None = None) -> Profile:
        if fits is None:
            return super().load(name)
        known = self._loaded.setdefault(name, [])
        for asked, profile in known:
            if all(fits(match) is answer for match, answer in asked):
                return profile
        asked = []

        def noted(match: Match) -> bool:
            answer = fits(match)
            asked.append((match, answer))
            return answer

        profile = super().load(name, noted)
        known.append((asked, profile))
        return profile
