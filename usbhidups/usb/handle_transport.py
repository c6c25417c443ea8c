"""A Transport over a pipe: the requests of HID 1.11 and of USB chapter 9, the same for libusb and USB/IP.

Finds the power interface, gets its report descriptor by the ladder, and bears with firmwares that answer
too much, too little or nothing. SET_IDLE and SET_PROTOCOL are never sent. (hid-power-device.md sections
1, 5, 7, 8; failure-catalogue.md A05, A10, A11, B03 to B05, B16)
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from usbhidups.errors import DescriptorError, TransferFailed, TransferKind
from usbhidups.identity import Identity
from usbhidups.usb import descriptors
from usbhidups.usb.descriptors import DeviceDescriptor, Endpoint, HidInterface
from usbhidups.usb.handle import Setup, UsbHandle
from usbhidups.usb.report_descriptor import best_descriptor
from usbhidups.usb.reports import FEATURE, INPUT, ReportReader
from usbhidups.usb.reportscan import Scan, scan
from usbhidups.usb.strings import StringReader
from usbhidups.usb.transport import CONTROL_TIMEOUT

__all__ = ["Choice", "Facts", "HandleTransport", "connect", "read_facts"]

_log = logging.getLogger(__name__)

OPEN_BUDGET = 12.0
"""Seconds for all transfers of one opening: within upsmon's DEADTIME of 15 s (failure D12)."""

LADDER_GAP = 0.05
"""Seconds between two climbs of the ladder."""

SHORTEST_TIMEOUT = 0.1
LONGEST_CONFIGURATION = 4096

_GET_REPORT, _SET_REPORT, _GET_DESCRIPTOR = 0x01, 0x09, 0x06


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What an administrator or a profile fixed by hand; None or 0: found out.

    The keys usb_hid_rep_index, usb_hid_desc_index, usb_hid_ep_in and interruptsize of ups.conf.
    """

    interface: int | None = None
    descriptor_index: int = 0
    endpoint_in: int | None = None
    interrupt_size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a device before its interface is chosen.

    ``place``, ``bus`` and ``address`` go into its Identity. ``strings`` by index and ``cached`` report
    descriptors by interface number are copies that the kernel made, empty where there are none.
    """

    device: DeviceDescriptor
    interfaces: tuple[HidInterface, ...]
    place: str
    bus: int | None = None
    address: int | None = None
    strings: Mapping[int, str] = field(default_factory=dict)
    cached: Mapping[int, bytes] = field(default_factory=dict)


def read_facts(
    pipe: UsbHandle, place: str, *, bus: int | None = None, address: int | None = None
) -> Facts:
    """Ask the device itself for its device and configuration descriptors.

    Raises DescriptorError when they make no sense, TransferFailed and DeviceGone as the pipe does.
    """

    def ask(kind: int, length: int, words: str) -> bytes:
        setup = Setup(0x80, _GET_DESCRIPTOR, kind << 8, 0, words)
        return pipe.control_in(setup, length, timeout=CONTROL_TIMEOUT)

    raw = ask(descriptors.DEVICE, 18, "get device descriptor")
    device = descriptors.device_descriptor(raw)
    if device is None:
        raise DescriptorError(f"no device descriptor: {raw.hex(' ') or 'nothing'}")
    head = ask(descriptors.CONFIGURATION, 9, "get configuration descriptor")
    total = int.from_bytes(head[2:4], "little") if len(head) >= 4 else 0
    whole = ask(
        descriptors.CONFIGURATION,
        min(max(total, 9), LONGEST_CONFIGURATION),
        "get whole configuration descriptor",
    )
    return Facts(
        device=device,
        interfaces=descriptors.hid_interfaces(whole),
        place=place,
        bus=bus,
        address=address,
    )


def connect(
    pipe: UsbHandle,
    facts: Facts,
    *,
    choice: Choice | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> HandleTransport:
    """FlagState the power interface of an open pipe and read what is needed to talk to it.

    Interfaces whose cached descriptor is a Power Device's come first. The pipe is the caller's to close
    when this raises: DescriptorError (no interface is a Power Device), DeviceBusy, AccessDenied,
    TransferFailed, DeviceGone.
    """
    choice = choice or Choice()
    strings = StringReader(pipe.control_in, facts.strings, clock=clock, sleep=sleep)
    deadline = clock() + OPEN_BUDGET

    def ask(setup: Setup, length: int) -> bytes:
        left = deadline - clock()
        if left <= 0:
            raise TransferFailed(TransferKind.TIMEOUT, f"{setup} (the time for opening is used up)")
        return pipe.control_in(setup, length, timeout=min(left, CONTROL_TIMEOUT))

    refused: list[str] = []
    for interface in _in_order(facts, choice):
        pipe.claim(interface.number)
        try:
            descriptor = best_descriptor(
                ask,
                interface,
                cached=facts.cached.get(interface.number),
                index=choice.descriptor_index,
                pause=lambda: sleep(LADDER_GAP),
            )
        except DescriptorError as error:
            refused.append(str(error))
            pipe.release(interface.number)
            continue
        identity = _identity(facts, interface, strings, deadline - clock())
        return HandleTransport(pipe, identity, interface, descriptor, strings, choice, clock)
    raise DescriptorError("; ".join(refused) or "it has no HID interface")


def _in_order(facts: Facts, choice: Choice) -> list[HidInterface]:
    """The HID interfaces worth trying, the likeliest first, with the hand-made choices worked in."""

    def unlikely(interface: HidInterface) -> bool:
        return not scan(facts.cached.get(interface.number, b"")).power

    wanted = sorted(facts.interfaces, key=unlikely)
    if choice.interface is not None:
        wanted = [each for each in wanted if each.number == choice.interface]
    if choice.endpoint_in is not None:
        wanted = [replace(each, endpoint=_endpoint(each, choice.endpoint_in)) for each in wanted]
    return wanted


def _endpoint(interface: HidInterface, address: int) -> Endpoint:
    known = interface.endpoint or Endpoint(address, 8, 10)
    return replace(known, address=address | 0x80)


def _identity(
    facts: Facts, interface: HidInterface, strings: StringReader, left: float
) -> Identity:
    """Who it is. The kernel's strings are enough: they outlive a firmware that stops answering (A11)."""
    device = facts.device

    def text(index: int) -> str | None:
        if not index:
            return None
        try:
            return strings.read(index, max(0.0, left) / 3)
        except TransferFailed as error:
            _log.debug("%s", error)
            return None

    return Identity(
        vendor_id=device.vendor_id,
        product_id=device.product_id,
        release=device.release,
        manufacturer=text(device.manufacturer_index),
        product=text(device.product_index),
        serial=text(device.serial_index),
        port_path=facts.place,
        bus=facts.bus,
        address=facts.address,
        interface=interface.number,
        endpoint_in=interface.endpoint.address if interface.endpoint else None,
    )


class HandleTransport:
    """An open device behind a pipe; satisfies ``transport.Transport``."""

    def __init__(
        self,
        pipe: UsbHandle,
        identity: Identity,
        interface: HidInterface,
        descriptor: bytes,
        strings: StringReader,
        choice: Choice,
        clock: Callable[[], float],
    ) -> None:
        self._pipe = pipe
        self._clock = clock
        self._identity = identity
        self._interface = interface.number
        self._descriptor = descriptor
        self._strings = strings
        self._found = scan(descriptor)
        self._reports = ReportReader()
        self._listens = interface.endpoint is not None
        if interface.endpoint is not None:
            size = choice.interrupt_size or _interrupt_size(self._found, interface.endpoint)
            pipe.listen(interface.endpoint, size)

    @property
    def identity(self) -> Identity:
        """Who it is, as found at opening."""
        return self._identity

    def report_descriptor(self) -> bytes:
        """The copy that was kept at opening."""
        return self._descriptor

    def get_feature(self, report_id: int, size: int, *, timeout: float = CONTROL_TIMEOUT) -> bytes:
        """As Transport. A report that overflows is asked once more with room, and so from then on."""
        return self._get(FEATURE, report_id, size, timeout)

    def get_input(self, report_id: int, size: int, *, timeout: float = CONTROL_TIMEOUT) -> bytes:
        """As get_feature."""
        return self._get(INPUT, report_id, size, timeout)

    def set_feature(self, data: bytes, *, timeout: float = CONTROL_TIMEOUT) -> None:
        """As Transport: the bytes go out as they are, without the id byte on devices without ids."""
        value = FEATURE << 8 | data[0]
        setup = Setup(0x21, _SET_REPORT, value, self._interface, f"set feature {data[0]:#04x}")
        self._pipe.control_out(setup, data if self._found.numbered else data[1:], timeout=timeout)

    def wait_input(self, timeout: float) -> bytes | None:
        """As Transport; a device without interrupt endpoint never has any, but the time passes."""
        data = self._pipe.read(timeout)
        if not data:
            return None
        return data if self._found.numbered else b"\0" + data

    def string(self, index: int, *, timeout: float = CONTROL_TIMEOUT) -> str | None:
        """As Transport: the kernel's copy where there is one, else by request."""
        return self._strings.read(index, timeout)

    def clear_halt(self) -> None:
        """As Transport; a refusal is only logged, the next read tells how things stand."""
        if self._listens:
            self._try(self._pipe.clear_halt)

    def reset(self) -> None:
        """As Transport; a refusal is only logged."""
        self._try(self._pipe.reset)

    def interrupt(self) -> None:
        """As Transport; how soon is the pipe's matter."""
        self._pipe.interrupt()

    def close(self) -> None:
        """As Transport."""
        self._pipe.close()

    def _try(self, action: Callable[[], None]) -> None:
        try:
            action()
        except TransferFailed as error:
            _log.debug("%s: %s", self._identity.port_path, error)

    def _get(self, kind: int, report_id: int, size: int, timeout: float) -> bytes:
        made_up = b"" if self._found.numbered else b"\0"
        deadline = self._clock() + timeout

        def ask(length: int, words: str) -> bytes:
            setup = Setup(0xA1, _GET_REPORT, kind << 8 | report_id, self._interface, words)
            left = max(SHORTEST_TIMEOUT, deadline - self._clock())
            data = self._pipe.control_in(setup, max(1, length - len(made_up)), timeout=left)
            return made_up + data if data else b""

        return self._reports.read(ask, kind, report_id, size)


def _interrupt_size(found: Scan, endpoint: Endpoint) -> int:
    """Bytes of one read: the longest report in whole packets (HID 1.11 section 8.4; B16)."""
    packets = max(1, -(-found.longest_input // endpoint.packet))
    return packets * endpoint.packet
