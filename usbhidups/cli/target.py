"""Which device a tool means: this host's, one of another host, or that of a section of ups.conf.

For the verbs that look at devices themselves: the same arguments everywhere.
"""

from __future__ import annotations

import argparse
import errno
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from usbhidups.configuration import Paths, read_upsconf, ups_options
from usbhidups.errors import ConfigError, DeviceNotFound, UsbHidUpsError
from usbhidups.identity import Identity
from usbhidups.nut.upsconf import DriverOptions, LocalUsb, Setting, driver_options
from usbhidups.ports import port_of, port_text
from usbhidups.stateclient import NoAnswer, StateClient
from usbhidups.tools.probe.local import SOCKET_TIMEOUT, Local, Surroundings, of_driver
from usbhidups.tools.probe.problem import judge
from usbhidups.tools.probe.subject import Known, Opened, Subject
from usbhidups.ups.loading.library import Library
from usbhidups.ups.options import Options
from usbhidups.usb.candidates import Backend
from usbhidups.usb.handle_transport import Choice

__all__ = ["Target", "add_target_arguments", "own_profiles", "target_of"]


def add_target_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments that say which device is meant."""
    parser.add_argument("ups", nargs="?", help="the device of this section of ups.conf")
    parser.add_argument(
        "--port",
        help="usbip://HOST/BUSID, or auto (default: as in ups.conf)",
    )
    parser.add_argument(
        "-x",
        dest="settings",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="an option as in ups.conf, such as serial=…",
    )
    parser.add_argument(
        "--profiles",
        metavar="DIR",
        type=own_profiles,
        help="own profiles (default: /etc/usbhidups/profiles.d)",
    )


def own_profiles(text: str) -> Path:
    """The argument of ``--profiles``: somebody who names a directory means one that is there."""
    path = Path(text)
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is no directory")
    return path


def target_of(arguments: argparse.Namespace) -> Target:
    """What the arguments mean. ConfigError as reading ups.conf and its options raise it."""
    places = Paths.of(os.environ)
    if arguments.profiles:
        places = replace(places, profiles=arguments.profiles)
    settings: list[Setting] = []
    program = "usbhidups"
    if arguments.ups:
        conf = read_upsconf(places.conf)
        program = conf.section(arguments.ups).driver or program
        settings += conf.settings(arguments.ups)
    settings += [Setting.from_argument(text) for text in arguments.settings]
    if arguments.port or not any(setting.key.lower() == "port" for setting in settings):
        settings.append(Setting("port", arguments.port or "auto"))
    options = driver_options(settings, program=program)
    if isinstance(options.port, LocalUsb) and arguments.port not in (None, "auto"):
        raise ConfigError(  # ups.conf takes any word for auto, as NUT does; somebody who types means it
            f"{arguments.port!r} is none: usbip://HOST/BUSID, or auto",
            where="command line",
            key="--port",
        )
    served_at = places.socket(program, arguments.ups) if arguments.ups else None
    return Target(options, places, served_at=served_at)


class Target:
    """The devices that are meant."""

    def __init__(
        self, driver: DriverOptions, places: Paths, *, served_at: Path | None = None
    ) -> None:
        self.library = Library([places.profiles])
        self._driver = driver
        self._places = places
        self._served_at = served_at
        self._local: Local | None = None

    @property
    def options(self) -> Options:
        """The options that change what is read."""
        return ups_options(self._driver)

    @property
    def subdriver(self) -> str:
        """The profile that was asked for, "" for the fitting one."""
        return self._driver.subdriver or ""

    def subjects(self) -> Iterator[Subject]:
        """The devices, each opened when its turn comes. Raises what opening a named port raises."""
        if isinstance(self._driver.port, LocalUsb):
            self._local = self._on_this_host()
            yield from self._local.subjects()
            return
        port = port_of(self._driver, self.library, lock_dir=None)
        try:
            transport = port.open()
        except UsbHidUpsError as error:
            served = self._served()
            if served is None and str(error).endswith(os.strerror(errno.ECONNREFUSED)):
                raise DeviceNotFound(
                    f"{error}: is usbhidups simulate, or usbipd, running there?"
                ) from None
            if served is None:
                raise
            yield served
            return
        finally:
            port.close()
        way = port_text(self._driver).partition(":")[0]
        yield Opened(
            transport.identity,
            transport,
            way,
            "it was asked for",
            (),
            lambda error: judge(error, None),
        )

    def one(self) -> Opened:
        """The one device that can be opened. Raises DeviceNotFound when there is none, or several."""
        found: list[Opened] = []
        others: list[str] = []
        for subject in self.subjects():
            if isinstance(subject, Opened):
                found.append(subject)
            elif subject.finding.problem is not None:
                who = subject.finding.identity
                others.append(
                    f"{who.port_path} {who.vendor_id:04x}:{who.product_id:04x}: "
                    f"{subject.finding.problem.reason}"
                )
            else:
                others.append(f"{subject.finding.identity.port_path}: {subject.finding.why}")
        if len(found) == 1:
            return found[0]
        for each in found:
            each.transport.close()
        if found:
            names = ", ".join(each.identity.port_path for each in found)
            raise DeviceNotFound(
                f"{len(found)} UPSes ({names}): say which by -x serial=… or -x busport=…"
            )
        raise DeviceNotFound("; ".join(others) or self.nothing())

    def passed_over(self) -> Iterable[str]:
        """Other devices, and why they are no UPS."""
        return () if self._local is None else tuple(self._local.passed_over)

    def nothing(self) -> str:
        """What to say when nothing was found."""
        if self._local is None:
            return "no UPS there"
        if self._local.blind:
            return (
                f"this host shows no USB ({self._local.blind}): has it any, are the kernel's modules "
                "loaded, does a container hide /sys?"
            )
        count = len(self._local.passed_over)
        which = "1 HID device is" if count == 1 else f"{count} HID devices are"
        looked = f" ({which} none; -v tells why)" if count else ""
        return (
            f"no UPS on this host's USB{looked}: does dmesg show it when it is plugged in? On a serial "
            "cable it needs another driver of NUT's"
        )

    def _served(self) -> Known | None:
        """What a running driver of ours says of the UPS at a port that only one can have; None without one."""
        if self._served_at is None:
            return None
        try:
            with StateClient(self._served_at, timeout=SOCKET_TIMEOUT) as client:
                dump = client.dump()
        except NoAnswer:
            return None
        told = dump.variables
        try:
            ids = (int(told["ups.vendorid"], 16), int(told["ups.productid"], 16))
        except (KeyError, ValueError):
            return None
        who = Identity(
            *ids,
            manufacturer=told.get("ups.mfr"),
            product=told.get("ups.model"),
            serial=told.get("ups.serial"),
            port_path=port_text(self._driver),
        )
        return of_driver(who, self._served_at.name, dump)

    def _on_this_host(self) -> Local:
        driver = self._driver
        return Local(
            self.library,
            Surroundings(state=self._places.state),
            way=Backend(driver.transport.value),
            choice=Choice(
                interface=driver.usb_hid_rep_index,
                descriptor_index=driver.usb_hid_desc_index or 0,
                endpoint_in=None if driver.usb_hid_ep_in is None else 0x80 | driver.usb_hid_ep_in,
                interrupt_size=driver.interruptsize,
            ),
            match=driver.match,
        )
