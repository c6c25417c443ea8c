"""Report descriptors and reports out of text that people paste: recognised by its looks, one module a form.

``read_pasted`` takes the bytes of a file or an argument; what comes out are the descriptors in it, each with
what the text says of the device and the reports that it shows. Nothing here knows what the bytes mean. The
text may be a stranger's: whatever it is, it is read in a time that grows with its length only.
"""

from __future__ import annotations

import re

from usbhidups.errors import ConfigError
from usbhidups.tools.probe.pasted.hexdump import read_hex, read_usbhid_dump
from usbhidups.tools.probe.pasted.lsusb import read_lsusb
from usbhidups.tools.probe.pasted.nutlog import read_nut_log
from usbhidups.tools.probe.pasted.paste import Paste
from usbhidups.tools.probe.pasted.recorder import read_recorder

__all__ = ["LARGEST", "Paste", "read_pasted"]

LARGEST = 8 << 20
"""Bytes that are read of a file; a debug log of hours is longer, its beginning is what counts."""


def read_pasted(data: bytes, *, where: str) -> tuple[Paste, ...]:
    """Every descriptor of a text. ConfigError, saying what is understood, when there is none."""
    if _is_binary(data):
        return (Paste("bytes of a report descriptor", data),)
    text = data.decode("utf-8", "replace")
    for reader in (read_nut_log, read_lsusb, read_usbhid_dump, read_recorder, read_hex):
        found = reader(text)
        if found:
            return found
    problem = next((words for looks, words in _LACKING if looks.search(text)), _NOTHING)
    raise ConfigError(problem, where=where)


_NOTHING = (
    "no report descriptor in it; understood are hexadecimal bytes, lsusb -v (run as root, with the "
    "kernel's driver unbound), usbhid-dump, hid-recorder, and usbhid-ups -DDD"
)
_LACKING = (
    (
        re.compile(r"^\[report_descriptor\]", re.MULTILINE),
        "it is a recording: usbhidups probe --replay shows it",
    ),
    (
        re.compile(r"^[ \t]*Report Descriptors?:\s+\*\* UNAVAILABLE \*\*", re.MULTILINE),
        "lsusb was not allowed to read the report descriptor: usbhid-dump -e descriptor, as root, is",
    ),
    (
        re.compile(r"^Bus \d+ Device \d+: ID ", re.MULTILINE),
        "no report descriptor in this output of lsusb: run it as root, with -v",
    ),
    (
        re.compile(r"\[D\d\]|\bdebug level is\b|\bUSB communication driver\b"),
        "no report descriptor in this log: usbhid-ups logs it with -DDD, once, when it starts",
    ),
)
"""What texts look like in which the descriptor is missed, and what to do; the first that fits."""


def _is_binary(data: bytes) -> bool:
    """A descriptor as it is, such as sysfs keeps it: no text has such bytes."""
    return any(byte < 0x09 or (0x0E <= byte < 0x20 and byte != 0x1B) for byte in data[:64])
