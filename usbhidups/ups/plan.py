"""Planned work for the owner of the device: what to read next, and lists of writes.

Everything here is data. ``execute`` (outside this package) does it, with a transport and a clock.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from usbhidups.hid.descriptor import Field, ReportType

__all__ = [
    "CutTime",
    "Pause",
    "Read",
    "ReadBack",
    "ReadRequest",
    "Refusal",
    "Step",
    "Write",
    "WritePlan",
]


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """Ask for one report; ``size`` in bytes with the id byte (already enlarged where the profile says so)."""

    report_type: ReportType
    report_id: int
    size: int


@dataclass(frozen=True, slots=True)
class Write:
    """Set one field of one Feature report to ``logical``, leaving the report's other bits as they are.

    The carrier reads the report first, puts the field in (``hid.report.insert``) and sends the whole:
    ``size`` bytes with the id byte.
    ``meaning`` is for people: ``UPS.PowerSummary.DelayBeforeShutdown = 60 s``.
    """

    field: Field
    size: int
    logical: int
    meaning: str
    may_fail: bool = False  # a failure of this write does not end the plan


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait before the next step, in seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class ReadBack:
    """Read the field again: the write is verified when its logical value lies in ``accept`` (inclusive).

    ``must_change``: and is another than before the plan; a timer that shows by chance what was asked for
    proves nothing.
    """

    field: Field
    size: int
    accept: tuple[tuple[int, int], ...]
    meaning: str
    must_change: bool = False


@dataclass(frozen=True, slots=True)
class Read:
    """Read a report that is no order; what it says, or whether it comes, does not matter.

    Firmware was seen that carries out the last request before the cut once more when it is plugged again
    (Back-UPS RS 1000G FW:868.L3; apcupsd reads a status for that reason).
    """

    report_id: int
    size: int
    meaning: str


Step = Write | Pause | ReadBack | Read


class CutTime(enum.Enum):
    """When the load goes after a plan that cuts it."""

    AS_ASKED = "after the delay that was asked for"
    OWN = "after a time of the UPS's own"
    AT_ONCE = "at once, or after a time of the UPS's own"


@dataclass(frozen=True, slots=True)
class WritePlan:
    """Steps in order; ``undo`` is carried out when a step fails after a Write of this plan went out.

    ``switches_load``: this plan may switch the load off or on (and its profile allows that); ``cut`` says
    when the load goes.
    ``fallback``: what to try when this plan is refused by the device, or is not obeyed. A plan with
    ``not_after_ignored`` is left out once the device acknowledged another: it might obey that one silently,
    and this one would undo it.
    """

    name: str
    steps: Sequence[Step]
    undo: Sequence[Step] = ()
    switches_load: bool = False
    cut: CutTime = CutTime.AS_ASKED
    not_after_ignored: bool = False
    fallback: WritePlan | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there is no plan. ``code`` is NUT's TRACKING number (nut-driver-contract.md 3.2)."""

    code: int
    reason: str
