"""The debug log of NUT's usbhid-ups (``-DDD`` and more): descriptor, reports and what it says of the device.

Lines are those of NUT 2.7 to 2.8.5, with or without a time and ``[D3]`` before them, and whatever a journal
put in front of that. (nut issues 439, 1208, 2766, 3227 show them)
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from usbhidups.tools.probe.pasted.paste import Paste

__all__ = ["read_nut_log"]

_FRONT = re.compile(r"^.*?(?<!\d)\d+\.\d{6}\s+(?:\[D\d\]\s?)?")
_HEX = re.compile(
    r"^(Report Descriptor|Report\[\w+\])\s*:\s*\(([0-9]{1,6}) bytes\) =>((?: [0-9a-f]{2})*)\s*$"
)
_MORE = re.compile(r"^\s*((?:[0-9a-f]{2}\s+)*[0-9a-f]{2})\s*$", re.ASCII)
_FACT = re.compile(
    r"^- (VendorID|ProductID|Manufacturer|Product|Serial Number|Device release number): (.*)$"
)
_PATH = re.compile(r"^Path: .*?, Type: (Feature|Input|Output), ReportID: 0x([0-9a-f]{2}),")


@dataclass(slots=True)
class _Block:
    """A hexadecimal dump that goes over several lines."""

    title: str
    length: int
    data: bytearray = field(default_factory=bytearray)


def read_nut_log(text: str) -> tuple[Paste, ...]:
    """The last descriptor of the log, since a driver that starts again logs it again; () without one."""
    reader = _Reader()
    for line in text.splitlines():
        reader.take(_FRONT.sub("", line, count=1))
    reader.finish()
    if not reader.descriptor:
        return ()
    facts = reader.chosen
    return (
        Paste(
            "a debug log of NUT's usbhid-ups",
            bytes(reader.descriptor),
            vendor_id=_number(facts.get("VendorID")),
            product_id=_number(facts.get("ProductID")),
            release=_number(facts.get("Device release number")),
            manufacturer=_said(facts.get("Manufacturer")),
            product=_said(facts.get("Product")),
            serial=_said(facts.get("Serial Number")),
            feature=dict(reader.feature),
            input=dict(reader.input),
            lacks=reader.lacks,
        ),
    )


class _Reader:
    """Goes through the log once."""

    def __init__(self) -> None:
        self.descriptor = b""
        self.chosen: dict[str, str] = {}
        self.feature: dict[int, bytes] = {}
        self.input: dict[int, bytes] = {}
        self.lacks = ""
        self._facts: dict[str, str] = {}
        self._block: _Block | None = None
        self._last: bytes = b""

    def take(self, line: str) -> None:
        """One line, its front removed."""
        begin = _HEX.match(line)
        more = _MORE.match(line)
        if begin:
            self.finish()
            self._block = _Block(begin[1], int(begin[2]), bytearray.fromhex(begin[3]))
        elif self._block is not None and more and len(self._block.data) < self._block.length:
            self._block.data += bytes.fromhex(more[1])
            return
        else:
            self.finish()
            self._plain(line)

    def finish(self) -> None:
        """A dump is complete."""
        block, self._block = self._block, None
        if block is None:
            return
        data = bytes(block.data[: block.length])
        if block.title == "Report Descriptor":
            self.descriptor, self.chosen = data, dict(self._facts)
            self.feature.clear()
            self.input.clear()
            missing = block.length - len(data)
            self.lacks = f"{missing} of {block.length} bytes are not in the log" if missing else ""
        elif data and len(data) == block.length:
            if block.title == "Report[int]":
                self.input[data[0]] = data
            else:
                self._last = data

    def _plain(self, line: str) -> None:
        fact = _FACT.match(line)
        if fact:
            if fact[1] == "VendorID":
                self._facts.clear()
            self._facts[fact[1]] = fact[2].strip()
            return
        path = _PATH.match(line)
        if path and self._last and self._last[0] == int(path[2], 16):
            table = self.input if path[1] == "Input" else self.feature
            table[self._last[0]] = self._last


def _number(text: str | None) -> int:
    return int(text, 16) if text and re.fullmatch(r"[0-9a-fA-F]{1,4}", text) else 0


def _said(text: str | None) -> str | None:
    return None if text in (None, "unknown") else text
