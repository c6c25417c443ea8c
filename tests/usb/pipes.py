"""A pipe to a device that is a table: for tests of what is above a pipe."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from tests.usb.bytes import DEVICE, hid, plain, string
from usbhidups.errors import TransferFailed, TransferKind
from usbhidups.usb.descriptors import Endpoint
from usbhidups.usb.handle import Setup

Answer = bytes | Exception
Script = Callable[[Setup, int], Answer]

STALL = TransferFailed(TransferKind.STALL, "scripted")
TIMEOUT = TransferFailed(TransferKind.TIMEOUT, "scripted")
OVERFLOW = TransferFailed(TransferKind.OVERFLOW, "scripted")

HID_DESCRIPTOR = (0x81, 0x06, 0x2100, 0)
REPORT_DESCRIPTOR = (0x81, 0x06, 0x2200, 0)


class Clock:
    """Time that passes only when somebody sleeps, or when a request takes it."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class TablePipe:
    """Answers by (request type, request, value, index); what is not in the table stalls.

    A list of answers is used up from the front, its last one stays. ``asked`` are the requests with their
    lengths, ``sent`` the writes.
    """

    def __init__(
        self, table: dict[tuple[int, int, int, int], Answer | list[Answer] | Script]
    ) -> None:
        self.table = table
        self.asked: list[tuple[int, int, int, int, int]] = []
        self.timeouts: list[float] = []
        self.sent: list[tuple[int, int, int, int, bytes]] = []
        self.claimed: list[int] = []
        self.released: list[int] = []
        self.endpoint: tuple[Endpoint, int] | None = None
        self.inputs: deque[Answer] = deque()
        self.calls: list[str] = []

    def claim(self, interface: int) -> None:
        self.claimed.append(interface)

    def release(self, interface: int) -> None:
        self.released.append(interface)

    def control_in(self, setup: Setup, length: int, *, timeout: float) -> bytes:
        key = (setup.request_type, setup.request, setup.value, setup.index)
        self.asked.append((*key, length))
        self.timeouts.append(timeout)
        answer = self.table.get(key, STALL)
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if callable(answer):
            answer = answer(setup, length)
        if isinstance(answer, Exception):
            raise answer
        return answer[:length]

    def control_out(self, setup: Setup, data: bytes, *, timeout: float) -> None:
        self.sent.append((setup.request_type, setup.request, setup.value, setup.index, data))

    def listen(self, endpoint: Endpoint, length: int) -> None:
        self.endpoint = (endpoint, length)

    def read(self, timeout: float) -> bytes | None:
        if not self.inputs:
            return None
        answer = self.inputs.popleft()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def clear_halt(self) -> None:
        self.calls.append("clear halt")
        raise STALL

    def reset(self) -> None:
        self.calls.append("reset")

    def interrupt(self) -> None:
        self.calls.append("interrupt")

    def close(self) -> None:
        self.calls.append("close")


def ups_pipe(descriptor: bytes, **more: Answer | list[Answer] | Script) -> TablePipe:
    """A UPS with one interface and three strings; ``more`` are feature reports by name ``fXX``, ``iXX``."""
    table: dict[tuple[int, int, int, int], Answer | list[Answer] | Script] = {
        (0x80, 0x06, 0x0100, 0): DEVICE,
        (0x80, 0x06, 0x0200, 0): plain(len(descriptor)),
        (0x80, 0x06, 0x0300, 0): bytes.fromhex("04 03 09 04"),
        (0x80, 0x06, 0x0301, 0x0409): string("CPS"),
        (0x80, 0x06, 0x0302, 0x0409): string("CP1500"),
        (0x80, 0x06, 0x0303, 0x0409): string("0000"),
        HID_DESCRIPTOR: hid(len(descriptor)),
        REPORT_DESCRIPTOR: descriptor,
    }
    for name, answer in more.items():
        kind = 0x0300 if name[0] == "f" else 0x0100
        table[0xA1, 0x01, kind | int(name[1:], 16), 0] = answer
    return TablePipe(table)
