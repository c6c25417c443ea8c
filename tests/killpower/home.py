"""NUT at home: the distribution's upsd, upsmon and upsdrvctl around our driver and a simulated UPS.

Everything lives below one directory and on 127.0.0.1; nothing of the system's configuration is read. The UPS's
own time can run faster than the clock, the programs' cannot.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.driver_tools import FIXTURES, eventually
from tests.nut_tools import MONITOR, PASSWORD, Upsd, find_program
from usbhidups.simulator.simulator import Simulator
from usbhidups.usb.fixture import load

__all__ = ["Home", "at_home", "conf_of"]

DEADLINE = 40.0

ALONE = (
    "unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /run && exec "$@"', "sh",
)  # fmt: skip
"""With a /run of its own: upsmon looks there whether it runs already, wherever its configuration is."""

UPSMON_CONF = """\
{monitors}
MINSUPPLIES {supplies}
SHUTDOWNCMD "{shutdown}"
POWERDOWNFLAG {flag}
POLLFREQ 1
POLLFREQALERT 1
HOSTSYNC 1
DEADTIME 15
FINALDELAY {final_delay}
RUN_AS_USER root
"""

SHUTDOWN_SCRIPT = """\
#!/bin/sh
date +%s.%N >'{record}.new' && mv '{record}.new' '{record}'
"""


def conf_of(simulator: Simulator, *names: str, driver: str = "usbhidups", more: str = "") -> str:
    """A ups.conf with one section for each device of the simulator."""
    return "".join(
        f"[{name}]\n driver = {driver}\n port = {simulator.url(busid)}\n{more}"
        for name, busid in zip(names, simulator.devices, strict=True)
    )


@dataclass
class Home:
    """Where one NUT lives. ``simulator`` has one device for each of the UPSes."""

    directory: Path
    simulator: Simulator
    children: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def etc(self) -> Path:
        return self.directory / "etc"

    @property
    def run(self) -> Path:
        return self.directory / "run"

    @property
    def flag(self) -> Path:
        return self.directory / "killpower-flag"

    @property
    def shutdown_record(self) -> Path:
        """Written by SHUTDOWNCMD."""
        return self.directory / "shutdown-called"

    @property
    def environment(self) -> dict[str, str]:
        """For programs of this NUT."""
        return {
            **os.environ,
            "NUT_CONFPATH": str(self.etc),
            "NUT_STATEPATH": str(self.run),
            "NUT_ALTPIDPATH": str(self.run),
            "NUT_IGNORE_CHECKPROCNAME": "true",
        }

    def write(self, ups_conf: str) -> None:
        """Lay out directories and ups.conf."""
        for place in (self.etc, self.run):
            place.mkdir(exist_ok=True)
        (self.etc / "ups.conf").write_text(ups_conf)

    def usbhidups(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run our command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "usbhidups", *words],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=DEADLINE,
            check=False,
        )

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start a program that goes on; it is killed at the end."""
        with (self.directory / "log").open("ab") as log:
            child = subprocess.Popen(
                words, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self.children.append(child)
        return child

    def start_driver(self, *names: str) -> subprocess.Popen[bytes]:
        """Our driver in the foreground; returns when its sockets are there."""
        user = ("-u", "root") if os.geteuid() == 0 else ()
        child = self.start(sys.executable, "-m", "usbhidups", "run", *user, *names)
        eventually(
            lambda: all((self.run / f"usbhidups-{name}").is_socket() for name in names),
            f"sockets of {names}",
        )
        return child

    def start_upsmon(self, upsd: Upsd, *names: str, final_delay: int = 0) -> None:
        """The real upsmon as primary, with a SHUTDOWNCMD that records; the host needs each of the UPSes."""
        script = self.directory / "shutdown"
        script.write_text(SHUTDOWN_SCRIPT.format(record=self.shutdown_record))
        script.chmod(0o755)
        text = UPSMON_CONF.format(
            monitors="\n".join(
                f"MONITOR {upsd.address(name)} 1 {MONITOR} {PASSWORD} primary" for name in names
            ),
            supplies=len(names),
            shutdown=script,
            flag=self.flag,
            final_delay=final_delay,
        )
        (self.etc / "upsmon.conf").write_text(text)
        (self.etc / "upsmon.conf").chmod(0o640)
        alone = ALONE if os.geteuid() == 0 else ()
        self.start(*alone, find_program("upsmon") or "upsmon", "-F", "-D")

    def upsdrvctl(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The real upsdrvctl, with our driver in its driver directory."""
        drivers = self.directory / "drivers"
        drivers.mkdir(exist_ok=True)
        for name in ("usbhidups", "usbhid-ups"):
            driver = drivers / name
            driver.write_text(f'#!/bin/sh\nexec {sys.executable} -m usbhidups "$@"\n')
            driver.chmod(0o755)
        conf = self.etc / "ups.conf"
        if "driverpath" not in conf.read_text():
            conf.write_text(f"driverpath = {drivers}\n{conf.read_text()}")
        return subprocess.run(
            [find_program("upsdrvctl") or "upsdrvctl", *words],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=DEADLINE,
            check=False,
        )

    def said(self) -> str:
        """What all programs logged."""
        return (self.directory / "log").read_text(errors="replace")

    def stop(self, child: subprocess.Popen[bytes]) -> None:
        """End one program as an init would."""
        child.terminate()
        child.wait(DEADLINE)

    def close(self) -> None:
        for child in self.children:
            if child.poll() is None:
                child.kill()
            child.wait(DEADLINE)


@contextlib.contextmanager
def at_home(
    directory: Path, fixtures: Sequence[str], names: Sequence[str], *, speed: float = 1.0
) -> Iterator[Home]:
    """A NUT with these UPSes, nothing running yet but the devices."""
    devices = [load(FIXTURES / f"{fixture}.toml") for fixture in fixtures]
    with Simulator(devices, speed=speed) as simulator:
        home = Home(directory, simulator)
        home.write(conf_of(simulator, *names))
        try:
            yield home
        finally:
            home.close()
