"""One descriptor found in a text, with what the text says around it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from usbhidups.usb.reportscan import scan

__all__ = ["Paste", "keyed"]


@dataclass(frozen=True, slots=True)
class Paste:
    """``form`` names the text's form for people. Ids are 0 and strings None where the text does not say.

    ``feature`` and ``input`` are reports, id byte first (0 on devices without ids), the last of each id.
    ``lacks`` says what is known to be missing, "" for nothing.
    """

    form: str
    descriptor: bytes
    vendor_id: int = 0
    product_id: int = 0
    release: int = 0
    manufacturer: str | None = None
    product: str | None = None
    serial: str | None = None
    feature: Mapping[int, bytes] = field(default_factory=dict)
    input: Mapping[int, bytes] = field(default_factory=dict)
    lacks: str = ""


def keyed(descriptor: bytes, reports: Iterable[bytes]) -> dict[int, bytes]:
    """Reports as they went over the wire, the last of each id; where there are no ids they begin with a 0."""
    numbered = scan(descriptor).numbered
    whole = (report if numbered else b"\0" + report for report in reports if report)
    return {report[0]: report for report in whole}
