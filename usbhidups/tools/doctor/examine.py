"""All checks in the order in which they are told: what is installed, what is configured, what runs."""

from __future__ import annotations

from collections.abc import Iterator

from usbhidups.tools.doctor import drivers, installation
from usbhidups.tools.doctor.check import Check, Severity
from usbhidups.tools.doctor.drivers import Configured
from usbhidups.tools.doctor.machine import Machine
from usbhidups.tools.status.snapshot import Snapshot
from usbhidups.ups.loading.library import Library

__all__ = ["examine", "healthy"]

DEFAULT_ACCOUNT = "nut"


def examine(machine: Machine, library: Library) -> Iterator[Check]:
    """Every check."""
    found = Configured()
    seen: dict[str, Snapshot] = {}
    yield from installation.nut(machine)
    yield from installation.libraries(machine)
    read = list(drivers.configuration(machine, found))
    given = next(iter(found.options.values()), None)
    user = (given.user if given else None) or DEFAULT_ACCOUNT
    group = (given.group if given else None) or DEFAULT_ACCOUNT
    yield from installation.directories(machine, user=user, group=group)
    yield from installation.rights(machine, library)
    yield from installation.attached(machine, library, user=user, group=group)
    yield from read
    yield from drivers.programs(machine, found)
    yield from installation.units(machine, found.names)
    yield from drivers.sockets(machine, found, seen)
    yield from drivers.kill_power(seen)
    yield from installation.late_hook(machine)


def healthy(checks: list[Check]) -> bool:
    """Whether nothing has to be mended."""
    return all(check.verdict is not Severity.PROBLEM for check in checks)
