"""Where NUT keeps things on this machine, and one UPS's options read from there.

The one place that knows NUT's environment variables and directories (nut-driver-contract.md 1.4, 1.8). It
reads ups.conf and nothing else; what the words in it mean is ``nut.upsconf``'s business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path

from usbhidups.errors import ConfigError
from usbhidups.nut.upsconf import DriverOptions, Replay, UpsConf, parse_upsconf
from usbhidups.ups.options import Options

__all__ = ["DRIVER_NAMES", "Paths", "anchored", "read_upsconf", "ups_options"]

DRIVER_NAMES = ("usbhidups", "usbhid-ups")
"""The names under which this driver may be installed; ``driver =`` in ups.conf says one of them."""

LARGEST_CONF = 1 << 20
"""Bytes of ups.conf that are read; a larger file is a mistake."""


@dataclass(frozen=True, slots=True)
class Paths:
    """Directories: ups.conf's, the state sockets', the PID files', users' profiles."""

    conf: Path
    state: Path
    pid: Path
    profiles: Path

    @classmethod
    def of(cls, environment: Mapping[str, str], *, statepath: str | None = None) -> Paths:
        """From the environment; ``statepath`` is ups.conf's directive, which the environment overrules."""
        state = (
            environment.get("NUT_STATEPATH") or statepath or _first("/run/nut", "/var/state/ups")
        )
        pid = environment.get("NUT_ALTPIDPATH") or environment.get("NUT_STATEPATH") or state
        return cls(
            conf=Path(environment.get("NUT_CONFPATH") or _first("/etc/nut", "/usr/local/ups/etc")),
            state=Path(state),
            pid=Path(pid),
            profiles=Path(environment.get("USBHIDUPS_PROFILES") or "/etc/usbhidups/profiles.d"),
        )

    def socket(self, program: str, ups: str) -> Path:
        """The state socket of one driver instance."""
        return self.state / f"{program}-{ups}"

    def pid_file(self, program: str, ups: str) -> Path:
        """The PID file of one driver instance."""
        return self.pid / f"{program}-{ups}.pid"


def read_upsconf(conf: Path) -> UpsConf:
    """Read and cut up ``ups.conf`` in directory ``conf``. ConfigError when it cannot be read."""
    path = conf / "ups.conf"
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_CONF + 1)
    except OSError as error:
        mend = ": run this as root" if isinstance(error, PermissionError) else ""
        raise ConfigError(f"cannot be read: {error.strerror}{mend}", where=str(path)) from error
    if len(data) > LARGEST_CONF:
        raise ConfigError("is larger than 1 MiB, this cannot be ups.conf", where=str(path))
    return parse_upsconf(data.decode("utf-8", "replace"), where=str(path))


def ups_options(driver: DriverOptions) -> Options:
    """The options that change what a UPS's readings mean, out of all the driver's options."""
    return Options(**{f.name: getattr(driver, f.name) for f in fields(Options)})


def anchored(driver: DriverOptions, base: Path) -> DriverOptions:
    """The options with a recording's path made absolute from ``base``: a driver changes its directory."""
    if not isinstance(driver.port, Replay):
        return driver
    return replace(driver, port=Replay(str(base / driver.port.path)))


def _first(*candidates: str) -> str:
    """The first directory that exists, else the first."""
    return next((path for path in candidates if Path(path).is_dir()), candidates[0])
