"""``usbhidups doctor``: each check on a host that is not there, whole and with one thing broken."""

from __future__ import annotations

import grp
import json
import os
import pwd
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.driver_tools import FIXTURES, RunningDriver, running_driver
from tests.usb.bytes import KEYBOARD
from tests.usb.sysfs import Part, Plug, plug
from usbhidups.cli.main import main
from usbhidups.configuration import Paths
from usbhidups.simulator.simulator import Simulator
from usbhidups.tools.doctor.check import Check, Severity
from usbhidups.tools.doctor.examine import examine, healthy
from usbhidups.tools.doctor.machine import Answered, Machine
from usbhidups.tools.status.snapshot import Snapshot
from usbhidups.ups.loading.library import Library
from usbhidups.usb.fixture import load

ROOT = Path(__file__).parents[2]
ME = pwd.getpwuid(os.geteuid()).pw_name
MY_GROUP = grp.getgrgid(os.getegid()).gr_name

CONF = f"""
user = {ME}
group = {MY_GROUP}
[office]
    driver = usbhidups
    port = auto
"""


@dataclass
class Clinic:
    """A host below a directory, everything in order; tests break what they are about."""

    root: Path
    state: Path
    enabled: set[str] = field(
        default_factory=lambda: {
            "usbhidups@office.service",
            "nut-server.service",
            "nut-monitor.service",
        }
    )
    version: str = "Network UPS Tools upsd 2.8.0"

    @property
    def conf(self) -> Path:
        return self.root / "etc/nut"

    def write(self, name: str, text: str, mode: int = 0o644) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path

    def run(self, words: Sequence[str]) -> Answered:
        if words[0] == "systemctl":
            return Answered(0, "enabled" if words[-1] in self.enabled else "disabled")
        return Answered(0, self.version) if words[-1] == "-V" else Answered(None)

    def checks(self) -> list[Check]:
        places = Paths(
            conf=self.conf, state=self.state, pid=self.state, profiles=self.root / "profiles"
        )
        return list(examine(Machine(places=places, root=self.root, run=self.run), Library()))

    def check(self, subject: str) -> Check:
        found = [check for check in self.checks() if check.subject == subject]
        assert len(found) == 1, (subject, found)
        return found[0]


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[RunningDriver]:
    state = tmp_path / "st"
    state.mkdir(mode=0o770, exist_ok=True)
    recording = FIXTURES / "0764-0501-cyberpower-cp1500epfclcd.toml"
    with running_driver(state, "office", f"replay:{recording}") as running:
        running.wait_for(lambda dump: dump.fresh and "shutdown.return" in dump.commands)
        yield running


@pytest.fixture
def bare(tmp_path: Path) -> Clinic:
    """Without a running driver."""
    (tmp_path / "st").mkdir(mode=0o770, exist_ok=True)
    made = Clinic(tmp_path / "host", tmp_path / "st")
    made.write("etc/nut/ups.conf", CONF)
    made.write(
        "etc/nut/upsmon.conf",
        "MONITOR office@localhost 1 a b primary\nPOWERDOWNFLAG /etc/killpower\n",
    )
    made.write("lib/nut/upsd", "")
    made.write(
        "lib/nut/usbhidups", "#!/usr/bin/python3\nfrom usbhidups.cli.main import main\n", 0o755
    )
    made.write("etc/udev/rules.d/99-ups.rules", (ROOT / "udev/99-ups.rules").read_text())
    made.write("lib/systemd/system-shutdown/usbhidups", "#!/bin/sh\n", 0o755)
    (made.root / "run/systemd/system").mkdir(parents=True)
    return made


@pytest.fixture
def clinic(bare: Clinic, driver: RunningDriver) -> Clinic:
    assert driver.path.parent == bare.state
    return bare


def test_a_host_in_order(clinic: Clinic) -> None:
    checks = clinic.checks()
    assert [check for check in checks if check.verdict is Severity.PROBLEM] == []
    assert healthy(checks)
    assert {check.subject for check in checks} >= {
        "NUT", "user", "state directory", "udev rule", "[office]", "driver usbhidups",
        "start of office", "upsd", "upsmon", "driver of office", "kill-power of office",
        "power-down flag", "late hook",
    }  # fmt: skip


def remove(name: str) -> Callable[[Clinic], object]:
    return lambda clinic: (clinic.root / name).unlink()


def write(name: str, text: str, mode: int = 0o644) -> Callable[[Clinic], object]:
    return lambda clinic: clinic.write(name, text, mode)


@pytest.mark.parametrize(
    ("breaking", "subject", "said"),
    [
        (remove("lib/nut/upsd"), "NUT", "upsd is not installed"),
        (remove("etc/udev/rules.d/99-ups.rules"), "udev rule", "no rule gives UPSes to a group"),
        (remove("etc/nut/ups.conf"), "ups.conf", "cannot be read"),
        (
            write("etc/nut/ups.conf", "[a]\ndriver = snmp-ups\n"),
            "ups.conf",
            "has no section with driver",
        ),
        (write("etc/nut/ups.conf", f"{CONF}\npollinterwal = 3\n"), "[office]", "pollinterwal"),
        (
            write("etc/nut/ups.conf", CONF.replace(ME, "nobody-here-9")),
            "user",
            "no user nobody-here-9",
        ),
        (remove("lib/nut/usbhidups"), "driver usbhidups", "does not exist"),
        (
            lambda c: c.enabled.discard("usbhidups@office.service"),
            "start of office",
            "no unit starts",
        ),
        (
            lambda c: c.enabled.add("nut-driver@office.service"),
            "start of office",
            "throws the other out",
        ),
        (lambda c: c.enabled.discard("nut-server.service"), "upsd", "disabled"),
        (write("etc/nut/upsmon.conf", "MONITOR x\n"), "power-down flag", "names no POWERDOWNFLAG"),
        (remove("lib/systemd/system-shutdown/usbhidups"), "late hook", "nothing cuts the power"),
        (
            lambda c: (c.root / "lib/systemd/system-shutdown/usbhidups").chmod(0o644),
            "late hook",
            "not executable",
        ),
        (lambda c: c.state.chmod(0o777), "state directory", "false driver"),
        (lambda c: c.state.rmdir(), "state directory", "No such file"),
        (lambda c: None, "driver of office", "no driver answers"),
    ],
)
def test_what_is_broken_is_found_and_has_a_mend(
    breaking: Callable[[Clinic], object], subject: str, said: str, bare: Clinic
) -> None:
    breaking(bare)
    check = bare.check(subject)
    assert check.verdict is Severity.PROBLEM
    assert said in check.text
    assert check.mend


def nuts_own(clinic: Clinic) -> None:
    clinic.write("etc/nut/ups.conf", CONF.replace("usbhidups", "usbhid-ups"))
    clinic.write("lib/nut/usbhid-ups", "\x7fELF")


@pytest.mark.parametrize(
    ("changing", "subject", "said"),
    [
        (lambda c: setattr(c, "version", "Network UPS Tools upsd 2.6.5"), "NUT", "older"),
        (lambda c: setattr(c, "version", "?"), "NUT", "does not tell its version"),
        (nuts_own, "driver usbhid-ups", "NUT's own driver"),
        (
            write("etc/udev/rules.d/99-ups.rules", 'ATTR{idVendor}=="051d", GROUP="nut"\n'),
            "udev rule",
            "leaves out",
        ),
        (
            write("etc/nut/ups.conf", f"{CONF}pollinterval = 60\n"),
            "[office]",
            "notices outages late",
        ),
    ],
)
def test_what_should_be_known_is_no_problem(
    changing: Callable[[Clinic], object], subject: str, said: str, bare: Clinic
) -> None:
    changing(bare)
    check = bare.check(subject)
    assert check.verdict is Severity.NOTE
    assert said in check.text


def test_a_socket_that_is_for_others_was_not_looked_at(
    bare: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "usbhidups.tools.doctor.drivers.take",
        lambda socket: Snapshot(socket, problem="not for us", closed=True),
    )
    check = bare.check("driver of office")
    assert check.verdict is Severity.SKIPPED
    assert check.mend == "run the doctor as root"


def test_it_counts_the_devices_that_the_documents_list(bare: Clinic) -> None:
    listed = re.search(r"lists the (\d+) USB ids", (ROOT / "docs/supported-devices.md").read_text())
    assert listed
    assert f"means all {listed[1]} known devices" in bare.check("udev rule").text


RULE = 'SUBSYSTEM=="usb", ATTR{idVendor}=="0764", GROUP="nut", MODE="0660"\n'


@pytest.mark.parametrize(
    ("rule", "mode", "said", "mend"),
    [
        (RULE, 0o600, "the rule came after the device", "udevadm trigger"),
        (RULE, 0o666, "", ""),
        ("", 0o600, "no udev rule means 0764:0501", 'GROUP="nut", MODE="0660"'),
    ],
)
def test_a_ups_that_is_plugged_in(rule: str, mode: int, said: str, mend: str, bare: Clinic) -> None:
    """nobody has no rights of its own, whoever runs this."""
    plug(bare.root, Plug(port="1-4"))
    for node in ("dev/hidraw0", "dev/bus/usb/001/007"):
        (bare.root / node).chmod(mode)
    bare.write("etc/udev/rules.d/99-ups.rules", rule)
    bare.write("etc/nut/ups.conf", CONF.replace(f"user = {ME}", "user = nobody"))
    check = bare.check("UPS at 1-4")
    assert check.verdict is (Severity.PROBLEM if said else Severity.OK)
    assert "0764:0501" in check.text
    assert said in check.text
    assert mend in check.mend


def test_a_ups_without_a_node(bare: Clinic) -> None:
    plug(bare.root, Plug(port="1-4", parts=[Part(hidraw="")]))
    (bare.root / "dev/bus/usb/001/007").unlink()
    check = bare.check("UPS at 1-4")
    assert check.verdict is Severity.PROBLEM
    assert "No such file or directory" in check.text


def test_what_is_no_ups_is_not_told(bare: Clinic) -> None:
    plug(bare.root, Plug(vendor=0x046D, parts=[Part(descriptor=KEYBOARD)]))
    assert not [check for check in bare.checks() if check.subject.startswith("UPS at")]


def test_a_rule_below_usr_local_counts(bare: Clinic) -> None:
    """udev(7) reads it, and ``make install`` puts it there."""
    rules = bare.root / "etc/udev/rules.d/99-ups.rules"
    bare.write("usr/local/lib/udev/rules.d/99-ups.rules", rules.read_text())
    rules.unlink()
    assert bare.check("udev rule").verdict is Severity.OK


def test_hosts_without_systemd(bare: Clinic) -> None:
    (bare.root / "run/systemd/system").rmdir()
    assert bare.check("start at boot").verdict is Severity.NOTE
    bare.write("etc/init.d/usbhidups", "")
    assert bare.check("start at boot").verdict is Severity.OK


def without_systemd(clinic: Clinic) -> None:
    (clinic.root / "run/systemd/system").rmdir()


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("etc/inittab", "::shutdown:/etc/init.d/S30usbhidups killpower\n"),
        ("etc/init.d/halt", "umount -a -r\n/etc/init.d/usbhidups killpower\n"),
        ("etc/rc.d/rc.halt", "/usr/lib/usbhidups/late-killpower 0 reboot -f\n"),
        ("etc/init.d/halt", "/etc/init.d/ups-monitor poweroff\n"),
        ("etc/rc6", "/usr/sbin/upsdrvctl shutdown\n"),
        ("etc/init.d/K99ups", "/usr/bin/usbhidups appliance killpower --stage wait\n"),
    ],
)
def test_a_halt_script_that_cuts(file: str, text: str, bare: Clinic) -> None:
    without_systemd(bare)
    bare.write(file, f"# the last\n{text}", 0o755)
    check = bare.check("late hook")
    assert (check.verdict, file in check.text) == (Severity.OK, True)


@pytest.mark.parametrize("name", ["usbhidups", "S30usbhidups"])
def test_our_script_that_nobody_calls(name: str, bare: Clinic) -> None:
    without_systemd(bare)
    bare.write(f"etc/init.d/{name}", (ROOT / "init/usbhidups").read_text(), 0o755)
    bare.write("etc/inittab", f"# ::shutdown:/etc/init.d/{name} killpower\n")
    check = bare.check("late hook")
    assert check.verdict is Severity.PROBLEM
    assert f"/etc/init.d/{name} killpower" in check.mend


def test_openrc(bare: Clinic) -> None:
    without_systemd(bare)
    (bare.root / "run/openrc").mkdir()
    assert "nothing cuts the power" in bare.check("late hook").text
    bare.write(
        "etc/init.d/usbhidups-killpower",
        (ROOT / "init/openrc/usbhidups-killpower").read_text(),
        0o755,
    )
    assert "late-killpower, which is not there" in bare.check("late hook").text
    bare.write("usr/lib/usbhidups/late-killpower", "", 0o755)
    assert "rc-update add usbhidups-killpower shutdown" in bare.check("late hook").mend
    link = bare.root / "etc/runlevels/shutdown/usbhidups-killpower"
    link.parent.mkdir(parents=True)
    link.symlink_to("/etc/init.d/usbhidups-killpower")
    assert bare.check("late hook").verdict is Severity.OK


@pytest.mark.skipif(not shutil.which("make"), reason="needs make")
@pytest.mark.parametrize("prefix", ["/usr", "/usr/local"])
def test_the_hook_that_make_install_makes(prefix: str, bare: Clinic) -> None:
    """What the Makefile installs is what the doctor looks for, and the script that it runs is there."""
    (bare.root / "lib/systemd/system-shutdown/usbhidups").unlink()
    done = subprocess.run(
        ["make", "-s", "install", f"DESTDIR={bare.root}", f"PREFIX={prefix}",
         f"INSTALL_PYTHON={sys.executable}", "NUTDRIVERDIR=/lib/nut"],
        cwd=ROOT, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    check = bare.check("late hook")
    assert check.verdict is Severity.OK
    late = bare.root / prefix[1:] / "lib/usbhidups/late-killpower"
    late.chmod(0o644)
    assert str(late) in bare.check("late hook").text
    late.unlink()
    assert "which is not there" in bare.check("late hook").text


def test_a_socket_that_everybody_may_use(clinic: Clinic, driver: RunningDriver) -> None:
    driver.path.chmod(0o666)
    check = clinic.check("driver of office")
    assert check.verdict is Severity.PROBLEM
    assert "everybody may command" in check.text


def test_a_ups_that_cannot_be_cut(bare: Clinic) -> None:
    """A described device whose profile has no command that switches its load."""
    recording = FIXTURES / "3746-ffff-ecoflow-described-on-line.toml"
    with running_driver(bare.state, "office", f"replay:{recording}") as running:
        dump = running.wait_for(lambda dump: dump.fresh)
        cuts = [name for name in dump.commands if name.startswith(("shutdown.", "load.off"))]
        check = bare.check("kill-power of office")
    assert check.verdict is (Severity.OK if cuts else Severity.PROBLEM)
    assert cuts or "no command that cuts its power" in check.text


def test_a_ups_that_may_cut_at_once(bare: Clinic) -> None:
    """It has a reboot delay only: the load may go the moment it is told."""
    recording = FIXTURES / "2341-8036-arduino-hidpowerdevice.toml"
    with (
        Simulator([load(recording)]) as simulator,
        running_driver(bare.state, "office", simulator.url()) as running,
    ):
        running.wait_for(lambda dump: dump.fresh)
        check = bare.check("kill-power of office")
    assert check.verdict is Severity.NOTE
    assert "may cut the load at once" in check.text
    assert "read-only before" in check.mend


# -- the command ---------------------------------------------------------------------------------


@pytest.fixture
def lonely(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NUT_STATEPATH", str(tmp_path / "none"))
    monkeypatch.setenv("NUT_CONFPATH", str(tmp_path / "none"))
    return tmp_path


def test_the_command_tells_problems_by_its_exit_status(
    lonely: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")  # no path is broken in two
    assert main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert f"problem state directory {lonely}/none: No such file or directory" in " ".join(
        said.split()
    )
    assert "checks found something to mend" in said


def test_the_command_for_programs(lonely: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert {"subject", "verdict", "text", "mend"} == set(found[0])
    states = {check["subject"]: check["verdict"] for check in found}
    assert states["state directory"] == "problem"


def test_on_a_narrow_terminal_texts_have_room(
    lonely: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert main(["doctor"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 40
    assert "problem state directory" in lines  # its text is below it


def test_only_what_is_not_in_order(lonely: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "-q"]) == 1
    assert not [line for line in capsys.readouterr().out.splitlines() if line.startswith("ok ")]
