"""The kernel's own news of plugged and unplugged devices, without udev.

A netlink socket that gives whole messages; what is not the kernel's, or no message at all, is dropped.
Whoever listens hears "something was plugged in" at once instead of at the next look.
(failure-catalogue.md C01, C07; the kernel's lib/kobject_uevent.c)
"""

from __future__ import annotations

import contextlib
import enum
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Action", "Uevent", "UeventListener", "parse"]

NETLINK_KOBJECT_UEVENT = 15
KERNEL_GROUP = 1
LONGEST_MESSAGE = 16_384
MOST_AT_ONCE = 256
BACKLOG = 1 << 20
"""Bytes that the kernel may keep for us: a hub full of devices says a lot at once."""


class Action(enum.Enum):
    """What happened to a device."""

    ADD = "add"
    REMOVE = "remove"
    CHANGE = "change"
    MOVE = "move"
    ONLINE = "online"
    OFFLINE = "offline"
    BIND = "bind"
    UNBIND = "unbind"


@dataclass(frozen=True, slots=True)
class Uevent:
    """One event. ``path`` is the device's below /sys; ``facts`` are the kernel's variables."""

    action: Action
    path: str
    subsystem: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def plugged(self) -> bool:
        """Something of USB, HID or hidraw appeared or became usable: time to look for the device."""
        ours = self.subsystem in ("usb", "hid", "hidraw")
        return ours and self.action in (Action.ADD, Action.BIND, Action.CHANGE)

    @property
    def port_path(self) -> str:
        """The port path of the USB device that it is about (``1-1.3``), "" where there is none."""
        for part in reversed(self.path.split("/")):
            head, _, _ = part.partition(":")
            bus, dash, ports = head.partition("-")
            if dash and bus.isdecimal() and ports.replace(".", "").isdecimal():
                return head
        return ""


def parse(message: bytes) -> Uevent | None:
    """One message of the kernel: ``add@/devices/…`` and ``KEY=value``, each ended by NUL; else None."""
    if len(message) > LONGEST_MESSAGE or message.startswith(b"libudev"):
        return None
    head, *pairs = message.decode("utf-8", "replace").rstrip("\0").split("\0")
    word, at, path = head.partition("@")
    if not at:
        return None
    try:
        action = Action(word)
    except ValueError:
        return None
    facts = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
    return Uevent(action, path, facts.get("SUBSYSTEM", ""), facts)


class UeventListener:
    """A non-blocking socket to put into a selector; ``read`` what there is when it is readable."""

    def __init__(self, sock: socket.socket) -> None:
        """``sock`` becomes the listener's own."""
        self._sock = sock

    @classmethod
    def open(cls) -> tuple[UeventListener | None, str]:
        """The listener and "", or None and the reason (containers and other systems forbid it)."""
        try:
            sock = socket.socket(
                socket.AF_NETLINK,
                socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC,
                NETLINK_KOBJECT_UEVENT,
            )
        except OSError as error:
            return None, f"no socket for the kernel's events: {error.strerror or error}"
        try:
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BACKLOG)
            sock.bind((0, KERNEL_GROUP))
        except OSError as error:
            sock.close()
            return None, f"the kernel's events may not be listened to: {error.strerror or error}"
        return cls(sock), ""

    def fileno(self) -> int:
        """The descriptor to wait on for input."""
        return self._sock.fileno()

    def read(self) -> tuple[Uevent, ...]:
        """The events that are there now, at most 256. An overrun counts as "something was plugged in"."""
        events: list[Uevent] = []
        for _ in range(MOST_AT_ONCE):
            try:
                message, sender = self._sock.recvfrom(LONGEST_MESSAGE + 1)
            except BlockingIOError:
                break
            except OSError:  # ENOBUFS: messages were lost, so anything may have happened
                events.append(Uevent(Action.ADD, "", "usb"))
                break
            event = parse(message) if _from_kernel(sender) else None
            if event is not None:
                events.append(event)
        return tuple(events)

    def close(self) -> None:
        """Stop listening."""
        self._sock.close()


def _from_kernel(sender: object) -> bool:
    """Netlink addresses are (port, groups); the kernel's port is 0. Other families (tests) have none."""
    return not isinstance(sender, tuple) or not sender or sender[0] == 0
