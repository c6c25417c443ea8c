"""docs/variables.md: every name that is published or taken, every exit status, from profiles and code."""

from __future__ import annotations

from collections.abc import Iterator

from usbhidups.cli import doctor, probe
from usbhidups.driver.messages import State
from usbhidups.driver.publish import DRIVER_COMMANDS, DriverState, variables_of
from usbhidups.killpower import PoweroffStatus
from usbhidups.nut.upsconf import Setting, driver_options
from usbhidups.tools.status import snapshot
from usbhidups.ups.loading.library import GENERIC, Library
from usbhidups.ups.profile import Profile
from usbhidups.ups.snapshot import Snapshot

__all__ = ["published"]

HEAD = """\
# Variables, commands, exit statuses

<!-- Made by tools/generate.py from the profiles and the code; do not edit. -->

What clients of upsd can meet. The names are NUT's and mean what its developer guide says; those that only
this driver has are told in [status.md](status.md) and [troubleshooting.md](troubleshooting.md). A UPS shows
what it has: `usbhidups probe --all` tells which field each value comes from.

"standard" is every UPS that keeps to the Power Device class. An `n` stands for a number.
"""

DERIVED = (
    "device.mfr", "device.model", "device.serial", "device.type", "driver.mode",
    "experimental.ups.status.held", "experimental.ups.status.reason",
    "ups.alarm", "ups.firmware.aux", "ups.mfr", "ups.model",
    "ups.productid", "ups.serial", "ups.status", "ups.vendorid",
)  # fmt: skip
"""Made of several fields, of strings, or of what the driver thinks of them; no row of a profile has them."""

STATUSES = """\
## Exit statuses

| command | status | meaning |
|---|---|---|"""


def published(library: Library) -> str:
    """The document."""
    profiles = [library.load(name) for name in library.names()]
    lines = [HEAD, "## Variables of a UPS\n", "| variable | can be set | has it |\n|---|---|---|"]
    names = {row.name for each in profiles for row in each.variables}
    lines += [_variable(name, profiles) for name in sorted(names)]
    lines += ["\n## Variables that are worked out\n", "| variable |\n|---|"]
    lines += [f"| `{name}` |" for name in DERIVED if name not in names]
    lines += ["\n## Variables of the driver\n", "| variable | can be set |\n|---|---|"]
    lines += [
        f"| `{name}` | {'yes' if one else ''} |" for name, one in sorted(_of_driver().items())
    ]
    lines += ["\n## Instant commands\n", "| command | has it |\n|---|---|"]
    commands = sorted({row.name for each in profiles for row in each.commands})
    lines += [f"| `{name}` | {_families(_with_command(name, profiles))} |" for name in commands]
    lines += [f"| `{name}` | the driver itself |" for name in sorted(DRIVER_COMMANDS)]
    lines += ["", STATUSES, *_statuses(), ""]
    return "\n".join(lines)


def _variable(name: str, profiles: list[Profile]) -> str:
    having = [each for each in profiles if any(row.name == name for row in each.variables)]
    settable = any(row.writable for each in having for row in each.variables if row.name == name)
    return f"| `{name}` | {'yes' if settable else ''} | {_families(having)} |"


def _with_command(name: str, profiles: list[Profile]) -> list[Profile]:
    return [each for each in profiles if any(row.name == name for row in each.commands)]


def _families(having: list[Profile]) -> str:
    if any(each.name == GENERIC for each in having):
        return "standard"
    return ", ".join(sorted((each.title for each in having), key=str.lower))


def _of_driver() -> dict[str, bool]:
    standing = DriverState(
        state=State.DOUBT, reason="-", since="-", debug=0, allow_killpower=False, profile="-",
        transport="-", losses=1, killpower="-",
    )  # fmt: skip
    options = driver_options([Setting("port", "auto")], program="usbhidups")
    made = variables_of(
        Snapshot(reason="-"), program="usbhidups", options=options, standing=standing
    )
    return {name: each.writable for name, each in made.items() if name.startswith("driver.")}


def _statuses() -> Iterator[str]:
    words = {
        snapshot.State.ON_LINE: "on line",
        snapshot.State.ON_BATTERY: "on battery",
        snapshot.State.LOW: "on battery, and it is low",
        snapshot.State.UNKNOWN: "stale, unreachable, unknown, or a wrong command line",
    }
    for state in snapshot.State:
        yield f"| `status` | {int(state)} | {words[state]} |"
    for number, text in (
        (probe.READ, "found and read"),
        (probe.NONE, "none found"),
        (probe.UNREADABLE, "found, but not readable; or a wrong command line"),
    ):
        yield f"| `probe` | {number} | {text} |"
    for result in PoweroffStatus:
        yield f"| `killpower` | {int(result)} | {result.words} |"
    for part in doctor.EPILOG.partition(": ")[2].split(", "):
        yield "| `doctor` | {} | {} |".format(*part.split(" ", 1))
    yield "| any other | 0 | it did what it was asked for |"
    yield "| any other | 1 | it could not; one line on standard error says why |"
    yield "| any other | 2 | the command line is wrong |"
    yield "| any | 130 | Ctrl-C, where that is not the usual way to end it |"
