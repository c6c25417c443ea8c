"""hid-recorder's recordings: ``N:`` name, ``I:`` ids, ``R:`` descriptor, ``E:`` Input reports.

The kernel's debugfs shows descriptors in the same hexadecimal form, without the letters: that is ``hexdump``.
"""

from __future__ import annotations

import re

from usbhidups.tools.probe.pasted.paste import Paste, keyed

__all__ = ["read_recorder"]

_IDS = re.compile(r"[0-9a-fA-F]+ ([0-9a-fA-F]{1,4}) ([0-9a-fA-F]{1,4})\s*$")
_LINE = re.compile(r"^([NIRE]):\s*(.*)$")


def read_recorder(text: str) -> tuple[Paste, ...]:
    """Each device of the recording; an event belongs to the device before it."""
    found: list[Paste] = []
    name, ids = None, (0, 0)
    descriptor = b""
    events: list[bytes] = []

    def finish() -> None:
        if descriptor:
            found.append(
                Paste(
                    "hid-recorder",
                    descriptor,
                    vendor_id=ids[0],
                    product_id=ids[1],
                    product=name,
                    input=keyed(descriptor, events),
                )
            )

    for line in text.splitlines():
        part = _LINE.match(line)
        if part is None:
            continue
        if part[1] == "R":
            finish()
            events.clear()
            descriptor = _counted(part[2])
        elif part[1] == "N":
            name = part[2].strip()
        elif part[1] == "I":
            told = _IDS.match(part[2])
            ids = (int(told[1], 16), int(told[2], 16)) if told else (0, 0)
        elif report := _counted(part[2].partition(" ")[2]):
            events.append(report)
    finish()
    return tuple(found)


def _counted(text: str) -> bytes:
    """``4 0c 64 10 0e``: a decimal count and so many bytes; b"" where they do not fit."""
    count, *words = text.split() or ["0"]
    try:
        data = bytes.fromhex("".join(words))
    except ValueError:
        return b""
    return data if count == str(len(data)) else b""
