"""Errors, named by what the caller does next.

Each class says in one sentence what happens after it is raised. The facts are attributes, the text is
built from them and begins in lower case, so that it can follow a program or file name. No class here
knows of a vendor, a socket or a file format; those are the raiser's business.
"""

from __future__ import annotations

import enum

__all__ = [
    "AccessDenied",
    "AlreadyRunning",
    "ClientError",
    "ConfigError",
    "DescriptorError",
    "DeviceBusy",
    "DeviceGone",
    "DeviceNotFound",
    "FixtureError",
    "ProfileError",
    "ServerRefused",
    "ServerUnreachable",
    "TransferFailed",
    "TransferKind",
    "UnknownUsage",
    "UsbHidUpsError",
]


class UsbHidUpsError(Exception):
    """The root: whoever catches this catches everything that this package raises on purpose."""


class ConfigError(UsbHidUpsError):
    """Stop with exit status 1 and show the text: a person has to mend a file or an option.

    ``where`` is the file (or ``command line``), ``line`` counts from 1, ``key`` is the offending name.
    """

    def __init__(
        self, problem: str, *, where: str = "", line: int | None = None, key: str = ""
    ) -> None:
        self.problem = problem
        self.where = where
        self.line = line
        self.key = key
        place = where if line is None else f"{where}:{line}"
        parts = [part for part in (place, key) if part]
        super().__init__(": ".join([*parts, problem]))


class ProfileError(ConfigError):
    """A profile cannot be used: stop, and name file, table and key. ``key`` is ``table.key``."""


class FixtureError(ConfigError):
    """A fixture (recorded or described device) cannot be used: stop, and name file and key."""


class AlreadyRunning(UsbHidUpsError):
    """A live instance serves this state socket: ask it to end and try again, or stop.

    ``path`` is the socket's.
    """

    def __init__(self, *, path: str) -> None:
        self.path = path
        super().__init__(f"{path}: another driver is listening there")


class DeviceNotFound(UsbHidUpsError):
    """No such device now: wait and look again (probe and kill-power: say so and stop)."""


class AccessDenied(UsbHidUpsError):
    """The device is there but its node may not be opened: wait for the rights, then explain them.

    ``node`` is the path of the device node, "" where it is unknown.
    """

    def __init__(self, problem: str, *, node: str = "") -> None:
        self.node = node
        super().__init__(f"{node}: {problem}" if node else problem)


class DeviceBusy(UsbHidUpsError):
    """Somebody else holds the interface: say who (where known), wait, try again."""

    def __init__(self, problem: str, *, holder: str = "") -> None:
        self.holder = holder
        super().__init__(f"{problem} (held by {holder})" if holder else problem)


class DeviceGone(UsbHidUpsError):
    """The device left the bus: close, mark the data stale, reconnect."""


class TransferKind(enum.Enum):
    """How a single transfer failed."""

    STALL = "stall"  # the device refused this request
    TIMEOUT = "timeout"  # it did not answer in time
    OVERFLOW = "overflow"  # it sent more than was asked (babble)
    SHORT = "short"  # it sent less than can be used
    IO = "io"  # the host reports an I/O error


class TransferFailed(UsbHidUpsError):
    """One transfer failed: keep the old value, count; when all fail, treat as DeviceGone.

    ``request`` says which transfer in words (``get feature 0x0c``), ``errno`` is the host's number if any.
    """

    def __init__(self, kind: TransferKind, request: str, *, errno: int | None = None) -> None:
        self.kind = kind
        self.request = request
        self.errno = errno
        suffix = "" if errno is None else f" (errno {errno})"
        super().__init__(f"{request}: {kind.value}{suffix}")


class DescriptorError(UsbHidUpsError):
    """This report descriptor cannot be driven: say where and why, and give the device up.

    ``offset`` is the byte offset of the offending item, None where the whole is meant.
    """

    def __init__(self, problem: str, *, offset: int | None = None) -> None:
        self.problem = problem
        self.offset = offset
        super().__init__(problem if offset is None else f"offset {offset}: {problem}")


class UnknownUsage(UsbHidUpsError, LookupError):
    """A part of a path names no usage: say which row, file or argument the path came from, and refuse it.

    ``part`` is the offending part, ``path`` the whole text.
    """

    def __init__(self, part: str, *, path: str) -> None:
        self.part = part
        self.path = path
        super().__init__(f"no usage is called {part!r} (in {path!r})")


class ServerUnreachable(UsbHidUpsError):
    """upsd does not answer, or not in its language: say so, and ask again later."""


class ServerRefused(UsbHidUpsError):
    """upsd answered with an error: show it instead of data, and ask again later.

    ``reason`` is upsd's word, such as ``DATA-STALE``.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class ClientError(UsbHidUpsError):
    """One client of the state socket misbehaves: drop that client, note it at debug level."""
