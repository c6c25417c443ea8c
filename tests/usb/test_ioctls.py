"""ioctl numbers, as a C compiler gives them for the kernel's headers."""

from __future__ import annotations

import struct
import sys

import pytest

from usbhidups.usb import ioctls


def test_numbers_of_most_machines() -> None:
    numbers = [
        ioctls.number(2, "H", 0x01, 4, "x86_64"),
        ioctls.number(2, "H", 0x02, 4100, "aarch64"),
        ioctls.number(2, "H", 0x03, 8, "armv7l"),
        ioctls.number(3, "H", 0x06, 8, "riscv64"),
        ioctls.number(3, "U", 0, 24, "x86_64"),
        ioctls.number(0, "U", 20, 0, "x86_64"),
    ]
    assert numbers == [0x80044801, 0x90044802, 0x80084803, 0xC0084806, 0xC0185500, 0x5514]


def test_numbers_of_the_odd_ones() -> None:
    numbers = [
        ioctls.number(2, "H", 0x01, 4, "mips"),
        ioctls.number(3, "H", 0x06, 8, "ppc64le"),
        ioctls.number(0, "U", 20, 0, "mips64"),
    ]
    assert numbers == [0x40044801, 0xC0084806, 0x20005514]


def test_reports() -> None:
    low = [request(8) & 0xFFFF for request in (ioctls.hid_set_feature, ioctls.hid_get_feature)]
    assert low == [0x4806, 0x4807]
    assert ioctls.hid_get_input(64) & 0x1FFFFFFF == 0x0040480A


@pytest.mark.skipif(sys.maxsize < 2**32, reason="the layout of 64-bit machines")
def test_the_control_transfer_as_the_kernel_lays_it_out() -> None:
    packed = bytes(ioctls.ControlTransfer(0x80, 6, 0x0301, 0x0409, 255, 5000, 0x1122334455667788))
    assert packed == struct.pack(
        "=BBHHHI4xQ", 0x80, 6, 0x0301, 0x0409, 255, 5000, 0x1122334455667788
    )
