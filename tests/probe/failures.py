"""Situations in which people ask what is wrong with their UPS, each provoked, with what probe says to it.

``python -m tests.probe.failures --write`` writes docs/probe-failures.md; ``test_failures`` compares it. The
hosts are made up below a directory (``test_problem.World``); the devices that answer are simulated, on a
clock that only transfers move.
"""

from __future__ import annotations

import datetime
import errno
import io
import sys
import tempfile
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from unittest import mock

from tests.driver_tools import FIXTURES
from tests.probe import test_problem as hosts
from tests.probe.test_problem import APC, NODE, World
from tests.simulator.devices import bench
from tests.simulator.transport import DirectTransport, VirtualClock
from tests.usb.bytes import KEYBOARD, UPS
from tests.usb.pipes import ups_pipe
from tests.usb.sysfs import Part, plug
from usbhidups.cli.target import Target
from usbhidups.configuration import Paths
from usbhidups.nut.upsconf import Setting, driver_options
from usbhidups.simulator.device import SimulatedDevice
from usbhidups.tools.probe.card import card
from usbhidups.tools.probe.finding import Finding
from usbhidups.tools.probe.look import Plan
from usbhidups.tools.probe.prober import Prober
from usbhidups.tools.probe.problem import Problem, judge
from usbhidups.tools.probe.subject import Opened
from usbhidups.tools.screen.console import make_console, show
from usbhidups.ups.loading.library import Library
from usbhidups.usb import discover
from usbhidups.usb.fixture import Fixture, load

__all__ = ["CASES", "DOCUMENT", "document", "said"]

DOCUMENT = Path(__file__).parents[2] / "docs" / "probe-failures.md"
TODAY = datetime.date(2026, 3, 1)
WIDTH = 90

HEAD = """\
# What `probe` says when something is wrong

<!-- Made by python -m tests.probe.failures --write; do not edit. -->

Each of these situations is provoked by a test, and this is what `usbhidups probe` answered: the row *Why* says
what stands in the way, *Mend* what to do.
[troubleshooting.md](troubleshooting.md) begins with symptoms instead. When all is well it looks like this:

![the card of a UPS](pictures/probe.svg)
"""


@dataclass(frozen=True)
class Case:
    """``happen`` prepares a host and returns what probe says on it."""

    title: str
    text: str
    happen: Callable[[World], str]


def _cards(findings: Sequence[Finding], root: Path, *, without: Sequence[str] = ()) -> str:
    """The cards as a file of 90 columns gets them, without some of their rows."""
    file = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n")
    console = make_console(file, width=WIDTH)
    for finding in findings:
        show(console, card(_rootless(finding, root), console, today=TODAY))
    file.seek(0)
    lines: list[str] = []
    skipping = False
    for line in file.read().splitlines():
        label = line[2:12].strip()
        if line.startswith("  ") and label and not line.startswith("    "):
            skipping = label in without
        if not skipping:
            lines.append(line)
    return "\n".join(lines)


def _rootless(finding: Finding, root: Path) -> Finding:
    def shown(text: str) -> str:
        return text.replace(str(root), "")

    found = finding.problem
    return replace(
        finding,
        why=shown(finding.why),
        warnings=tuple(shown(each) for each in finding.warnings),
        problem=found and Problem(found.situation, shown(found.reason), shown(found.mend)),
    )


def _host(prepare: Callable[[World], None]) -> Callable[[World], str]:
    def happen(world: World) -> str:
        prepare(world)
        return _cards(world.probe(), world.root)

    return happen


class _Clock:
    """probe's clock over the one that transfers move."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock

    def now(self) -> float:
        return self._clock.now

    def sleep(self, seconds: float) -> None:
        self._clock.sleep(seconds)


UNIMPORTANT = ("Commands", "Settings", "Kill-power", "Voltage", "Bat. age", "Read by", "Oddities")


def _device(fixture: Fixture, *commands: str) -> Callable[[World], str]:
    """A simulated device to which something is done."""

    def happen(world: World) -> str:
        clock = VirtualClock()
        device = SimulatedDevice(fixture, now=clock.now)
        for command in commands:
            device.command(command, clock.now)
        transport = DirectTransport(fixture, device, clock)
        identity = replace(transport.identity, port_path="1-4")
        subject = Opened(identity, transport, "hidraw", "", (), lambda error: judge(error, None))
        found = Prober(Library(), Plan(), _Clock(clock)).findings([subject])
        found = [replace(each, identity=identity) for each in found]
        return _cards(found, world.root, without=UNIMPORTANT)

    return happen


def _suspended(world: World) -> str:
    plug(world.root, replace(APC, control="auto"))
    world.nodes[NODE] = ("root", "root", 0o666)
    world.bus.devices = {(1, 7): ups_pipe(UPS, f0c=b"\x0c\x64")}
    return _cards(world.probe(), world.root, without=("Read by", "Status", "Kill-power"))


def _none(world: World) -> str:
    plug(world.root, replace(APC, vendor=0x046D, parts=[Part(descriptor=KEYBOARD)]))
    settings = driver_options([Setting.from_argument("port=auto")], program="usbhidups")
    target = Target(settings, Paths.of({}))
    target._local = world.local()
    assert list(target._local.subjects()) == []
    return f"usbhidups: {target.nothing()}"


EATON = load(FIXTURES / "0463-ffff-eaton-3s.toml")

CASES = (
    Case(
        "No rule for its ids",
        "A new UPS of a maker that no rule of udev's names: the node is root's.",
        _host(hosts.no_rule),
    ),
    Case(
        "The rule came after the device",
        "The package was installed, or the rule written, while the UPS was plugged in.",
        _host(hosts.rule_not_applied),
    ),
    Case("Permission denied", "Somebody who is not in the group nut.", _host(hosts.not_in_group)),
    Case(
        "Another program has it",
        "apcupsd runs too. Virtual machines and other drivers of NUT get advice of their own.",
        _host(hosts.held),
    ),
    Case(
        "This driver has it already",
        "The driver runs, and its state socket is closed to who asks.",
        _host(hosts.our_driver),
    ),
    Case(
        "It is for another driver of NUT's",
        "Many UPSes with a USB plug speak no HID, or a HID that is not for power devices.",
        _host(hosts.other_driver),
    ),
    Case(
        "A container without its node",
        "sysfs is the host's and shows the UPS; /dev is the container's and has no /dev/bus/usb.",
        _host(hosts.no_node),
    ),
    Case(
        "A container that may not use it",
        "The node is there with rights for everybody, and the container's device rules forbid it.",
        _host(hosts.container),
    ),
    Case(
        "USBGuard",
        "The kernel was told not to use devices that nobody allowed.",
        _host(hosts.not_authorized),
    ),
    Case(
        "The port goes to sleep",
        "The UPS can be read, and the kernel may suspend its port: some do not survive that.",
        _suspended,
    ),
    Case(
        "A descriptor that is no UPS's",
        "Its ids are an APC's, its report descriptor a keyboard's: firmware that hangs, or a bad cable.",
        _host(hosts.no_power_device),
    ),
    Case(
        "It is open and answers nothing",
        "The USB part of the UPS hangs.",
        _device(EATON, "timeout all"),
    ),
    Case(
        "One report hangs",
        "The others are read, and what hung is named under *Link*.",
        _device(EATON, "timeout 06"),
    ),
    Case("Unplugged meanwhile", "It left the bus while it was opened.", _host(hosts.gone)),
    Case(
        "No profile knows it",
        "A maker that nobody has heard of. It keeps to the standard and works; what it does in its own way, "
        "if anything does, needs a profile: [adding-a-device.md](adding-a-device.md).",
        _device(bench()),
    ),
    Case("No UPS at all", "There is a keyboard on the bus, and nothing else.", _none),
)


def said(case: Case) -> str:
    """What probe says to it, on a host below a directory of its own."""
    with tempfile.TemporaryDirectory(prefix="probe-") as folder:
        world = World(Path(folder))
        world.nodes[NODE] = ("root", "root", 0o664)
        world.bus.devices = {(1, 7): errno.EACCES}
        with mock.patch.object(discover, "_node", world.node):
            return case.happen(world)


def document() -> str:
    """The whole of docs/probe-failures.md."""
    parts = [HEAD]
    for number, case in enumerate(CASES, 1):
        text = textwrap.fill(case.text, 112, break_long_words=False, break_on_hyphens=False)
        parts.append(f"## {number}. {case.title}\n\n{text}\n\n```\n{said(case)}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__" and sys.argv[1:] == ["--write"]:
    DOCUMENT.write_text(document(), encoding="utf-8")
