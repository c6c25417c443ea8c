"""Each fault of the simulator, as a host sees it."""

from __future__ import annotations

import pytest

from tests.simulator.devices import DESCRIPTOR, Host, bench
from usbhidups.simulator.faults import FAULTS, parse_fault
from usbhidups.simulator.output import Cause
from usbhidups.simulator.transfers import Reply, Status

HID = "81 06 0021 0000 0900"
REPORT = "81 06 0022 0000 0010"
CONFIGURATION = "80 06 0002 0000 ff00"
STRING_0 = "80 06 0003 0000 ff00"
STRING_1 = "80 06 0103 0904 ff00"
OK, STALL, NEVER, IO, OVERFLOW, GONE = (
    Reply(Status[name]) for name in ("OK", "STALL", "NEVER", "IO", "OVERFLOW", "GONE")
)


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        ("stall 02", STALL),
        ("stall all", STALL),
        ("timeout 02", NEVER),
        ("io 02", IO),
        ("empty 02", OK),
        ("short 02 2", Reply(Status.OK, bytes.fromhex("02 64"))),
        ("zero 02", Reply(Status.OK, bytes.fromhex("02 00 00 00"))),
        ("misnumber 02 5", Reply(Status.OK, bytes.fromhex("05 64 08 07"))),
        ("slow 02 3", Reply(Status.OK, bytes.fromhex("02 64 08 07"), after=3.0)),
        ("delay 20", Reply(Status.OK, bytes.fromhex("02 64 08 07"), after=0.02)),
        ("wedge", NEVER),
        ("errors", IO),
        ("overflow", OVERFLOW),
    ],
)
def test_get_report(fault: str, answer: Reply) -> None:
    host = Host()
    host.do(fault)
    assert host.feature(0x02, length=4) == answer
    host.do("clear")
    assert host.read(0x02) == "02 64 08 07"


def test_other_reports_are_well() -> None:
    host = Host()
    host.do("stall 02")
    assert host.read(0x0C) == "0c 14"


def test_long_answers_fit_a_larger_buffer() -> None:
    host = Host()
    host.do("long 02 8")
    assert host.feature(0x02, length=4) == OVERFLOW
    assert host.feature(0x02, length=12).data == bytes.fromhex("02 64 08 07") + bytes(8)


def test_hang_takes_the_next_requests_along() -> None:
    host = Host()
    host.do("hang 0c 2")
    assert host.feature(0x0C) == NEVER
    assert host.feature(0x02) == NEVER
    assert host.request(HID) == NEVER
    assert host.read(0x02) == "02 64 08 07"


def test_writes() -> None:
    host = Host()
    host.do("refuse 03")
    assert host.write("03 14 00") == STALL
    host.do("clear")
    host.do("ignore 03")
    assert host.write("03 14 00") == OK
    assert host.read(0x03) == "03 ff ff"
    host.do("clear")
    host.do("strict-length")
    assert host.write("03 14") == STALL
    assert host.write("03 14 00") == OK
    assert host.read(0x03) == "03 14 00"


def test_write_gap() -> None:
    host = Host()
    host.do("write-gap 0.125")
    assert host.write("04 1e 00") == OK
    host.wait(0.1)
    assert host.write("03 14 00") == OK
    assert host.read(0x03) == "03 ff ff"
    host.wait(0.125)
    host.write("03 14 00")
    assert host.read(0x03) == "03 14 00"


def test_lockup() -> None:
    host = Host()
    host.do("lockup 0.05")
    for _ in range(20):
        assert host.feature(0x0C) == Reply(Status.OK, b"\x0c\x14")
        host.wait(0.06)
    host.feature(0x0C)
    for _ in range(8):
        host.wait(0.01)
        assert host.feature(0x0C) == NEVER
    host.wait(60)
    assert host.feature(0x0C) == NEVER  # locked up for good
    host.do("disconnect 1")
    host.wait(1)
    assert host.feature(0x0C).status is Status.OK


def test_piecemeal_reading_takes_it_off_the_bus() -> None:
    host = Host()
    host.do("piecemeal")
    assert host.feature(0x02, length=4).status is Status.OK
    assert host.feature(0x02, length=2) == GONE
    assert host.feature(0x02, length=4) == GONE
    host.wait(1)
    assert host.feature(0x02, length=4).status is Status.OK


class TestInterrupts:
    @pytest.mark.parametrize(
        ("fault", "answer"),
        [("interrupt-dead", None), ("wedge", None), ("interrupt-stall", STALL)],
    )
    def test_silent_and_halted(self, fault: str, answer: Reply | None) -> None:
        host = Host()
        host.do(fault)
        host.do("mains off")
        assert host.input() == answer
        assert fault == "wedge" or host.read(0x01) == "01 94"

    def test_halt_is_cleared_by_the_host(self) -> None:
        host = Host()
        host.do("interrupt-stall")
        assert host.input() == STALL
        host.request("02 01 0000 8100 0000")
        assert host.input() is None
        host.do("mains off")
        assert host.input() == Reply(Status.OK, b"\x01\x94")

    def test_errors_do_not_come_faster_than_the_endpoint_is_polled(self) -> None:
        host = Host()
        host.do("interrupt-error")
        assert host.input() == Reply(Status.IO, after=0.01)

    def test_flood(self) -> None:
        host = Host()
        host.do("flood 100")
        for _ in range(5):
            assert host.input() == Reply(Status.OK, b"\x01\x91")
            assert host.input() is None
            host.wait(0.011)


def test_frozen_reports() -> None:
    host = Host()
    host.do("frozen")
    host.do("mains off")
    host.wait(600)
    assert host.read(0x01) == "01 91"
    assert host.input() is None
    assert host.device.ups.charge < 70
    host.do("clear")
    assert host.read(0x01) == "01 84"


class TestDescriptors:
    def test_junk_before_the_report_descriptor(self) -> None:
        host = Host()
        host.do("junk-descriptor")
        assert host.request(HID) == OK
        junk = bytes.fromhex("a5 a6 a7 a8 a9 aa ab ac")
        assert host.request(REPORT).data == junk + DESCRIPTOR

    def test_hid_descriptor(self) -> None:
        host = Host()
        host.do("hid-length 4703")
        assert host.request(HID).data[7:] == bytes.fromhex("5f 12")
        host.do("clear")
        host.do("hid-empty")
        assert host.request(HID) == OK
        host.do("clear")
        host.do("hid-long")
        assert host.request(HID) == OVERFLOW

    def test_configuration_and_report_descriptor(self) -> None:
        host = Host()
        host.do("config-length 1156")
        assert bytes.fromhex("09 21 1001 00 01 22 8404") in host.request(CONFIGURATION).data
        host.do("report-limit 20")
        assert host.request(REPORT).data == DESCRIPTOR[:20]
        host.do("descriptor-timeout times 1")
        assert host.request(REPORT) == NEVER
        assert host.request(REPORT).data == DESCRIPTOR[:20]

    def test_strings(self) -> None:
        host = Host()
        host.do("strings-stall")
        assert host.request(STRING_1) == STALL
        host.do("clear")
        host.do("strings-empty")
        assert host.request(STRING_1).data == b"\x02\x03"
        host.do("clear")
        host.do("strings-language")
        assert host.request(STRING_0).data == bytes.fromhex("04 03 fe ca")
        assert host.request("80 06 0103 feca ff00") == STALL
        assert host.request(STRING_1).data[2:] == "Bench".encode("utf-16-le")


class TestBus:
    def test_disconnect_and_new_number(self) -> None:
        host = Host()
        host.device.gadget.plug("1-1", 1, 127)
        host.do("disconnect 3")
        assert host.feature(0x0C) == GONE
        assert host.input() == GONE
        host.wait(2.9)
        assert not host.device.gadget.present
        host.wait(0.1)
        assert host.device.gadget.record.address == 1
        assert host.read(0x0C) == "0c 14"

    def test_until_told_otherwise(self) -> None:
        host = Host()
        host.do("disconnect")
        host.wait(1e6)
        assert not host.device.gadget.present
        host.do("reconnect")
        assert host.device.gadget.record.address == 2
        host.do("reconnect")
        assert host.device.gadget.record.address == 2

    def test_the_ups_goes_on_meanwhile(self) -> None:
        host = Host()
        host.do("mains off")
        host.do("disconnect 900")
        host.wait(900)
        assert host.read(0x02) == "02 32 84 03"
        assert host.input() is None  # what happened while it was away is not told afterwards

    def test_bounce_at_each_edge(self) -> None:
        host = Host()
        host.do("bounce 0.2")
        host.do("mains off")
        assert host.feature(0x01) == GONE
        host.wait(0.2)
        assert host.read(0x01) == "01 84"
        host.do("mains off")
        assert host.read(0x01) == "01 84"
        host.do("mains on")
        assert host.feature(0x01) == GONE

    def test_sleepy(self) -> None:
        host = Host()
        host.do("sleepy 20")
        for _ in range(10):
            host.wait(19)
            assert host.feature(0x0C).status is Status.OK
        host.wait(20)
        assert host.feature(0x0C) == GONE
        host.wait(0.5)
        assert host.feature(0x0C).status is Status.OK

    def test_reopening_too_early_drops_the_load(self) -> None:
        host = Host()
        host.do("reopen-crash 20")
        host.device.open(host.now)
        assert host.load_on
        host.do("stall 02")
        host.feature(0x02)
        host.wait(21)
        host.device.open(host.now)
        assert host.load_on
        host.feature(0x02)
        host.wait(19)
        host.device.open(host.now)
        assert [s.cause for s in host.device.cuts_on_mains()] == [Cause.FIRMWARE]


class TestLifetime:
    def test_times_and_for(self) -> None:
        host = Host()
        host.do("fault stall 02 times 2")
        assert [host.feature(0x02).status for _ in range(3)] == [
            Status.STALL,
            Status.STALL,
            Status.OK,
        ]
        host.do("wedge for 10")
        host.wait(9.9)
        assert host.feature(0x02) == NEVER
        host.wait(0.1)
        assert host.feature(0x02).status is Status.OK

    def test_chance_is_seeded(self) -> None:
        def run() -> list[str]:
            host = Host()
            host.do("io all chance 30")
            return [host.feature(0x02).status.name for _ in range(200)]

        first = run()
        assert first == run()
        assert 30 < first.count("IO") < 90

    def test_clear_one(self) -> None:
        host = Host()
        host.do("stall 02")
        host.do("delay 5")
        host.do("clear stall")
        state = host.do("state")
        assert isinstance(state, dict)
        assert state["faults"] == ["delay 5"]

    def test_the_same_again_replaces(self) -> None:
        host = Host()
        host.do("delay 5")
        host.do("delay 7")
        host.do("short 02 1 times 3")
        state = host.do("state")
        assert isinstance(state, dict)
        assert state["faults"] == ["delay 7", "short 02 1 times 3"]

    @pytest.mark.parametrize(
        "line",
        [
            "",
            "fault",
            "fault thunder",
            "stall",
            "stall 0c 5",
            "stall zz",
            "delay soon",
            "wedge for",
            "wedge or 5",
            "mains maybe",
            "flag replace maybe",
            "flag colour on",
            "glitch colour",
            "output maybe",
            "test hard",
            "set UPS.PowerSummary.Voltage 1",
            "set PowerSummary.RemainingCapacity",
            "report feature 02 03 00",
            "report output 02 02 00",
            "speed",
            "speed -1",
            "speed nan",
            "scenario nonesuch",
            "explode",
        ],
    )
    def test_wrong_commands_change_nothing(self, line: str) -> None:
        host = Host()
        before = host.do("state")
        with pytest.raises(ValueError, match=r"."):
            host.do(line)
        assert host.do("state") == before


def test_every_fault_can_be_switched_on() -> None:
    host = Host(bench())
    for name, kind in FAULTS.items():
        host.do(f"fault {name} {'02' if kind.by_report else ''}")
        assert kind.text
        assert parse_fault([name, *(["all"] if kind.by_report else [])], 0.0).amount == (
            kind.amount or 0
        )
