"""Where the UPS is: the forms of ``port =``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from usbhidups.errors import ConfigError

__all__ = ["USBIP_PORT", "LocalUsb", "Port", "Replay", "UsbIp", "parse_port"]

USBIP_PORT = 3240
"""The TCP port that the kernel's document usbip_protocol gives to USB/IP."""

_USBIP = re.compile(
    r"usbip://(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[^\s\[\]:/]+))(?::(?P<port>[0-9]{1,5}))?"
    r"/(?P<busid>[0-9A-Za-z.:_-]{1,31})"
)  # 31: the protocol's field holds 32 bytes with the final NUL


@dataclass(frozen=True, slots=True)
class LocalUsb:
    """A device on this machine's USB. ``text`` is what was written (``auto``)."""

    text: str = "auto"


@dataclass(frozen=True, slots=True)
class Replay:
    """A recorded device: the path of its fixture, as written."""

    path: str


@dataclass(frozen=True, slots=True)
class UsbIp:
    """A device that a USB/IP server exports; ``host`` is a name or an address without brackets."""

    host: str
    port: int
    busid: str


Port = LocalUsb | Replay | UsbIp


def parse_port(text: str) -> Port:
    """Read ``auto``, ``replay:FILE`` or ``usbip://HOST[:PORT]/BUSID``.

    Anything else means local USB too, as in NUT, where the port of a USB device is not looked at.
    ConfigError (without place) when one of the two special forms is not well-formed.
    """
    if text.startswith("replay:"):
        path = text.removeprefix("replay:")
        if not path:
            raise ConfigError("replay: needs a file, as in replay:FILE")
        return Replay(path)
    if text.startswith("usbip:"):
        found = _USBIP.fullmatch(text)
        number = int(found["port"] or USBIP_PORT) if found else 0
        if not found or not 0 < number < 65536:
            raise ConfigError(f"{text!r} is not of the form usbip://HOST[:PORT]/BUSID")
        return UsbIp(found["six"] or found["host"], number, found["busid"])
    return LocalUsb(text)
