"""Reading string descriptors: the kernel's copies, languages, tries.

Some firmwares keep a broken table of languages, answer only at the third try, or stop answering after
hours; what the kernel read when the device was plugged in is as good and costs nothing.
(hid-power-device.md section 5; failure-catalogue.md A10, A11)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Protocol

from usbhidups.errors import TransferFailed, TransferKind
from usbhidups.usb.descriptors import STRING, string_text
from usbhidups.usb.handle import Setup

__all__ = ["ControlIn", "StringReader"]

TRIES = 3
TRY_GAP = 0.05
"""Attempts at one descriptor, and seconds between attempts, as NUT's."""

ENGLISH = 0x0409

_NO_STRING = (TransferKind.STALL, TransferKind.SHORT)


class ControlIn(Protocol):
    """UsbHandle.control_in, or anything that can make a control read."""

    def __call__(self, setup: Setup, length: int, *, timeout: float) -> bytes:
        """Up to ``length`` bytes; raises TransferFailed, DeviceGone."""
        ...


class StringReader:
    """The strings of one open device. ``copies`` are the kernel's, by index."""

    def __init__(
        self,
        control_in: ControlIn,
        copies: Mapping[int, str],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._control_in = control_in
        self._copies = copies
        self._clock = clock
        self._sleep = sleep
        self._languages: tuple[int, ...] = ()

    def read(self, index: int, timeout: float) -> str | None:
        """The text, None where there is none; raises TransferFailed when the device cannot say."""
        if not 1 <= index <= 255:
            return None
        return self._copies.get(index) or self._ask(index, self._clock() + timeout)

    def _ask(self, index: int, deadline: float) -> str | None:
        for language in self._languages or self._read_languages(deadline):
            text = string_text(self._fetch(index, language, 255, deadline))
            if text is not None:
                self._languages = (language,)
                return text
        return None

    def _read_languages(self, deadline: float) -> tuple[int, ...]:
        """The first language of the device's table, and English, which firmwares have without saying so."""
        table = self._fetch(0, 0, 4, deadline)
        if len(table) < 4 or table[1] != STRING:
            return (ENGLISH,)
        first = table[2] | table[3] << 8
        return (first,) if first == ENGLISH else (first, ENGLISH)

    def _fetch(self, index: int, language: int, length: int, deadline: float) -> bytes:
        """One descriptor with its tries; b"" where it is refused: there is none."""
        setup = Setup(0x80, 0x06, STRING << 8 | index, language, f"get string {index}")
        failed = TransferFailed(TransferKind.TIMEOUT, setup.words)
        for number in range(TRIES):
            if number:
                self._sleep(TRY_GAP)
            left = deadline - self._clock()
            if left <= 0:
                break
            try:
                data = self._control_in(setup, length, timeout=left / (TRIES - number))
            except TransferFailed as error:
                failed = error
                if error.kind is TransferKind.STALL and self._languages:
                    break  # it has given strings before: this is an answer, no hiccup
            else:
                if data:
                    return data
                failed = TransferFailed(TransferKind.SHORT, setup.words)
        if failed.kind in _NO_STRING:
            return b""
        raise failed
