"""Checks of what is installed: NUT, libraries, account, directories, udev's rule, units, the late hook."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from usbhidups.attach import maybe_ups
from usbhidups.errors import AccessDenied, ConfigError
from usbhidups.tools.doctor.check import Check, Severity
from usbhidups.tools.doctor.machine import Machine
from usbhidups.tools.probe.problem import Circumstances, judge
from usbhidups.tools.probe.rules import RULE_DIRECTORIES, find_rule
from usbhidups.tools.probe.user import in_container
from usbhidups.ups.loading.library import Library
from usbhidups.usb.discover import Candidate, Node, candidates, has_usb
from usbhidups.usb.libusb import Libusb

__all__ = ["attached", "directories", "late_hook", "libraries", "nut", "rights", "units"]

OLDEST = (2, 7, 4)
"""NUT whose upsd and tools are known to work with this driver."""

_VERSION = re.compile(r"\b(\d+)\.(\d+)\.(\d+)")
_POWERDOWNFLAG = re.compile(r"^\s*POWERDOWNFLAG\s+\S", re.MULTILINE)


def nut(machine: Machine) -> Iterator[Check]:
    """Is NUT there, and which."""
    upsd = machine.upsd()
    if upsd is None:
        yield Check(
            "NUT",
            Severity.PROBLEM,
            "upsd is not installed: nobody reads what the driver publishes",
            "Debian: apt install nut-server nut-client",
        )
        return
    answered = machine.run((str(upsd), "-V"))
    found = _VERSION.search(answered.text)
    if found is None:
        yield Check("NUT", Severity.NOTE, f"{upsd} does not tell its version", "is it NUT's upsd?")
    elif tuple(map(int, found.groups())) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        yield Check(
            "NUT",
            Severity.NOTE,
            f"{upsd} is {found[0]}, older than what is tested ({oldest})",
            "use a newer one where you can",
        )
    else:
        yield Check("NUT", Severity.OK, f"{upsd} is version {found[0]}")


def libraries(_machine: Machine) -> Iterator[Check]:
    """Can a device be opened: hidraw needs nothing, libusb needs pyusb and libusb."""
    try:
        Libusb().backend()
    except ConfigError as error:
        yield Check(
            "libusb",
            Severity.NOTE,
            f"{error.problem}; only UPSes that the kernel gives a hidraw node can be read",
            "install it where a UPS is not found",
        )
    else:
        yield Check("libusb", Severity.OK, "pyusb and libusb are there")
    if importlib.util.find_spec("rich") is None:
        yield Check("rich", Severity.PROBLEM, "rich is missing", "Debian: apt install python3-rich")


def directories(machine: Machine, *, user: str, group: str) -> Iterator[Check]:
    """The account that drivers run as, and where they put their sockets."""
    if machine.account(user) is None:
        yield Check(
            "user",
            Severity.PROBLEM,
            f"there is no user {user} for the driver to become",
            f"useradd --system {user}, or user = in ups.conf",
        )
    elif machine.group(group) is None:
        yield Check(
            "user", Severity.PROBLEM, f"there is no group {group}", f"groupadd --system {group}"
        )
    else:
        yield Check("user", Severity.OK, f"drivers run as {user}, group {group}")
    state = machine.places.state
    try:
        owner, owning, mode = machine.owner(state)
    except OSError as error:
        yield Check(
            "state directory",
            Severity.PROBLEM,
            f"{state}: {error.strerror}",
            f"install -d -m 0770 -o root -g {group} {state}; systemd-tmpfiles does it at boot",
        )
        return
    shown = f"{state} is {owner}:{owning} {mode:04o}"
    writes = (owner == user and mode & 0o300 == 0o300) or (
        owning == group and mode & 0o030 == 0o030
    )
    if not writes and mode & 0o003 != 0o003 and user != "root":
        yield Check(
            "state directory",
            Severity.PROBLEM,
            f"{shown}: {user} cannot make a socket there",
            f"chown root:{group} {state}; chmod 0770 {state}",
        )
    elif mode & 0o002:
        yield Check(
            "state directory",
            Severity.PROBLEM,
            f"{shown}: everybody may put a false driver there",
            f"chmod 0770 {state}",
        )
    else:
        yield Check("state directory", Severity.OK, shown)


def rights(machine: Machine, library: Library) -> Iterator[Check]:
    """Is there a rule of udev that gives UPSes to the group."""
    folders = _rule_folders(machine)
    known = sorted(
        {
            (match.vendor, product)
            for head in library.heads()
            for match in head.matches
            if match.vendor is not None
            for product in match.products
        }
    )
    without = [ids for ids in known if find_rule(*ids, folders) is None]
    if not known or len(without) == len(known):
        yield Check(
            "udev rule",
            Severity.PROBLEM,
            "no rule gives UPSes to a group: only root can open them",
            "install 99-ups.rules to /etc/udev/rules.d, then: udevadm control --reload && udevadm trigger",
        )
        return
    rule = find_rule(*next(ids for ids in known if ids not in without), folders)
    file = rule.place.rpartition(":")[0] if rule else ""
    if without:
        some = ", ".join(f"{vendor:04x}:{product:04x}" for vendor, product in without[:3])
        yield Check(
            "udev rule",
            Severity.NOTE,
            f"{file} leaves out {len(without)} of {len(known)} known devices ({some}, and others)",
            "install 99-ups.rules, if yours is among them",
        )
    else:
        yield Check("udev rule", Severity.OK, f"{file} means all {len(known)} known devices")


def attached(machine: Machine, library: Library, *, user: str, group: str) -> Iterator[Check]:
    """May the driver open the UPSes that are plugged in: a rule counts from the next plugging on."""
    sysfs, dev = machine.root / "sys", machine.root / "dev"
    if not has_usb(sysfs=sysfs):
        return
    groups = machine.groups_of(user) | {group}

    def may(node: Node | None) -> bool:
        if node is None or not node.owner:
            return False
        right = 0o600 if node.owner == user else 0o060 if node.group in groups else 0o006
        return user == "root" or node.mode & right == right

    for candidate in candidates(partial(maybe_ups, library), sysfs=sysfs, dev=dev):
        if candidate.why_not:
            continue
        who = candidate.identity
        subject = f"UPS at {who.port_path}"
        ids = f"{who.vendor_id:04x}:{who.product_id:04x}"
        node = next(filter(may, (candidate.chosen.hidraw, candidate.node)), None)
        if node is not None:
            shown = f"{node.path} is {node.owner}:{node.group} {node.mode:04o}"
            yield Check(subject, Severity.OK, f"{ids}, {shown}")
            continue
        rule = find_rule(who.vendor_id, who.product_id, _rule_folders(machine))
        found = judge(
            AccessDenied("not for the driver's user", node=candidate.node.path),
            _refused(candidate),
            Circumstances(
                user=user,
                groups=groups,
                rule=rule.place if rule else "",
                rule_group=rule.group if rule else "",
                contained=in_container(machine.root),
            ),
        )
        yield Check(subject, Severity.PROBLEM, f"{ids}, {found.reason}", found.mend)


def _refused(candidate: Candidate) -> Candidate:
    """As the driver's user sees it, whoever asks."""
    node = candidate.node
    return replace(candidate, node=replace(node, problem=node.problem or "not for the driver"))


def _rule_folders(machine: Machine) -> list[Path]:
    return [machine.root / str(each).lstrip("/") for each in RULE_DIRECTORIES]


def units(machine: Machine, upses: Sequence[str]) -> Iterator[Check]:
    """Does something start the drivers at boot, and only one thing."""
    if not machine.systemd:
        scripts = machine.find("etc/init.d/usbhidups", "etc/init.d/nut-server", "etc/init.d/ups")
        if scripts is None:
            yield Check(
                "start at boot",
                Severity.NOTE,
                "neither systemd nor a start script is here",
                "start usbhidups run from whatever starts this host",
            )
        else:
            yield Check("start at boot", Severity.OK, f"{scripts} is there")
        return
    for ups in upses:
        ways = {
            name: machine.run(("systemctl", "is-enabled", name)).text.splitlines()[-1:]
            for name in (f"usbhidups@{ups}.service", f"nut-driver@{ups}.service")
        }
        enabled = [name for name, said in ways.items() if said and said[0].startswith("enabled")]
        if len(enabled) == 1:
            yield Check(f"start of {ups}", Severity.OK, f"{enabled[0]} is enabled")
        elif enabled:
            yield Check(
                f"start of {ups}",
                Severity.PROBLEM,
                f"both {' and '.join(enabled)} are enabled, and each throws the other out",
                f"systemctl disable {enabled[0]}, or the other",
            )
        else:
            yield Check(
                f"start of {ups}",
                Severity.PROBLEM,
                "no unit starts its driver at boot",
                f"systemctl enable --now usbhidups@{ups}.service",
            )
    for name, what in (("nut-server", "upsd"), ("nut-monitor", "upsmon")):
        said = machine.run(("systemctl", "is-enabled", f"{name}.service")).text.splitlines()[-1:]
        if said and said[0].startswith(("enabled", "static", "alias", "linked")):
            yield Check(what, Severity.OK, f"{name}.service is enabled")
        else:
            yield Check(
                what,
                Severity.PROBLEM,
                f"{name}.service is {said[0] if said and said[0] else 'not there'}",
                f"systemctl enable --now {name}",
            )


def late_hook(machine: Machine) -> Iterator[Check]:
    """Will the power be cut after the host has shut down."""
    conf = machine.places.conf / "upsmon.conf"
    text = machine.text(conf)
    if text is None:
        there = conf.exists()
        why, mend = (
            ("is not for us to read", "run the doctor as root")
            if there
            else ("does not exist: upsmon is not set up on this host", "man upsmon.conf")
        )
        yield Check("power-down flag", Severity.SKIPPED, f"{conf} {why}", mend)
    elif not _POWERDOWNFLAG.search(text):
        yield Check(
            "power-down flag",
            Severity.PROBLEM,
            f"{conf} names no POWERDOWNFLAG: the power is never cut after a shutdown",
            "add: POWERDOWNFLAG /etc/killpower",
        )
    else:
        yield Check("power-down flag", Severity.OK, f"{conf} names it")
    yield _hook(machine)


HOOKS = tuple(
    f"{folder}/{name}"
    for name in ("usbhidups", "nutshutdown")
    for folder in ("usr/lib/systemd/system-shutdown", "lib/systemd/system-shutdown")
)
"""Systemd's hooks that cut the power: ours, and NUT's, which calls the driver through upsdrvctl."""

OPENRC = "etc/init.d/usbhidups-killpower"

CALLERS = ("etc/inittab", "etc/init.d/*", "etc/rc.d/*", "etc/rc*")
"""Where the last steps of a halt are written without systemd."""

_CALL = re.compile(
    r"^[^#\n]*(usbhidups (appliance )?killpower|late-killpower [0-9]|ups-monitor poweroff|upsdrvctl shutdown)",
    re.MULTILINE,
)
"""What a script says that has the power cut by us, or by NUT, which comes to us."""

DRIVERS_OWN = ("usbhidups", OPENRC.rpartition("/")[2])
"""Init scripts of ours: they can, and somebody else has to call them."""


def _hook(machine: Machine) -> Check:
    """What cuts the power when the host has shut down."""
    if machine.systemd:
        return _present(machine, *HOOKS)
    if (machine.root / "run/openrc").exists():
        found = _present(machine, OPENRC)
        shutdown = machine.root / "etc/runlevels/shutdown" / DRIVERS_OWN[1]
        if found.verdict is Severity.OK and not shutdown.is_symlink():
            return Check(
                "late hook",
                Severity.PROBLEM,
                f"{machine.root / OPENRC} is in no runlevel: nobody calls it",
                f"rc-update add {DRIVERS_OWN[1]} shutdown",
            )
        return found
    for pattern in CALLERS:
        for path in sorted(machine.root.glob(pattern)):
            ours = path.name.lstrip("SK0123456789") in DRIVERS_OWN
            if not ours and path.is_file() and _CALL.search(machine.text(path) or ""):
                return Check("late hook", Severity.OK, f"{path} calls it")
    script = machine.find("etc/init.d/usbhidups", "etc/init.d/S30usbhidups")
    return Check(
        "late hook",
        Severity.PROBLEM,
        "no script of the halt cuts the power: the host would wait for ever when mains return",
        f"as its very last step: {script or '/etc/init.d/usbhidups'} killpower (docs/kill-power.md)",
    )


def _present(machine: Machine, *names: str) -> Check:
    """One of the hooks, and what it runs, are there and can be run."""
    hook = machine.find(*names)
    if hook is None:
        return Check(
            "late hook",
            Severity.PROBLEM,
            "nothing cuts the power when the host has shut down: it would wait for ever when mains return",
            f"install {machine.root / names[0]}",
        )
    late = re.search(r"/\S*/late-killpower\b", machine.text(hook) or "")
    for path in (hook, *([machine.root / late[0].lstrip("/")] if late else [])):
        if not path.exists():
            return Check(
                "late hook",
                Severity.PROBLEM,
                f"{hook} runs {path}, which is not there",
                "install it too: docs/installation.md",
            )
        if not _executable(path):
            return Check(
                "late hook", Severity.PROBLEM, f"{path} is not executable", f"chmod 0755 {path}"
            )
    return Check("late hook", Severity.OK, f"{hook} is there")


def _executable(path: Path) -> bool:
    return bool(path.stat().st_mode & 0o111)
