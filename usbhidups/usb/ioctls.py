"""The kernel's ioctl numbers for hidraw and usbfs nodes, as plain integers.

A number packs direction, size, kind and command; a few architectures pack the direction differently.
(the kernel's include/uapi/asm-generic/ioctl.h, linux/hidraw.h, linux/usbdevice_fs.h)
"""

from __future__ import annotations

import ctypes
import os

__all__ = [
    "HIDIOCGRAWINFO",
    "HIDIOCGRDESC",
    "HIDIOCGRDESCSIZE",
    "USBDEVFS_CONTROL",
    "USBDEVFS_RESET",
    "ControlTransfer",
    "hid_get_feature",
    "hid_get_input",
    "hid_set_feature",
    "number",
]

_NONE, _WRITE, _READ, _BOTH = 0, 1, 2, 3
_ODD_MACHINES = ("mips", "ppc", "powerpc", "sparc", "alpha")


class ControlTransfer(ctypes.Structure):
    """struct usbdevfs_ctrltransfer; ``timeout`` in milliseconds."""

    _fields_ = (
        ("request_type", ctypes.c_uint8),
        ("request", ctypes.c_uint8),
        ("value", ctypes.c_uint16),
        ("index", ctypes.c_uint16),
        ("length", ctypes.c_uint16),
        ("timeout", ctypes.c_uint32),
        ("data", ctypes.c_void_p),
    )


def number(
    direction: int, kind: str, command: int, size: int, machine: str = os.uname().machine
) -> int:
    """One ioctl number; ``direction`` is 0 none, 1 write, 2 read, 3 both."""
    if machine.startswith(_ODD_MACHINES):
        code, shift = {_NONE: 1, _READ: 2, _WRITE: 4, _BOTH: 6}[direction], 29
    else:
        code, shift = direction, 30
    return code << shift | size << 16 | ord(kind) << 8 | command


HIDIOCGRDESCSIZE = number(_READ, "H", 0x01, 4)
HIDIOCGRDESC = number(_READ, "H", 0x02, 4 + 4096)
HIDIOCGRAWINFO = number(_READ, "H", 0x03, 8)
USBDEVFS_CONTROL = number(_BOTH, "U", 0, ctypes.sizeof(ControlTransfer))
USBDEVFS_RESET = number(_NONE, "U", 20, 0)


def hid_set_feature(size: int) -> int:
    """HIDIOCSFEATURE for a buffer of ``size`` bytes."""
    return number(_BOTH, "H", 0x06, size)


def hid_get_feature(size: int) -> int:
    """HIDIOCGFEATURE for a buffer of ``size`` bytes."""
    return number(_BOTH, "H", 0x07, size)


def hid_get_input(size: int) -> int:
    """HIDIOCGINPUT for a buffer of ``size`` bytes (Linux 5.11 and later)."""
    return number(_BOTH, "H", 0x0A, size)
