"""What the main loop and a device's worker say to each other: plain frozen data, nothing else.

Jobs go to the worker, notices come back. Neither holds a reference to the other's objects.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from usbhidups.nut.upsconf import DriverOptions
from usbhidups.ups.snapshot import Snapshot

__all__ = [
    "Answer",
    "Found",
    "GaveUp",
    "Job",
    "JobKind",
    "Notice",
    "SnapshotNotice",
    "State",
    "StateNotice",
]


class JobKind(enum.Enum):
    """What the worker is asked to do with the device."""

    INSTCMD = "instcmd"
    SET = "set"
    KILLPOWER = "killpower"
    OPTIONS = "options"  # take over ``options``; has no Answer


@dataclass(frozen=True, slots=True)
class Job:
    """One request. ``token`` comes back in the Answer; it means nothing to the worker."""

    kind: JobKind
    token: object
    name: str = ""
    value: str | None = None
    options: DriverOptions | None = None


class State(enum.Enum):
    """Where a device's worker stands; the words are published as ``driver.state``."""

    WAITING = "init.waiting"  # no device yet
    RECONNECT = "reconnect.trying"  # there was one, it is gone
    QUIET = "quiet"  # connected, data are fresh
    DOUBT = "doubt"  # connected, freshness is not proven
    KILLPOWER = "fsd.killpower"


@dataclass(frozen=True, slots=True)
class StateNotice:
    """The state changed; ``reason`` is one line for people."""

    state: State
    reason: str


@dataclass(frozen=True, slots=True)
class Found:
    """A device was opened: the profile chosen (title and version) and the way it is reached.

    ``losses`` is how often it was lost before, since the driver began (failure C06).
    """

    profile: str
    transport: str
    losses: int = 0


@dataclass(frozen=True, slots=True)
class GaveUp:
    """The device is lost and the administrator wants no more tries (reconnect_max_tries)."""

    reason: str


@dataclass(frozen=True, slots=True)
class SnapshotNotice:
    """What is known of the UPS now."""

    view: Snapshot


@dataclass(frozen=True, slots=True)
class Answer:
    """A job is done. ``code`` is NUT's TRACKING number (nut-driver-contract.md 3.2)."""

    job: Job
    code: int
    text: str


Notice = StateNotice | Found | GaveUp | SnapshotNotice | Answer
