"""Playing a fixture: answers, timeline, losing and finding the device again."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.usb.bytes import UPS
from tests.usb.pipes import Clock
from usbhidups.errors import (
    DescriptorError,
    DeviceGone,
    DeviceNotFound,
    FixtureError,
    TransferFailed,
    TransferKind,
)
from usbhidups.identity import Identity
from usbhidups.usb.fixture import Device, Failure, Fixture, Moment, Origin, OriginKind, load
from usbhidups.usb.replay import ReplayDevice


def fixture(*timeline: Moment, descriptor: bytes = UPS) -> Fixture:
    return Fixture(
        device=Device(
            vendor_id=0x0764,
            product_id=0x0501,
            manufacturer="CPS",
            product="CP1500",
            interface=2,
            endpoint_in=0x84,
            strings={9: "PbAcid"},
        ),
        origin=Origin(kind=OriginKind.MADE_UP),
        descriptor=descriptor,
        complete=True,
        feature={
            0x0C: b"\x0c\x64",
            0x40: Failure.STALL,
            0x41: Failure.TIMEOUT,
            0x42: Failure.OVERFLOW,
            0x43: Failure.EMPTY,
        },
        input={0x0C: b"\x0c\x64\x08\x07"},
        timeline=timeline,
        where="ups.toml",
    )


def device(*timeline: Moment) -> tuple[ReplayDevice, Clock]:
    clock = Clock()
    return ReplayDevice(fixture(*timeline), clock=clock, pause=clock.sleep), clock


def kind_of(call: object, *arguments: object) -> TransferKind:
    with pytest.raises(TransferFailed) as caught:
        call(*arguments)  # type: ignore[operator]
    return caught.value.kind


def test_what_was_recorded() -> None:
    transport = device()[0].open()
    assert transport.identity == Identity(
        vendor_id=0x0764,
        product_id=0x0501,
        manufacturer="CPS",
        product="CP1500",
        port_path="replay:ups.toml",
        interface=2,
        endpoint_in=0x84,
    )
    assert transport.report_descriptor() == UPS
    assert transport.get_feature(0x0C, 2) == b"\x0c\x64"
    assert transport.get_feature(0x0C, 1) == b"\x0c"
    assert transport.get_input(0x0C, 4) == b"\x0c\x64\x08\x07"
    assert transport.string(9) == "PbAcid"
    assert transport.string(1) is None


def test_failures_as_recorded() -> None:
    transport = device()[0].open()
    kinds = [kind_of(transport.get_feature, report_id, 2) for report_id in (0x40, 0x41, 0x42, 0x43)]
    assert kinds == [
        TransferKind.STALL,
        TransferKind.TIMEOUT,
        TransferKind.OVERFLOW,
        TransferKind.SHORT,
    ]


def test_what_was_not_recorded_says_how_to_record_it() -> None:
    transport = device()[0].open()
    with pytest.raises(
        TransferFailed,
        match=r"get feature 0x0d: not in replay:ups.toml; add it to \[reports.feature\]",
    ):
        transport.get_feature(0x0D, 2)
    with pytest.raises(TransferFailed, match="get input 0x0d"):
        transport.get_input(0x0D, 2)


def test_writes_are_kept_and_read_back() -> None:
    played, _ = device()
    transport = played.open()
    transport.set_feature(b"\x15\x3c\x00")
    assert transport.get_feature(0x15, 3) == b"\x15\x3c\x00"
    assert [*transport.sent] == [*played.sent] == [b"\x15\x3c\x00"]
    assert kind_of(transport.set_feature, b"\x40\x01") is TransferKind.STALL


def test_the_timeline_goes_by_the_clock() -> None:
    played, clock = device(
        Moment(at=5, feature={0x0C: b"\x0c\x32"}),
        Moment(at=6, input=b"\x0c\x32\0\0", feature={0x0C: Failure.STALL}),
    )
    transport = played.open()
    clock.now += 4.9
    assert transport.get_feature(0x0C, 2) == b"\x0c\x64"
    clock.now += 0.2
    assert transport.get_feature(0x0C, 2) == b"\x0c\x32"
    assert transport.wait_input(2) == b"\x0c\x32\0\0"
    assert clock.now == pytest.approx(106)
    assert transport.get_input(0x0C, 4) == b"\x0c\x32\0\0"
    assert kind_of(transport.get_feature, 0x0C, 2) is TransferKind.STALL
    assert transport.wait_input(2) is None
    assert clock.now == pytest.approx(108)


def test_reports_wait_until_they_are_read() -> None:
    played, clock = device(*(Moment(at=1, input=bytes((0x0C, n))) for n in range(100)))
    transport = played.open()
    clock.now += 2
    assert transport.wait_input(0) == bytes((0x0C, 36))  # 64 were kept
    assert transport.wait_input(0) == bytes((0x0C, 37))


def test_faults_come_and_go() -> None:
    played, clock = device(
        Moment(at=1, event="stall:0c"),
        Moment(at=2, event="ok:0c"),
        Moment(at=3, event="timeout", input=b"\x0c\x01"),
        Moment(at=4, event="io"),
        Moment(at=5, event="ok"),
    )
    transport = played.open()
    clock.now += 1
    assert kind_of(transport.get_feature, 0x0C, 2) is TransferKind.STALL
    assert kind_of(transport.set_feature, b"\x0c\x01") is TransferKind.STALL
    assert transport.wait_input(0) is None
    clock.now += 1
    assert transport.get_feature(0x0C, 2) == b"\x0c\x64"
    clock.now += 1
    assert kind_of(transport.get_feature, 0x0C, 2) is TransferKind.TIMEOUT
    assert transport.wait_input(0.5) is None
    clock.now += 0.5
    assert kind_of(transport.wait_input, 0.1) is TransferKind.IO
    clock.now += 1
    assert transport.wait_input(0) == b"\x0c\x01"


def test_a_lost_device_is_opened_again_and_time_went_on() -> None:
    played, clock = device(
        Moment(at=1, event="disconnect"),
        Moment(at=2, feature={0x0C: b"\x0c\x0a"}, input=b"\x0c\x0a\0\0"),
        Moment(at=3, event="reconnect"),
    )
    transport = played.open()
    with pytest.raises(DeviceGone):
        transport.wait_input(10)
    assert clock.now == pytest.approx(101)
    with pytest.raises(DeviceNotFound, match=r"ups\.toml: disconnected"):
        played.open()
    clock.now += 2.5
    with pytest.raises(DeviceGone):
        transport.get_feature(0x0C, 2)
    transport.close()
    again = played.open()
    assert again.get_feature(0x0C, 2) == b"\x0c\x0a"
    assert again.wait_input(0) is None  # sent while it was away


def test_a_bounce_ends_the_connection_though_nobody_looked() -> None:
    played, clock = device(Moment(at=1, event="disconnect"), Moment(at=2, event="reconnect"))
    transport = played.open()
    clock.now += 5
    with pytest.raises(DeviceGone):
        transport.get_feature(0x0C, 2)


def test_a_closed_transport_is_closed() -> None:
    played, _ = device()
    transport = played.open()
    transport.close()
    with pytest.raises(DeviceGone, match="closed"):
        transport.string(9)
    assert played.open().string(9) == "PbAcid"


def test_mending_does_nothing() -> None:
    transport = device()[0].open()
    transport.clear_halt()
    transport.reset()
    assert transport.get_feature(0x0C, 2) == b"\x0c\x64"


def test_a_wait_is_ended_from_another_thread() -> None:
    transport = ReplayDevice(fixture(), clock=lambda: 0.0).open()
    caller = threading.Timer(0.01, transport.interrupt)
    caller.start()
    assert transport.wait_input(1000) is None
    caller.join()


@pytest.mark.parametrize(
    "event", ["explode", "stall:", "stall:zz", "stall:100", "disconnect:1", "mains:off"]
)
def test_events_that_are_not_replays(event: str) -> None:
    with pytest.raises(FixtureError) as caught:
        ReplayDevice(fixture(Moment(at=1), Moment(at=2, event=event)), clock=Clock())
    assert caught.value.key == "timeline[2].event"


def test_nothing_to_play() -> None:
    with pytest.raises(DescriptorError, match="no report descriptor was recorded"):
        ReplayDevice(fixture(descriptor=b""), clock=Clock()).open()


def test_every_fixture_of_the_project_plays() -> None:
    paths = sorted((Path(__file__).parents[2] / "fixtures/hid-descriptors").glob("*.toml"))
    assert len(paths) >= 15
    for path in paths:
        recorded = load(path)
        transport = ReplayDevice(recorded, clock=Clock()).open()
        for report_id, answer in recorded.feature.items():
            assert isinstance(answer, Failure) or transport.get_feature(report_id, 4096) == answer
