"""Control requests and the interrupt endpoint of a healthy device."""

from __future__ import annotations

import pytest

from tests.simulator.devices import DESCRIPTOR, Host, bench
from usbhidups.simulator.transfers import Reply, Status
from usbhidups.usb.fixture import Failure

LENGTH = len(DESCRIPTOR).to_bytes(2, "little").hex()


@pytest.mark.parametrize(
    ("setup", "answer"),
    [
        ("80 06 0001 0000 0800", "12 01 1001 00 00 00 08"),  # device, cut to what was asked
        ("80 06 0002 0000 0900", "09 02 2200 01 01 00 a0 32"),
        ("80 06 0003 0000 ff00", "04 03 0904"),
        ("80 06 0203 0904 ff00", "08 03 5500 5000 5300"),
        ("81 06 0021 0000 0900", f"09 21 1001 00 01 22 {LENGTH}"),
        ("80 08 0000 0000 0100", "01"),
        ("80 00 0000 0000 0200", "00 00"),
        ("82 00 0000 8100 0200", "00 00"),
        ("81 0a 0000 0000 0100", "00"),
        ("a1 02 0000 0000 0100", "00"),
    ],
)
def test_reading_requests(setup: str, answer: str) -> None:
    assert Host().request(setup) == Reply(Status.OK, bytes.fromhex(answer))


@pytest.mark.parametrize(
    "setup",
    [
        "21 0a 0000 0000 0000",  # SET_IDLE
        "00 09 0100 0000 0000",  # SET_CONFIGURATION
        "01 0b 0000 0000 0000",  # SET_INTERFACE
        "02 01 0000 8100 0000",  # CLEAR_FEATURE(ENDPOINT_HALT)
    ],
)
def test_requests_without_answer(setup: str) -> None:
    assert Host().request(setup) == Reply(Status.OK)


def test_report_descriptor_in_whole_and_in_part() -> None:
    host = Host()
    assert host.request("81 06 0022 0000 0010").data == DESCRIPTOR
    assert host.request("81 06 0022 0000 1000").data == DESCRIPTOR[:16]


def test_reports_are_the_recorded_ones() -> None:
    host = Host()
    assert host.read(0x02) == "02 64 08 07"
    assert host.feature(0x02, length=2).data.hex() == "0264"
    assert host.request("a1 01 0101 0000 0800").data.hex() == "0191"  # Input


def test_unnumbered_reports_have_no_id_on_the_wire() -> None:
    descriptor = bytes.fromhex("0584 0904 a101 0924 a102 1500 2564 7508 9501 0585 0966 b102 c0 c0")
    host = Host(bench(descriptor=descriptor, feature={0: b"\x00\x55"}))
    assert host.feature(0).data == b"\x55"
    host.request("21 09 0003 0000 0100", b"\x20")  # charge is shown, not set
    assert host.feature(0).data == b"\x55"


def test_unknown_is_stalled_and_listed() -> None:
    host = Host()
    assert host.feature(0x77).status is Status.STALL
    assert host.write("77 01").status is Status.STALL
    assert host.request("80 06 0903 0904 ff00").status is Status.STALL
    assert host.request("c0 01 0000 0000 0100").status is Status.STALL
    state = host.do("state")
    assert isinstance(state, dict)
    assert state["unknown requests"] == [
        "get feature 77",
        "set feature 77",
        "setup c0 01 0000",
        "string 9",
    ]


def test_what_a_host_asks_of_any_device_is_not_unknown() -> None:
    host = Host()
    assert host.request("80 06 0006 0000 0a00").status is Status.STALL  # device qualifier
    assert host.request("80 06 000f 0000 0500").status is Status.STALL  # BOS
    assert host.device.gadget.log.unknown == set()


def test_reports_of_the_decoy_are_not_ours() -> None:
    host = Host(bench(interface=1))
    assert host.request("a1 01 0203 0000 4000").status is Status.STALL
    assert host.request("a1 01 0203 0100 4000").data.hex() == "02640807"
    assert len(host.request("81 06 0022 0000 ff00").data) == 27
    assert host.request("81 06 0022 0100 0010").data == DESCRIPTOR


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (Failure.STALL, Status.STALL),
        (Failure.TIMEOUT, Status.NEVER),
        (Failure.OVERFLOW, Status.OVERFLOW),
        (Failure.EMPTY, Status.OK),
    ],
)
def test_recorded_failures(failure: Failure, status: Status) -> None:
    host = Host(bench(feature={0x01: b"\x01\x91", 0x02: failure}))
    assert host.feature(0x02, length=4) == Reply(status)
    assert host.read(0x01) == "01 91"


def test_settings_are_kept() -> None:
    host = Host()
    assert host.write("08 06 01 1e").status is Status.OK
    assert host.read(0x08) == "08 06 01 1e"
    assert host.device.ups.low_charge == 30.0


def test_measured_values_are_not_set() -> None:
    host = Host()
    assert host.write("0c 63").status is Status.OK
    assert host.read(0x0C) == "0c 14"


def test_interrupts_wait_for_a_change() -> None:
    host = Host()
    assert host.input() is None
    host.do("mains off")
    assert host.input() == Reply(Status.OK, bytes.fromhex("01 94"))  # discharging, full, battery
    assert host.input() is None


def test_another_endpoint_never_speaks() -> None:
    host = Host(bench(interface=1))
    host.do("mains off")
    assert host.device.interrupt(1, 8, host.now) is None
    assert host.device.interrupt(4, 8, host.now) is not None


def test_long_input_reports_come_in_packets() -> None:
    descriptor = bytes.fromhex("0584 0904 a101 8501 7508 9509 0930 8102 c0")
    host = Host(bench(descriptor=descriptor, feature={0x20: b"\x20\x00"}))
    assert host.device.gadget.record.speed.name == "FULL"
    host.do("report input 01 01 02 03 04 05 06 07 08 09 0a")
    reply = host.input(length=8)
    assert reply == Reply(Status.OVERFLOW)  # 10 bytes do not fit and 8 is no whole packet of 64
    host.do("report input 01 01 02 03 04 05 06 07 08 09 0b")
    assert host.input(length=64) == Reply(Status.OK, bytes.fromhex("010203040506070809 0b"))


def test_log_holds_the_bytes() -> None:
    host = Host()
    host.read(0x02)
    host.write("08 06 01 1e")
    host.write("03 14 00")
    assert host.do("wrote") == ["08 06 01 1e", "03 14 00"]
    requests = host.do("requests")
    assert isinstance(requests, list)
    assert requests[0] == {
        "at": 1000.0,
        "ups_at": 0.0,
        "what": "get-feature",
        "number": "02",
        "data": "02 64 08 07",
        "outcome": "ok",
    }
    host.do("forget")
    assert host.do("requests") == []


def test_log_is_bounded() -> None:
    host = Host()
    for _ in range(5000):
        host.read(0x0C)
    assert len(host.device.gadget.log.entries) == 4096
    assert host.device.gadget.log.total == 5000


def test_a_device_of_which_nothing_was_recorded() -> None:
    host = Host(bench(feature={}))
    assert host.read(0x01) == "01 91"
    assert host.read(0x02) == "02 64 08 07"
    assert host.read(0x03) == "03 ff ff"
    assert host.read(0x08) == "08 06 02 14"
    assert host.read(0x0A) == "0a d8 59"
    assert host.read(0x0C) == "0c 14"
