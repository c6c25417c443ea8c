"""What is known of a UPS at one moment, ready to be published. Data only: no I/O, no decisions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Snapshot", "Value"]


@dataclass(frozen=True, slots=True)
class Value:
    """One published variable.

    ``text`` as NUT clients shall see it (unescaped, printable ASCII is the publisher's business).
    ``at`` is when the report behind it was read (the caller's monotonic clock), None for what is not
    read from the device. ``writable`` with ``length`` (longest text), ``enum`` and ``ranges`` as on the socket.
    """

    text: str
    at: float | None = None
    writable: bool = False
    string: bool = False
    length: int = 0
    enum: tuple[str, ...] = ()
    ranges: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything to publish, whole: who publishes works out what changed.

    ``fresh`` False means the data are stale; ``reason`` then says why, in words for people.
    ``mode`` says how reports come, likewise: by polling, interrupts or both (failure B14).
    """

    variables: Mapping[str, Value] = field(default_factory=dict)
    commands: frozenset[str] = frozenset()
    fresh: bool = False
    reason: str = ""
    mode: str = ""
