"""How long one report is waited for: five seconds at first, then in proportion to how slow it has been.

A report that has always come within milliseconds will not come after two seconds; on battery every second
counts (upsmon's DEADTIME). One that is slow by nature keeps its time (failures B02, B13).
"""

from __future__ import annotations

from usbhidups.ups.plan import ReadRequest
from usbhidups.usb.transport import CONTROL_TIMEOUT

__all__ = ["AdaptiveTimeout"]

LEAST = 2.0
FACTOR = 3.0
"""Seconds that a report always gets, and so many times what it took at most."""


class AdaptiveTimeout:
    """What each report of one device has taken."""

    def __init__(self) -> None:
        self._slowest: dict[tuple[object, int], float] = {}

    def with_(self, request: ReadRequest) -> float:
        """Seconds to wait for this report."""
        slowest = self._slowest.get((request.report_type, request.report_id))
        if slowest is None:
            return CONTROL_TIMEOUT
        return min(CONTROL_TIMEOUT, max(LEAST, FACTOR * slowest))

    def took(self, request: ReadRequest, seconds: float) -> None:
        """It was answered after so many seconds."""
        key = (request.report_type, request.report_id)
        self._slowest[key] = max(seconds, self._slowest.get(key, 0.0))
