"""What a simulated device would answer now: the bytes of its reports, written bit by bit.

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
        """Write a field, bit by bit; what the report has no room for is left out."""
        data = self._data.get((slot.kind, slot.report_id))
        if data is None:
            return
        self.version += 1
        for bit in range(slot.size):
            byte, place = divmod(slot.offset + bit, 8)
            if byte < len(data):
                data[byte] = data[byte] & ~(1 << place) | (raw >> bit & 1) << place


def extract(data: bytes | bytearray, slot: Slot) -> int:
    """A field's raw number out of a report's bytes (without id byte); missing bits are 0."""
    raw = 0
    for bit in range(slot.size):
        byte, place = divmod(slot.offset + bit, 8)
        if byte < len(data):
            raw |= (data[byte] >> place & 1) << bit
    if slot.signed and slot.size and raw >> slot.size - 1:
        raw -= 1 << slot.size
    return raw
