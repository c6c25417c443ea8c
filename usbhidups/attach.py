"""From an open transport to a UPS that is understood: the one place where usb/, hid/ and ups/ meet.

The daemon, kill-power and probe all come through here, so that they see the same device in the same way.
It opens nothing and writes nothing; the transport has read the report descriptor already.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

from usbhidups.errors import DescriptorError
from usbhidups.hid.descriptor import Descriptor, parse
from usbhidups.identity import Identity
from usbhidups.ups.device import Ups
from usbhidups.ups.device import attach as join
from usbhidups.ups.fixes import Repair, repaired
from usbhidups.ups.loading.choose import choose
from usbhidups.ups.loading.library import GENERIC, Library
from usbhidups.ups.naming import Models
from usbhidups.ups.options import Options
from usbhidups.usb.transport import Transport

__all__ = ["Attachment", "attach", "maybe_ups", "same_device"]

_POWER_PAGES = (0x84, 0x85)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A UPS and how it came to be seen this way.

    ``why`` says why its profile was chosen; ``repairs`` are limits of its descriptor that were corrected;
    ``declared`` is the descriptor as the device sent it, ``raw`` its bytes.
    """

    ups: Ups
    why: str
    repairs: tuple[Repair, ...]
    declared: Descriptor
    raw: bytes


def attach(
    transport: Transport,
    library: Library,
    options: Options,
    *,
    subdriver: str = "",
    now: float,
    zone: tzinfo,
) -> Attachment:
    """Understand the device behind ``transport``.

    Raises DescriptorError when it is no UPS, ProfileError when its profile is wrong, ConfigError when an
    option asks for what it does not have, and what the transport raises.
    """
    identity = transport.identity
    raw = transport.report_descriptor()
    declared = parse(raw)
    choice = choose(library, identity, declared, wanted=subdriver)
    profile = choice.profile
    if profile.name == GENERIC and not _is_power_device(declared):
        raise DescriptorError("its report descriptor describes no Power Device")
    fixes = () if options.disable_fix_report_desc else profile.fixes
    descriptor, repairs = repaired(declared, fixes)
    table = profile.identification.models
    models = Models(library, table) if table else None
    ups = join(identity, descriptor, profile, options, now=now, models=models, zone=zone)
    return Attachment(ups, choice.why, repairs, declared, raw)


def maybe_ups(library: Library, vendor_id: int, product_id: int) -> bool:
    """Whether a profile knows these ids: for devices whose report descriptor nobody has read yet."""
    return any(
        match.vendor == vendor_id and (not match.products or product_id in match.products)
        for head in library.heads()
        for match in head.matches
    )


def same_device(one: Identity, other: Identity) -> bool:
    """Whether two connections are of the same device, as far as ids and place tell (failure A11).

    Strings are not asked: there are devices that stop answering them after hours.
    """
    return (one.vendor_id, one.product_id, one.port_path) == (
        other.vendor_id,
        other.product_id,
        other.port_path,
    )


def _is_power_device(descriptor: Descriptor) -> bool:
    return any(usage >> 16 in _POWER_PAGES for usage in descriptor.applications)
