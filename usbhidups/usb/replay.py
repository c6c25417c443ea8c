"""A fixture played as a device: answers as recorded, the timeline by the clock, writes kept.

Nothing is made up: a report that was not recorded is refused by name, with the way to record it. The
device (``ReplayDevice``) goes on while it is closed, so that it can be lost and opened again; it is no
simulation of a UPS's behaviour (that is the simulator).

Events of the timeline: ``disconnect``, ``reconnect``; ``stall``, ``timeout``, ``overflow``, ``short``,
``io`` with ``:ID`` (a report id in hex; without it every report and the interrupt endpoint), and ``ok``
likewise to end that.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence

from usbhidups.errors import (
    DescriptorError,
    DeviceGone,
    DeviceNotFound,
    FixtureError,
    TransferFailed,
    TransferKind,
)
from usbhidups.identity import Identity
from usbhidups.usb.fixture import Answer, Failure, Fixture, Moment
from usbhidups.usb.transport import CONTROL_TIMEOUT

__all__ = ["ReplayDevice", "ReplayTransport"]

MOST_UNREAD = 64
"""Input reports that wait to be read, as many as the kernel's hidraw keeps; older ones are lost."""

MOST_SENT = 64
"""Reports written to it that are kept; of more the oldest are forgotten."""

EVERY = -1
"""Stands for all report ids."""

_KINDS = {
    Failure.STALL: TransferKind.STALL,
    Failure.TIMEOUT: TransferKind.TIMEOUT,
    Failure.OVERFLOW: TransferKind.OVERFLOW,
    Failure.EMPTY: TransferKind.SHORT,
}
_FAULTS = {kind.value: kind for kind in TransferKind}


class ReplayDevice:
    """A recorded device on a made-up bus. ``clock`` gives seconds; its timeline starts when it is made."""

    def __init__(
        self,
        fixture: Fixture,
        *,
        clock: Callable[[], float],
        pause: Callable[[float], None] | None = None,
    ) -> None:
        """``pause`` waits so many seconds of ``clock``; without it real time passes, and waits can be
        ended early. Raises FixtureError for an event that is not replay's.
        """
        for number, moment in enumerate(fixture.timeline, 1):
            _check(fixture, number, moment)
        self.fixture = fixture
        self.sent: deque[bytes] = deque(maxlen=MOST_SENT)
        self._clock = clock
        self._pause = pause
        self._start = clock()
        self._ahead = deque(fixture.timeline)
        self._feature: dict[int, Answer] = dict(fixture.feature)
        self._input: dict[int, Answer] = dict(fixture.input)
        self._unread: deque[bytes] = deque(maxlen=MOST_UNREAD)
        self._faults: dict[int, TransferKind] = {}
        self._connected = True
        self._called = threading.Event()
        self.connections = 0

    def open(self) -> ReplayTransport:
        """Open it. Raises DeviceNotFound while it is disconnected, DescriptorError without a descriptor."""
        self.advance()
        if not self._connected:
            raise DeviceNotFound(f"{self.place}: disconnected")
        if not self.fixture.descriptor:
            raise DescriptorError(f"{self.place}: no report descriptor was recorded")
        self.connections += 1
        self._unread.clear()
        return ReplayTransport(self)

    @property
    def place(self) -> str:
        """What stands for its port path."""
        return f"replay:{self.fixture.where}"

    def advance(self) -> None:
        """Let everything happen whose time has come."""
        now = self._clock() - self._start
        while self._ahead and self._ahead[0].at <= now:
            self._happen(self._ahead.popleft())

    def alive(self, connection: int) -> None:
        """Raise DeviceGone unless ``connection`` is the present one."""
        self.advance()
        if not self._connected or connection != self.connections:
            raise DeviceGone(f"{self.place}: disconnected")

    def answer(self, table: str, report_id: int) -> bytes:
        """What a report answers now; raises TransferFailed."""
        request = f"get {table} {report_id:#04x}"
        fault = self._faults.get(EVERY) or self._faults.get(report_id)
        if fault is not None:
            raise TransferFailed(fault, request)
        known = self._feature if table == "feature" else self._input
        answer = known.get(report_id)
        if answer is None:
            how = f"add it to [reports.{table}], or record the device again"
            raise TransferFailed(TransferKind.STALL, f"{request}: not in {self.place}; {how}")
        if isinstance(answer, Failure):
            raise TransferFailed(_KINDS[answer], request)
        return answer

    def write(self, data: bytes) -> None:
        """Take a Feature report; it is what later reads answer."""
        request = f"set feature {data[0]:#04x}"
        fault = self._faults.get(EVERY) or self._faults.get(data[0])
        if fault is not None:
            raise TransferFailed(fault, request)
        if isinstance(self._feature.get(data[0]), Failure):
            raise TransferFailed(TransferKind.STALL, request)
        self.sent.append(data)
        self._feature[data[0]] = data

    def next_input(self) -> bytes | None:
        """The oldest input report that is unread; raises TransferFailed."""
        fault = self._faults.get(EVERY)
        if fault is TransferKind.TIMEOUT:
            return None
        if fault is not None:
            raise TransferFailed(fault, "read input reports")
        return self._unread.popleft() if self._unread else None

    def wait(self, seconds: float) -> float:
        """Let time pass, at most until the next moment of the timeline.

        Returns the seconds that are left, 0 when somebody called.
        """
        part = seconds
        if self._ahead:
            part = min(part, max(0.0, self._ahead[0].at - (self._clock() - self._start)))
        if self._pause is not None:
            self._pause(part)
        called = self._called.wait(part if self._pause is None else 0)
        self._called.clear()
        return 0.0 if called else seconds - part

    def call(self) -> None:
        """End a wait that is under way, or the next one."""
        self._called.set()

    def _happen(self, moment: Moment) -> None:
        self._feature.update(moment.feature)
        word, _, which = moment.event.partition(":")
        report_id = int(which, 16) if which else EVERY
        if word == "disconnect":
            self._connected = False
        elif word == "reconnect":
            self._connected = True
            self.connections += 1  # open transports stay dead
        elif word == "ok" and report_id == EVERY:
            self._faults.clear()
        elif word == "ok":
            self._faults.pop(report_id, None)
        elif word:
            self._faults[report_id] = _FAULTS[word]
        if moment.input is not None:
            self._input[moment.input[0]] = moment.input
            if self._connected:
                self._unread.append(moment.input)


def _check(fixture: Fixture, number: int, moment: Moment) -> None:
    word, colon, which = moment.event.partition(":")
    known = word in ("", "disconnect", "reconnect", "ok") or word in _FAULTS
    argued = word == "ok" or word in _FAULTS
    try:
        sound = known and (not colon or (argued and 0 <= int(which, 16) <= 255))
    except ValueError:
        sound = False
    if not sound:
        raise FixtureError(
            f"{moment.event!r} is no event of replay",
            where=fixture.where,
            key=f"timeline[{number}].event",
        )


class ReplayTransport:
    """One connection to a replayed device; satisfies ``transport.Transport``."""

    def __init__(self, device: ReplayDevice) -> None:
        self._device = device
        self._connection = device.connections
        self._closed = False
        facts = device.fixture.device
        self._identity = Identity(
            vendor_id=facts.vendor_id,
            product_id=facts.product_id,
            release=facts.release or 0,
            manufacturer=facts.manufacturer,
            product=facts.product,
            serial=facts.serial,
            port_path=device.place,
            interface=facts.interface,
            endpoint_in=facts.endpoint_in,
        )

    @property
    def identity(self) -> Identity:
        """As the fixture says; its place is ``replay:FILE``."""
        return self._identity

    @property
    def sent(self) -> Sequence[bytes]:
        """The Feature reports that were written to the device last, over all connections, in order."""
        return self._device.sent

    def report_descriptor(self) -> bytes:
        """The fixture's."""
        return self._device.fixture.descriptor

    def get_feature(self, report_id: int, size: int, *, timeout: float = CONTROL_TIMEOUT) -> bytes:
        """As Transport; a report that is not in the fixture is a STALL that names it."""
        self._alive()
        return self._device.answer("feature", report_id)[:size]

    def get_input(self, report_id: int, size: int, *, timeout: float = CONTROL_TIMEOUT) -> bytes:
        """As get_feature."""
        self._alive()
        return self._device.answer("input", report_id)[:size]

    def set_feature(self, data: bytes, *, timeout: float = CONTROL_TIMEOUT) -> None:
        """As Transport; later reads answer ``data``."""
        self._alive()
        self._device.write(bytes(data))

    def wait_input(self, timeout: float) -> bytes | None:
        """As Transport."""
        left = timeout
        while True:
            self._alive()
            report = self._device.next_input()
            if report is not None or left <= 0:
                return report
            left = self._device.wait(left)

    def string(self, index: int, *, timeout: float = CONTROL_TIMEOUT) -> str | None:
        """As Transport."""
        self._alive()
        return self._device.fixture.device.strings.get(index)

    def clear_halt(self) -> None:
        """Nothing is halted here."""

    def reset(self) -> None:
        """Nothing happens."""

    def interrupt(self) -> None:
        """As Transport, at once."""
        self._device.call()

    def close(self) -> None:
        """As Transport; the device goes on."""
        self._closed = True

    def _alive(self) -> None:
        if self._closed:
            raise DeviceGone(f"{self._device.place}: closed")
        self._device.alive(self._connection)
