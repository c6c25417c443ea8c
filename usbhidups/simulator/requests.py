"""What a host asked of a simulated device: a bounded record, for tests that compare bytes."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

__all__ = ["KEPT", "Request", "RequestLog"]

KEPT = 4096


@dataclass(frozen=True, slots=True)
class Request:
    """One request. ``what`` is ``get-feature``, ``set-feature``, ``get-input``, ``input``, ``string``,
    ``hid-descriptor``, ``report-descriptor``, ``descriptor``, or ``setup`` for the rest; ``number`` the
    report id, string index or descriptor type; ``data`` what was written or answered (reports as on the
    wire), ``outcome`` ``ok`` or how it failed. ``at`` is the host's time, ``ups_at`` the UPS's own."""

    at: float
    ups_at: float
    what: str
    number: int
    data: bytes
    outcome: str

    def as_json(self) -> dict[str, object]:
        """For the control socket."""
        return {
            "at": self.at,
            "ups_at": self.ups_at,
            "what": self.what,
            "number": f"{self.number:02x}",
            "data": self.data.hex(" "),
            "outcome": self.outcome,
        }


@dataclass(slots=True)
class RequestLog:
    """The last requests, the count of all, and those that the device does not know."""

    entries: deque[Request] = field(default_factory=lambda: deque(maxlen=KEPT))
    total: int = 0
    unknown: set[str] = field(default_factory=set)

    def add(self, request: Request) -> None:
        """Write one down."""
        self.total += 1
        self.entries.append(request)

    def wrote(self) -> list[bytes]:
        """The SET_REPORTs (Feature) in order, accepted or not, as on the wire."""
        return [entry.data for entry in self.entries if entry.what == "set-feature"]

    def forget(self) -> None:
        """Begin anew."""
        self.entries.clear()
        self.unknown.clear()
        self.total = 0
