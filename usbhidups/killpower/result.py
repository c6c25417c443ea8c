"""What came of a kill-power, as an exit status and in words."""

from __future__ import annotations

import enum
from dataclasses import dataclass

__all__ = ["PoweroffResult", "PoweroffStatus"]


class PoweroffStatus(enum.IntEnum):
    """How sure the cut is; the number is the exit status, and of several UPSes the greatest counts."""

    VERIFIED = 0
    ACCEPTED = 3
    REFUSED = 4
    NOT_FOUND = 5
    STAYS_ON = 6
    NOTHING = 7

    @property
    def words(self) -> str:
        """For people."""
        return _WORDS[self]


_WORDS = {
    PoweroffStatus.VERIFIED: "verified: the UPS shows that it counts down",
    PoweroffStatus.ACCEPTED: "accepted: the UPS took the command, nothing it shows proves more",
    PoweroffStatus.REFUSED: "refused: the UPS cannot or would not",
    PoweroffStatus.NOT_FOUND: "not found: the UPS could not be reached in time",
    PoweroffStatus.STAYS_ON: "stays on: mains are there and the UPS will not cut: reboot, do not halt",
    PoweroffStatus.NOTHING: "nothing to do",
}


@dataclass(frozen=True, slots=True)
class PoweroffResult:
    """What came of one UPS; ``text`` says why."""

    ups: str
    result: PoweroffStatus
    text: str

    def __str__(self) -> str:
        return f"{self.ups}: {self.result.words} ({self.text})"
