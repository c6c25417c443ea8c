"""Which copy of the report descriptor can be believed.

Firmwares announce wrong lengths, answer short, or put stray bytes in front. So several copies are asked
for in the order that has hurt least, each is looked at, and the best is kept: one that begins a Power
Device and is whole, with the PowerSummary collection where any copy has it.
(hid-power-device.md section 1; failure-catalogue.md A01 to A05)
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from usbhidups.errors import DescriptorError, TransferFailed
from usbhidups.usb.descriptors import HID, REPORT, HidInterface, report_length
from usbhidups.usb.handle import Setup
from usbhidups.usb.reportscan import LONGEST, scan

__all__ = ["Ask", "best_descriptor"]

_log = logging.getLogger(__name__)

Ask = Callable[[Setup, int], bytes]
"""One control read of at most so many bytes, its timeout already chosen; raises as UsbHandle.control_in."""

ROUNDS = 3
"""How often the whole ladder is climbed (failure A04: the first reads fail, later ones succeed)."""

LARGER = (4096, LONGEST)
"""Bytes asked for when no announced length led to a whole descriptor with a PowerSummary (A02)."""

_GET_DESCRIPTOR = 0x06
_INTERFACE_IN = 0x81


def best_descriptor(
    ask: Ask,
    interface: HidInterface,
    *,
    cached: bytes | None = None,
    index: int = 0,
    pause: Callable[[], None],
) -> bytes:
    """The report descriptor of ``interface``, the best copy that can be had.

    ``cached`` is the kernel's copy, None where it has none; ``index`` the descriptor's number (a few
    firmwares keep the full one at 1); ``pause`` is called between rounds. Raises DescriptorError when no
    copy is a Power Device's, and DeviceGone, DeviceBusy, AccessDenied as ``ask`` does.
    """
    heard = ""
    for number in range(ROUNDS):
        if number:
            pause()
        climb = _Climb(ask, interface, index)
        best = climb.best(cached)
        if best.usable:
            log = _log.debug if best.whole else _log.warning
            shape = "" if best.whole else ", though it is cut short or a collection stays open"
            log("report descriptor: %d bytes %s%s", len(best.data), best.source, shape)
            return best.data
        heard = climb.heard or heard
    raise DescriptorError(
        f"interface {interface.number} is no Power Device: {heard or 'no answer'}"
    )


@dataclass(frozen=True, slots=True)
class _Copy:
    data: bytes = b""
    source: str = ""
    usable: bool = False
    summary: bool = False
    whole: bool = False

    @property
    def rank(self) -> tuple[bool, bool, bool, int]:
        """The better copy has the greater rank."""
        return self.usable, self.summary, self.whole, len(self.data)


def _copy(data: bytes, source: str) -> _Copy:
    found = scan(data)
    usable = found.power and len(data) <= LONGEST
    return _Copy(data, source, usable=usable, summary=found.power_summary, whole=found.whole)


class _Climb:
    """One climb: reads copies until one is good enough; remembers what was heard for a message."""

    def __init__(self, ask: Ask, interface: HidInterface, index: int) -> None:
        self.heard = ""
        self._ask = ask
        self._interface = interface
        self._index = index
        self._best = _Copy()
        self._asked: set[int] = set()

    def best(self, cached: bytes | None) -> _Copy:
        embedded = self._interface.report_length
        if self._read(embedded, "by the configuration's length"):
            return self._best
        requested = self._length_by_request()
        if self._read(requested, "by the HID descriptor's length"):
            return self._best
        if self._best.usable and self._best.whole and requested in (0, embedded):
            return self._best  # it has no PowerSummary, and nothing speaks of more
        for length in LARGER:
            if self._read(length, f"when {length} bytes were asked for"):
                return self._best
        if cached:
            self._take(_copy(cached, "from the kernel"))
        return self._best

    def _take(self, copy: _Copy) -> bool:
        """Keep the better copy; say whether it is as good as can be."""
        self._best = max(self._best, copy, key=lambda each: each.rank)
        return self._best.usable and self._best.summary and self._best.whole

    def _read(self, length: int, source: str) -> bool:
        if not 1 <= length <= LONGEST or length in self._asked:
            return False
        self._asked.add(length)
        setup = self._setup(REPORT, "get report descriptor")
        try:
            data = self._ask(setup, length)
        except TransferFailed as error:
            self.heard = str(error)
            _log.debug("%s of %d bytes: %s", setup, length, error)
            return False
        self.heard = f"{len(data)} bytes that begin {data[:8].hex(' ') or 'with nothing'}"
        return self._take(_copy(data, source))

    def _length_by_request(self) -> int:
        """The length that the device gives when asked, 0 where it gives none that can be."""
        setup = self._setup(HID, "get HID descriptor")
        try:
            length = report_length(self._ask(setup, 9))
        except TransferFailed as error:
            _log.debug("%s: %s", setup, error)
            return 0
        return length if length <= LONGEST else 0

    def _setup(self, kind: int, words: str) -> Setup:
        value = kind << 8 | self._index
        return Setup(_INTERFACE_IN, _GET_DESCRIPTOR, value, self._interface.number, words)
