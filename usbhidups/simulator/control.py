"""The control socket's conversation, without a socket: a line with a command in, a line of JSON out.

A line is ``[BUSID] COMMAND …`` (docs/simulator.md); without a bus id a command goes to every device. The answer
is ``{"ok": true, "result": …}`` or ``{"ok": false, "error": "…"}``; the result of several devices is by bus id.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from usbhidups.errors import ClientError
from usbhidups.simulator.device import SimulatedDevice

__all__ = ["ControlSession", "carry_out"]

LONGEST_LINE = 65_536
_BUSID = re.compile(r"\d+-\d+")


def carry_out(devices: Mapping[str, SimulatedDevice], line: str, now: float) -> object:
    """Give a line to the devices that it names; their result. ValueError: it could not be done."""
    words = line.split()
    chosen = dict(devices)
    if words and _BUSID.fullmatch(words[0]):
        busid = words.pop(0)
        if busid not in devices:
            raise ValueError(f"no device {busid}")
        chosen = {busid: devices[busid]}
    results = {busid: device.command(words, now) for busid, device in chosen.items()}
    return next(iter(results.values())) if len(results) == 1 else results


class ControlSession:
    """One client of the control socket. ``quit``: it asked for the end of the simulator."""

    def __init__(self, devices: Mapping[str, SimulatedDevice]) -> None:
        self._devices = devices
        self._buffer = b""
        self.quit = False

    def receive(self, data: bytes, now: float) -> bytes:
        """Take bytes, give back answers. ClientError: hang up."""
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        if len(self._buffer) > LONGEST_LINE:
            raise ClientError("a command without an end")
        return b"".join(self._answer(line, now) for line in lines if line.strip())

    def _answer(self, line: bytes, now: float) -> bytes:
        answer: dict[str, object]
        try:
            text = line.decode()
            if text.strip() == "quit":
                self.quit = True
                answer = {"ok": True, "result": None}
            else:
                answer = {"ok": True, "result": carry_out(self._devices, text, now)}
        except ValueError as error:
            answer = {"ok": False, "error": str(error)}
        return json.dumps(answer).encode() + b"\n"
