"""Kill-power as processes: beside a daemon, two at once, several UPSes, read-only, called by NUT's programs."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.driver_tools import eventually
from tests.killpower.home import Home, at_home, conf_of
from tests.nut_tools import find_program
from usbhidups.configuration import Paths
from usbhidups.killpower import run_lock, several
from usbhidups.killpower.result import PoweroffResult, PoweroffStatus
from usbhidups.killpower.run_lock import RunLock, address
from usbhidups.nut.upsconf import Setting, driver_options

EATON = "0463-ffff-eaton-3s"
APC = "051d-0002-apc-back-ups-cs-500"
CPS = "0764-0501-cyberpower-cp1350c"
CANNOT = "04d8-d005-wallecube-w150-openups"
EATON_BYTES = ["0a 78 00 00 00", "09 3c 00 00 00"]

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
with_upsdrvctl = pytest.mark.skipif(
    not find_program("upsdrvctl"), reason="needs the distribution's upsdrvctl"
)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """One UPS called ``cellar``."""
    with at_home(tmp_path, [EATON], ["cellar"]) as made:
        yield made


def wrote(home: Home, busid: str = "1-1") -> list[str]:
    found = home.simulator.command(f"{busid} wrote")
    assert isinstance(found, list)
    return found


def writes(home: Home, busid: str) -> list[float]:
    """When the device got its SET_REPORTs, on the simulator's clock."""
    found: Any = home.simulator.command(f"{busid} requests")
    return [entry["at"] for entry in found if entry["what"].startswith("set-")]


# -- what is said -----------------------------------------------------------------------------


def test_verified(home: Home) -> None:
    done = home.usbhidups("killpower", "cellar")
    assert done.returncode == 0
    assert "cellar: verified: the UPS shows that it counts down" in done.stdout
    assert wrote(home) == EATON_BYTES


@pytest.mark.parametrize(
    "words", ["-a cellar -k", "-F -a cellar -k", "-DD -a cellar -k -u root", "-a cellar -k -r /"]
)
def test_words_of_every_upsdrvctl(home: Home, words: str) -> None:
    """nut-driver-contract.md 1.7: what 2.8.0 and later releases put before and after -k."""
    assert home.usbhidups(*words.split()).returncode == 0
    assert wrote(home) == EATON_BYTES


def test_dry_run(home: Home) -> None:
    done = home.usbhidups("killpower", "--dry-run")
    assert done.returncode == 0
    assert "UPS.PowerSummary.DelayBeforeShutdown = 60 s" in done.stdout
    assert all(data in done.stdout for data in EATON_BYTES)
    assert wrote(home) == []


@pytest.mark.parametrize(
    ("fixture", "trouble", "status", "words"),
    [
        (APC, "clear", 3, "accepted: the UPS took the command"),
        (CANNOT, "mains off", 4, "refused: the UPS cannot or would not"),
        (CANNOT, "mains on", 6, "reboot, do not halt"),
        (EATON, "ignore all", 6, "reboot, do not halt"),
        (EATON, "refuse all", 6, "reboot, do not halt"),
    ],
)
def test_statuses_and_words(
    tmp_path: Path, fixture: str, trouble: str, status: int, words: str
) -> None:
    with at_home(tmp_path, [fixture], ["cellar"]) as home:
        home.simulator.command(trouble)
        done = home.usbhidups("killpower")
        assert (done.returncode, words in done.stdout) == (status, True), done.stdout
        as_driver = home.usbhidups("-a", "cellar", "-k")
        assert as_driver.returncode == (0 if status == 3 else status), as_driver.stdout


def test_device_that_cannot_be_named_is_told(home: Home) -> None:
    home.write("[cellar]\n driver = usbhidups\n port = replay:/nonexistent\n")
    done = home.usbhidups("killpower")
    assert done.returncode == 5
    assert "/nonexistent" in done.stdout


def test_no_section_for_this_driver(home: Home) -> None:
    home.write("[other]\n driver = snmp-ups\n port = 192.0.2.1\n")
    assert home.usbhidups("killpower").returncode == 7


def test_section_of_another_driver_by_name(home: Home) -> None:
    home.write("[other]\n driver = snmp-ups\n port = 192.0.2.1\n")
    done = home.usbhidups("killpower", "other")
    assert done.returncode == 1
    assert "snmp-ups" in done.stdout


def test_section_of_nuts_own_usbhid_ups_is_left_to_it(home: Home) -> None:
    drivers = home.directory / "drivers"
    drivers.mkdir()
    (drivers / "usbhid-ups").write_text("NUT's\n")
    conf = f"driverpath = {drivers}\n" + conf_of(home.simulator, "cellar", driver="usbhid-ups")
    home.write(conf)
    assert home.usbhidups("killpower").returncode == 7
    (drivers / "usbhid-ups").unlink()
    (drivers / "usbhidups").write_text("ours\n")
    (drivers / "usbhid-ups").symlink_to(drivers / "usbhidups")
    assert home.usbhidups("killpower").returncode == 0


# -- beside others ----------------------------------------------------------------------------


def test_running_driver_does_it_and_leaves(home: Home) -> None:
    driver = home.start_driver("cellar")
    eventually(lambda: "data are good" in home.said(), "the driver's data")
    done = home.usbhidups("killpower", "cellar")
    assert done.returncode == 0, done.stdout
    assert "by the running driver" in done.stdout
    assert wrote(home) == EATON_BYTES
    assert driver.wait(10) == 0


def test_driver_that_hangs_and_whose_state_directory_is_gone(home: Home) -> None:
    driver = home.start_driver("cellar")
    eventually(lambda: "data are good" in home.said(), "the driver's data")
    driver.send_signal(signal.SIGSTOP)
    shutil.rmtree(home.run)
    done = home.usbhidups("killpower", "cellar")
    assert done.returncode == 0, done.stdout
    assert wrote(home) == EATON_BYTES
    assert driver.wait(10) == -signal.SIGKILL


def test_two_at_once_are_one_on_the_wire(home: Home) -> None:
    home.simulator.command("delay 20")
    words = [sys.executable, "-m", "usbhidups", "killpower", "cellar"]
    with (
        subprocess.Popen(words, env=home.environment, stdout=subprocess.PIPE, text=True) as one,
        subprocess.Popen(words, env=home.environment, stdout=subprocess.PIPE, text=True) as other,
    ):
        said = [one.communicate(timeout=30)[0], other.communicate(timeout=30)[0]]
    assert [one.returncode, other.returncode] == [0, 0]
    assert wrote(home) == EATON_BYTES
    assert sum("by another kill-power at the same time" in text for text in said) == 1


@as_root
def test_stranger_in_the_way_is_not_believed(home: Home) -> None:
    """Anybody may take an abstract socket; only root's or our own word counts."""
    taken = address(str(home.run / "usbhidups-cellar"))
    program = (
        "import socket, time\n"
        "s = socket.socket(socket.AF_UNIX)\n"
        f"s.bind({taken!r})\n"
        "s.listen()\n"
        "print('there', flush=True)\n"
        "c, _ = s.accept()\n"
        "c.sendall(b'0 all is well')\n"
        "time.sleep(60)\n"
    )
    words = [shutil.which("python3", path="/usr/bin:/bin") or sys.executable, "-c", program]
    with subprocess.Popen(words, stdout=subprocess.PIPE, user=65534, cwd="/") as stranger:
        assert stranger.stdout is not None
        assert stranger.stdout.readline() == b"there\n"
        done = home.usbhidups("killpower", "cellar")
        stranger.kill()
    assert done.returncode == 0, done.stdout
    assert wrote(home) == EATON_BYTES


def test_holder_that_dies_leaves_its_turn() -> None:
    name = f"tests-that-die-{os.getpid()}"
    holder = RunLock(name)
    holder.take(until=time.monotonic() + 5)
    holder.__exit__()
    with RunLock(name) as next_one:
        assert next_one.take(until=time.monotonic() + 5) == ""


def test_a_turn_in_a_directory_of_any_length_is_taken() -> None:
    """An address that the kernel refuses once kept a kill-power busy until its time was used up."""
    deep = f"/tests-{os.getpid()}/{'long/' * 40}"
    with RunLock(f"{deep}usbhidups-ä") as one, RunLock(f"/other{deep}usbhidups-ä") as namesake:
        soon = time.monotonic() + 5
        assert [one.take(until=soon), namesake.take(until=soon)] == ["", ""]
        with RunLock(f"{deep}usbhidups-ä") as second, ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(second.take, until=soon)
            one.tell(PoweroffResult("ä", PoweroffStatus.VERIFIED, "done"))
            while not waiting.done():
                one.tell(PoweroffResult("ä", PoweroffStatus.VERIFIED, "done"))
            assert waiting.result() == "0 done"


def test_where_no_turn_can_be_had_the_power_is_cut_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run_lock, "address", lambda _name: bytes(200))  # longer than any may be
    never = iter(())  # nobody is waited for: the clock is not looked at
    with RunLock("tests", clock=lambda: next(never)) as turn:
        assert turn.take(until=5.0) == ""


# -- several UPSes ----------------------------------------------------------------------------


def test_orders_are_kept_and_negative_ones_left_alone(tmp_path: Path) -> None:
    names = ["first", "second", "never"]
    with at_home(tmp_path, [EATON, CPS, EATON], names) as home:
        for order, name in ((5, "first"), (7, "second"), (-1, "never")):
            text = (home.etc / "ups.conf").read_text()
            (home.etc / "ups.conf").write_text(
                text.replace(f"[{name}]\n", f"[{name}]\n sdorder = {order}\n")
            )
        done = home.usbhidups("killpower")
        assert done.returncode == 0, done.stdout
        assert max(writes(home, "1-1")) < min(writes(home, "1-2"))
        assert wrote(home, "1-3") == []
        assert home.usbhidups("killpower", "never").returncode == 0
        assert wrote(home, "1-3") == EATON_BYTES


def test_worst_result_is_the_status(tmp_path: Path) -> None:
    with at_home(tmp_path, [EATON, CANNOT], ["good", "bad"]) as home:
        home.simulator.command("mains off")
        done = home.usbhidups("killpower")
        assert done.returncode == 4
        assert "good: verified" in done.stdout
        assert "bad: refused" in done.stdout


def test_process_that_hangs_is_left_behind(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """As one whose transfer never returns from the kernel; the other UPS is not held up."""

    def work(wanted: several.Wanted, _places: Paths, *, dry_run: bool) -> PoweroffResult:
        if wanted.ups == "stuck":
            signal.pause()
        return PoweroffResult(wanted.ups, PoweroffStatus.VERIFIED, "done")

    monkeypatch.setattr(several, "_work", work)
    monkeypatch.setattr(several, "PATIENCE", 0.3)
    options = driver_options([Setting("port", "auto")], program="usbhidups")
    nowhere = Path("/nonexistent")
    cuts = several.cut_all(
        [several.Wanted("usbhidups", name, options) for name in ("stuck", "free")],
        Paths(nowhere, nowhere, nowhere, nowhere),
    )
    assert [cut.result for cut in cuts] == [PoweroffStatus.NOT_FOUND, PoweroffStatus.VERIFIED]
    assert "hangs in the kernel" in capfd.readouterr().out


# -- at the end of a shutdown -----------------------------------------------------------------


@as_root
def test_read_only_root_and_no_run(home: Home) -> None:
    shutil.rmtree(home.run)
    script = (
        "mount -t tmpfs -o ro none /run && mount -o remount,bind,ro / && "
        '! touch /usr/.usbhidups-probe 2>/dev/null && exec "$@"'
    )
    words = [sys.executable, "-m", "usbhidups", "-a", "cellar", "-k"]
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, "sh", *words],
        env={**home.environment, "TMPDIR": "/nonexistent"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert wrote(home) == EATON_BYTES


@with_upsdrvctl
def test_upsdrvctl_of_the_distribution(tmp_path: Path) -> None:
    with at_home(tmp_path, [EATON, CPS], ["one", "two"]) as home:
        text = (home.etc / "ups.conf").read_text()
        (home.etc / "ups.conf").write_text(text.replace("[two]\n", "[two]\n sdorder = 1\n"))
        done = home.upsdrvctl("shutdown")
        assert done.returncode == 0, done.stdout
        assert wrote(home, "1-1") == EATON_BYTES
        assert wrote(home, "1-2") == ["16 02 00", "15 01 00"]
        home.simulator.command("1-2 refuse all")
        assert home.upsdrvctl("shutdown").returncode == 1


@with_upsdrvctl
@pytest.mark.parametrize(("name", "cut"), [("nutshutdown", False), ("another-script", True)])
def test_debians_trap(home: Home, name: str, cut: bool) -> None:  # noqa: FBT001
    """``upsmon -K`` of Debian is a script that says yes where MODE=none: nothing may be cut then.

    The script here is called as the distribution's late hook and does what that does next; under another
    name it shows that the cut would have come.
    """
    (home.etc / "nut.conf").write_text("MODE=none\n")
    home.upsdrvctl("-V")  # lays out the driver directory
    hook = home.directory / name
    upsdrvctl = find_program("upsdrvctl")
    hook.write_text(f"#!/bin/sh\nif true; then\n  {upsdrvctl} shutdown\nfi\nexit 0\n")
    hook.chmod(0o755)
    subprocess.run([hook], env=home.environment, check=True, capture_output=True, timeout=40)
    assert wrote(home) == (EATON_BYTES if cut else [])


def test_trap_with_a_real_flag_is_a_shutdown(home: Home) -> None:
    (home.etc / "nut.conf").write_text("MODE=none\n")
    (home.etc / "upsmon.conf").write_text(f"POWERDOWNFLAG {home.flag}\n")
    assert home.usbhidups("killpower", "--if-flag").returncode == 7
    home.flag.write_bytes(b"upsmon-shutdown-file")
    assert home.usbhidups("killpower", "--if-flag").returncode == 0
    assert wrote(home) == EATON_BYTES


def test_flag_and_a_broken_ups_conf_is_not_nothing_to_do(home: Home) -> None:
    (home.etc / "upsmon.conf").write_text(f"POWERDOWNFLAG {home.flag}\n")
    home.flag.write_bytes(b"upsmon-shutdown-file")
    (home.etc / "ups.conf").unlink()
    assert home.usbhidups("killpower", "--if-flag").returncode == 5
