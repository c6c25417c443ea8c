"""Reports whose bytes are not numbers by their descriptor: addresses, bit sets, text.

These read the report that the row's field lies in, as bytes. The id byte is not part of the payload.
"""

from __future__ import annotations

import re

from usbhidups.ups.convert.rules import Access
from usbhidups.ups.evidence import Reading
from usbhidups.ups.profile import VariableRow

__all__ = ["ascii_number", "bits", "dotted", "hexadecimal", "integer", "word"]

_DECIMAL = re.compile(r"[0-9]+\.[0-9]+")


def hexadecimal(row: VariableRow, reading: Reading, access: Access) -> str | None:
    """All payload bytes as two hexadecimal digits, joined by colons (a hardware address)."""
    payload = _payload(reading, access)
    return payload.hex(":") if payload else None


def dotted(row: VariableRow, reading: Reading, access: Access) -> str | None:
    """All payload bytes in decimal, joined by dots (an internet address)."""
    payload = _payload(reading, access)
    return ".".join(map(str, payload)) if payload else None


def integer(row: VariableRow, reading: Reading, access: Access) -> str | None:
    """The first four payload bytes as a signed number."""
    payload = _payload(reading, access)
    return str(int.from_bytes(payload[:4], "little", signed=True)) if len(payload) >= 4 else None


def word(row: VariableRow, reading: Reading, access: Access) -> str | None:
    """The first payload byte by the row's table."""
    payload = _payload(reading, access)
    if not payload or row.table is None:
        return None
    return row.table.get(payload[0], row.otherwise) or None


def bits(row: VariableRow, reading: Reading, access: Access) -> str | None:
    """The words of the row's table whose bit is set in the first two payload bytes, each word once."""
    payload = _payload(reading, access)
    if not payload or row.table is None:
        return None
    value = int.from_bytes(payload[:2], "little")
    words = (text for mask, text in sorted(row.table.items()) if value & mask)
    return " ".join(dict.fromkeys(words))


def ascii_number(row: VariableRow, reading: Reading, access: Access) -> str | None:
    """The first decimal number with a point in a payload of ASCII text."""
    found = _DECIMAL.search(_payload(reading, access).decode("ascii", "replace"))
    return found[0] if found else None


def _payload(reading: Reading, access: Access) -> bytes:
    report = access.report(reading.field)
    return b"" if report is None else report[1:]
