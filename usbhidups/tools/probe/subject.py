"""What there is to be looked at: an open device, or one of which all is known already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from usbhidups.errors import UsbHidUpsError
from usbhidups.identity import Identity
from usbhidups.tools.probe.finding import Finding
from usbhidups.tools.probe.problem import Problem
from usbhidups.usb.transport import Transport

__all__ = ["Explain", "Known", "Opened", "Subject"]


class Explain(Protocol):
    """Says what an error means for one device."""

    def __call__(self, error: UsbHidUpsError) -> Problem: ...


@dataclass(frozen=True, slots=True)
class Opened:
    """An open device; who gets it closes it. ``way`` and ``why`` are as in Finding."""

    identity: Identity
    transport: Transport
    way: str
    why: str
    warnings: tuple[str, ...]
    explain: Explain


@dataclass(frozen=True, slots=True)
class Known:
    """A device that is not opened: served by a driver, closed to us, or another driver's."""

    finding: Finding


Subject = Opened | Known
