"""The devices of this host: each one opened, or known not to be openable and why.

Nothing is taken from anybody: a device that a driver of ours serves is asked for at that driver's socket,
and where another program reads its hidraw node libusb, which would take the node away, is not tried.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from usbhidups.attach import maybe_ups
from usbhidups.configuration import DRIVER_NAMES
from usbhidups.errors import UsbHidUpsError
from usbhidups.identity import Identity
from usbhidups.stateclient import Dump, NoAnswer, StateClient
from usbhidups.tools.probe import problem
from usbhidups.tools.probe.finding import Finding, Profiled
from usbhidups.tools.probe.problem import Circumstances, Problem, judge
from usbhidups.tools.probe.rules import RULE_DIRECTORIES, find_rule
from usbhidups.tools.probe.subject import Explain, Known, Opened, Subject
from usbhidups.tools.probe.user import User, in_container
from usbhidups.ups.loading.choose import other_driver
from usbhidups.ups.loading.library import Library
from usbhidups.ups.snapshot import Value
from usbhidups.usb.candidates import REFUSALS, Backend, SysfsCandidate, together
from usbhidups.usb.discover import Candidate, Criteria, candidates, has_usb
from usbhidups.usb.handle_transport import Choice
from usbhidups.usb.local import Host, LocalPort
from usbhidups.usb.locks import holders

__all__ = ["SOCKET_TIMEOUT", "Local", "Surroundings", "of_driver"]

SOCKET_TIMEOUT = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Where this host shows things; other places in tests. ``state`` holds the drivers' sockets."""

    host: Host = field(default_factory=Host)
    state: Path | None = None
    rules: Sequence[Path] = RULE_DIRECTORIES
    proc: Path = Path("/proc")
    user: User = field(default_factory=User.present)
    contained: bool = field(default_factory=in_container)


class Local:
    """This host's devices."""

    def __init__(
        self,
        library: Library,
        around: Surroundings,
        *,
        way: Backend = Backend.AUTO,
        choice: Choice | None = None,
        match: Criteria | None = None,
    ) -> None:
        self._library = library
        self._around = around
        self._way = way
        self._choice = choice or Choice()
        self._match = match
        self.passed_over: list[str] = []
        self.blind = ""
        """Why nothing can be seen of this host's USB, "" where it can."""

    def subjects(self) -> Iterator[Subject]:
        """One after the other, opened when its turn comes. ``passed_over`` tells of the others afterwards."""
        self.passed_over.clear()
        host = self._around.host
        if not has_usb(sysfs=host.sysfs):
            yield from self._without_sysfs()
            return
        served = self._served()
        seen = candidates(self._maybe, sysfs=host.sysfs, dev=host.dev)
        for candidate in seen:
            subject = self._subject(candidate, served)
            if subject is not None:
                yield subject
        yield from self._without_hid({each.identity.port_path for each in seen})

    # -- one device --------------------------------------------------------------------------

    def _subject(self, candidate: Candidate, served: dict[str, tuple[str, Dump]]) -> Subject | None:
        identity = candidate.identity
        unlike = self._match.mismatches(identity) if self._match else ()
        if unlike:
            self.passed_over.append(f"{candidate.name}: {', '.join(unlike)}")
            return None
        if candidate.why_not:
            other = other_driver(self._library, identity)
            if other is None:
                self.passed_over.append(f"{candidate.name}: {candidate.why_not}")
                return None
            return _other(identity, other.name, other.note)
        if identity.port_path in served:
            return of_driver(identity, *served[identity.port_path])
        ours = self._locked_by(identity.port_path)
        if ours:
            return Known(Finding(identity=identity, problem=problem.our_driver(ours)))
        return self._open(candidate)

    def _open(self, candidate: Candidate) -> Subject:
        """Try its ways in the driver's order."""
        readers = self._readers(candidate)
        openable = SysfsCandidate(candidate, self._choice, self._around.host.libusb)
        warnings = self._warnings(candidate, readers)
        errors: list[UsbHidUpsError] = []
        for name, opener in openable.ways(self._way):
            if name == "libusb" and readers:
                continue  # it would take the node away from them
            try:
                transport = opener()
            except REFUSALS as error:
                errors.append(error)
                continue
            why = _why(name, candidate, errors)
            return Opened(
                transport.identity, transport, name, why, warnings, self._explainer(candidate)
            )
        whole = errors[0] if len(errors) == 1 else together(errors)
        found = self._explain(candidate, whole)
        return Known(Finding(identity=candidate.identity, warnings=warnings, problem=found))

    def _explainer(self, candidate: Candidate) -> Explain:
        return lambda error: self._explain(candidate, error)

    def _explain(self, candidate: Candidate, error: UsbHidUpsError) -> Problem:
        who = candidate.identity
        rule = find_rule(who.vendor_id, who.product_id, self._around.rules)
        around = Circumstances(
            user=self._around.user.name,
            groups=self._around.user.groups,
            rule=rule.place if rule else "",
            rule_group=rule.group if rule else "",
            holders=holders(candidate.node.path, proc=self._around.proc),
            contained=self._around.contained,
        )
        return judge(error, candidate, around)

    def _readers(self, candidate: Candidate) -> tuple[str, ...]:
        """Programs that have its hidraw node open, as far as we may see."""
        node = candidate.chosen.hidraw
        return () if node is None else holders(node.path, proc=self._around.proc)

    @staticmethod
    def _warnings(candidate: Candidate, readers: tuple[str, ...]) -> tuple[str, ...]:
        warnings: list[str] = []
        if candidate.power_control == "auto":
            warnings.append(
                "the kernel may suspend its port (power/control is auto): some UPSes do not survive "
                f"that; forbid it: echo on > {candidate.folder}/power/control"
            )
        if readers:
            warnings.append(f"it is also read by {', '.join(readers)}")
        return tuple(warnings)

    # -- who has it --------------------------------------------------------------------------

    def _served(self) -> dict[str, tuple[str, Dump]]:
        """By port path: the driver that serves a device, and what it publishes."""
        state = self._around.state
        found: dict[str, tuple[str, Dump]] = {}
        names: list[str] = []
        if state is not None:
            with contextlib.suppress(OSError):
                names = sorted(os.listdir(state))
        for name in names:
            path = Path(state or ".") / name
            if not name.startswith(tuple(f"{each}-" for each in DRIVER_NAMES)):
                continue
            with contextlib.suppress(NoAnswer, OSError):
                if path.is_socket():
                    with StateClient(path, timeout=SOCKET_TIMEOUT) as client:
                        dump = client.dump()
                    found[dump.variables.get("driver.version.usb", "")] = name, dump
        found.pop("", None)
        return found

    def _locked_by(self, port_path: str) -> str:
        """The driver that holds the lock of a device, by the lock file's word and its command line."""
        if self._around.state is None:
            return ""
        lock = self._around.state / f"usbhidups-{port_path}.lock"
        with contextlib.suppress(OSError, ValueError):
            pid = int(lock.read_text(encoding="ascii"))
            words = (self._around.proc / str(pid) / "cmdline").read_bytes().split(b"\0")
            if pid != os.getpid() and any(b"usbhid" in word for word in words):
                return f"this driver (pid {pid})"
        return ""

    # -- the others --------------------------------------------------------------------------

    def _maybe(self, vendor_id: int, product_id: int) -> bool:
        return maybe_ups(self._library, vendor_id, product_id)

    def _without_hid(self, seen: set[str]) -> Iterator[Subject]:
        """Devices that show no HID interface: switched off by the kernel, or another driver's."""
        root = self._around.host.sysfs / "bus/usb/devices"
        for folder in sorted(root.iterdir()):
            if folder.name in seen or ":" in folder.name or folder.name.startswith("usb"):
                continue
            identity = _plain_identity(folder)
            if identity is None or (self._match and self._match.mismatches(identity)):
                continue
            other = other_driver(self._library, identity)
            if other is not None:
                yield _other(identity, other.name, other.note)
            elif _text(folder / "authorized") == "0" and self._maybe(
                identity.vendor_id, identity.product_id
            ):
                yield Known(Finding(identity=identity, problem=problem.not_authorized(folder)))

    def _without_sysfs(self) -> Iterator[Subject]:
        """Hosts that do not show their devices: libusb's own list, the one device that it leads to."""
        port = LocalPort(
            maybe=self._maybe, match=self._match, way=self._way, host=self._around.host
        )
        try:
            transport = port.open()
        except REFUSALS as error:
            place = self._around.host.sysfs / "bus/usb/devices"
            self.blind = f"{place} is not there; {error}"
            return
        finally:
            port.close()
        yield Opened(
            transport.identity,
            transport,
            "libusb",
            "this host shows no devices in sysfs",
            (),
            lambda error: judge(error, None),
        )


def _why(name: str, candidate: Candidate, errors: Sequence[UsbHidUpsError]) -> str:
    """Why this way: in words for people."""
    if errors:
        return f"the other way failed: {errors[-1]}"
    if name == "hidraw":
        return "the kernel's driver is bound and its node may be opened; nothing is taken from it"
    interface = candidate.chosen
    if interface.hidraw is None:
        bound = f"{interface.driver} is" if interface.driver else "no kernel driver is"
        return f"{bound} bound to it, so there is no hidraw node"
    return interface.hidraw.problem or "the kernel's copy of its report descriptor is not whole"


def _other(identity: Identity, name: str, note: str) -> Known:
    found = problem.other_driver(name, note)
    return Known(Finding(identity=identity, problem=found, other_driver=name))


def of_driver(identity: Identity, socket: str, dump: Dump) -> Known:
    """What the driver that serves a device says of it."""
    told = dump.variables
    reason = told.get("driver.state.reason", "it does not say why")
    return Known(
        Finding(
            identity=identity,
            transport="driver",
            why=f"{socket} serves it; stop that driver to read every field",
            profile=Profiled("", told.get("driver.version.data", ""), "", "", f"as {socket} says"),
            variables={
                name: Value(text, writable=name in dump.writable)
                for name, text in told.items()
                if not name.startswith("driver.")
            },
            commands=tuple(sorted(dump.commands)),
            problem=None if dump.fresh else problem.stale_driver(socket, reason),
        )
    )


def _plain_identity(folder: Path) -> Identity | None:
    try:
        vendor_id, product_id = (
            int(_text(folder / f"id{who}"), 16) for who in ("Vendor", "Product")
        )
    except ValueError:
        return None
    return Identity(
        vendor_id=vendor_id,
        product_id=product_id,
        manufacturer=_text(folder / "manufacturer") or None,
        product=_text(folder / "product") or None,
        serial=_text(folder / "serial") or None,
        port_path=folder.name,
    )


def _text(path: Path) -> str:
    with contextlib.suppress(OSError):
        return path.read_text(encoding="utf-8", errors="replace").strip()
    return ""
