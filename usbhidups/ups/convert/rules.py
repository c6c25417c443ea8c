"""What a conversion is given: its row, the reading, and a way to ask for what else it needs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo
from typing import Protocol

from usbhidups.hid.descriptor import Field
from usbhidups.ups.evidence import Reading
from usbhidups.ups.options import Options
from usbhidups.ups.profile import VariableRow

__all__ = ["Access", "Choices", "CommandWriter", "Reader", "Writer"]


class Access(Protocol):
    """What a conversion may ask beside its own reading. Everything may be unknown: None."""

    memory: dict[str, float]
    """Numbers kept from one decoding to the next: scales that are decided once."""

    @property
    def zone(self) -> tzinfo:
        """The time zone of the device's clock."""

    @property
    def options(self) -> Options:
        """The administrator's options."""

    def string(self, index: int) -> str | None:
        """The USB string of an index."""

    def report(self, field: Field) -> bytes | None:
        """The newest report that a field belongs to, id byte first."""

    def sibling(self, field: Field, usage: int) -> Reading | None:
        """The reading of another usage in the collection that a field lies in."""

    def note(self, words: str) -> None:
        """Tell people that a value was repaired."""

    def text(self, name: str) -> str | None:
        """Another variable as it is published."""

    def number(self, name: str) -> float | None:
        """Another variable as a number."""


Reader = Callable[[VariableRow, Reading, Access], str | None]
"""The published text of a reading, None where it says nothing."""

Writer = Callable[[VariableRow, str, Access], float]
"""The physical value for a client's text; ValueError with the reason where there is none."""

CommandWriter = Callable[[int, Options], int]
"""The logical value that a command sends for a delay in seconds; ValueError where there is none."""

Choices = Callable[[VariableRow, str], tuple[str, ...]]
"""The words offered for a setting, from its present text."""
