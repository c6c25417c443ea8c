"""A recording of an attached UPS: what it is, all that it answers, and what happens for some minutes.

Which reports and strings there are is read from its descriptor and profile; ``usb.record`` writes down the
answers and takes the serials out. Nothing is written to the device, and its profile's pauses are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from usbhidups.errors import DeviceGone, TransferFailed, TransferKind
from usbhidups.hid.descriptor import ReportType
from usbhidups.identity import Identity
from usbhidups.tools.probe.clock import Clock
from usbhidups.tools.probe.look import Look
from usbhidups.ups.plan import ReadRequest
from usbhidups.ups.reading.wanted import Key, request
from usbhidups.usb.fixture import Moment
from usbhidups.usb.record import Recording, Wanted, record
from usbhidups.usb.transport import Transport

__all__ = ["Recorder"]

STRING_INDEXES = frozenset(
    {0x840001, 0x8400FD, 0x8400FE, 0x8400FF, 0x850087, 0x850088, 0x850089, 0x85008F}
)
"""Usages whose value is the index of a string (Power Device class 4.1, 4.2)."""

SERIAL_INDEX = 0x8400FF
USUAL_STRINGS = (1, 2, 3)

LONGEST_WAIT = 1.0
MOST_MOMENTS = 20_000
"""Changes that one recording holds: a device that floods must not fill the memory."""

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Paced:
    """A transport with the pauses between transfers that the device needs (failure B07)."""

    transport: Transport
    gap: float
    clock: Clock

    @property
    def identity(self) -> Identity:
        return self.transport.identity

    def report_descriptor(self) -> bytes:
        return self.transport.report_descriptor()

    def get_feature(self, report_id: int, size: int) -> bytes:
        self._pause()
        return self.transport.get_feature(report_id, size)

    def get_input(self, report_id: int, size: int) -> bytes:
        self._pause()
        return self.transport.get_input(report_id, size)

    def string(self, index: int) -> str | None:
        self._pause()
        return self.transport.string(index)

    def _pause(self) -> None:
        if self.gap:
            self.clock.sleep(self.gap)


class Recorder:
    """Records one open device; ``look`` has read it once already."""

    def __init__(self, look: Look, transport: Transport, clock: Clock) -> None:
        self._look = look
        self._transport = transport
        self._clock = clock
        self._last: dict[Key, bytes] = {}

    def record(
        self,
        *,
        source: str,
        notes: str = "",
        seconds: float = 0.0,
        progress: Progress | None = None,
    ) -> Recording:
        """The recording, serials replaced; ``seconds`` of events, fewer at KeyboardInterrupt.

        Raises DeviceGone when it goes before the events begin; later that is the last event.
        """
        gap = self._look.ups.profile.pacing.request_gap
        return record(
            _Paced(self._transport, gap, self._clock),
            self._wanted(),
            source=source,
            notes=notes,
            progress=progress,
            events=(lambda: self._events(seconds, progress)) if seconds else None,
        )

    def _wanted(self) -> Wanted:
        binding = self._look.ups.binding
        never = frozenset(binding.profile.pacing.never_read)

        def reports(kind: ReportType) -> tuple[tuple[int, int], ...]:
            return tuple(
                (key[1], request(binding, key).size)
                for key in binding.descriptor.report_bytes
                if key[0] is kind and key[1] not in never
            )

        known = self._look.strings
        views = self._look.ups.view(self._clock.now()).variables
        hidden = {value.text for name, value in views.items() if name.endswith(".serial")}
        strings = {*USUAL_STRINGS, *known}
        serials = {index for index, text in known.items() if text.strip() in hidden}
        who = self._look.ups.identity
        names = {name.strip() for name in (who.manufacturer, who.product) if name}
        for row in self._look.fields():
            if row.field.usage in STRING_INDEXES and row.raw and row.raw < 256:
                strings.add(row.raw)
                if row.field.usage == SERIAL_INDEX and self._string(row.raw) not in names:
                    serials.add(row.raw)  # a firmware may point to its name instead
        return Wanted(
            feature=reports(ReportType.FEATURE),
            input=reports(ReportType.INPUT),
            strings=tuple(sorted(strings)),
            serial_strings=tuple(sorted(serials)),
        )

    def _string(self, index: int) -> str:
        """A string that the device was perhaps asked for already."""
        known = self._look.strings.get(index)
        if known is None:
            try:
                known = self._transport.string(index)
            except TransferFailed:
                known = None
        return (known or "").strip()

    # -- events ------------------------------------------------------------------------------

    def _events(self, seconds: float, progress: Progress | None) -> tuple[Moment, ...]:
        """What changes: Input reports as they come, Feature reports as the driver would read them."""
        self._last = self._look.reports
        start = self._clock.now()
        moments: list[Moment] = []
        try:
            while len(moments) < MOST_MOMENTS and (left := start + seconds - self._clock.now()) > 0:
                if progress is not None:
                    progress(
                        f"{len(moments)} events, {left:.0f} s to go; Ctrl-C ends it and writes"
                    )
                moments.extend(self._changes(start, left))
        except KeyboardInterrupt:
            pass
        except DeviceGone:
            moments.append(Moment(at=round(self._clock.now() - start, 3), event="disconnect"))
        return tuple(moments)

    def _changes(self, start: float, left: float) -> Iterator[Moment]:
        ups = self._look.ups
        for due in ups.reads_due(self._clock.now()):
            data = self._read(due)
            if data is not None:
                at = round(self._clock.now() - start, 3)
                yield Moment(at=at, feature={due.report_id: data})
        ups.view(self._clock.now())
        pause = min(left, LONGEST_WAIT, max(0.05, ups.next_due(self._clock.now())))
        try:
            event = self._transport.wait_input(pause)
        except TransferFailed as error:
            if error.kind is TransferKind.STALL:
                self._transport.clear_halt()
            self._clock.sleep(pause)
            return
        if event is not None:
            now = self._clock.now()
            ups.got_report(ReportType.INPUT, event, now=now)
            yield Moment(at=round(now - start, 3), input=event)

    def _read(self, due: ReadRequest) -> bytes | None:
        """Read one report; its bytes when it is a Feature report that changed."""
        ups = self._look.ups
        feature = due.report_type is ReportType.FEATURE
        get = self._transport.get_feature if feature else self._transport.get_input
        try:
            data = get(due.report_id, due.size)
        except TransferFailed as error:
            ups.read_failed(due, error.kind, now=self._clock.now())
            return None
        ups.got_report(due.report_type, data, now=self._clock.now())
        key = (due.report_type, due.report_id)
        before, self._last[key] = self._last.get(key), data
        return data if feature and data != before else None
