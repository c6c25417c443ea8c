"""An appliance without pip: the wheel unpacked into a bare root, and run there. (docs/installation.md)"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.driver_tools import FIXTURES, eventually
from tests.packaging.bare_root import BUSYBOX, furnish, lines
from usbhidups import __version__
from usbhidups.simulator.simulator import Simulator
from usbhidups.usb.fixture import load

FIXTURE = FIXTURES / "0463-ffff-eaton-3s.toml"
ALONE = ("unshare", "--mount", "--pid", "--fork", "--kill-child")


def possible() -> bool:
    if os.geteuid() != 0 or not shutil.which("unshare") or not BUSYBOX:
        return False
    return subprocess.run([*ALONE, "true"], capture_output=True, check=False).returncode == 0


pytestmark = pytest.mark.skipif(not possible(), reason="needs root, namespaces and busybox")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    place = tmp_path_factory.mktemp("bare") / "root"
    rich = importlib.util.find_spec("rich")
    assert rich is not None
    assert rich.origin is not None
    furnish(place, wheel, Path(rich.origin).parent)
    shutil.copy(FIXTURE, place / "ups.toml")
    return place


def inside(root: Path, script: str) -> subprocess.CompletedProcess[str]:
    """A shell script in the root, with /proc, and with a /dev and a /run of its own."""
    setting = """
        mount -t proc proc "$0/proc"
        mount -t tmpfs none "$0/run"
        mount -t tmpfs none "$0/dev"
        mknod -m 666 "$0/dev/null" c 1 3
        exec chroot "$0" /bin/sh -ec "$1"
    """
    return subprocess.run(
        [*ALONE, "sh", "-ec", setting, str(root), textwrap.dedent(script)],
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator([load(FIXTURE)]) as running:
        yield running


def configure(root: Path, simulator: Simulator) -> None:
    (root / "etc/nut/ups.conf").write_text(
        f"user = root\n[attic]\n driver = usbhidups\n port = {simulator.url('1-1')}\n"
    )


def test_there_is_no_pip_in_it(root: Path) -> None:
    done = inside(
        root, "! python3 -c 'import pip' 2>/dev/null; ! python3 -c 'import ssl' 2>/dev/null"
    )
    assert done.returncode == 0, done.stdout
    assert not [*root.rglob("upsd")]


def test_every_module_loads_without_what_is_left_out(root: Path) -> None:
    done = inside(root, """
        python3 - <<'END'
        import importlib, pkgutil, sys
        sys.path.insert(0, "/usr/lib/usbhidups")
        import usbhidups
        for module in pkgutil.walk_packages(usbhidups.__path__, "usbhidups."):
            if not module.name.endswith("__main__"):
                try:
                    importlib.import_module(module.name)
                except ImportError as error:
                    print(f"{module.name}: {error}")
        END
    """)  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")


def test_command_and_driver(root: Path) -> None:
    done = inside(
        root,
        "usbhidups --version; usbhidups -h; /usr/lib/nut/usbhidups -V; usbhidups list-supported",
    )
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith(f"usbhidups {__version__}\n")
    assert "-a NAME" in done.stdout
    assert "0764:0501" in done.stdout


def test_probe_of_a_recording_and_of_a_simulated_device(root: Path) -> None:
    done = inside(root, """
        usbhidups probe --replay /ups.toml
        usbhidups simulate -q --listen 127.0.0.1:0 --control /run/control /ups.toml >/run/first &
        until grep -q listening /run/first; do sleep 1; done
        read -r _ _ address _ </run/first
        usbhidups probe --port "usbip://$address/1-1" --json
        usbhidups simulate --control /run/control --tell quit
    """)  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "● EATON" in done.stdout
    assert '"transport": "usbip"' in done.stdout


def test_the_init_script(root: Path, simulator: Simulator) -> None:
    configure(root, simulator)
    done = inside(root, """
        S=/etc/init.d/S30usbhidups
        $S start
        until usbhidups status --format '{ups.status}' attic | grep OL; do sleep 1; done
        $S status
        $S stop
        ! $S status
    """)  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "usbhidups is running" in done.stdout
    assert "usbhidups is not running" in done.stdout


def test_without_rich_the_tools_say_so(root: Path) -> None:
    rich = root / "usr/lib/usbhidups/rich"
    hidden = rich.rename(root / "hidden")
    try:
        done = inside(
            root, "! usbhidups probe --replay /ups.toml; usbhidups probe --replay /ups.toml --json"
        )
    finally:
        hidden.rename(rich)
    assert done.returncode == 0, done.stdout
    said, _, shown = done.stdout.partition("\n")
    assert "rich is missing" in said
    assert shown.startswith("[")


def test_mdev_gives_the_nodes_to_the_group(root: Path) -> None:
    (root / "etc/mdev.conf").write_text(lines("bare-root", "mdev"))
    done = inside(root, """
        mount -t tmpfs none /sys
        plug() { # name, number, subsystem, words for the environment
            mkdir -p "/sys/devices/$1"
            echo "$2" >"/sys/devices/$1/dev"
            (export ACTION=add DEVPATH="/devices/$1" SUBSYSTEM="$3" DEVNAME="$4" "$5" "$6"; mdev)
        }
        plug ups 189:6 usb bus/usb/001/007 DEVTYPE=usb_device PRODUCT=764/501/1
        plug keyboard 189:7 usb bus/usb/001/008 DEVTYPE=usb_device PRODUCT=46d/c31c/1
        plug hid 240:0 hidraw hidraw0 A= B=
        for node in bus/usb/001/007 bus/usb/001/008 hidraw0; do
            python3 -c "import os; s = os.stat('/dev/$node'); print('$node', s.st_gid, oct(s.st_mode & 0o777))"
        done
    """)  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines() == [
        "bus/usb/001/007 100 0o660",
        "bus/usb/001/008 0 0o660",
        "hidraw0 100 0o660",
    ]


INITTAB = """\
::sysinit:/etc/init.d/rcS
::once:/etc/init.d/night
"""
RCS = """\
#!/bin/sh
mount -t proc proc /proc
mount -t tmpfs none /run
mount -t tmpfs none /dev
mknod -m 666 /dev/null c 1 3
mkdir -m 770 /run/nut
for script in /etc/init.d/S??*; do "$script" start; done >/run/log 2>&1
"""
RCK = """\
#!/bin/sh
for script in /etc/init.d/S??*; do "$script" stop; done
"""
NIGHT = """\
#!/bin/sh
until usbhidups status --format '{ups.status}' attic | grep OB; do sleep 1; done
printf upsmon-shutdown-file >/killpower
poweroff
"""


def test_a_night_under_busybox_init(tmp_path: Path, root: Path, simulator: Simulator) -> None:
    """Booted, the mains fail, the halt by /etc/inittab: the timers are written when all else is over."""
    configure(root, simulator)
    (root / "etc/nut/upsmon.conf").write_text("POWERDOWNFLAG /killpower\n")
    (root / "etc/inittab").write_text(INITTAB + lines("bare-root", "inittab"))
    for name, text in (("rcS", RCS), ("rcK", RCK), ("night", NIGHT)):
        script = root / "etc/init.d" / name
        script.write_text(text)
        script.chmod(0o755)
    own = tmp_path / "own"
    own.mkdir()
    setting = """
        mount -t tmpfs none "$1"
        cp -a "$0/." "$1"
        exec chroot "$1" /bin/init
    """
    simulator.command("mains off")
    with subprocess.Popen(
        [*ALONE, "sh", "-ec", setting, str(root), str(own)],
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as machine:  # fmt: skip
        try:
            eventually(lambda: len(wrote(simulator)) == 2, "kill-power", seconds=60)
        finally:
            machine.kill()
    assert wrote(simulator) == ["0a 78 00 00 00", "09 3c 00 00 00"]
    simulator.command("speed 100")
    eventually(lambda: not simulator.command("state")["output"], "the cut")  # type: ignore[index]


def wrote(simulator: Simulator) -> list[str]:
    told = simulator.command("wrote")
    assert isinstance(told, list)
    return told
