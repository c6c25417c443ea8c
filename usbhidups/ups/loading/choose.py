"""Which profile is for a device: by exact id, then by vendor, else generic; never by a shared id alone.

All conditions of a [[match]] must agree: ids, strings, and paths that must exist or must not. A match with ids
and further conditions goes before one with ids alone. A maker whose other product ids a profile claims has a
[[match]] without products. Everything else is a standard Power Device until somebody knows better.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass

from usbhidups.errors import ProfileError
from usbhidups.hid.descriptor import Descriptor
from usbhidups.hid.usages import Names
from usbhidups.identity import Identity
from usbhidups.ups.loading.file import Head, match_of
from usbhidups.ups.loading.library import GENERIC, Library
from usbhidups.ups.loading.schema import Table
from usbhidups.ups.profile import Match, Profile

__all__ = ["Choice", "OtherDriver", "choose", "fits", "other_driver"]


@dataclass(frozen=True, slots=True)
class Choice:
    """The profile of a device, and in words for people why it is this one."""

    profile: Profile
    why: str


@dataclass(frozen=True, slots=True)
class OtherDriver:
    """A NUT driver that a device belongs to instead; ``note`` says what the device is."""

    name: str
    note: str


def choose(
    library: Library, identity: Identity, descriptor: Descriptor, *, wanted: str = ""
) -> Choice:
    """The profile for a device; ``wanted`` is the administrator's choice, a name or the beginning of one.

    ProfileError when there is no profile of the wanted name, or when the profile itself is wrong.
    """

    def fitting(match: Match) -> bool:
        return fits(match, identity, descriptor)

    if wanted:
        name = _named(library, wanted)
        return Choice(library.load(name, fitting), f"{name}: asked for")
    best: tuple[int, Head, Match] | None = None
    for head in library.heads():
        for match in head.matches:
            if fitting(match) and (best is None or _rank(match) > best[0]):
                best = (_rank(match), head, match)
    ids = f"{identity.vendor_id:04x}:{identity.product_id:04x}"
    if best is None:
        shared = [head.title for head in library.heads() if _knows_vendor(head, identity)]
        known = f" and is not told to be {' or '.join(shared)}" if shared else ""
        return Choice(
            library.load(GENERIC, fitting), f"{ids} is in no profile{known}: standard usages"
        )
    _, head, match = best
    return Choice(library.load(head.name, fitting), f"{head.title}: {_reason(match, ids)}")


def fits(match: Match, identity: Identity, descriptor: Descriptor) -> bool:
    """Whether all that a match asks for agrees with a device."""
    if match.vendor is not None and match.vendor != identity.vendor_id:
        return False
    if match.products and identity.product_id not in match.products:
        return False
    for pattern, text in (
        (match.manufacturer, identity.manufacturer),
        (match.product_string, identity.product),
    ):
        if pattern and not re.search(pattern, text or "", re.IGNORECASE):
            return False
    if not (match.has or match.lacks):
        return True
    paths = {field.path for field in descriptor.fields}
    names = Names()
    return all(names.path(path) in paths for path in match.has) and not any(
        names.path(path) in paths for path in match.lacks
    )


def other_driver(library: Library, identity: Identity) -> OtherDriver | None:
    """The NUT driver for a device that is no HID Power Device (other-drivers.toml), if one is known."""
    text, source = library.data("other-drivers")
    try:
        file = Table(tomllib.loads(text), source=source)
    except tomllib.TOMLDecodeError as problem:
        raise ProfileError(str(problem), where=source) from None
    best: tuple[int, OtherDriver] | None = None
    for driver in file.content:
        for device in file.tables(driver):
            match = match_of(device)
            if fits(match, identity, _NO_DESCRIPTOR) and (best is None or _rank(match) > best[0]):
                best = (_rank(match), OtherDriver(driver, match.products[identity.product_id]))
    return None if best is None else best[1]


_NO_DESCRIPTOR = Descriptor(fields=(), report_bytes={}, numbered=True, applications=())


def _named(library: Library, wanted: str) -> str:
    names = library.names()
    for name in names:
        if name == wanted.lower():
            return name
    titles = {head.name for head in library.heads() if _title_fits(head, wanted)}
    if len(titles) == 1:
        return titles.pop()
    raise ProfileError(f"no profile {wanted!r}; there are {', '.join(names)}", key="subdriver")


def _title_fits(head: Head, wanted: str) -> bool:
    word = wanted.lower().split()[0] if wanted.split() else ""
    return bool(word) and (head.name.startswith(word) or word in head.title.lower())


def _rank(match: Match) -> int:
    """Ids count most, then what the device says of itself."""
    conditions = (match.manufacturer, match.product_string, match.has, match.lacks)
    return 100 * bool(match.products) + 10 * (match.vendor is not None) + sum(map(bool, conditions))


def _knows_vendor(head: Head, identity: Identity) -> bool:
    return any(match.vendor == identity.vendor_id for match in head.matches)


def _reason(match: Match, ids: str) -> str:
    return ", ".join(_reasons(match, ids))


def _reasons(match: Match, ids: str) -> Iterator[str]:
    if match.products:
        yield f"id {ids}"
    elif match.vendor is not None:
        yield f"vendor of {ids}"
    if match.manufacturer or match.product_string:
        yield "its strings"
    if match.has or match.lacks:
        yield "its usages"
