"""What ``port`` in ups.conf means: a local device, an exported one, or a recording.

A port outlives its connections: it is made once, opened again after every loss, and closed at the end. What
only recordings and exported devices need is imported where they are asked for: most drivers never do.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from usbhidups.errors import ConfigError, DeviceNotFound
from usbhidups.usb.candidates import Backend
from usbhidups.usb.discover import Criteria, Maybe
from usbhidups.usb.handle_transport import Choice
from usbhidups.usb.local import Host, LocalPort
from usbhidups.usb.transport import Transport

__all__ = ["Port", "make_port", "open_port"]

_log = logging.getLogger(__name__)


class Port(Protocol):
    """Where a UPS is to be had."""

    def open(self) -> Transport:
        """Open it (again). Raises DeviceNotFound, AccessDenied, DeviceBusy, DeviceGone, DescriptorError,
        TransferFailed; all of them may be different the next time.
        """
        ...

    def close(self) -> None:
        """Give the port up: its lock is released. Transports are closed by who opened them."""
        ...


def make_port(
    port: str = "auto",
    *,
    maybe: Maybe,
    match: Criteria | None = None,
    transport: str = "auto",
    choice: Choice | None = None,
    duplicates: bool = False,
    lock_dir: Path | None = None,
    host: Host | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Port:
    """The port that ups.conf names: ``auto``, ``replay:FILE`` or ``usbip://HOST[:PORT]/BUSID``.

    Any other text is taken for ``auto``, as NUT's driver does. ``maybe`` tells by vendor and product id
    whether a device that shows no report descriptor may be a UPS; ``lock_dir`` is where devices of this
    host are locked, None: nowhere. Nothing is opened yet. Raises ConfigError, and FixtureError for a
    recording that cannot be read.
    """
    try:
        way = Backend(transport)
    except ValueError:
        allowed = ", ".join(each.value for each in Backend)
        raise ConfigError(f"{transport!r} is none of {allowed}", key="transport") from None
    if port.startswith("replay:"):
        from usbhidups.usb.fixture import load
        from usbhidups.usb.replay import ReplayDevice

        device = ReplayDevice(load(port.removeprefix("replay:")), clock=clock)
        return _Elsewhere(device.open, match)
    if port.startswith("usbip:"):
        from usbhidups.usb.usbip import open_usbip, parse_address

        address = parse_address(port)
        return _Elsewhere(lambda: open_usbip(address, choice=choice or Choice()), match)
    if port != "auto":
        _log.warning("port = %s is taken for auto", port)
    host = host or Host()
    if way is Backend.LIBUSB:
        host.libusb.backend()  # a missing library is no matter for waiting
    return LocalPort(
        maybe=maybe,
        match=match,
        way=way,
        choice=choice,
        duplicates=duplicates,
        lock_dir=lock_dir,
        host=host,
    )


def open_port(
    port: str = "auto",
    *,
    maybe: Maybe,
    match: Criteria | None = None,
    transport: str = "auto",
    choice: Choice | None = None,
    host: Host | None = None,
) -> Transport:
    """Open a port once, without a lock: for programs that look and leave, and for kill-power."""
    made = make_port(port, maybe=maybe, match=match, transport=transport, choice=choice, host=host)
    return made.open()


class _Elsewhere:
    """A device that is not on this host's bus: only one is there, and nobody else uses it."""

    def __init__(self, opened: Callable[[], Transport], match: Criteria | None) -> None:
        self._opened = opened
        self._match = match

    def open(self) -> Transport:
        return _checked(self._opened(), self._match)

    def close(self) -> None:
        """Nothing is held."""


def _checked(transport: Transport, match: Criteria | None) -> Transport:
    """The device must also be the one that the matching keys mean."""
    why_not = match.mismatches(transport.identity) if match else ()
    if why_not:
        transport.close()
        raise DeviceNotFound(f"{transport.identity.port_path}: {', '.join(why_not)}")
    return transport
