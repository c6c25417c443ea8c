"""``make demo``: the main job on a simulated UPS, without hardware and without root.

A recorded CyberPower is simulated and exported over USB/IP, the driver reads it and publishes it on its
state socket, and a client of that socket shows what arrives: mains, no mains, a battery that runs down, low
battery, and mains again. The simulated UPS's own time runs faster than ours so that nobody has to wait.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from usbhidups.stateclient import StateClient

ROOT = Path(__file__).resolve().parent.parent
FIXTURE = ROOT / "fixtures/hid-descriptors/0764-0501-cyberpower-cp1500epfclcd.toml"
PATIENCE = 60.0
WATCHED = ("ups.status", "battery.charge", "battery.runtime", "input.voltage", "ups.load")

STORY = (
    ("mains is on", ("charge 100", "runtime 900", "load 40"), r"^OL"),
    ("mains fails", ("mains off",), r"^OB DISCHRG$"),
    ("the battery runs down", ("speed 60",), r"\bLB\b"),
    ("mains returns", ("mains on",), r"^OL CHRG"),
)
"""What happens, the simulator's commands for it, and the status that it must lead to."""


def main() -> int:
    """Run the story; 0 when every status came, 1 when one did not."""
    with tempfile.TemporaryDirectory(prefix="usbhidups-demo-") as folder:
        place = Path(folder)
        control = place / "control"
        say("a simulated UPS is exported over USB/IP", f"usbhidups simulate {FIXTURE.name}")
        with program(
            "simulate", str(FIXTURE), "--listen", "127.0.0.1:0", "--control", str(control)
        ) as (simulator):
            words = re.search(r"listening on (\S+) busids (\S+)", first_line(simulator))
            if words is None:
                raise SystemExit("the simulator did not start")
            port = f"usbip://{words[1]}/{words[2].rstrip(',')}"
            say("the driver reads it", f"usbhidups -F -s demo -x port={port}")
            environment = {"NUT_STATEPATH": folder, "NUT_QUIET_INIT_BANNER": "true"}
            user = ("-u", "root") if os.geteuid() == 0 else ()
            with program("-F", "-s", "demo", *user, "-x", f"port={port}", **environment):
                return tell_story(place / "usbhidups-demo", control)


def tell_story(state: Path, control: Path) -> int:
    """Command the simulator, show what the driver publishes, compare."""
    wait_for(state)
    for title, commands, wanted in STORY:
        say(title, " ; ".join(commands))
        for command in commands:
            order(control, command)
        if not show_until(state, wanted):
            print(f"    this did not come: ups.status matching {wanted}", file=sys.stderr)
            return 1
    print("\nThat was the main job: a UPS's bytes, read, understood and published for NUT.")
    print("Next: `make test`, or `.venv/bin/usbhidups --help`.")
    return 0


def show_until(state: Path, wanted: str) -> bool:
    """Print the watched variables whenever they change, until all are there and the status is as wanted."""
    deadline = time.monotonic() + PATIENCE
    shown = ""
    with StateClient(state) as client:
        while time.monotonic() < deadline:
            dump = client.dump()
            found = [f"{name}={dump.variables.get(name, '?')}" for name in WATCHED]
            status = dump.variables.get("ups.status", "")
            line = "  ".join(found) if dump.fresh else "data are stale"
            complete = dump.variables.keys() >= set(WATCHED)
            reached = dump.fresh and complete and re.search(wanted, status) is not None
            if line != shown:
                print(f"    {line}", flush=True)
                shown = line
            if reached:
                return True
            time.sleep(1.0)
    return False


def order(control: Path, command: str) -> None:
    """Give the simulator one command."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(5)
        connection.connect(str(control))
        connection.sendall(f"{command}\n".encode())
        answer = connection.recv(65536)
    if b'"ok": true' not in answer:
        raise SystemExit(f"the simulator refused {command!r}: {answer.decode(errors='replace')}")


def wait_for(path: Path) -> None:
    """Wait until the driver's socket is there."""
    deadline = time.monotonic() + PATIENCE
    while not path.exists():
        if time.monotonic() > deadline:
            raise SystemExit(f"{path} did not appear: the driver did not start")
        time.sleep(0.05)


@contextmanager
def program(*words: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """One of our programs, running; ended with the context."""
    process = subprocess.Popen(
        [sys.executable, "-m", "usbhidups", *words],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(10)
        if process.stdout is not None:
            process.stdout.close()


def first_line(process: subprocess.Popen[str]) -> str:
    """The first line a program prints."""
    return process.stdout.readline() if process.stdout is not None else ""


def say(title: str, command: str) -> None:
    """One step of the story, with the command that does it."""
    print(f"\n* {title}\n    $ {command}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
