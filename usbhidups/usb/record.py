"""Making a fixture of an attached device: what it answers is written down, failures too.

Nothing is written to the device. Serial numbers are replaced by zeros of the same length wherever they
occur, since recordings are published. Which reports exist is the caller's knowledge (the report descriptor).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from usbhidups.errors import TransferFailed, TransferKind
from usbhidups.usb.fixture import Answer, Device, Failure, Fixture, Moment, Origin, OriginKind
from usbhidups.usb.reportscan import scan
from usbhidups.usb.transport import Transport

__all__ = ["Recording", "Wanted", "record", "record_events", "redacted"]

_FAILURES = {
    TransferKind.STALL: Failure.STALL,
    TransferKind.TIMEOUT: Failure.TIMEOUT,
    TransferKind.OVERFLOW: Failure.OVERFLOW,
    TransferKind.SHORT: Failure.EMPTY,
    TransferKind.IO: Failure.STALL,
}

SHORTEST_SERIAL = 4
"""Characters below which a serial is too common to be looked for inside other texts and reports."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to read: report ids with their declared bytes (id byte included), string indices."""

    feature: tuple[tuple[int, int], ...] = ()
    input: tuple[tuple[int, int], ...] = ()
    strings: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Recording:
    """The fixture, and what was replaced in it (for people to be told)."""

    fixture: Fixture
    replaced: tuple[str, ...]


def record(
    transport: Transport,
    wanted: Wanted,
    *,
    source: str,
    notes: str = "",
    progress: Callable[[str], None] | None = None,
) -> Recording:
    """Read everything that is wanted, once. Raises DeviceGone; a failed transfer is part of the record."""

    def say(text: str) -> None:
        if progress is not None:
            progress(text)

    feature: dict[int, Answer] = {}
    for report_id, size in wanted.feature:
        say(f"feature {report_id:02x}")
        feature[report_id] = _answer(transport.get_feature, report_id, size)
    inputs: dict[int, Answer] = {}
    for report_id, size in wanted.input:
        say(f"input {report_id:02x}")
        inputs[report_id] = _answer(transport.get_input, report_id, size)
    strings: dict[int, str] = {}
    for index in wanted.strings:
        say(f"string {index}")
        text = _string(transport, index)
        if text is not None:
            strings[index] = text
    who = transport.identity
    descriptor = transport.report_descriptor()
    fixture = Fixture(
        device=Device(
            vendor_id=who.vendor_id,
            product_id=who.product_id,
            release=who.release,
            manufacturer=_sound(who.manufacturer),
            product=_sound(who.product),
            serial=_sound(who.serial),
            interface=who.interface,
            endpoint_in=who.endpoint_in or 0x81,
            strings=strings,
        ),
        origin=Origin(kind=OriginKind.RECORDED, source=source, notes=notes),
        descriptor=descriptor,
        complete=scan(descriptor).whole,
        feature=feature,
        input=inputs,
    )
    return redacted(fixture)


def record_events(
    transport: Transport, *, seconds: float, clock: Callable[[], float]
) -> tuple[Moment, ...]:
    """Input reports as they come, for so many seconds: the timeline of a recording. Raises DeviceGone."""
    start = clock()
    moments: list[Moment] = []
    while (left := start + seconds - clock()) > 0:
        try:
            report = transport.wait_input(left)
        except TransferFailed:
            transport.clear_halt()
            continue
        if report is not None:
            moments.append(Moment(at=round(clock() - start, 3), input=report))
    return tuple(moments)


def redacted(fixture: Fixture) -> Recording:
    """The fixture with its serial replaced by zeros of the same length, wherever it stands."""
    serial = (fixture.device.serial or "").strip()
    if not serial or not serial.strip("0"):
        return Recording(fixture, ())
    replaced = ["device.serial"]
    zeros = "0" * len(serial)
    device = replace(fixture.device, serial=(fixture.device.serial or "").replace(serial, zeros))
    feature, inputs = dict(fixture.feature), dict(fixture.input)
    if len(serial) >= SHORTEST_SERIAL:
        strings = dict(device.strings)
        for index, text in device.strings.items():
            if serial in text:
                strings[index] = text.replace(serial, zeros)
                replaced.append(f"device.strings.{index}")
        device = replace(device, strings=strings)
        for name, answers in (("feature", feature), ("input", inputs)):
            for report_id, answer in answers.items():
                if isinstance(answer, bytes) and serial.encode() in answer:
                    answers[report_id] = answer.replace(serial.encode(), zeros.encode())
                    replaced.append(f"reports.{name}.{report_id:02x}")
    else:
        strings = {
            index: zeros if text == serial else text for index, text in device.strings.items()
        }
        replaced += [
            f"device.strings.{index}" for index, text in device.strings.items() if text == serial
        ]
        device = replace(device, strings=strings)
    return Recording(
        replace(fixture, device=device, feature=feature, input=inputs), tuple(replaced)
    )


def _answer(get: Callable[[int, int], bytes], report_id: int, size: int) -> Answer:
    try:
        return get(report_id, size)
    except TransferFailed as error:
        return _FAILURES[error.kind]


def _string(transport: Transport, index: int) -> str | None:
    try:
        return _sound(transport.string(index))
    except TransferFailed:
        return None


def _sound(text: str | None) -> str | None:
    """Without lone surrogates, which no file can hold."""
    return None if text is None else text.encode("utf-8", "replace").decode()
