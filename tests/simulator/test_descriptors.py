"""USB descriptors, byte for byte (USB 2.0 tables 9-8, 9-10, 9-12, 9-13; HID 1.11 section 6.2.1)."""

from __future__ import annotations

from dataclasses import replace

from tests.simulator.devices import DESCRIPTOR, bench
from usbhidups.simulator.descriptors import DECOY, describe
from usbhidups.simulator.layout import read_layout
from usbhidups.simulator.wire import InterfaceClass, Speed

HID = InterfaceClass(3, 0, 0)
LENGTH = len(DESCRIPTOR).to_bytes(2, "little").hex()


def test_simple_device() -> None:
    made = describe(bench())
    # low speed: USB 1.1, eight bytes on endpoint 0; strings 1 and 2, no serial
    assert made.device == bytes.fromhex("12 01 1001 00 00 00 08 0912 0100 0201 01 02 00 01")
    assert made.configuration == bytes.fromhex(
        "09 02 2200 01 01 00 a0 32"
        "09 04 00 00 01 03 00 00 00"
        f"09 21 1001 00 01 22 {LENGTH}"
        "07 05 81 03 0800 0a"
    )
    assert made.hid == bytes.fromhex(f"09 21 1001 00 01 22 {LENGTH}")
    assert made.report == DESCRIPTOR
    assert made.record.interfaces == (HID,)
    assert made.record.speed is Speed.LOW


def test_power_interface_is_not_the_first() -> None:
    made = describe(bench(interface=2))
    assert made.configuration == bytes.fromhex(
        "09 02 4400 03 01 00 a0 32"
        "09 04 00 00 01 03 00 00 00  09 21 1001 00 01 22 1b00  07 05 81 03 0800 0a"
        "09 04 01 00 00 ff 00 00 00"
        f"09 04 02 00 01 03 00 00 00  09 21 1001 00 01 22 {LENGTH}  07 05 84 03 0800 0a"
    )
    assert made.record.interfaces == (HID, InterfaceClass(0xFF, 0, 0), HID)


def test_decoy_is_27_vendor_bytes() -> None:
    assert len(DECOY) == 27
    assert {slot.path[0] for slot in read_layout(DECOY).slots} == {0xFF000001}


def test_long_input_reports_need_full_speed() -> None:
    long_input = bytes.fromhex("0584 0904 a101 8501 7508 9514 0930 8102 c0")  # id and 20 bytes
    made = describe(bench(descriptor=long_input, feature={}))
    assert made.record.speed is Speed.FULL
    assert made.device[2:4] == bytes.fromhex("0002")
    assert made.device[7] == 64
    assert made.packet == 64


def test_configuration_may_lie_about_the_length() -> None:
    made = describe(bench(), configured_length=1156)
    assert bytes.fromhex("09 21 1001 00 01 22 8404") in made.configuration
    assert made.hid.endswith(bytes.fromhex(LENGTH))


def test_strings() -> None:
    made = describe(bench())
    assert made.string(0) == bytes.fromhex("04 03 0904")
    assert made.string(1) == bytes.fromhex("0c 03") + "Bench".encode("utf-16-le")
    assert made.string(3) is None


def test_strings_keep_the_fixtures_indices() -> None:
    fixture = bench()
    device = replace(
        fixture.device, manufacturer="B", product="Q", serial="S", strings={1: "A", 7: "B", 4: "L"}
    )
    made = describe(replace(fixture, device=device))
    assert made.device[14:17] == bytes((7, 2, 3))
    assert made.strings == {1: "A", 7: "B", 4: "L", 2: "Q", 3: "S"}


def test_long_strings_are_cut() -> None:
    fixture = bench()
    made = describe(replace(fixture, device=replace(fixture.device, product="x" * 300)))
    text = made.string(2)
    assert text is not None
    assert (text[0], len(text)) == (254, 254)
