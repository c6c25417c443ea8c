"""Why a device cannot be read, and what mends it: one situation, one reason, one mend.

The facts come from sysfs, the node, the rules of udev and the error that opening ended with; here they are
only judged, so that every situation can be tested without the machine that has it. docs/troubleshooting.md
holds the same list for people, and a test compares them.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path

from usbhidups.errors import (
    AccessDenied,
    ConfigError,
    DescriptorError,
    DeviceBusy,
    DeviceGone,
    TransferFailed,
    UsbHidUpsError,
)
from usbhidups.usb.discover import Candidate, Node

__all__ = [
    "Circumstances",
    "Problem",
    "Situation",
    "judge",
    "not_authorized",
    "other_driver",
    "our_driver",
    "stale_driver",
]

RULE_FILE = "/etc/udev/rules.d/99-my-ups.rules"
"""Where a rule of the administrator's own belongs."""


class Situation(enum.Enum):
    """What stands in the way; the value is its name in ``probe --json``."""

    NO_RULE = "no-rule"  # no udev rule gives the node to anybody but root
    RULE_NOT_APPLIED = "rule-not-applied"  # there is a rule, the node does not show it
    NOT_IN_GROUP = "not-in-group"  # the node belongs to a group that this user is not in
    NO_NODE = "no-node"  # sysfs shows the device, /dev does not: a container, or no udev
    CONTAINER = "container"  # the node's mode would do, the kernel still says no
    OUR_DRIVER = "our-driver"  # this driver serves it already
    HELD = "held"  # another program has it
    OTHER_DRIVER = "other-driver"  # it belongs to another driver of NUT's
    NOT_AUTHORIZED = "not-authorized"  # the kernel was told not to use it (USBGuard)
    NO_LIBRARY = "no-library"  # the way that is left needs a library that is not installed
    NO_POWER_DEVICE = "no-power-device"  # its report descriptor is no UPS's, or cannot be had
    SILENT = "silent"  # it is open and answers nothing
    GONE = "gone"  # it left the bus meanwhile
    UNKNOWN = "unknown"  # none of these


@dataclass(frozen=True, slots=True)
class Problem:
    """What stands in the way: ``reason`` and ``mend`` are sentences for people, complete with names."""

    situation: Situation
    reason: str
    mend: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What is known around a device that could not be opened.

    ``user`` is whom we run as; ``groups`` the names of our groups; ``rule`` is ``FILE:LINE`` of the udev
    rule that means these ids, "" where there is none; ``rule_group`` the group that it names.
    ``holders`` are processes that have a node open (``pid 123 (apcupsd)``); ``contained`` tells whether
    this is a container.
    """

    user: str = "root"
    groups: frozenset[str] = frozenset()
    rule: str = ""
    rule_group: str = ""
    holders: tuple[str, ...] = ()
    contained: bool = False


_REPLUG = "then plug the UPS out and in, or: udevadm control --reload && udevadm trigger"


def judge(
    error: UsbHidUpsError, candidate: Candidate | None, around: Circumstances | None = None
) -> Problem:
    """What an attempt to read a device ended with, in the light of what is known of this host.

    ``candidate`` is None for a device that is not on this host's own USB.
    """
    around = around or Circumstances()
    if candidate is None:
        return _anywhere(error)
    busy = isinstance(error, DeviceBusy)
    claimed = candidate.chosen.driver == "usbfs"
    if busy or claimed:
        return _held(error, around)
    without_node = isinstance(error, DeviceGone) and not _nearest(candidate).owner
    if isinstance(error, AccessDenied) or without_node:
        return _denied(candidate, around)
    return _anywhere(error)


def not_authorized(folder: Path) -> Problem:
    """The kernel was told not to use the device of this folder of sysfs: it has no interfaces."""
    place = folder / "authorized"
    return Problem(
        Situation.NOT_AUTHORIZED,
        f"the kernel was told not to use this device ({place} is 0; USBGuard does that)",
        f"allow it in USBGuard, or: echo 1 > {place}",
    )


def our_driver(who: str) -> Problem:
    """An instance of this driver serves the device, and its socket is closed to us."""
    return Problem(
        Situation.OUR_DRIVER,
        f"{who} serves it, and its state socket is not for us",
        "ask the driver with more rights: sudo usbhidups status",
    )


def stale_driver(socket: str, reason: str) -> Problem:
    """An instance of this driver serves the device and has no good data of it."""
    return Problem(
        Situation.OUR_DRIVER,
        f"{socket} serves it, and its data are stale: {reason}",
        "stop that driver and probe again, to see what the device itself says",
    )


def other_driver(name: str, note: str) -> Problem:
    """The device is no HID Power Device, and a driver of NUT's is known for its ids."""
    what = f" ({note})" if note else ""
    return Problem(
        Situation.OTHER_DRIVER,
        f"it is no HID Power Device{what}: NUT's driver {name} is for these ids",
        f"in ups.conf: driver = {name}",
    )


def _held(error: UsbHidUpsError, around: Circumstances) -> Problem:
    holder = getattr(error, "holder", "") or ", ".join(around.holders)
    who = holder or "another program (run as root to see which)"
    mend = "stop it, or leave the UPS to it"
    if "qemu" in who or "libvirt" in who:
        mend = "the UPS is passed on to a virtual machine: take it away from that one first"
    elif any(name in who for name in ("usbhid-ups", "nutdrv", "blazer", "tripplite")):
        mend = "that is a driver of NUT: stop it (upsdrvctl stop), or ask it with upsc"
    elif "apcupsd" in who:
        mend = "apcupsd and NUT cannot share a UPS: systemctl disable --now apcupsd"
    elif not holder:
        mend = f"see who it is with root's rights, {mend}"
    return Problem(Situation.HELD, f"{who} holds its USB interface", mend)


def _denied(candidate: Candidate, around: Circumstances) -> Problem:
    node = _nearest(candidate)
    if not node.owner:  # stat failed
        return Problem(
            Situation.NO_NODE,
            f"sysfs shows the device, but {node.problem or node.path}",
            "in a container: pass /dev/bus/usb and the hidraw node in; elsewhere: is udev running?",
        )
    belongs = f"{node.path} is {node.owner}:{node.group} {node.mode:04o}"
    if not node.problem:
        return Problem(
            Situation.CONTAINER,
            f"{belongs}, which would do, but the kernel refuses to open it"
            f"{' in this container' if around.contained else ''}",
            "let the container use USB devices: --device-cgroup-rule='c 189:* rwm' "
            "(and 'c HIDRAW_MAJOR:* rwm' for hidraw), or DeviceAllow= in the unit",
        )
    group_may = node.mode & 0o060 == 0o060 and node.group != "root"
    if group_may and node.group not in around.groups:
        via = f" by {around.rule}" if around.rule else ""
        return Problem(
            Situation.NOT_IN_GROUP,
            f"{belongs}{via}: for group {node.group}, and user {around.user} is not in it",
            f"sudo usbhidups probe, or: sudo usermod -aG {node.group} {around.user}, and log in again",
        )
    if around.rule:
        given = f" gives it to group {around.rule_group}" if around.rule_group else " means it"
        return Problem(
            Situation.RULE_NOT_APPLIED,
            f"{belongs}, although {around.rule}{given}: the rule came after the device",
            f"plug the UPS out and in, or: udevadm control --reload && udevadm trigger "
            f"{candidate.folder}",
        )
    who = candidate.identity
    rule = (
        f'SUBSYSTEM=="usb", ATTR{{idVendor}}=="{who.vendor_id:04x}", '
        f'ATTR{{idProduct}}=="{who.product_id:04x}", GROUP="nut", MODE="0660"'
    )
    return Problem(
        Situation.NO_RULE,
        f"{belongs}, not for user {around.user}, and no udev rule means "
        f"{who.vendor_id:04x}:{who.product_id:04x}",
        f"add to {RULE_FILE}: {rule} ; {_REPLUG}",
    )


def _nearest(candidate: Candidate) -> Node:
    """The node that rules are written for: the device's own, hidraw's where only that is there."""
    hidraw = candidate.chosen.hidraw
    if not candidate.node.owner and hidraw is not None and hidraw.owner:
        return hidraw
    return candidate.node


def _anywhere(error: UsbHidUpsError) -> Problem:
    """What an error means wherever the device is."""
    text = str(error)
    match error:
        case AccessDenied():
            return Problem(Situation.UNKNOWN, text, "run it as root")
        case DeviceBusy():
            return _held(error, Circumstances())
        case ConfigError():
            return Problem(Situation.NO_LIBRARY, error.problem, "install it")
        case DescriptorError():
            return Problem(
                Situation.NO_POWER_DEVICE,
                text,
                "plug it out and in, without a hub; if that does not help, run "
                "usbhidups probe -v and report what it says",
            )
        case TransferFailed():
            return Problem(
                Situation.SILENT,
                text,
                "plug it out and in, try another cable and a port without a hub; a UPS whose USB part "
                "hangs comes back when it is switched off and on",
            )
        case DeviceGone():
            return Problem(
                Situation.GONE,
                f"it left the bus ({text})",
                "is the cable loose? the kernel's log (dmesg) tells of reconnections",
            )
        case _:
            return Problem(Situation.UNKNOWN, text, "run usbhidups probe -v and report it")
