"""Recording a device: what it answered, what it refused, and no serial."""

from __future__ import annotations

import pytest

from tests.usb.bytes import UPS
from tests.usb.pipes import Clock
from usbhidups.usb.fixture import (
    Device,
    Failure,
    Fixture,
    Moment,
    Origin,
    OriginKind,
    dumps,
    parse,
)
from usbhidups.usb.record import Wanted, record, redacted
from usbhidups.usb.replay import ReplayDevice

SERIAL = "DK8153AB12"


def source(serial: str | None = SERIAL, **strings: str) -> Fixture:
    return Fixture(
        device=Device(
            vendor_id=0x051D,
            product_id=2,
            release=6,
            manufacturer="APC",
            product=f"Back-UPS S/N:{SERIAL}",
            serial=serial,
            strings={3: f" {SERIAL} ", 5: "PbAc", 7: "BATTERY-77"},
        ),
        origin=Origin(kind=OriginKind.MADE_UP),
        descriptor=UPS,
        complete=True,
        feature={
            1: b"\x01\x64",
            2: Failure.STALL,
            3: Failure.TIMEOUT,
            4: Failure.OVERFLOW,
            5: Failure.EMPTY,
            6: b"\x06" + SERIAL.encode() + b"\0",
        },
        input={1: b"\x01\x02"},
        timeline=(
            Moment(at=2, input=b"\x01\x03"),
            Moment(at=3, event="io"),
            Moment(at=4, event="ok"),
        ),
        where="source",
    )


WANTED = Wanted(
    feature=((1, 2), (2, 2), (3, 2), (4, 2), (5, 2), (6, 12), (9, 2)),
    input=((1, 2), (9, 2)),
    strings=(3, 5, 7, 8),
    serial_strings=(7,),
)


def test_a_recording() -> None:
    told: list[str] = []
    played = ReplayDevice(source(), clock=Clock())
    recording = record(played.open(), WANTED, source="test", notes="a note", progress=told.append)
    assert recording.fixture == Fixture(
        device=Device(
            vendor_id=0x051D,
            product_id=2,
            release=6,
            manufacturer="APC",
            product="Back-UPS S/N:0000000000",
            serial="0000000000",
            strings={3: " 0000000000 ", 5: "PbAc", 7: "0000000000"},
        ),
        origin=Origin(kind=OriginKind.RECORDED, source="test", notes="a note"),
        descriptor=UPS,
        complete=True,
        feature={
            1: b"\x01\x64",
            2: Failure.STALL,
            3: Failure.TIMEOUT,
            4: Failure.OVERFLOW,
            5: Failure.EMPTY,
            6: b"\x060000000000\0",
            9: Failure.STALL,
        },
        input={1: b"\x01\x02", 9: Failure.STALL},
    )
    assert recording.replaced == (
        "device.product",
        "device.serial",
        "device.strings.3",
        "device.strings.7",
        "reports.feature.06",
    )
    assert not played.sent
    assert told[0] == "feature 01"
    assert told[-1] == "string 8"
    assert SERIAL not in dumps(recording.fixture)
    assert parse(dumps(recording.fixture), "again") == recording.fixture


@pytest.mark.parametrize("serial", [None, "", "0000", "  "])
def test_no_serial_no_replacing(serial: str | None) -> None:
    fixture = source(serial)
    recording = redacted(fixture)
    assert recording.fixture == fixture
    assert recording.replaced == ()


def test_a_short_serial_is_not_looked_for_inside_other_texts() -> None:
    fixture = source("12")
    recording = redacted(fixture)
    assert recording.replaced == ("device.serial",)
    assert recording.fixture.device.serial == "00"
    assert recording.fixture.device.product == fixture.device.product


def test_events_become_the_timeline_without_the_serial() -> None:
    played = ReplayDevice(source(SERIAL), clock=Clock())
    said = (
        Moment(at=2.0, input=b"\x01" + SERIAL.encode(), feature={3: b"\x03" + SERIAL.encode()}),
    )
    recording = record(played.open(), Wanted(), source="test", events=lambda: said)
    zeros = b"0" * len(SERIAL)
    assert recording.fixture.timeline == (
        Moment(at=2.0, input=b"\x01" + zeros, feature={3: b"\x03" + zeros}),
    )
    assert {"timeline[1].input", "timeline[1].feature.03"} <= set(recording.replaced)
