"""Which drivers there are: state sockets in the state directory, and sections of ups.conf."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from usbhidups.configuration import DRIVER_NAMES, Paths, read_upsconf
from usbhidups.errors import ConfigError

__all__ = ["DriverSocket", "find_sockets"]


@dataclass(frozen=True, slots=True)
class DriverSocket:
    """Where one UPS's driver listens, or would."""

    ups: str
    program: str
    path: Path


def find_sockets(places: Paths, names: Sequence[str] = ()) -> tuple[DriverSocket, ...]:
    """The UPSes of ``names``, or all: those with a socket, and those that ups.conf gives to this driver.

    A name that is nowhere is still returned, to be told that nobody answers. ConfigError when there is
    nothing to return.
    """
    known: dict[str, DriverSocket] = {}
    configured = _configured(places)
    for program in DRIVER_NAMES:
        for ups, path in _listening(places.state, program):
            known.setdefault(ups, DriverSocket(ups, program, path))
    for ups, program in configured.items():
        known.setdefault(ups, DriverSocket(ups, program, places.socket(program, ups)))
    if names:
        return tuple(
            known.get(name)
            or DriverSocket(name, DRIVER_NAMES[0], places.socket(DRIVER_NAMES[0], name))
            for name in names
        )
    if not known:
        raise ConfigError(
            f"no driver has a socket in {places.state}, and {places.conf}/ups.conf names none",
            where="status",
        )
    return tuple(known[ups] for ups in sorted(known))


def _listening(state: Path, program: str) -> list[tuple[str, Path]]:
    """Sockets of one program, by name of the UPS. ConfigError where the directory is closed to us."""
    try:
        names = sorted(path.name for path in state.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ConfigError(
            f"{error.strerror}: run this as root or with group nut", where=str(state)
        ) from None
    prefix = f"{program}-"
    return [
        (name.removeprefix(prefix), state / name)
        for name in names
        if name.startswith(prefix) and (state / name).is_socket()
    ]


def _configured(places: Paths) -> dict[str, str]:
    """Sections of ups.conf that name this driver; none where the file is not for us to read."""
    try:
        conf = read_upsconf(places.conf)
    except ConfigError:
        return {}
    return {section.name: section.driver for section in conf.sections_for(DRIVER_NAMES)}
