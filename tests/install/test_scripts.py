"""The SysV script and the late step, run for real by BusyBox's shell."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.driver_tools import eventually
from tests.install.test_install import ROOT
from tests.killpower.home import Home, at_home

pytestmark = pytest.mark.skipif(not shutil.which("busybox"), reason="needs busybox")

NAME = "attic"


@dataclass
class Script:
    """Runs a script of init/ under BusyBox, against a home."""

    home: Home
    program: Path

    def run(self, name: str, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        environment = {
            **self.home.environment,
            "USBHIDUPS_PROGRAM": str(self.program),
            "USBHIDUPS_LATE": str(ROOT / "init/late-killpower"),
            **more,
        }
        return subprocess.run(
            ["busybox", "sh", ROOT / "init" / name, *words],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture
def script(tmp_path: Path) -> Iterator[Script]:
    program = tmp_path / "bin" / "usbhidups"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m usbhidups "$@"\n')
    program.chmod(0o755)
    with at_home(tmp_path, ["0463-ffff-eaton-3s"], [NAME]) as home:
        conf = home.etc / "ups.conf"
        conf.write_text(f"user = root\n{conf.read_text()}")
        made = Script(home, program)
        yield made
        made.run("usbhidups", "stop")


def test_life_of_a_driver(script: Script) -> None:
    assert script.run("usbhidups", "status").returncode == 3
    assert script.run("usbhidups", "reload").returncode == 7
    assert script.run("usbhidups", "stop").returncode == 0
    started = script.run("usbhidups", "start")
    assert started.returncode == 0, started.stdout
    assert (script.home.run / f"usbhidups-{NAME}").is_socket()
    first = script.run("usbhidups", "status")
    assert first.returncode == 0
    assert script.run("usbhidups", "start").returncode == 0  # it runs already
    assert script.run("usbhidups", "status").stdout == first.stdout
    assert script.run("usbhidups", "reload").returncode == 0
    assert script.run("usbhidups", "status").stdout == first.stdout
    assert script.run("usbhidups", "restart").returncode == 0
    again = script.run("usbhidups", "status")
    assert again.returncode == 0
    assert again.stdout != first.stdout
    assert script.run("usbhidups", "stop").returncode == 0
    assert script.run("usbhidups", "status").returncode == 3
    assert not (script.home.run / f"usbhidups-{NAME}").exists()


def test_stale_pid_file_is_nobodys(script: Script) -> None:
    """Its number belongs to another process now, which must not be touched."""
    with subprocess.Popen(["sleep", "60"]) as bystander:
        (script.home.run / f"usbhidups-{NAME}.pid").write_text(f"{bystander.pid}\n")
        assert script.run("usbhidups", "status").returncode == 3
        assert script.run("usbhidups", "stop").returncode == 0
        assert bystander.poll() is None
        bystander.kill()


def test_unknown_word(script: Script) -> None:
    done = script.run("usbhidups", "dance")
    assert done.returncode == 2
    assert "usage" in done.stdout


def test_killpower_without_a_flag_does_nothing(script: Script) -> None:
    done = script.run("usbhidups", "killpower")
    assert done.returncode == 0
    assert "nothing to do" in done.stdout
    assert script.home.simulator.command("wrote") == []


def test_killpower_with_a_flag(script: Script) -> None:
    script.run("usbhidups", "start")
    (script.home.etc / "upsmon.conf").write_text(f"POWERDOWNFLAG {script.home.flag}\n")
    script.home.flag.write_bytes(b"upsmon-shutdown-file")
    script.home.simulator.command("mains off")
    done = script.run("usbhidups", "killpower")
    assert done.returncode == 0, done.stdout
    assert script.home.simulator.command("wrote") == ["0a 78 00 00 00", "09 3c 00 00 00"]
    script.home.simulator.command("speed 100")
    history = script.home.simulator.command
    eventually(lambda: not history("state")["output"], "the cut")  # type: ignore[index]


@pytest.mark.parametrize(
    ("status", "conf", "limit", "reboots", "slept"),
    [
        (0, "", 0, False, ""),
        (0, "POWEROFF_WAIT=120\n", 0, True, "120"),
        (3, ' POWEROFF_WAIT="90s"\n', 0, True, "90"),
        (4, "POWEROFF_WAIT=2m\n", 0, True, "120"),
        (5, "POWEROFF_WAIT=1h # long\n", 85, True, "85"),
        (5, "#POWEROFF_WAIT=30\n", 85, False, ""),
        (6, "", 85, True, "0"),
        (6, "POWEROFF_WAIT=120\n", 0, True, "0"),
        (7, "POWEROFF_WAIT=120\n", 0, False, ""),
        (1, "POWEROFF_WAIT=120\n", 0, False, ""),
        (0, "POWEROFF_WAIT=soon\n", 0, False, ""),
    ],
)
def test_late_step_waits_and_reboots(
    tmp_path: Path,
    status: int,
    conf: str,
    limit: int,
    reboots: bool,  # noqa: FBT001
    slept: str,
) -> None:
    """The rules of init/late-killpower, with stand-ins for the command, for sleep and for reboot."""
    record = tmp_path / "record"
    (tmp_path / "nut.conf").write_text(conf)
    for name, body in {
        "usbhidups": f'echo "asked $*" >>{record}; exit {status}',
        "sleep": f'echo "slept $*" >>{record}',
        "reboot": f'echo "rebooted $*" >>{record}',
    }.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    subprocess.run(
        ["/bin/sh", ROOT / "init/late-killpower", str(limit), "reboot", "-f"],
        env={
            "PATH": f"{tmp_path}:/usr/bin:/bin",
            "NUT_CONFPATH": str(tmp_path),
            "USBHIDUPS_PROGRAM": str(tmp_path / "usbhidups"),
        },
        capture_output=True,
        timeout=30,
        check=True,
    )
    expected = ["asked killpower --if-flag"]
    if reboots:
        expected += [f"slept {slept}", "rebooted -f"]
    assert record.read_text().splitlines() == expected


@pytest.mark.parametrize(
    ("verb", "acts"), [("poweroff", True), ("halt", True), ("reboot", False), ("kexec", False)]
)
def test_systemds_hook_acts_only_when_the_host_goes_off(
    tmp_path: Path,
    verb: str,
    acts: bool,  # noqa: FBT001
) -> None:
    late = tmp_path / "late-killpower"
    late.write_text('#!/bin/sh\necho "$@"\n')
    late.chmod(0o755)
    hook = tmp_path / "hook"
    text = (ROOT / "systemd/system-shutdown/usbhidups").read_text()
    assert "/usr/lib/usbhidups/late-killpower" in text
    hook.write_text(text.replace("/usr/lib/usbhidups/late-killpower", str(late)))
    hook.chmod(0o755)
    done = subprocess.run([hook, verb], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == ("85 /bin/systemctl reboot --force --force\n" if acts else "")
