"""What is fuzzed: a written list. Each target takes any bytes and raises nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.fuzz import hid, nut, pasted, ups, usb

__all__ = ["TARGETS", "Target"]


@dataclass(frozen=True, slots=True)
class Target:
    """``run`` takes one input and returns; whatever it raises is a finding.

    ``seeds`` gives real inputs to begin with, ``longest`` is the length in bytes beyond which nothing new
    is to be expected.
    """

    run: Callable[[bytes], None]
    seeds: Callable[[], Sequence[bytes]]
    longest: int


TARGETS = {
    "descriptor": Target(hid.descriptor, hid.descriptor_seeds, 4096),
    "reports": Target(hid.reports, hid.reports_seeds, 65),
    "usage-path": Target(hid.usage_path, hid.usage_path_seeds, 120),
    "configuration": Target(usb.configuration, usb.configuration_seeds, 512),
    "usbip": Target(usb.usbip, usb.usbip_seeds, 600),
    "usbip-server": Target(usb.usbip_server, usb.usbip_server_seeds, 600),
    "uevent": Target(usb.uevent, usb.uevent_seeds, 300),
    "fixture": Target(usb.fixtures, usb.fixtures_seeds, 4000),
    "pasted": Target(pasted.pasted, pasted.pasted_seeds, 1200),
    "recording": Target(pasted.recording, pasted.recording_seeds, 1500),
    "session": Target(nut.session, nut.session_seeds, 300),
    "published": Target(nut.published, nut.published_seeds, 700),
    "upsconf": Target(nut.upsconf, nut.upsconf_seeds, 600),
    "profile": Target(ups.profile, ups.profile_seeds, 16384),
    "ups": Target(ups.reports, ups.reports_seeds, 500),
}
