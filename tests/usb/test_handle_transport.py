"""HID requests over a pipe, byte for byte (hid-power-device.md section 7)."""

from __future__ import annotations

import pytest

from tests.usb.bytes import (
    KEYBOARD,
    NO_SUMMARY,
    UNNUMBERED,
    UPS,
    configuration,
    endpoint,
    hid,
    interface,
)
from tests.usb.pipes import (
    OVERFLOW,
    REPORT_DESCRIPTOR,
    STALL,
    TIMEOUT,
    Answer,
    Clock,
    TablePipe,
    ups_pipe,
)
from usbhidups.errors import DescriptorError, TransferFailed, TransferKind
from usbhidups.identity import Identity
from usbhidups.usb.descriptors import DeviceDescriptor, Endpoint, HidInterface
from usbhidups.usb.handle import Setup
from usbhidups.usb.handle_transport import Choice, Facts, HandleTransport, connect, read_facts


def opened(pipe: TablePipe, choice: Choice | None = None) -> HandleTransport:
    clock = Clock()
    facts = read_facts(pipe, "1-1.3", bus=1, address=7)
    return connect(pipe, facts, choice=choice, clock=clock, sleep=clock.sleep)


def test_opening_a_ups() -> None:
    pipe = ups_pipe(UPS)
    transport = opened(pipe)
    assert transport.identity == Identity(
        vendor_id=0x0764,
        product_id=0x0501,
        release=0x1234,
        manufacturer="CPS",
        product="CP1500",
        serial="0000",
        port_path="1-1.3",
        bus=1,
        address=7,
        interface=0,
        endpoint_in=0x81,
    )
    assert transport.report_descriptor() == UPS
    assert pipe.claimed == [0]
    assert pipe.endpoint == (Endpoint(0x81, 8, 10), 8)
    assert pipe.asked[:4] == [
        (0x80, 0x06, 0x0100, 0, 18),
        (0x80, 0x06, 0x0200, 0, 9),
        (0x80, 0x06, 0x0200, 0, 34),
        (0x81, 0x06, 0x2200, 0, len(UPS)),
    ]


def test_nothing_is_asked_that_the_kernel_knows() -> None:
    pipe = TablePipe({REPORT_DESCRIPTOR: UPS})
    facts = Facts(
        device=DeviceDescriptor(0x0764, 0x0501, 1, 1, 2, 0),
        interfaces=(HidInterface(0, len(UPS)),),
        place="1-1",
        strings={1: "CPS", 2: "CP1500"},
    )
    transport = connect(pipe, facts)
    assert transport.identity.product == "CP1500"
    assert transport.identity.serial is None
    assert pipe.asked == [(0x81, 0x06, 0x2200, 0, len(UPS))]


def test_strings_that_are_not_answered_do_not_keep_it_from_opening() -> None:
    pipe = ups_pipe(UPS)  # failure A11
    pipe.table[0x80, 0x06, 0x0300, 0] = TIMEOUT
    assert opened(pipe).identity.manufacturer is None


COMPOSITE = configuration(
    interface(0), hid(27), endpoint(0x81), interface(1), hid(len(UPS)), endpoint(0x82)
)


def test_the_power_interface_of_a_composite_device() -> None:
    pipe = ups_pipe(KEYBOARD)  # failure A05
    pipe.table[0x80, 0x06, 0x0200, 0] = COMPOSITE
    pipe.table[0x81, 0x06, 0x2200, 1] = UPS
    transport = opened(pipe)
    assert transport.identity.interface == 1
    assert transport.identity.endpoint_in == 0x82
    assert (pipe.claimed, pipe.released) == ([0, 1], [0])


def test_the_kernels_copy_says_which_interface_comes_first() -> None:
    pipe = TablePipe({(0x81, 0x06, 0x2200, 1): UPS})
    facts = Facts(
        device=DeviceDescriptor(1, 2, 3, 0, 0, 0),
        interfaces=(HidInterface(0, 27), HidInterface(1, len(UPS))),
        place="1-1",
        cached={0: KEYBOARD, 1: UPS},
    )
    connect(pipe, facts)
    assert pipe.claimed == [1]


def test_no_interface_is_a_ups() -> None:
    clock = Clock()
    pipe = ups_pipe(KEYBOARD)
    with pytest.raises(DescriptorError, match="interface 0 is no Power Device"):
        opened(pipe)
    pipe.table[0x80, 0x06, 0x0200, 0] = configuration(interface(0, kind=8))
    with pytest.raises(DescriptorError, match="no HID interface"):
        connect(pipe, read_facts(pipe, "1-1"), clock=clock, sleep=clock.sleep)


def test_a_device_descriptor_that_makes_no_sense() -> None:
    with pytest.raises(DescriptorError, match="no device descriptor: 12 01"):
        read_facts(TablePipe({(0x80, 0x06, 0x0100, 0): b"\x12\x01"}), "1-1")


def test_what_was_chosen_by_hand() -> None:
    pipe = ups_pipe(KEYBOARD)
    pipe.table[0x80, 0x06, 0x0200, 0] = COMPOSITE
    pipe.table[0x81, 0x06, 0x2201, 1] = UPS
    choice = Choice(interface=1, descriptor_index=1, endpoint_in=0x84, interrupt_size=64)
    transport = opened(pipe, choice)
    assert transport.identity.endpoint_in == 0x84
    assert pipe.claimed == [1]
    assert pipe.endpoint == (Endpoint(0x84, 8, 10), 64)


def test_opening_has_an_end() -> None:
    clock = Clock()
    pipe = ups_pipe(UPS)
    facts = read_facts(pipe, "1-1")

    def slow(setup: Setup, length: int) -> Answer:
        clock.sleep(pipe.timeouts[-1])
        return TIMEOUT

    pipe.table[0x81, 0x06, 0x2100, 0] = slow
    pipe.table[REPORT_DESCRIPTOR] = slow
    with pytest.raises(DescriptorError, match="time for opening is used up"):
        connect(pipe, facts, clock=clock, sleep=clock.sleep)
    assert clock.now <= 112.2


@pytest.mark.parametrize(
    ("longest", "packet", "expected"),
    [(1, 8, 8), (8, 8, 8), (9, 8, 16), (63, 64, 64), (3, 64, 64)],
)
def test_the_size_of_interrupt_reads(longest: int, packet: int, expected: int) -> None:
    inputs = bytes((0x85, 1, 0x75, 8, 0x95, longest - 1, 0x81, 2))
    descriptor = UPS[:6] + inputs + b"\xc0"
    pipe = ups_pipe(descriptor)
    pipe.table[0x80, 0x06, 0x0200, 0] = configuration(
        interface(0), hid(len(descriptor)), endpoint(packet=packet)
    )
    opened(pipe)
    assert pipe.endpoint == (Endpoint(0x81, packet, 10), expected)


def test_reports_are_asked_for_as_nut_does() -> None:
    pipe = ups_pipe(UPS, f0c=b"\x0c\x64", i0c=b"\x0c\x64\x08\x07")
    transport = opened(pipe)
    pipe.asked.clear()
    assert transport.get_feature(0x0C, 2) == b"\x0c\x64"
    assert transport.get_input(0x0C, 4) == b"\x0c\x64\x08\x07"
    assert pipe.asked == [(0xA1, 0x01, 0x030C, 0, 2), (0xA1, 0x01, 0x010C, 0, 4)]


def test_writes_are_whole_reports() -> None:
    pipe = ups_pipe(UPS)
    opened(pipe).set_feature(b"\x15\x3c\x00")
    assert pipe.sent == [(0x21, 0x09, 0x0315, 0, b"\x15\x3c\x00")]


def test_devices_without_report_ids() -> None:
    pipe = ups_pipe(UNNUMBERED, f00=b"\1\2\3\4\5")
    transport = opened(pipe)
    pipe.asked.clear()
    assert transport.get_feature(0, 6) == b"\0\1\2\3\4\5"
    assert pipe.asked == [(0xA1, 0x01, 0x0300, 0, 5)]
    transport.set_feature(b"\0\6\7")
    assert pipe.sent == [(0x21, 0x09, 0x0300, 0, b"\6\7")]
    pipe.inputs.append(b"\1\2\3\4\5")
    assert transport.wait_input(1) == b"\0\1\2\3\4\5"


def test_short_answers_and_zeros_are_data() -> None:
    pipe = ups_pipe(UPS, f0f=b"\x0f\x01", f13=b"\x13\x00")
    transport = opened(pipe)
    assert transport.get_feature(0x0F, 3) == b"\x0f\x01"
    assert transport.get_feature(0x13, 2) == b"\x13\x00"  # failure B17


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"", TransferKind.SHORT),  # failure B03
        (b"\xff\x64", TransferKind.IO),  # failure B05
        (STALL, TransferKind.STALL),
        (TIMEOUT, TransferKind.TIMEOUT),
    ],
)
def test_failures_of_one_report(answer: Answer, kind: TransferKind) -> None:
    transport = opened(ups_pipe(UPS, f0c=answer))
    with pytest.raises(TransferFailed) as caught:
        transport.get_feature(0x0C, 2)
    assert caught.value.kind is kind


def test_a_report_that_overflows_is_asked_with_room_from_then_on() -> None:
    def babble(setup: Setup, length: int) -> Answer:
        return OVERFLOW if length < 8 else b"\x29\1\2\3\4\5\6\7"

    pipe = ups_pipe(UPS, f29=babble)  # failure B04
    transport = opened(pipe)
    pipe.asked.clear()
    assert transport.get_feature(0x29, 2) == b"\x29\x01"
    assert transport.get_feature(0x29, 2) == b"\x29\x01"
    assert [length for *_, length in pipe.asked] == [2, 64, 64]


def test_an_overflow_that_stays_is_told() -> None:
    transport = opened(ups_pipe(UPS, f29=OVERFLOW))
    for _ in range(2):
        with pytest.raises(TransferFailed) as caught:
            transport.get_feature(0x29, 2)
        assert caught.value.kind is TransferKind.OVERFLOW


def test_input_reports_as_they_come() -> None:
    pipe = ups_pipe(UPS)
    transport = opened(pipe)
    pipe.inputs.extend([b"\x0c\x63\0\0", b"", STALL])
    assert transport.wait_input(1) == b"\x0c\x63\0\0"
    assert transport.wait_input(1) is None
    with pytest.raises(TransferFailed):
        transport.wait_input(1)
    assert transport.wait_input(1) is None


def test_a_device_without_interrupt_endpoint() -> None:
    pipe = ups_pipe(UPS)
    pipe.table[0x80, 0x06, 0x0200, 0] = configuration(interface(0), hid(len(UPS)))
    transport = opened(pipe)
    assert transport.identity.endpoint_in is None
    assert transport.wait_input(1) is None
    transport.clear_halt()
    assert pipe.calls == []


def test_mending_never_raises_a_failed_transfer() -> None:
    pipe = ups_pipe(UPS)
    transport = opened(pipe)
    transport.clear_halt()
    transport.reset()
    transport.interrupt()
    transport.close()
    assert pipe.calls == ["clear halt", "reset", "interrupt", "close"]


def test_other_strings() -> None:
    pipe = ups_pipe(NO_SUMMARY)
    transport = opened(pipe)
    assert transport.string(2) == "CP1500"
    assert transport.string(9) is None
