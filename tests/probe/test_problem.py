"""What probe says to a UPS that it cannot read, situation by situation, and that the document says the same.

The devices are made up below a directory: sysfs, nodes, udev's rules, /proc. What opening them ends with is
an errno of libusb, as the kernel would give it.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.usb.bytes import KEYBOARD, UPS
from tests.usb.pipes import TIMEOUT, ups_pipe
from tests.usb.sysfs import Part, Plug, plug
from tests.usb.test_local import Bus
from usbhidups.errors import ConfigError, UsbHidUpsError
from usbhidups.tools.probe.clock import MadeUpClock
from usbhidups.tools.probe.finding import Finding
from usbhidups.tools.probe.local import Local, Surroundings
from usbhidups.tools.probe.look import Plan
from usbhidups.tools.probe.prober import Prober
from usbhidups.tools.probe.problem import Situation, judge
from usbhidups.tools.probe.user import User, in_container
from usbhidups.ups.loading.library import Library
from usbhidups.usb import discover
from usbhidups.usb.discover import Node
from usbhidups.usb.libusb import Libusb
from usbhidups.usb.local import Host

DOCUMENT = Path(__file__).parents[2] / "docs" / "troubleshooting.md"

APC = Plug(
    port="1-4",
    vendor=0x051D,
    product=0x0002,
    strings={"manufacturer": "APC", "product": "Back-UPS", "serial": "4B1"},
    parts=[Part(hidraw="")],
)
RULE = (
    'SUBSYSTEM=="usb", ATTR{idVendor}=="051d", ATTR{idProduct}=="0002", MODE="0660", GROUP="nut"\n'
)


ALICE = User("alice", frozenset({"alice"}))


@dataclass
class World:
    """A host that is not there. ``nodes`` are who owns them: owner, group, mode."""

    root: Path
    bus: Bus = field(default_factory=Bus)
    nodes: dict[str, tuple[str, str, int]] = field(default_factory=dict)
    user: User = ALICE
    contained: bool = False
    libusb: Libusb | None = None

    def rule(self, text: str) -> None:
        folder = self.root / "etc/udev/rules.d"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "99-ups.rules").write_text(text)

    def process(self, pid: int, name: str, node: str) -> None:
        """A process that has ``node`` (below the root) open."""
        folder = self.root / f"proc/{pid}"
        (folder / "fd").mkdir(parents=True)
        (folder / "comm").write_text(f"{name}\n")
        (folder / "fd/5").symlink_to(self.root / node)

    def local(self) -> Local:
        """Its devices, as probe looks for them."""
        host = Host(
            sysfs=self.root / "sys", dev=self.root / "dev", libusb=self.libusb or Libusb(self.bus)
        )
        around = Surroundings(
            host=host,
            state=self.root / "run",
            rules=[self.root / "etc/udev/rules.d"],
            proc=self.root / "proc",
            user=self.user,
            contained=self.contained,
        )
        return Local(Library(), around)

    def probe(self) -> list[Finding]:
        return Prober(Library(), Plan(), MadeUpClock()).findings(self.local().subjects())

    def node(self, path: Path) -> Node:
        name = str(path.relative_to(self.root))
        if name not in self.nodes:
            return Node(str(path), problem=f"{path}: {os.strerror(errno.ENOENT)}")
        owner, group, mode = self.nodes[name]
        may = mode & 0o006 == 0o006 or (mode & 0o060 == 0o060 and group in self.user.groups)
        shown = f"{path} is {owner}:{group} {mode:04o}, not for user {self.user.name}"
        return Node(str(path), owner, group, mode, "" if may else shown)


NODE = "dev/bus/usb/001/007"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(tmp_path)
    monkeypatch.setattr(discover, "_node", made.node)
    made.nodes[NODE] = ("root", "root", 0o664)
    made.bus.devices = {(1, 7): errno.EACCES}
    return made


def no_rule(world: World) -> None:
    plug(world.root, APC)


def rule_not_applied(world: World) -> None:
    plug(world.root, APC)
    world.rule(RULE)


def not_in_group(world: World) -> None:
    plug(world.root, APC)
    world.rule(RULE)
    world.nodes[NODE] = ("root", "nut", 0o660)


def no_node(world: World) -> None:
    plug(world.root, APC)
    world.nodes.clear()


def container(world: World) -> None:
    plug(world.root, APC)
    world.nodes[NODE] = ("root", "root", 0o666)
    world.bus.devices = {(1, 7): errno.EPERM}
    world.contained = True


def held(world: World) -> None:
    plug(world.root, APC)
    world.nodes[NODE] = ("root", "root", 0o666)
    world.bus.devices = {(1, 7): ups_pipe(UPS)}
    world.bus.busy = {(1, 7)}
    world.process(812, "apcupsd", NODE)


def our_driver(world: World) -> None:
    plug(world.root, APC)
    (world.root / "run").mkdir()
    (world.root / "run/usbhidups-1-4.lock").write_text("815\n")
    (world.root / "proc/815").mkdir(parents=True)
    (world.root / "proc/815/cmdline").write_bytes(b"python3\0/usr/bin/usbhidups\0run\0office\0")


def other_driver(world: World) -> None:
    plug(
        world.root,
        replace(APC, vendor=0x09AE, product=0x0001, parts=[Part(descriptor=None, driver="")]),
    )
    folder = world.root / "sys/bus/usb/devices/1-4"
    (folder / "1-4:1.0/bInterfaceClass").write_text("ff\n")
    (folder / "idVendor").write_text("09ae\n")
    (folder / "idProduct").write_text("0001\n")


def not_authorized(world: World) -> None:
    plug(world.root, replace(APC, parts=[]))
    folder = world.root / "sys/bus/usb/devices/1-4"
    for name, text in (("idVendor", "051d"), ("idProduct", "0002"), ("authorized", "0")):
        (folder / name).write_text(f"{text}\n")


class NoLibrary(Libusb):
    """What happens where libusb is not installed."""

    def backend(self) -> Bus:
        raise ConfigError("libusb-1.0 is not installed", key="transport")


def no_library(world: World) -> None:
    plug(world.root, APC)
    world.nodes[NODE] = ("root", "root", 0o666)
    world.libusb = NoLibrary()


def no_power_device(world: World) -> None:
    plug(world.root, replace(APC, parts=[Part(descriptor=None, driver="")]))
    world.nodes[NODE] = ("root", "root", 0o666)
    world.bus.devices = {(1, 7): ups_pipe(KEYBOARD)}


def silent(world: World) -> None:
    plug(world.root, APC)
    world.nodes[NODE] = ("root", "root", 0o666)
    world.bus.devices = {(1, 7): ups_pipe(UPS, f0c=TIMEOUT)}


def gone(world: World) -> None:
    plug(world.root, APC)
    world.nodes[NODE] = ("root", "root", 0o666)
    world.bus.devices = {(1, 7): errno.ENODEV}


SITUATIONS: dict[Situation, Callable[[World], None]] = {
    Situation.NO_RULE: no_rule,
    Situation.RULE_NOT_APPLIED: rule_not_applied,
    Situation.NOT_IN_GROUP: not_in_group,
    Situation.NO_NODE: no_node,
    Situation.CONTAINER: container,
    Situation.OUR_DRIVER: our_driver,
    Situation.HELD: held,
    Situation.OTHER_DRIVER: other_driver,
    Situation.NOT_AUTHORIZED: not_authorized,
    Situation.NO_LIBRARY: no_library,
    Situation.NO_POWER_DEVICE: no_power_device,
    Situation.SILENT: silent,
    Situation.GONE: gone,
}


def table() -> list[str]:
    return DOCUMENT.read_text(encoding="utf-8").split("<!-- situations -->\n")[1].splitlines()


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.value)
def test_the_document_says_what_probe_says(situation: Situation, world: World) -> None:
    SITUATIONS[situation](world)
    (found,) = world.probe()
    assert found.problem is not None
    assert found.problem.situation is situation
    cells = (f"`{situation.value}`", found.problem.reason, found.problem.mend)
    row = f"| {' | '.join(cells)} |".replace(str(world.root), "")
    assert row in table()


def test_the_document_has_a_row_for_each_situation() -> None:
    rows = [line.split("`")[1] for line in table() if line.startswith("| `")]
    assert rows == [situation.value for situation in SITUATIONS]
    assert {*Situation} - {*SITUATIONS} == {Situation.UNKNOWN}


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("qemu-system-x86", "virtual machine"),
        ("usbhid-ups", "driver of NUT"),
        ("nutdrv_qx", "driver of NUT"),
        ("apcupsd", "cannot share"),
        ("strange", "leave the UPS to it"),
    ],
)
def test_a_holder_that_is_known_gets_its_own_advice(name: str, word: str, world: World) -> None:
    held(world)
    (world.root / "proc/812/comm").write_text(f"{name}\n")
    (found,) = world.probe()
    assert found.problem is not None
    assert found.problem.reason == f"pid 812 ({name}) holds its USB interface"
    assert word in found.problem.mend


def test_a_holder_that_cannot_be_seen(world: World) -> None:
    """The kernel shows usbfs as the driver of an interface that a program claimed, to everybody."""
    plug(world.root, replace(APC, parts=[Part(descriptor=None, driver="usbfs")]))
    (found,) = world.probe()
    assert found.problem is not None
    assert found.problem.situation is Situation.HELD
    assert "run as root to see which" in found.problem.reason


def test_one_that_cannot_be_read_does_not_hide_the_other(world: World) -> None:
    plug(world.root, APC)
    plug(world.root, replace(APC, port="1-5", address=8))
    world.nodes["dev/bus/usb/001/008"] = ("root", "root", 0o666)
    world.bus.devices[1, 8] = ups_pipe(UPS, f0c=b"\x0c\x64")
    first, second = world.probe()
    assert (first.readable, second.readable) == (False, True)
    assert second.text("battery.charge") == "100"
    assert second.transport == "libusb"


def test_a_reader_of_its_hidraw_node_is_told_and_not_robbed(world: World) -> None:
    """libusb would take the node away from it (failure C18)."""
    plug(world.root, replace(APC, parts=[Part(hidraw="hidraw3")]))
    world.nodes[NODE] = ("root", "root", 0o666)
    world.nodes["dev/hidraw3"] = ("root", "root", 0o600)
    world.process(77, "upowerd", "dev/hidraw3")
    (found,) = world.probe()
    assert not found.readable
    assert "it is also read by pid 77 (upowerd)" in found.warnings
    assert world.bus.opened == []


def test_a_port_that_may_be_suspended_is_told(world: World) -> None:
    plug(world.root, replace(APC, control="auto"))
    (found,) = world.probe()
    assert any("power/control is auto" in warning for warning in found.warnings)


def test_hid_devices_that_are_no_ups_are_accounted_for(world: World) -> None:
    plug(world.root, replace(APC, vendor=0x046D, parts=[Part(descriptor=KEYBOARD)]))
    assert world.probe() == []


@pytest.mark.parametrize("error", [UsbHidUpsError("strange")])
def test_what_nobody_thought_of(error: UsbHidUpsError) -> None:
    assert judge(error, None).situation is Situation.UNKNOWN


@pytest.fixture(params=["", ".dockerenv", "run/.containerenv", "run/systemd/container"])
def mark(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, bool]:
    if request.param:
        (tmp_path / request.param).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / request.param).touch()
    return tmp_path, bool(request.param)


def test_containers_are_known_by_their_marks(mark: tuple[Path, bool]) -> None:
    root, contained = mark
    assert in_container(root) is contained
