"""One device of this host and the ways into it: the kernel's hidraw node, and libusb.

``auto`` prefers hidraw where the kernel's driver is bound, its node may be opened and its copy of the
report descriptor is whole: nothing is taken from the kernel, waits cost nothing and end at once. Else
libusb comes first. What failed is told for each way. (failure-catalogue.md A02, A16, C02, C12, G08)
"""

from __future__ import annotations

import enum
import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from usbhidups.errors import (
    AccessDenied,
    ConfigError,
    DescriptorError,
    DeviceBusy,
    DeviceGone,
    DeviceNotFound,
    TransferFailed,
    UsbHidUpsError,
)
from usbhidups.identity import Identity
from usbhidups.usb.discover import Candidate, keep_awake
from usbhidups.usb.handle_transport import Choice, Facts, HandleTransport, connect, read_facts
from usbhidups.usb.hidraw import open_hidraw
from usbhidups.usb.libusb import Libusb, LibusbHandle, Listed
from usbhidups.usb.locks import holders
from usbhidups.usb.reportscan import scan
from usbhidups.usb.transport import Transport

__all__ = [
    "REFUSALS",
    "Backend",
    "ListedCandidate",
    "OpenCandidate",
    "SysfsCandidate",
    "open_candidate",
    "together",
]

_log = logging.getLogger(__name__)

REFUSALS = (
    AccessDenied,
    ConfigError,
    DescriptorError,
    DeviceBusy,
    DeviceGone,
    DeviceNotFound,
    TransferFailed,
)
"""What trying one way, or one device, may end with."""

Opener = Callable[[], Transport]


class Backend(enum.Enum):
    """How a local device is reached: ``transport`` in ups.conf."""

    AUTO = "auto"
    LIBUSB = "libusb"
    HIDRAW = "hidraw"


class OpenCandidate(Protocol):
    """A device that may be opened."""

    @property
    def identity(self) -> Identity:
        """Who it is, as far as known without opening it."""
        ...

    @property
    def name(self) -> str:
        """For messages."""
        ...

    def ways(self, way: Backend) -> list[tuple[str, Opener]]:
        """The ways to try, in order, each with its name."""
        ...


def open_candidate(candidate: OpenCandidate, way: Backend) -> Transport:
    """Open it in the first way that works; raises one error that tells why each did not."""
    errors: list[UsbHidUpsError] = []
    for name, opener in candidate.ways(way):
        try:
            transport = opener()
        except REFUSALS as error:
            _log.debug("%s by %s: %s", candidate.name, name, error)
            errors.append(error)
        else:
            _log.info("%s: opened by %s", candidate.name, name)
            return transport
    raise together(errors, candidate.name)


def together(errors: Sequence[UsbHidUpsError], name: str = "") -> UsbHidUpsError:
    """One error for several, of the kind that waiting mends the soonest, with all their texts."""
    text = "; ".join(dict.fromkeys(map(str, errors))) or "there is no way to open it"
    text = f"{name}: {text}" if name else text
    for error in errors:
        if isinstance(error, AccessDenied):
            return _denied(text, error.node)
    busy = [error for error in errors if isinstance(error, DeviceBusy)]
    if busy:
        combined = DeviceBusy(text)  # which names the holders already
        combined.holder = ", ".join(dict.fromkeys(error.holder for error in busy if error.holder))
        return combined
    for kind in (DeviceGone, DescriptorError):
        if any(isinstance(error, kind) for error in errors):
            return kind(text)
    return DeviceNotFound(text)


def _denied(text: str, node: str) -> AccessDenied:
    """An AccessDenied whose text names the node already."""
    denied = AccessDenied(text)
    denied.node = node
    return denied


class SysfsCandidate:
    """A device that sysfs shows."""

    def __init__(self, candidate: Candidate, choice: Choice, libusb: Libusb) -> None:
        self._candidate = candidate
        self._choice = choice
        self._libusb = libusb

    @property
    def identity(self) -> Identity:
        """As the kernel read it."""
        return self._candidate.identity

    @property
    def name(self) -> str:
        """Port path, ids and strings."""
        return self._candidate.name

    def ways(self, way: Backend) -> list[tuple[str, Opener]]:
        """As OpenCandidate."""
        hidraw: tuple[str, Opener] = ("hidraw", self._hidraw)
        libusb: tuple[str, Opener] = ("libusb", self._by_libusb)
        if way is Backend.HIDRAW:
            return [hidraw]
        if way is Backend.LIBUSB:
            return [libusb]
        interface = self._candidate.chosen
        if interface.hidraw is None:
            return [libusb]
        kept = scan(interface.cached or b"")
        preferred = kept.power_summary and kept.whole and not interface.hidraw.problem
        return [hidraw, libusb] if preferred and self._choice == Choice() else [libusb, hidraw]

    def _hidraw(self) -> Transport:
        node = self._candidate.chosen.hidraw
        if node is None:
            driver = self._candidate.chosen.driver
            how = f"its driver is {driver}" if driver else "no kernel driver is bound to it"
            raise DeviceNotFound(f"no hidraw node: {how}")
        try:
            transport = open_hidraw(
                node.path,
                self._candidate.identity,
                usb_node=self._candidate.node.path,
                strings=self._candidate.strings,
            )
        except AccessDenied as error:
            raise _denied(node.problem or str(error), node.path) from None
        self._keep_awake()
        return transport

    def _by_libusb(self) -> Transport:
        node = self._candidate.node
        who = self._candidate.identity
        try:
            pipe = self._libusb.open_node(node.path) or self._libusb.open_address(
                who.bus or 0, who.address or 0, node=node.path
            )
            transport = _connected(pipe, self._facts(), self._choice)
        except AccessDenied as error:
            raise _denied(node.problem or str(error), node.path) from None
        except DeviceBusy as error:
            raise DeviceBusy(str(error), holder=", ".join(holders(node.path))) from None
        self._keep_awake()
        return transport

    def _facts(self) -> Facts:
        candidate = self._candidate
        return Facts(
            device=candidate.device,
            interfaces=tuple(each.hid for each in candidate.interfaces),
            place=candidate.identity.port_path,
            bus=candidate.identity.bus,
            address=candidate.identity.address,
            strings=candidate.strings,
            cached={each.hid.number: each.cached for each in candidate.interfaces if each.cached},
        )

    def _keep_awake(self) -> None:
        if not keep_awake(self._candidate):
            _log.info(
                "%s: the kernel may suspend its port (power/control is auto), and we may not forbid it",
                self.name,
            )


class ListedCandidate:
    """A device that only libusb shows: hosts without sysfs."""

    def __init__(self, listed: Listed, choice: Choice, libusb: Libusb) -> None:
        self._listed = listed
        self._choice = choice
        self._libusb = libusb

    @property
    def identity(self) -> Identity:
        """Ids and place; strings are known once it is open."""
        listed = self._listed
        ports = ".".join(map(str, listed.ports))
        return Identity(
            vendor_id=listed.vendor_id,
            product_id=listed.product_id,
            release=listed.release,
            port_path=f"{listed.bus}-{ports}"
            if ports
            else f"{listed.bus:03d}/{listed.address:03d}",
            bus=listed.bus,
            address=listed.address,
        )

    @property
    def name(self) -> str:
        """Port path and ids."""
        who = self.identity
        return f"{who.port_path} {who.vendor_id:04x}:{who.product_id:04x}"

    def ways(self, way: Backend) -> list[tuple[str, Opener]]:
        """As OpenCandidate: libusb."""
        return [] if way is Backend.HIDRAW else [("libusb", self._open)]

    def _open(self) -> Transport:
        who = self.identity
        pipe = self._libusb.open_listed(self._listed)
        try:
            facts = read_facts(pipe, who.port_path, bus=who.bus, address=who.address)
        except BaseException:
            pipe.close()
            raise
        return _connected(pipe, facts, self._choice)


def _connected(pipe: LibusbHandle, facts: Facts, choice: Choice) -> HandleTransport:
    try:
        return connect(pipe, facts, choice=choice)
    except BaseException:
        pipe.close()
        raise
