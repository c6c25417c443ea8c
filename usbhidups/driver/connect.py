"""How a device_loop gets its device: the port of its options, opened, and the UPS on it.

A device that comes back is taken up where it was left, without strings and without a new walk, when ids,
place and report descriptor are the same (failures A11, B02).
"""

from __future__ import annotations

import datetime

from usbhidups.attach import attach, same_device
from usbhidups.configuration import Paths, ups_options
from usbhidups.nut.upsconf import DriverOptions
from usbhidups.ports import port_of
from usbhidups.ups.device import Ups
from usbhidups.ups.loading.library import Library
from usbhidups.usb.ports import Port
from usbhidups.usb.transport import Transport

__all__ = ["Connector"]


class Connector:
    """Opens one UPS time and again; implements ``device_loop.Connect``."""

    def __init__(self, options: DriverOptions, library: Library, port: Port) -> None:
        self._options = options
        self._library = library
        self._port = port
        self._raw = b""

    @classmethod
    def of(cls, options: DriverOptions, library: Library, places: Paths) -> Connector:
        """The connector that the options mean. ConfigError where one of them cannot be met."""
        return cls(options, library, port_of(options, library, lock_dir=places.state))

    def __call__(self, *, known: Ups | None, now: float) -> tuple[Transport, Ups]:
        """An open transport and the UPS on it; ``known`` itself where it is the same device."""
        transport = self._port.open()
        try:
            raw = transport.report_descriptor()
            same = known is not None and same_device(known.identity, transport.identity)
            if known is not None and same and raw == self._raw:
                return transport, known
            attachment = attach(
                transport,
                self._library,
                ups_options(self._options),
                subdriver=self._options.subdriver or "",
                now=now,
                zone=local_zone(),
            )
            self._raw = raw
        except BaseException:
            transport.close()
            raise
        return transport, attachment.ups

    def close(self) -> None:
        """Give the device up for good."""
        self._port.close()


def local_zone() -> datetime.tzinfo:
    """The machine's time zone, for devices that keep a clock."""
    return datetime.datetime.now().astimezone().tzinfo or datetime.UTC
