"""Whether the interrupt endpoint is worth waiting on: decided by what it does (failures B08, B14).

An endpoint that only fails is left alone for minutes; one that stays empty is reopened only where the
administrator says so. Time is an argument.
"""

from __future__ import annotations

from usbhidups.errors import TransferKind

__all__ = ["Endpoint"]

DEAF_AFTER = 3
DEAF_FOR = 600.0
"""Failures in a row after which the endpoint is left alone, and for how many seconds."""


class Endpoint:
    """The interrupt endpoint of one connection.

    ``used`` False: it is never waited on. ``needed``: nothing else brings reports, so it is never given up.
    ``tolerance`` is interrupt_pipe_no_events_tolerance: empty waits in a row that are borne, negative: all.
    """

    def __init__(self, *, used: bool, needed: bool, tolerance: int) -> None:
        self._used = used
        self._needed = needed
        self.tolerance = tolerance
        self._failures = 0
        self._empty = 0
        self._deaf_until: float | None = None
        self._given_up = False

    @property
    def mode(self) -> str:
        """How reports come, for people; an endpoint that failed has to bring one to be believed again."""
        if self._needed:
            return "interrupts"
        if self._given_up:
            return "polling (the interrupt endpoint fails)"
        return "interrupts and polling" if self._used else "polling"

    @property
    def listens(self) -> bool:
        """Whether to wait on it now."""
        return self._used and self._deaf_until is None

    @property
    def too_quiet(self) -> bool:
        """Whether it stayed empty for longer than the administrator bears."""
        return 0 <= self.tolerance < self._empty

    def look(self, now: float) -> None:
        """Give an endpoint that was left alone another chance when its time has come."""
        if self._deaf_until is not None and now >= self._deaf_until:
            self.opened()

    def brought(self) -> None:
        """A report came."""
        self._failures = self._empty = 0
        self._given_up = False

    def stayed_empty(self) -> None:
        """A wait ended without a report."""
        self._empty += 1

    def failed(self, kind: TransferKind, *, now: float) -> None:
        """A wait failed; a timeout is no failure."""
        if kind is TransferKind.TIMEOUT:
            return
        self._failures += 1
        if self._failures >= DEAF_AFTER and not self._needed:
            self._deaf_until = now + DEAF_FOR
            self._given_up = True

    def opened(self) -> None:
        """The device was opened anew, or the endpoint is to be tried again."""
        self._failures = self._empty = 0
        self._deaf_until = None
