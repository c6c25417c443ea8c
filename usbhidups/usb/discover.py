"""Which USB devices are UPSes, read from sysfs alone: no device is opened, none gets a byte.

A device counts as a UPS when the kernel's copy of a report descriptor begins a Power Device. Where no
driver is bound the kernel has no such copy; then the caller's ``maybe`` decides by the ids whether the
device is worth opening. (failure-catalogue.md A05, A15, A16, C10, C19, G08)
"""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import re
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from usbhidups.identity import Identity
from usbhidups.usb import descriptors
from usbhidups.usb.descriptors import DeviceDescriptor, HidInterface
from usbhidups.usb.reportscan import scan

__all__ = [
    "Candidate",
    "Criteria",
    "Interface",
    "Maybe",
    "Node",
    "candidates",
    "has_usb",
    "keep_awake",
]

Maybe = Callable[[int, int], bool]
"""``maybe(vendor_id, product_id)``: may a device with these ids be a UPS?"""


class Criteria(Protocol):
    """Which device an administrator means (the matching keys of ups.conf)."""

    def mismatches(self, identity: Identity, *, strings: bool = True) -> Sequence[str]:
        """What speaks against a device, for people; ``strings`` False: its strings are not known yet."""
        ...


SYSFS = Path("/sys")
DEV = Path("/dev")
LONGEST_FILE = 65_536

_PORT = re.compile(r"\d+-\d+(?:\.\d+)*")
_HID_DEVICE = re.compile(r"[0-9A-F]{4}:[0-9A-F]{4}:[0-9A-F]{4}\.[0-9A-F]+")


@dataclass(frozen=True, slots=True)
class Node:
    """A device node: who may use it. ``problem`` says why we may not, "" when we may."""

    path: str
    owner: str = ""
    group: str = ""
    mode: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Interface:
    """A HID interface as the kernel shows it.

    ``driver`` is the name of the bound kernel driver, "" where none is; ``cached`` the kernel's copy of
    the report descriptor and ``hidraw`` its node, None where there is none.
    """

    hid: HidInterface
    driver: str = ""
    cached: bytes | None = None
    hidraw: Node | None = None

    @property
    def power(self) -> bool | None:
        """Is it a Power Device; None where the kernel does not show it."""
        return None if self.cached is None else scan(self.cached).power


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A USB device with a HID interface.

    ``identity`` has the kernel's strings and the likeliest interface. ``why_not`` says why it is no UPS
    for us, "" when it is one or may be. ``power_control`` is ``on``, ``auto`` (the port may be suspended)
    or "". ``strings`` are by string index.
    """

    identity: Identity
    device: DeviceDescriptor
    interfaces: tuple[Interface, ...]
    node: Node
    folder: Path
    strings: Mapping[int, str] = field(default_factory=dict)
    power_control: str = ""
    why_not: str = ""

    @property
    def certain(self) -> bool:
        """The kernel's copy of a report descriptor says that it is a Power Device."""
        return any(interface.power for interface in self.interfaces)

    @property
    def chosen(self) -> Interface:
        """The interface that is or may be the power interface."""
        return _likeliest(self.interfaces)

    @property
    def name(self) -> str:
        """For messages: where it is plugged in, ids and strings."""
        who = self.identity
        texts = [text for text in (who.manufacturer, who.product) if text]
        return " ".join([who.port_path, f"{who.vendor_id:04x}:{who.product_id:04x}", *texts])


def has_usb(*, sysfs: Path = SYSFS) -> bool:
    """Does this host show its USB devices in sysfs?"""
    return (sysfs / "bus/usb/devices").is_dir()


def candidates(maybe: Maybe, *, sysfs: Path = SYSFS, dev: Path = DEV) -> tuple[Candidate, ...]:
    """All USB devices that have a HID interface, by port path; those that are no UPS say why not."""
    found: list[Candidate] = []
    root = sysfs / "bus/usb/devices"
    names: list[str] = []
    with contextlib.suppress(OSError):
        names = sorted(filter(_PORT.fullmatch, os.listdir(root)), key=_natural)
    for name in names:
        with contextlib.suppress(OSError):  # unplugged while it was looked at
            candidate = _candidate(root / name, name, maybe, dev)
            if candidate is not None:
                found.append(candidate)
    return tuple(found)


def keep_awake(candidate: Candidate) -> bool:
    """Forbid the kernel to suspend the port (failure C19); False where that is needed but not allowed."""
    if candidate.power_control != "auto":
        return True
    try:
        (candidate.folder / "power/control").write_text("on")
    except OSError:
        return False
    return True


def _natural(port_path: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", port_path)]


def _candidate(folder: Path, port_path: str, maybe: Maybe, dev: Path) -> Candidate | None:
    raw = _read(folder / "descriptors") or b""
    device = descriptors.device_descriptor(raw)
    interfaces = tuple(_interfaces(folder, raw, dev))
    if device is None or not interfaces:
        return None
    bus, address = _number(folder / "busnum"), _number(folder / "devnum")
    strings = {
        index: text
        for index, name in (
            (device.manufacturer_index, "manufacturer"),
            (device.product_index, "product"),
            (device.serial_index, "serial"),
        )
        if index and (text := _text(folder / name))
    }
    chosen = _likeliest(interfaces).hid
    identity = Identity(
        vendor_id=device.vendor_id,
        product_id=device.product_id,
        release=device.release,
        manufacturer=strings.get(device.manufacturer_index),
        product=strings.get(device.product_index),
        serial=strings.get(device.serial_index),
        port_path=port_path,
        bus=bus,
        address=address,
        interface=chosen.number,
        endpoint_in=chosen.endpoint.address if chosen.endpoint else None,
    )
    return Candidate(
        identity=identity,
        device=device,
        interfaces=interfaces,
        node=_node(dev / f"bus/usb/{bus or 0:03d}/{address or 0:03d}"),
        folder=folder,
        strings=strings,
        power_control=_text(folder / "power/control"),
        why_not=_why_not(interfaces, device, maybe),
    )


def _why_not(interfaces: tuple[Interface, ...], device: DeviceDescriptor, maybe: Maybe) -> str:
    powers = [interface.power for interface in interfaces]
    if any(powers):
        return ""
    if None not in powers:
        return "its HID interfaces are no Power Device"
    if not maybe(device.vendor_id, device.product_id):
        return "no driver shows its report descriptor, and its ids are no known UPS's"
    return ""


def _likeliest(interfaces: tuple[Interface, ...]) -> Interface:
    order = {True: 0, None: 1, False: 2}
    return min(interfaces, key=lambda interface: order[interface.power])


def _interfaces(folder: Path, raw: bytes, dev: Path) -> list[Interface]:
    """The HID interfaces of the active configuration, each with what the kernel made of it."""
    known = {hid.number: hid for hid in descriptors.hid_interfaces(raw)}
    found: list[Interface] = []
    for path in sorted(folder.glob(f"{folder.name}:*.*")):
        number = _number(path / "bInterfaceNumber", base=16)
        if number is None or _text(path / "bInterfaceClass") != "03":
            continue
        driver, cached, hidraw = "", None, None
        with contextlib.suppress(OSError):
            driver = os.path.basename(os.readlink(path / "driver"))
        for hid in sorted(entry for entry in path.iterdir() if _HID_DEVICE.fullmatch(entry.name)):
            cached = _read(hid / "report_descriptor")
            names = sorted(entry.name for entry in hid.glob("hidraw/hidraw*"))
            hidraw = _node(dev / names[0]) if names else None
        found.append(Interface(known.get(number, HidInterface(number)), driver, cached, hidraw))
    return found


def _node(path: Path) -> Node:
    """What is to be known of a node; it is looked at, not opened."""
    try:
        status = path.stat()
    except OSError as error:
        return Node(str(path), problem=f"{path}: {error.strerror or error}")
    owner, group = str(status.st_uid), str(status.st_gid)
    with contextlib.suppress(KeyError):
        owner = pwd.getpwuid(status.st_uid).pw_name
    with contextlib.suppress(KeyError):
        group = grp.getgrgid(status.st_gid).gr_name
    mode = stat.S_IMODE(status.st_mode)
    problem = ""
    if not os.access(path, os.R_OK | os.W_OK, effective_ids=os.access in os.supports_effective_ids):
        us = str(os.geteuid())
        with contextlib.suppress(KeyError):
            us = pwd.getpwuid(os.geteuid()).pw_name
        problem = f"{path} is {owner}:{group} {mode:04o}, not for user {us}"
    return Node(str(path), owner, group, mode, problem)


def _read(path: Path) -> bytes | None:
    """A file's content; None where it cannot be read, or has none."""
    with contextlib.suppress(OSError), open(path, "rb") as file:
        return file.read(LONGEST_FILE) or None
    return None


def _text(path: Path) -> str:
    return (_read(path) or b"").decode("utf-8", "replace").rstrip("\n")


def _number(path: Path, base: int = 10) -> int | None:
    with contextlib.suppress(ValueError):
        return int(_text(path), base)
    return None
