"""What a simulated device would answer now: the bytes of its reports, written field by field.

Reports are kept without their id byte. Nothing here knows what a field means.
"""

from __future__ import annotations

from usbhidups.simulator.layout import Kind, Slot

__all__ = ["Reports", "extract"]


class Reports:
    """The current bytes of each report that the device knows. ``version`` grows with every change."""

    def __init__(self) -> None:
        self._data: dict[tuple[Kind, int], bytearray] = {}
        self.version = 0

    def __contains__(self, key: tuple[Kind, int]) -> bool:
        return key in self._data

    @property
    def keys(self) -> list[tuple[Kind, int]]:
        """The reports there are."""
        return list(self._data)

    def load(self, kind: Kind, report_id: int, data: bytes) -> None:
        """Set a whole report."""
        self._data[kind, report_id] = bytearray(data)
        self.version += 1

    def read(self, kind: Kind, report_id: int) -> bytes:
        """A whole report; KeyError when the device has none such."""
        return bytes(self._data[kind, report_id])

    def get(self, slot: Slot) -> int | None:
        """A field's raw number; None where the report is missing or too short to hold it."""
        data = self._data.get((slot.kind, slot.report_id))
        if data is None or slot.offset + slot.size > 8 * len(data):
            return None
        return extract(data, slot)

    def put(self, slot: Slot, raw: int) -> None:
        """Write a field; what the report has no room for is left out."""
        data = self._data.get((slot.kind, slot.report_id))
        if data is None:
            return
        room = (1 << 8 * len(data)) - 1
        mask = (1 << slot.size) - 1 << slot.offset & room
        before = int.from_bytes(data, "little")
        after = before & ~mask | raw << slot.offset & mask
        if after != before:
            data[:] = after.to_bytes(len(data), "little")
            self.version += 1


def extract(data: bytes | bytearray, slot: Slot) -> int:
    """A field's raw number out of a report's bytes (without id byte); missing bits are 0."""
    raw = int.from_bytes(data, "little") >> slot.offset & (1 << slot.size) - 1
    if slot.signed and slot.size and raw >> slot.size - 1:
        raw -= 1 << slot.size
    return raw
