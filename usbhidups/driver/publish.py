"""What the driver says of itself, and how a Snapshot becomes what the store publishes. Pure.

The variables are those of nut-driver-contract.md 6.1 and 5.5. Some are ours, because an administrator wants
to know why: ``driver.state.reason`` and ``driver.state.since`` while the state is not ``quiet``,
``driver.disconnects`` once there were any (a number that grows is a bad cable), ``driver.mode`` (how reports
come) and ``driver.killpower.result`` once the power was to be cut.
"""

from __future__ import annotations

from dataclasses import dataclass

from usbhidups import __version__
from usbhidups.driver.messages import State
from usbhidups.nut.store import Published
from usbhidups.nut.upsconf import DriverOptions
from usbhidups.ports import port_text
from usbhidups.ups.snapshot import Snapshot, Value

__all__ = ["DRIVER_COMMANDS", "DriverState", "commands_of", "variables_of"]

DRIVER_COMMANDS = frozenset(
    {
        "driver.killpower",
        "driver.reload",
        "driver.reload-or-error",
        "driver.reload-or-exit",
    }
)
"""Commands of the driver process itself. ``driver.exit`` works too, but is not announced (as in NUT)."""


@dataclass(frozen=True, slots=True)
class DriverState:
    """The driver's own part of what is published."""

    state: State
    reason: str
    since: str  # wall clock, ISO 8601
    debug: int
    allow_killpower: bool
    profile: str
    transport: str
    losses: int  # how often the device left, or had to be opened again
    killpower: str  # what came of the last attempt to cut the power, "" when there was none


def variables_of(
    view: Snapshot, *, program: str, options: DriverOptions, standing: DriverState
) -> dict[str, Published]:
    """Everything to publish of one UPS."""
    variables = {name: _published(value) for name, value in view.variables.items()}
    variables.update(_of_driver(program, options, standing))
    if view.mode:
        variables["driver.mode"] = Published(view.mode)
    variables.setdefault("device.type", Published("ups"))
    for part in ("mfr", "model", "serial"):
        known = variables.get(f"ups.{part}")
        if known is not None:
            variables.setdefault(f"device.{part}", Published(known.text))
    return variables


def commands_of(view: Snapshot) -> frozenset[str]:
    """Everything that INSTCMD offers."""
    return view.commands | DRIVER_COMMANDS


def _published(value: Value) -> Published:
    return Published(
        value.text,
        writable=value.writable,
        string=value.string,
        number=not value.string and value.writable and not value.enum,
        length=value.length,
        enum=value.enum,
        ranges=value.ranges,
    )


def _of_driver(program: str, options: DriverOptions, standing: DriverState) -> dict[str, Published]:
    texts: dict[str, str] = {
        **options.published,
        "driver.name": program,
        "driver.version": __version__,
        "driver.version.internal": __version__,
        "driver.parameter.port": port_text(options),
        "driver.parameter.pollinterval": f"{options.pollinterval:g}",
        "driver.parameter.synchronous": options.synchronous,
        "driver.state": standing.state.value,
    }
    if options.pollfreq is not None:
        texts["driver.parameter.pollfreq"] = f"{options.pollfreq:g}"
    else:
        texts.setdefault("driver.parameter.pollfreq", "30")
    if standing.profile:
        texts["driver.version.data"] = standing.profile
    if standing.transport:
        texts["driver.version.usb"] = standing.transport
    if standing.losses:
        texts["driver.disconnects"] = str(standing.losses)
    if standing.killpower:
        texts["driver.killpower.result"] = standing.killpower
    if standing.state is not State.QUIET:
        texts["driver.state.reason"] = standing.reason
        texts["driver.state.since"] = standing.since
    variables = {name: Published(text) for name, text in texts.items()}
    variables["driver.debug"] = Published(str(standing.debug), writable=True, number=True)
    variables["driver.flag.allow_killpower"] = Published(
        str(int(standing.allow_killpower)), writable=True, number=True
    )
    return variables


def means_yes(text: str) -> bool:
    """How NUT reads a SET of ``driver.flag.allow_killpower``; everything else is no (contract 6.1)."""
    word = text.strip().lower()
    if word.isdigit():
        return int(word) > 0
    return word.startswith("enable") or word in {"true", "yes", "on"}
