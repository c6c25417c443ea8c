"""Usages as numbers and as names, and paths of them as text.

A path is a tuple of nodes: usages (``page << 16 | id``) and index nodes. Its text is NUT's, parts joined by
dots: ``UPS.PowerConverter.Input.[1].Voltage``; a usage without a name is eight hexadecimal digits. The names
of vendor pages are not here: the same number means different things to different vendors, so they are given.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from usbhidups.errors import UnknownUsage
from usbhidups.hid.usage_names import STANDARD

__all__ = ["Names", "index_node"]

_INDEX_BASE = 1 << 32  # usages have 32 bits, so no page can collide with an index
_INDEX_LIMIT = 0x80  # collection types 0x80..0xff carry the index in their low seven bits

_INDEX_TEXTS = frozenset([str(index) for index in range(_INDEX_LIMIT)])
_HEX_DIGITS = frozenset("0123456789abcdef")

_NO_NAMES: Mapping[int, str] = MappingProxyType({})


def _by_name(names: Mapping[int, str]) -> dict[str, int]:
    """Lower-case name to usage; of two usages with one name the first counts."""
    usages: dict[str, int] = {}
    for usage, name in names.items():
        usages.setdefault(name.lower(), usage)
    return usages


_STANDARD_BY_NAME = _by_name(STANDARD)  # in order of page, so that 0x84 wins


def index_node(index: int) -> int:
    """The path node ``[index]`` of a collection whose type is ``0x80 + index``; ValueError outside 0..127."""
    if not 0 <= index < _INDEX_LIMIT:
        raise ValueError(f"collection index {index} is not within 0..{_INDEX_LIMIT - 1}")
    return _INDEX_BASE + index


class Names:
    """The names that hold for one device: its vendor's first, then the standard ones; case is ignored."""

    __slots__ = ("_vendor", "_vendor_by_name")

    def __init__(self, vendor: Mapping[int, str] = _NO_NAMES) -> None:
        self._vendor = dict(vendor)
        self._vendor_by_name = _by_name(self._vendor)

    def text(self, path: tuple[int, ...]) -> str:
        """The text of a path."""
        return ".".join([self._node_text(node) for node in path])

    def path(self, text: str) -> tuple[int, ...]:
        """The path of a text; UnknownUsage for a part that is neither name, nor ``[n]``, nor 1..8 hex digits.

        Digits may have ``0x`` before them; a name goes before the number it looks like. A name that is on both
        standard pages means the one of page 0x84.
        """
        return tuple([self._node(part, text) for part in text.split(".")])

    def _node_text(self, node: int) -> str:
        if node >= _INDEX_BASE:
            return f"[{node - _INDEX_BASE}]"
        name = self._vendor.get(node)
        if name is None:
            name = STANDARD.get(node)
        return f"{node:08x}" if name is None else name

    def _node(self, part: str, text: str) -> int:
        name = part.lower()
        usage = self._vendor_by_name.get(name)
        if usage is None:
            usage = _STANDARD_BY_NAME.get(name)
        if usage is not None:
            return usage
        digits = name.removeprefix("0x")
        if 1 <= len(digits) <= 8 and _HEX_DIGITS.issuperset(digits):
            return int(digits, 16)
        index = name.removeprefix("[").removesuffix("]")
        if name == f"[{index}]" and index in _INDEX_TEXTS:
            return index_node(int(index))
        raise UnknownUsage(part, path=text)
