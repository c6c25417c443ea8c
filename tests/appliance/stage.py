"""One private machine for a scene: namespaces, stubs around the project, NUT's real programs inside.

``perform`` (outside) starts a scene of ``scenes`` in fresh network, mount and process namespaces; ``Stage``
(inside) sets variables, generates and starts with the project's own code, drives the stub UPS and records what
happened. A scene returns facts; the tests assert on them. When its process ends the kernel ends everything
in it, so nothing is ever left behind.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from tests.nut_tools import find_program
from usbhidups.appliance.active import load_active
from usbhidups.appliance.files import Timing
from usbhidups.appliance.generate import Outcome, generate
from usbhidups.appliance.killpower import Step, kill_power
from usbhidups.appliance.layout import DEBIAN, Layout
from usbhidups.appliance.services import Direct, start_all

__all__ = ["FAST", "Stage", "Wire", "perform", "reaches", "why_no_stage"]

REPOSITORY = Path(__file__).parents[2]
LONGEST_SCENE = 100.0
FAST = Timing(
    poll=1,
    poll_on_battery=1,
    host_sync=5,
    dead_time=10,
    final_delay=1,
    no_contact_warning=2,
    max_age=4,
)
"""upsmon's clock, faster than an appliance's: order and causes are tested, not the clock of NUT."""

UNSHARE = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
INSIDE = """set -e
mount -t tmpfs none /run && chmod 755 /run && mkdir -m 1777 /run/lock /run/dev
for node in null zero full random urandom tty; do
  touch /run/dev/$node && mount --bind /dev/$node /run/dev/$node
done
ln -s /proc/self/fd /run/dev/fd
mount --rbind /run/dev /dev
ip link set lo up && ip addr add 192.0.2.1/32 dev lo
"$@" || exit $?  # not exec: this shell is the machine's init and collects what has ended
"""


@functools.cache
def why_no_stage() -> str:
    """Why a stage cannot be had here, "" if it can. (A user namespace of one's own would not do: NUT's
    programs change their user, which such a namespace does not allow.)"""
    if os.geteuid() != 0:
        return "needs root, as NUT's programs do"
    if not all(find_program(name) for name in ("upsd", "upsmon", "upsdrvctl", "upsc")):
        return "needs the distribution's nut-server and nut-client"
    if not shutil.which("unshare") or not shutil.which("ip"):
        return "needs unshare (util-linux) and ip (iproute2)"
    tried = subprocess.run(
        [*UNSHARE, "sh", "-c", INSIDE, "sh", "true"], capture_output=True, text=True, check=False
    )
    return "" if tried.returncode == 0 else f"needs namespaces: {tried.stderr.strip()}"


def perform(name: str, directory: Path) -> subprocess.Popen[str]:
    """Start the scene ``name``; it writes its facts to ``<directory>/<name>.json``."""
    inside = [sys.executable, "-m", "tests.appliance.stage"]
    output = (directory / f"{name}.log").open("w")
    with output:
        return subprocess.Popen(
            [*UNSHARE, "sh", "-c", INSIDE, "sh", *inside, name, str(directory / f"{name}.json")],
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )


class Wire:
    """A client of upsd that speaks plain lines, as a NAS does."""

    def __init__(self, host: str = "127.0.0.1", port: int = 3493) -> None:
        self._socket = socket.create_connection((host, port), timeout=20)
        self._file = self._socket.makefile("rw", encoding="latin-1", newline="\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
        self._socket.close()

    def ask(self, line: str) -> str:
        self._file.write(line + "\n")
        self._file.flush()
        return self._file.readline().rstrip("\n")

    def ask_list(self, what: str) -> list[str]:
        lines = [self.ask(f"LIST {what}")]
        while not lines[-1].startswith(("END ", "ERR ")):
            lines.append(self._file.readline().rstrip("\n"))
        return lines

    def log_in(self, user: str, password: str, ups: str = "ups") -> str:
        self.ask(f"USERNAME {user}")
        self.ask(f"PASSWORD {password}")
        return self.ask(f"LOGIN {ups}")


class Stage:
    """The machine seen from inside. ``base`` is a directory on the private tmpfs."""

    def __init__(self, base: Path = Path("/run/stage"), *, timing: Timing = FAST) -> None:
        self.base = base
        self.timing = timing
        for name in ("stub", "mail", "overrides", "bin", "etc"):
            (base / name).mkdir(parents=True)
        (base / "stub").chmod(0o777)
        (base / "mail").chmod(0o777)
        self.layout: Layout = replace(
            DEBIAN,
            settings_file=base / "etc/appliance.conf",
            override_dir=base / "overrides",
            conf_dir=base / "nut",
            event_log=base / "ups-status.log",
            run_user="nut" if public_python() else "root",
            upsd=Path(find_program("upsd") or ""),
            upsmon=Path(find_program("upsmon") or ""),
            upsdrvctl=Path(find_program("upsdrvctl") or ""),
            upsc=Path(find_program("upsc") or ""),
            sendmail=self.script("sendmail", MAILER.format(base=base)),
            shutdown_command=f"{self.script('shutdown', SHUTDOWN.format(base=base))} -h +0 now",
            program=self.script(
                "usbhidups",
                PROGRAM.format(
                    base=base, python=public_python() or sys.executable, here=REPOSITORY
                ),
            ),
            reboot_command=(
                str(self.script("reboot", f'#!/bin/sh\necho "$@" >>{base}/rebooted\n')),
                "now",
            ),
            systemd=False,
        )
        self.publish({"ups.status": "OL"})
        self._syslog = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        if not Path("/dev/log").exists():
            self._syslog.bind("/dev/log")
            Path("/dev/log").chmod(0o666)
            threading.Thread(target=self._keep_syslog, daemon=True).start()

    def _keep_syslog(self) -> None:
        with (self.base / "syslog").open("ab", buffering=0) as file:
            while True:
                file.write(self._syslog.recv(65536).strip(b"\0\n") + b"\n")

    def script(self, name: str, text: str) -> Path:
        path = self.base / "bin" / name
        path.write_text(text)
        path.chmod(0o755)
        return path

    def settings(self, **variables: str) -> None:
        text = "".join(f"{name}='{value}'\n" for name, value in variables.items())
        self.layout.settings_file.write_text(text)

    def override(self, name: str, text: str) -> None:
        (self.layout.override_dir / name).write_text(text)

    def generate(self) -> Outcome:
        return generate(self.layout, timing=self.timing)

    def start(self) -> list[str]:
        return start_all(self.layout)

    @property
    def services(self) -> Direct:
        return Direct(self.layout, load_active(self.layout.active_file))

    def boot(self, **variables: str) -> list[str]:
        """Set variables, generate and start; the complaints of the start."""
        if variables:
            self.settings(**variables)
        outcome = self.generate()
        if outcome.plan.problems:
            raise AssertionError(outcome.plan.problems)
        return self.start()

    def publish(self, variables: Mapping[str, str], ups: str = "ups") -> None:
        """Let the stub UPS say this from now on."""
        path = self.base / "stub" / f"{ups}.json"
        path.with_suffix(".new").write_text(json.dumps(dict(variables)))
        path.with_suffix(".new").rename(path)

    def status(self, status: str, **more: str) -> None:
        self.publish({"ups.status": status, **SAMPLE, **more})

    def until(self, condition: Callable[[], object], what: str, seconds: float = 40) -> None:
        """Wait for something that a daemon does; fail loudly if it never comes."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {seconds:g} s in vain for: {what}\n{self.story()}")
            time.sleep(0.03)

    def variable(self, name: str, ups: str = "ups") -> str:
        """One variable as upsd gives it, or its error; "" while there is no upsd."""
        with contextlib.suppress(OSError), Wire() as wire:
            answer = wire.ask(f"GET VAR {ups} {name}")
            return answer.partition(f"VAR {ups} {name} ")[2].strip('"') or answer
        return ""

    def see(self, status: str, ups: str = "ups") -> None:
        self.until(lambda: self.variable("ups.status", ups) == status, f"{ups} being {status}")

    def logins(self) -> int:
        with contextlib.suppress(OSError), Wire() as wire:
            answer = wire.ask("GET NUMLOGINS ups").rpartition(" ")[2]
            return int(answer) if answer.isdecimal() else -1
        return -1

    def ready(self) -> None:
        """Wait until upsmon is logged in and upsd has data."""
        self.until(lambda: self.variable("ups.status") == "OL", "data in upsd")
        self.until(lambda: self.logins() == 1, "upsmon's login")

    def lines(self, name: str) -> list[str]:
        path = self.base / name
        return path.read_text().splitlines() if path.exists() else []

    def events(self) -> list[str]:
        """The names of the events in the log, in order, without the first line's START."""
        return [line.split(" - ")[1].split(":")[0] for line in self.lines("ups-status.log")]

    def wait_event(self, name: str, count: int = 1) -> None:
        self.until(lambda: self.events().count(name) >= count, f"event {name}")

    def mails(self) -> list[str]:
        return [path.read_text() for path in sorted((self.base / "mail").glob("*.mail"))]

    def shutdowns(self) -> list[str]:
        return self.lines("shutdowns")

    def shutdown_time(self) -> float:
        """When SHUTDOWNCMD ran last, in seconds since the kernel's start."""
        return float(self.lines("shutdown-times")[-1])

    def wait_shutdown(self) -> None:
        self.until(lambda: self.shutdowns() and self.lines("shutdown-times"), "SHUTDOWNCMD")

    def calls(self) -> list[str]:
        """How the stub driver was called, in order: ``start ups``, ``kill ups``."""
        return [line.partition(" ")[2] for line in self.lines("stub/calls")]

    def kill_power(self, **step: Any) -> tuple[int, list[str]]:
        said: list[str] = []
        active = load_active(self.layout.active_file)
        code = kill_power(self.layout, active, Step(**step), say=said.append, sleep=lambda _: None)
        return code, said

    @staticmethod
    def processes() -> list[str]:
        """The command line of every process of this machine."""
        lines: list[str] = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                lines.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        return lines

    def use_real_driver(self, url: str) -> None:
        """Let the generated ups.conf name our own driver and a simulated device instead of the USB bus."""
        self.script(
            "usbhidups", REAL.format(python=public_python() or sys.executable, here=REPOSITORY)
        )
        path = self.layout.conf_dir / "ups.conf"
        path.write_text(path.read_text().replace('port = "auto"', f'port = "{url}"'))

    def story(self) -> str:
        parts = [
            f"events {self.events()}",
            f"calls {self.calls()}",
            f"shutdowns {self.shutdowns()}",
        ]
        return "\n".join(parts)

    @contextlib.contextmanager
    def second_host(self, name: str) -> Iterator[list[str]]:
        """Another host on a wire of its own: words to put before a command that shall run there.

        It is 198.51.100.2 and sees this one as 198.51.100.1; it has its own /run/nut.
        """
        here = ["ip", "link", "add", "cable", "type", "veth", "peer", "name", "plug", "netns", name]
        for command in (
            ["ip", "netns", "add", name],
            here,
            ["ip", "addr", "add", "198.51.100.1/24", "dev", "cable"],
            ["ip", "link", "set", "cable", "up"],
            ["ip", "-n", name, "addr", "add", "198.51.100.2/24", "dev", "plug"],
            ["ip", "-n", name, "link", "set", "plug", "up"],
            ["ip", "-n", name, "link", "set", "lo", "up"],
        ):
            subprocess.run(command, check=True)
        own = 'mount -t tmpfs none /run/nut && exec "$@"'
        yield ["ip", "netns", "exec", name, "unshare", "--mount", "sh", "-c", own, "sh"]


MAILER = """#!/bin/sh
[ -e {base}/mailer-hangs ] && exec sleep 1000
name={base}/mail/$(date +%s%N).$$
{{ echo "ARGS $*"; cat; }} >"$name.new" && mv "$name.new" "$name.mail"
[ ! -e {base}/mailer-lingers ] || sleep 3
"""

SHUTDOWN = """#!/bin/sh
flag={base}/no-flag
[ -e /run/usbhidups/flag/killpower ] && flag=/run/usbhidups/flag/killpower
echo "$* [$(cat $flag 2>/dev/null)]" >>{base}/shutdowns
cut -d' ' -f1 /proc/uptime >>{base}/shutdown-times
"""

PROGRAM = """#!/bin/sh
case "$0" in
  */usbhid-ups) exec {python} -I -c '
import sys, runpy
link = sys.argv.pop(1)
source = runpy.run_path("{here}/tests/appliance/stub_driver.py")
import pathlib
sys.argv = [link, *sys.argv[1:]]
sys.exit(source["main"](pathlib.Path("{base}/stub"), sys.argv[1:]))
' "$0" "$@" ;;
  *) cd {here} && exec {python} -m usbhidups "$@" ;;
esac
"""

REAL = """#!{python}
import sys
sys.path.insert(0, "{here}")
from usbhidups.cli.main import main
sys.exit(main())
"""

SAMPLE = {
    "battery.charge": "83",
    "battery.runtime": "1230",
    "input.voltage": "231.5",
    "ups.load": "17",
    "ups.mfr": "Maker",
    "ups.model": "Model 700",
    "ups.serial": "A1B2C3",
    "ups.firmware": "1.0",
}


def reaches(address: str, port: int = 3493) -> bool:
    """Whether an upsd answers there."""
    try:
        with Wire(address, port) as wire:
            return wire.ask("NETVER").startswith("1.")
    except OSError:
        return False


def public_python() -> str:
    """A Python that upsmon's user may run too (one below /root may not be), "" if there is none."""
    for candidate in (sys.executable, "/usr/bin/python3"):
        path = Path(candidate).resolve()
        closed = any(not parent.stat().st_mode & 0o001 for parent in path.parents)
        if not closed and path.exists():
            new = [candidate, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
            if subprocess.run(new, check=False).returncode == 0:
                return candidate
    return ""


def main(name: str, output: Path) -> int:
    from tests.appliance import scenes, setups

    scene = {**vars(setups), **vars(scenes)}[name]
    output.write_text(json.dumps(scene(Stage())))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
