"""USB/IP in user space: a UPS that any usbipd exports, or our simulator, without a kernel module here.

One connection is one imported device, owned by one thread. A read of the interrupt endpoint stays
submitted once ``read`` was called for the first time, also while control requests run, so that an input
report is there the moment the device sends it; reads stop being submitted while many lie unread. Every wait
is finite. ``interrupt`` takes effect at once. (the kernel's Documentation/usb/usbip_protocol.rst)
"""

from __future__ import annotations

import errno
import logging
import re
import socket
import struct
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from usbhidups.errors import ConfigError, TransferFailed, TransferKind
from usbhidups.usb.descriptors import Endpoint
from usbhidups.usb.handle import Setup, failure
from usbhidups.usb.handle_transport import Choice, HandleTransport, connect, read_facts
from usbhidups.usb.usbip_link import Link, connected, operation
from usbhidups.usb.usbip_wire import (
    LONGEST_BUSID,
    ExportedDevice,
    OperationReader,
    Submitted,
    Unlinked,
    devlist_request,
    import_request,
    submit,
    unlink,
)

__all__ = ["Address", "UsbipHandle", "list_devices", "open_usbip", "parse_address"]

_log = logging.getLogger(__name__)

PORT = 3240
CONNECT_TIMEOUT = 5.0
MEND_TIMEOUT = 2.0
"""Seconds: for connection and import together; and for clearing a halt, or a reset."""

MOST_UNREAD = 32
"""Input reports that may lie unread before no further read is submitted (an interrupt flood)."""

MOST_ABANDONED = 16
"""Transfers given up and never answered, not even by their unlink, after which the server counts as dead."""

_ADDRESS = re.compile(r"usbip://(\[[0-9A-Fa-f:.%\w]+\]|[^\[\]:/]+)(?::([0-9]{1,5}))?/([!-~]+)")
_HIGH_SPEED = 3


@dataclass(frozen=True, slots=True)
class Address:
    """Where an exported device is to be had; its text is what ups.conf says."""

    host: str
    port: int
    busid: str

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"usbip://{host}:{self.port}/{self.busid}"


def parse_address(text: str) -> Address:
    """``usbip://HOST[:PORT]/BUSID``, IPv6 addresses in brackets. Raises ConfigError."""
    match = _ADDRESS.fullmatch(text)
    if match is None or not 1 <= int(match[2] or PORT) <= 65535:
        raise ConfigError(f"{text!r} is not usbip://HOST[:PORT]/BUSID", key="port")
    if len(match[3]) > LONGEST_BUSID:
        raise ConfigError(
            f"bus id {match[3]!r} is longer than {LONGEST_BUSID} characters", key="port"
        )
    return Address(match[1].strip("[]"), int(match[2] or PORT), match[3])


def list_devices(
    host: str, port: int = PORT, *, timeout: float = CONNECT_TIMEOUT
) -> tuple[ExportedDevice, ...]:
    """What a server exports. Raises DeviceNotFound (no server), DeviceGone (no sense)."""
    deadline = time.monotonic() + timeout
    place = f"usbip://{host}:{port}"
    with connected(host, port, place, deadline) as sock:
        reader = OperationReader()
        return operation(sock, devlist_request(), reader, reader.devlist, place, deadline)


def open_usbip(address: Address, *, choice: Choice | None = None) -> HandleTransport:
    """Import the device and connect to its power interface.

    Raises DeviceNotFound, DeviceBusy, DescriptorError, TransferFailed, DeviceGone.
    """
    pipe = UsbipHandle.open(address)
    try:
        return connect(pipe, read_facts(pipe, str(address)), choice=choice)
    except BaseException:
        pipe.close()
        raise


class UsbipHandle:
    """An imported device; satisfies ``pipe.UsbHandle``."""

    def __init__(
        self,
        sock: socket.socket,
        device: ExportedDevice,
        rest: bytes = b"",
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``sock`` is connected and becomes the pipe's; ``rest`` is what came behind the import's reply."""
        self._link = Link(sock, rest, clock=clock)
        self._device = device
        self._clock = clock
        self._seqnum = 0
        self._answers: dict[int, Submitted] = {}
        self._awaited: int | None = None
        self._abandoned: dict[int, int] = {}  # number of the unlink > of the transfer it takes back
        self._endpoint: Endpoint | None = None
        self._length = 0
        self._pending: int | None = None  # the submitted interrupt read
        self._inputs: deque[Submitted] = deque()

    @classmethod
    def open(cls, address: Address, *, timeout: float = CONNECT_TIMEOUT) -> UsbipHandle:
        """Connect and import. Raises DeviceNotFound, DeviceBusy, DeviceGone."""
        deadline = time.monotonic() + timeout
        sock = connected(address.host, address.port, str(address), deadline)
        try:
            reader = OperationReader()
            device = operation(
                sock,
                import_request(address.busid),
                reader,
                lambda: reader.imported(address.busid),
                str(address),
                deadline,
            )
        except BaseException:
            sock.close()
            raise
        pipe = cls(sock, device, reader.rest())
        if (
            not device.configuration
        ):  # nobody configured it yet; the first configuration is number 1
            try:
                pipe.control_out(
                    Setup(0x00, 0x09, 1, 0, "set configuration 1"), b"", timeout=timeout
                )
            except BaseException:
                pipe.close()
                raise
        return pipe

    def claim(self, interface: int) -> None:
        """The import took the whole device."""

    def release(self, interface: int) -> None:
        """Nothing to give back."""

    def control_in(self, setup: Setup, length: int, *, timeout: float) -> bytes:
        """As UsbHandle."""
        return self._control(setup, length, None, timeout).data[:length]

    def control_out(self, setup: Setup, data: bytes, *, timeout: float) -> None:
        """As UsbHandle."""
        self._control(setup, len(data), data, timeout)

    def listen(self, endpoint: Endpoint, length: int) -> None:
        """As UsbHandle; nothing is submitted before the first ``read``."""
        self._endpoint, self._length = endpoint, length

    def read(self, timeout: float) -> bytes | None:
        """As UsbHandle. Raises TransferFailed when the read ended badly; the next call submits a new one."""
        deadline = self._clock() + timeout
        while not self._inputs:
            self._submit_read()
            if not self._wait(deadline, heed_calls=True) and not self._inputs:
                return None
        got = self._inputs.popleft()
        if got.status:
            raise failure(-got.status, f"read endpoint {self._endpoint_address():#04x}")
        self._submit_read()
        return got.data

    def clear_halt(self) -> None:
        """As UsbHandle: CLEAR_FEATURE(ENDPOINT_HALT), which the server's kernel acts upon."""
        address = self._endpoint_address()
        self.control_out(Setup(0x02, 0x01, 0, address, "clear halt"), b"", timeout=MEND_TIMEOUT)

    def reset(self) -> None:
        """As UsbHandle: SET_FEATURE(PORT_RESET), which the server's kernel takes for a reset."""
        self.control_out(Setup(0x23, 0x03, 4, 1, "reset port"), b"", timeout=MEND_TIMEOUT)

    def interrupt(self) -> None:
        """As UsbHandle, at once."""
        self._link.call()

    def close(self) -> None:
        """As UsbHandle. The server takes back what is pending."""
        self._link.close()

    # -- transfers ---------------------------------------------------------------------------

    def _control(self, setup: Setup, length: int, data: bytes | None, timeout: float) -> Submitted:
        deadline = self._clock() + timeout
        raw = struct.pack(
            "<BBHHH", setup.request_type, setup.request, setup.value, setup.index, length
        )
        seqnum = self._next()
        if data is None:
            self._link.expect(seqnum)
        self._awaited = seqnum
        self._link.send(
            submit(
                seqnum=seqnum,
                devid=self._device.devid,
                endpoint=0,
                length=length,
                setup=raw,
                data=data,
            )
        )
        try:
            while seqnum not in self._answers:
                if not self._wait(deadline, heed_calls=False):
                    self._abandon(seqnum)
                    raise TransferFailed(TransferKind.TIMEOUT, setup.words, errno=errno.ETIMEDOUT)
        finally:
            self._awaited = None
        answer = self._answers.pop(seqnum)
        if answer.status:
            raise failure(-answer.status, setup.words)
        return answer

    def _wait(self, deadline: float, *, heed_calls: bool) -> bool:
        """Take what comes next; False when nothing came by the deadline, or when ``interrupt`` called."""
        something = self._link.wait(deadline, heed_calls=heed_calls)
        for message in self._link.messages():
            self._take(message)
        return something

    def _abandon(self, target: int) -> None:
        """Take a transfer back without waiting for the answer; it is dealt with when it comes."""
        if len(self._abandoned) >= MOST_ABANDONED:
            raise self._link.died("the server answers nothing any more")
        seqnum = self._next()
        self._abandoned[seqnum] = target
        self._link.send(unlink(seqnum=seqnum, devid=self._device.devid, target=target))

    def _submit_read(self) -> None:
        if self._endpoint is None or self._pending is not None or len(self._inputs) >= MOST_UNREAD:
            return
        self._pending = self._next()
        self._link.expect(self._pending)
        self._link.send(
            submit(
                seqnum=self._pending,
                devid=self._device.devid,
                endpoint=self._endpoint.address,
                length=self._length,
                interval=_interval(self._endpoint, self._device.speed),
            )
        )

    def _take(self, message: Submitted | Unlinked) -> None:
        if isinstance(message, Unlinked):
            target = self._abandoned.pop(message.seqnum, None)
            if target is not None and message.status:  # it will not be answered any more
                self._link.forget(target)
        elif message.seqnum == self._pending:
            self._pending = None
            self._inputs.append(message)
            if not message.status:
                self._submit_read()
        elif message.seqnum == self._awaited:
            self._answers[message.seqnum] = message
        else:
            _log.debug("usbip: transfer %d ended after it was given up", message.seqnum)

    def _next(self) -> int:
        self._seqnum = self._seqnum % 0xFFFF_FFFF + 1
        return self._seqnum

    def _endpoint_address(self) -> int:
        return self._endpoint.address if self._endpoint else 0x81


def _interval(endpoint: Endpoint, speed: int) -> int:
    """bInterval as the server's kernel wants it: frames, or microframes from high speed on."""
    if speed >= _HIGH_SPEED:
        return int(1 << min(max(endpoint.interval, 1), 16) - 1)
    return endpoint.interval or 10
