"""Making a fixture of an attached device: what it answers is written down, failures too.

Nothing is written to the device. Serial numbers are replaced by zeros of the same length wherever they
occur, since recordings are published. Which reports exist is the caller's knowledge (the report descriptor).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from usbhidups.errors import TransferFailed, TransferKind
from usbhidups.identity import Identity
from usbhidups.usb.fixture import Answer, Device, Failure, Fixture, Moment, Origin, OriginKind
from usbhidups.usb.reportscan import scan

__all__ = ["Readable", "Recording", "Wanted", "record", "redacted"]

_FAILURES = {
    TransferKind.STALL: Failure.STALL,
    TransferKind.TIMEOUT: Failure.TIMEOUT,
    TransferKind.OVERFLOW: Failure.OVERFLOW,
    TransferKind.SHORT: Failure.EMPTY,
    TransferKind.IO: Failure.STALL,
}

_Any = TypeVar("_Any")

SHORTEST_SERIAL = 4
"""Characters below which a serial is too common to be looked for inside other texts and reports."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to read: report ids with their declared bytes (id byte included), string indices.

    ``serial_strings`` are those of ``strings`` that hold a serial number.
    """

    feature: tuple[tuple[int, int], ...] = ()
    input: tuple[tuple[int, int], ...] = ()
    strings: tuple[int, ...] = ()
    serial_strings: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Recording:
    """The fixture, and what was replaced in it (for people to be told)."""

    fixture: Fixture
    replaced: tuple[str, ...]


class Readable(Protocol):
    """The part of a Transport that is recorded."""

    @property
    def identity(self) -> Identity: ...
    def report_descriptor(self) -> bytes: ...
    def get_feature(self, report_id: int, size: int) -> bytes: ...
    def get_input(self, report_id: int, size: int) -> bytes: ...
    def string(self, index: int) -> str | None: ...


def record(
    transport: Readable,
    wanted: Wanted,
    *,
    source: str,
    notes: str = "",
    progress: Callable[[str], None] | None = None,
    events: Callable[[], tuple[Moment, ...]] | None = None,
) -> Recording:
    """Read everything that is wanted, once; a failed transfer is part of the record.

    ``events`` is called afterwards and gives the timeline. Raises DeviceGone.
    """

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
        timeline=events() if events is not None else (),
    )
    return redacted(fixture, wanted.serial_strings)


def redacted(fixture: Fixture, serial_strings: Sequence[int] = ()) -> Recording:
    """The fixture with its serials replaced by zeros of the same length, wherever they stand.

    Serials are the device's own and those strings whose index is in ``serial_strings``.
    """
    device = fixture.device
    texts = [device.serial or "", *(device.strings.get(index, "") for index in serial_strings)]
    serials = sorted({text.strip() for text in texts if text.strip(" 0")}, key=len, reverse=True)
    replaced: list[str] = []

    def text(key: str, value: str | None) -> str | None:
        if value is None:
            return None
        clean = value
        for serial in serials:
            whole = clean.strip() == serial
            if whole or len(serial) >= SHORTEST_SERIAL:
                clean = clean.replace(serial, "0" * len(serial))
        return noted(key, value, clean)

    def answer(key: str, value: Answer) -> Answer:
        if isinstance(value, Failure):
            return value
        clean = value
        for serial in serials:
            if len(serial) >= SHORTEST_SERIAL:
                raw = serial.encode()
                clean = clean.replace(raw, b"0" * len(raw))
        return noted(key, value, clean)

    def moment(number: int, value: Moment) -> Moment:
        key = f"timeline[{number}]"
        feature = {
            report_id: answer(f"{key}.feature.{report_id:02x}", each)
            for report_id, each in value.feature.items()
        }
        event = None if value.input is None else answer(f"{key}.input", value.input)
        return replace(value, feature=feature, input=event if isinstance(event, bytes) else None)

    def noted(key: str, before: _Any, after: _Any) -> _Any:
        if before != after:
            replaced.append(key)
        return after

    clean = replace(
        fixture,
        device=replace(
            device,
            product=text("device.product", device.product),
            serial=text("device.serial", device.serial),
            strings={
                index: text(f"device.strings.{index}", value) or ""
                for index, value in device.strings.items()
            },
        ),
        feature={
            report_id: answer(f"reports.feature.{report_id:02x}", value)
            for report_id, value in fixture.feature.items()
        },
        input={
            report_id: answer(f"reports.input.{report_id:02x}", value)
            for report_id, value in fixture.input.items()
        },
        timeline=tuple(moment(*pair) for pair in enumerate(fixture.timeline, 1)),
    )
    return Recording(clean, tuple(replaced))


def _answer(get: Callable[[int, int], bytes], report_id: int, size: int) -> Answer:
    try:
        return get(report_id, size)
    except TransferFailed as error:
        return _FAILURES[error.kind]


def _string(transport: Readable, index: int) -> str | None:
    try:
        return _sound(transport.string(index))
    except TransferFailed:
        return None


def _sound(text: str | None) -> str | None:
    """Without lone surrogates, which no file can hold."""
    return None if text is None else text.encode("utf-8", "replace").decode()
