"""The devices that profiles know by their ids, as one list: for people, for udev rules, for documents.

It reads only the heads of profiles. Any other standard Power Device works too, by ``generic``; that cannot be
listed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from usbhidups.ups.loading.file import Head
from usbhidups.ups.loading.library import Library
from usbhidups.ups.profile import Match

__all__ = ["Supported", "supported"]


@dataclass(frozen=True, slots=True)
class Supported:
    """One id that a profile knows. ``product_id`` is None for any product of the vendor.

    ``name`` is what people call the device, "" where nobody said; ``condition`` is what else must agree.
    """

    vendor_id: int
    product_id: int | None
    name: str
    profile: str
    title: str
    condition: str = ""

    @property
    def ids(self) -> str:
        """``1234:5678``, or ``1234:*`` for any product."""
        product = "*" if self.product_id is None else f"{self.product_id:04x}"
        return f"{self.vendor_id:04x}:{product}"


def supported(library: Library) -> tuple[Supported, ...]:
    """All ids of all profiles, in order; ids under several conditions are listed for each."""
    found = [device for head in library.heads() for device in _of_profile(head)]
    return tuple(sorted(found, key=lambda device: (device.ids, device.profile, device.condition)))


def _of_profile(head: Head) -> Iterator[Supported]:
    for match in head.matches:
        if match.vendor is None:
            continue
        condition = _condition(match)
        for product, name in match.products.items() or ((None, match.note),):
            yield Supported(match.vendor, product, name, head.name, head.title, condition)


def _condition(match: Match) -> str:
    parts = {
        "manufacturer": match.manufacturer,
        "product": match.product_string,
    }
    return ", ".join(f"{name} fits {pattern}" for name, pattern in parts.items() if pattern)
