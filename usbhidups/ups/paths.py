"""Paths as profiles write them (``UPS.PowerConverter.Input.[1].Voltage``) become usage numbers.

Each part is a vendor usage of the profile, a standard usage, eight hex digits (page and id) or an index
node ``[n]``; case does not matter. A part that is none of these is an error, never dropped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from usbhidups.hid import usages

__all__ = ["PathReader"]

_HEX = re.compile(r"[0-9a-f]{8}\Z")
_INDEX = re.compile(r"\[([0-9]{1,3})\]\Z")


class PathReader:
    """Reads paths with the names of one profile (usage number to name)."""

    def __init__(self, names: Mapping[int, str]) -> None:
        self._names = {name.lower(): usage for usage, name in names.items()}
        self._known: dict[str, int] = {}

    def read(self, path: str) -> tuple[int, ...]:
        """Usage numbers of a path, outermost first; raise ValueError naming a part that nobody knows."""
        return tuple([self._node(part) for part in path.split(".")])

    def _node(self, part: str) -> int:
        node = self._known.get(part)
        if node is None:
            node = self._known[part] = self._resolve(part)
        return node

    def _resolve(self, part: str) -> int:
        word = part.lower()
        usage = self._names.get(word)
        if usage is None:
            usage = usages.number(word)
        if usage is not None:
            return usage
        if _HEX.match(word):
            return int(word, 16)
        index = _INDEX.match(word)
        if index is not None:
            return usages.index_node(int(index[1]))
        raise ValueError(f"{part!r} is no usage name")
