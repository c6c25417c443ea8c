"""Device, configuration, HID and string descriptors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.usb.bytes import DEVICE, configuration, endpoint, hid, interface, plain, string
from usbhidups.usb.descriptors import (
    DeviceDescriptor,
    Endpoint,
    HidInterface,
    device_descriptor,
    hid_interfaces,
    report_length,
    string_text,
)


def test_a_device_descriptor() -> None:
    expected = DeviceDescriptor(0x0764, 0x0501, 0x1234, 1, 2, 3)
    assert device_descriptor(DEVICE) == expected
    assert device_descriptor(DEVICE + plain()) == expected
    assert device_descriptor(DEVICE[:17]) is None
    assert device_descriptor(plain()) is None
    assert device_descriptor(b"\x11" + DEVICE[1:]) is None


def test_one_interface() -> None:
    expected = (HidInterface(0, 183, Endpoint(0x81, 8, 10)),)
    assert hid_interfaces(plain(183)) == expected
    assert hid_interfaces(DEVICE + plain(183)) == expected


def test_a_composite_device() -> None:
    whole = configuration(
        interface(0, kind=2),
        bytes((5, 0x24, 0, 0x10, 1)),  # a class descriptor of CDC
        endpoint(0x82),
        interface(1, kind=10, ends=0),
        interface(2, ends=2),
        hid(400),
        endpoint(0x04),  # an OUT endpoint
        endpoint(0x83, attributes=2),  # a bulk endpoint
        endpoint(0x84, packet=64, interval=4),
        interface(2, alternate=1),
        hid(99),
        endpoint(0x85),
        interface(3),
        hid(27),
    )
    assert hid_interfaces(whole) == (
        HidInterface(2, 400, Endpoint(0x84, 64, 4)),
        HidInterface(3, 27),
    )


def test_only_the_first_configuration_counts() -> None:
    assert hid_interfaces(configuration(interface(0, kind=8)) + plain()) == ()


def test_an_endpoint_without_packet_size_has_eight() -> None:
    whole = configuration(interface(0), hid(1), endpoint(packet=0))
    assert hid_interfaces(whole)[0].endpoint == Endpoint(0x81, 8, 10)


@pytest.mark.parametrize(
    ("descriptor", "length"),
    [
        ("09 21 10 01 00 01 22 b7 00", 183),
        ("09 21 10 01 00 01 22 00 00", 0),  # failure A03
        ("09 21 10 01 00 01 22 f3 f1", 61939),  # issue 2441
        ("0c 21 10 01 21 02 23 01 00 22 5f 12", 4703),  # the report descriptor is the second
        ("09 21 10 01 00 01 23 b7 00", 0),
        ("09 21 10 01 00 00 22 b7 00", 0),
        ("09 21 10 01 00 01 22 b7", 0),
        ("", 0),  # failure A01
        ("09 22 10 01 00 01 22 b7 00", 0),
    ],
)
def test_lengths_of_hid_descriptors(descriptor: str, length: int) -> None:
    assert report_length(bytes.fromhex(descriptor)) == length


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (string("CPS"), "CPS"),
        (string("Ünïcode 電"), "Ünïcode 電"),
        (string("CPS\n"), "CPS"),
        (string("CPS\0\0"), "CPS"),
        (string("  CPS "), "  CPS "),
        (bytes.fromhex("02 03"), None),  # failure A12
        (bytes.fromhex("ff 03 43 00 50 00"), "CP"),  # promises more than came
        (bytes.fromhex("04 03 43 00 50 00"), "C"),  # more came than promised
        (bytes.fromhex("07 03 43 00 50 00 53"), "CP"),
        (bytes.fromhex("04 03 00 d8"), "\ufffd"),
        (bytes.fromhex("00 03 43 00"), None),
        (bytes.fromhex("04 02 43 00"), None),
        (b"\x04", None),
        (b"", None),
    ],
)
def test_string_descriptors(data: bytes, text: str | None) -> None:
    assert string_text(data) == text


@given(st.binary(max_size=200))
def test_any_bytes_are_borne(data: bytes) -> None:
    assert all(0 <= each.number <= 255 for each in hid_interfaces(data))
    assert all(0 <= each.report_length <= 0xFFFF for each in hid_interfaces(data))
    text = string_text(data)
    assert text is None or len(text) <= 127
    assert device_descriptor(data) is None or len(data) >= 18
