"""Does a device answer control reads at all? One failing report says nothing, everything failing a lot.

It is not about single reports (that is ``schedule``) and not about the interrupt endpoint (that is
``endpoint``). Time is an argument (seconds of one monotonic clock).
"""

from __future__ import annotations

from usbhidups.errors import TransferKind
from usbhidups.ups.reading.wanted import Key

__all__ = ["Failures"]

SOME = 3
SOME_FOR = 1.0
MANY = 8
"""Transfers that fail in a row, and the seconds that this lasts, which are enough to open a device again; and
the number that is enough at once. Of twenty reads in one round three in a row fail by chance where many fail;
and a device that fails is not asked more than one that is well (failure B09)."""

FEW_FOR = 4.0
SINGLE_FOR = 8.0
"""The same seconds where they are fewer, or all of one report: a slow failure counts for more."""


class Failures:
    """The transfers of one device that failed in a row, with no answer in between."""

    def __init__(self) -> None:
        self._ever_answered = False
        self._keys: list[Key] = []
        self._since: float | None = None

    def failed(self, key: Key, kind: TransferKind, *, supported: bool, now: float) -> None:
        """A control read failed. A report that never worked and is refused says nothing of the device."""
        if kind is TransferKind.STALL and not supported:
            return
        self._keys.append(key)
        if self._since is None:
            self._since = now

    def answered(self) -> None:
        """A control read was answered."""
        self._ever_answered = True
        self.forget()

    def announced(self) -> None:
        """A report came by itself: an answer for a device that never gave another. (failure B04)"""
        if not self._ever_answered:
            self.forget()

    def forget(self) -> None:
        """The device was opened anew."""
        self._keys.clear()
        self._since = None

    @property
    def number(self) -> int:
        """Transfers that failed in a row."""
        return len(self._keys)

    @property
    def several(self) -> bool:
        """Whether it is no matter of one report any more."""
        return self.number >= SOME

    def nothing_works(self, now: float) -> str:
        """Why the device should be opened again; "" where it should not."""
        if self._since is None or self.number < 2:
            return ""
        lasting = now - self._since
        if lasting < (SOME_FOR if self.several else FEW_FOR) and self.number < MANY:
            return ""
        if len(set(self._keys)) < 2 and lasting <= SINGLE_FOR:
            return ""
        return f"nothing is answered any more ({self.number} transfers failed)"
