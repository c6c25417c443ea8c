"""Reading one report with patience for firmwares that send more than they declared.

The same for every way of asking: a report that overflows is asked once more with room, and so from then
on; an answer is cut to what was declared and must bear the right id; an empty one is a failure, an
all-zero one is data. (failure-catalogue.md B03, B04, B05, B17)
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from usbhidups.errors import TransferFailed, TransferKind

__all__ = ["FEATURE", "INPUT", "ReportReader"]

_log = logging.getLogger(__name__)

INPUT, FEATURE = 0x01, 0x03
"""Report types of GET_REPORT (HID 1.11 section 7.2.1)."""

PACKET = 64
PADDED = 512
"""Bytes to which some firmwares fill up every answer, as long as they may (failure B05)."""
_NAMES = {INPUT: "input", FEATURE: "feature"}


class ReportReader:
    """Remembers for one connection how much room the reports need that are longer than declared."""

    def __init__(self) -> None:
        self._rooms: dict[tuple[int, int], int] = {}

    def read(self, ask: Callable[[int, str], bytes], kind: int, report_id: int, size: int) -> bytes:
        """One report of at most ``size`` bytes, id byte first.

        ``ask(length, words)`` makes the request for ``length`` bytes with the id byte; ``words`` names it.
        Raises TransferFailed and whatever ``ask`` raises.
        """
        words = f"get {_NAMES[kind]} {report_id:#04x}"
        known = self._rooms.get((kind, report_id), size)
        rooms = [
            known,
            *(room for room in (size // PACKET * PACKET + PACKET, PADDED) if room > known),
        ]
        data = b""
        for place, room in enumerate(rooms):
            try:
                data = ask(room, words)
            except TransferFailed as error:
                if error.kind is not TransferKind.OVERFLOW or place == len(rooms) - 1:
                    raise
            else:
                self._remember(kind, report_id, size, room, words)
                break
        if not data:
            raise TransferFailed(TransferKind.SHORT, f"{words}: an empty answer")
        if data[0] != report_id:
            raise TransferFailed(TransferKind.IO, f"{words}: answered by report {data[0]:#04x}")
        return data[:size]

    def _remember(self, kind: int, report_id: int, size: int, room: int, words: str) -> None:
        if room > self._rooms.get((kind, report_id), size):
            _log.info("%s: longer than declared, asked for with %d bytes from now on", words, room)
            self._rooms[kind, report_id] = room
