"""What passes between a USB host and a device: a setup packet, and how a transfer ends."""

from __future__ import annotations

import enum
from dataclasses import dataclass

__all__ = ["NEVER", "STALLED", "Reply", "Setup", "Status"]


class Status(enum.Enum):
    """How a transfer ended; the value is a USB request's status (negative errno), None: it does not end."""

    OK = 0
    STALL = -32
    IO = -71
    OVERFLOW = -75
    GONE = -19
    NEVER = None


@dataclass(frozen=True, slots=True)
class Reply:
    """The end of a transfer: IN data, and after how many seconds (host time) it comes."""

    status: Status
    data: bytes = b""
    after: float = 0.0


STALLED = Reply(Status.STALL)
NEVER = Reply(Status.NEVER)


@dataclass(frozen=True, slots=True)
class Setup:
    """The eight bytes that begin a control transfer (USB 2.0 section 9.3)."""

    request_type: int
    request: int
    value: int
    index: int
    length: int

    @classmethod
    def unpack(cls, raw: bytes) -> Setup:
        """From the bytes on the bus."""
        return cls(
            request_type=raw[0],
            request=raw[1],
            value=int.from_bytes(raw[2:4], "little"),
            index=int.from_bytes(raw[4:6], "little"),
            length=int.from_bytes(raw[6:8], "little"),
        )

    @property
    def inbound(self) -> bool:
        """The device sends."""
        return bool(self.request_type & 0x80)

    @property
    def high(self) -> int:
        """High byte of wValue: descriptor type or report type."""
        return self.value >> 8

    @property
    def low(self) -> int:
        """Low byte of wValue: descriptor index or report id."""
        return self.value & 0xFF
