"""Acceptance checks 47 to 59: the kill step, when it happens and above all when it does not."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.appliance.planning import layout_below, plan, private_upsmon, text_of, write_settings
from tests.nut_tools import find_program
from usbhidups.appliance import killpower as module
from usbhidups.appliance.active import load_active
from usbhidups.appliance.generate import generate
from usbhidups.appliance.killpower import Stage, Step, kill_power
from usbhidups.appliance.layout import Layout
from usbhidups.appliance.overrides import sections

Facts = dict[str, Any]
ACCEPTED = ["kill power: commanding ups", "kill power: ups accepted the command"]
SETTINGS = {"UPS_DRIVER": "usbhid-ups", "UPS_KILL_POWER": "yes", "UPS_RUN_AS_USER": "root"}
MAGIC = "upsmon-shutdown-file"

needs_nut = pytest.mark.skipif(
    not (find_program("upsmon") and find_program("upsdrvctl")) or os.geteuid() != 0,
    reason="needs NUT's upsmon and upsdrvctl, and root as at a halt",
)


class Halt:
    """A generated configuration whose drivers are a script that notes its arguments."""

    def __init__(self, directory: Path, script: str = "exit 0") -> None:
        self.directory = directory
        self.driver = directory / "driver"
        self.driver.write_text(f'#!/bin/sh\necho "$@" >>{directory}/calls\n{script}\n')
        self.driver.chmod(0o755)
        self.reboot = directory / "reboot"
        self.reboot.write_text(f"#!/bin/sh\necho reboot >>{directory}/calls\n")
        self.reboot.chmod(0o755)
        self.layout: Layout = replace(
            layout_below(directory),
            upsmon=private_upsmon(directory),
            upsdrvctl=Path(find_program("upsdrvctl") or ""),
            program=self.driver,
            reboot_command=(str(self.reboot),),
        )
        self.slept: list[float] = []

    def configure(self, overrides: dict[str, str] | None = None, /, **variables: str) -> None:
        write_settings(self.layout, **variables)
        self.layout.override_dir.mkdir(exist_ok=True)
        for name, text in (overrides or {}).items():
            (self.layout.override_dir / name).write_text(text)
        outcome = generate(self.layout)
        assert not outcome.plan.problems
        self.flag(MAGIC)

    def flag(self, content: str) -> None:
        self.layout.flag_file.parent.mkdir(exist_ok=True)
        self.layout.flag_file.write_text(content)

    def kill(self, **step: Any) -> tuple[int, list[str], list[str]]:
        said: list[str] = []
        active = load_active(self.layout.active_file)
        code = kill_power(
            self.layout, active, Step(**step), say=said.append, sleep=self.slept.append
        )
        calls = self.directory / "calls"
        return code, said, calls.read_text().splitlines() if calls.exists() else []


@pytest.mark.scene("outage")
def test_47_the_order_of_the_kill_step(facts: Facts) -> None:
    assert facts["kill"] == [0, ACCEPTED]
    assert facts["calls"] == ["start ups", "kill ups"]  # once, and no driver was started again
    assert facts["running_after_kill"] == [False, False]


@pytest.mark.scene("stubborn")
def test_47_other_hosts_are_given_time(facts: Facts) -> None:
    assert facts["kill"] == [0, ["kill power: waiting for 10 other host(s)", *ACCEPTED]]


@needs_nut
def test_47_stop_upsmon_then_upsd_then_drivers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    halt = Halt(tmp_path)
    halt.configure(**SETTINGS)
    order: list[str] = []

    def record(pid_file: Path, name: str, *, seconds: float) -> bool:
        order.append(name)
        return True

    (halt.layout.run_dir / "ups.keeper").write_text("1\n")
    monkeypatch.setattr("usbhidups.appliance.processes.end", record)
    assert halt.kill()[2] == ["-a ups -k"]
    assert order == ["upsmon", "upsd", "keep-driver"]


@needs_nut
@pytest.mark.parametrize("missing", ["option", "flag", "magic", "driver"])
def test_48_one_condition_missing(tmp_path: Path, missing: str) -> None:
    halt = Halt(tmp_path)
    variables = dict(SETTINGS)
    overrides = {}
    if missing == "option":
        variables["UPS_KILL_POWER"] = "no"
    if missing == "driver":
        del variables["UPS_DRIVER"]
        conf = halt.layout.conf_dir / "upsmon.conf"
        flag = f'POWERDOWNFLAG "{halt.layout.flag_file}"\n'
        monitor = f"MONITOR ups@nas 1 u p secondary\nSHUTDOWNCMD true\n{flag}"
        overrides = {"upsmon.conf": monitor}
        assert not conf.exists()
    halt.configure(overrides, **variables)
    if missing == "flag":
        halt.layout.flag_file.unlink()
    if missing == "magic":
        halt.flag("yes, please")
    code, said, calls = halt.kill()
    assert code == 0
    assert calls == []
    assert said[0].startswith("kill power: nothing to do: ")


@needs_nut
def test_48_all_conditions_met(tmp_path: Path) -> None:
    halt = Halt(tmp_path)
    halt.configure(**SETTINGS)
    assert halt.kill() == (0, ACCEPTED, ["-a ups -k"])


@pytest.mark.scene("two_hosts")
def test_49_client_mode_never_kills(facts: Facts) -> None:
    code, said, calls = facts["follower_kill"]  # option set, flag with magic content present
    assert (code, calls) == (0, [])
    assert said == ["kill power: nothing to do: no UPS is connected to this host"]


@pytest.mark.scene("outage")
def test_50_a_plain_reboot_never_kills(facts: Facts) -> None:
    assert facts["kill_on_plain_reboot"] == [
        0,
        ["kill power: nothing to do: no powerfail shutdown"],
    ]
    assert facts["calls_after_reboot"].count("kill ups") == 1


@needs_nut
@pytest.mark.parametrize("action", ["reboot", "kexec"])
def test_50_a_reboot_never_kills_even_with_a_flag(tmp_path: Path, action: str) -> None:
    halt = Halt(tmp_path)
    halt.configure(**SETTINGS)
    assert halt.kill(action=action, late=True)[2] == []
    assert halt.kill(action="poweroff", late=True)[2] == ["-a ups -k"]


@needs_nut
def test_51_mode_none_of_the_distribution(tmp_path: Path) -> None:
    halt = Halt(tmp_path)
    halt.configure(**SETTINGS)
    (halt.layout.conf_dir / "nut.conf").write_text("MODE=none\n")
    code, said, calls = halt.kill()
    assert (code, calls) == (0, [])
    assert said == ["kill power: nothing to do: nut.conf says MODE=none"]


@needs_nut
def test_51_the_stock_hook_passes_our_section_by(tmp_path: Path) -> None:
    halt = Halt(tmp_path)
    halt.layout = replace(halt.layout, stock_shutdown_hook=True)
    halt.configure(**SETTINGS)
    environment = {**os.environ, **halt.layout.nut_environment}
    command = [str(halt.layout.upsdrvctl), "shutdown"]  # what NUT's nutshutdown runs
    subprocess.run(command, env=environment, capture_output=True, check=False)
    assert not (tmp_path / "calls").exists()
    assert halt.kill()[2] == ["-a ups -k"]


@needs_nut
def test_52_a_driver_that_fails(tmp_path: Path) -> None:
    halt = Halt(tmp_path, "exit 1")
    halt.configure(**SETTINGS)
    code, said, calls = halt.kill()
    assert code == 1
    assert calls == ["-a ups -k"]
    assert said[-1].startswith("kill power: ups FAILED (status 1): ")


@needs_nut
def test_52_a_driver_that_hangs_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    halt = Halt(tmp_path, "exec sleep 1000")
    halt.configure(**SETTINGS)
    monkeypatch.setattr(module, "COMMAND_SECONDS", 0.5)
    code, said, _ = halt.kill()
    assert code == 1
    assert said[-1] == "kill power: ups FAILED (status -1): no end after 0.5 s"


@pytest.mark.scene("cuts")
def test_53_the_driver_alone_at_the_end_of_a_halt(facts: Facts) -> None:
    bare = facts["bare"]
    assert bare["code"] == 0, bare["said"]
    assert bare["wrote"] == ["0a 78 00 00 00", "09 3c 00 00 00"]  # 120 s, 60 s


@pytest.mark.scene("cuts")
def test_54_kill_beside_the_running_daemon(facts: Facts) -> None:
    beside = facts["beside"]
    assert beside["code"] == 0, beside["said"]
    assert beside["wrote"] == ["0a 78 00 00 00", "09 3c 00 00 00"]  # once, by one of the two


@pytest.mark.parametrize(
    ("given", "delays"),
    [
        ({}, ("60", "120")),
        ({"UPS_OFFDELAY": "90"}, ("90", "150")),
        ({"UPS_OFFDELAY": "30"}, ("30", "120")),
        ({"UPS_ONDELAY": "180"}, ("60", "180")),
        ({"UPS_OFFDELAY": "40", "UPS_ONDELAY": "41"}, ("40", "41")),
    ],
)
def test_55_generated_delays(given: dict[str, str], delays: tuple[str, str]) -> None:
    (ups,) = sections(text_of(plan(**SETTINGS, **given), "ups.conf"))
    assert (ups.keys["offdelay"], ups.keys["ondelay"]) == delays


@pytest.mark.parametrize(
    "given",
    [
        {"UPS_OFFDELAY": "60", "UPS_ONDELAY": "60"},
        {"UPS_ONDELAY": "60"},
        {"UPS_ONDELAY": "20"},
        {"UPS_OFFDELAY": "-1"},
        {"UPS_OFFDELAY": "1m"},
        {"UPS_POWEROFF_WAIT": "60"},
    ],
)
def test_55_delays_that_are_refused(given: dict[str, str]) -> None:
    assert plan(**SETTINGS, **given).problems


def test_55_without_kill_power_the_driver_keeps_its_own() -> None:
    (ups,) = sections(text_of(plan(UPS_DRIVER="usbhid-ups"), "ups.conf"))
    assert "offdelay" not in ups.keys
    assert "ondelay" not in ups.keys


@pytest.mark.scene("cuts")
def test_56_the_cut_and_the_return(facts: Facts) -> None:
    found = facts["mains_after_cut"]
    off, on = found["history"]["main"]
    assert (off["on"], on["on"]) == (False, True)
    # the UPS's own 60 s protect what is still being written; then the outlet waits for mains
    assert 40 <= off["at"] - found["before"] <= 90
    assert on["mains"]
    assert on["at"] - found["commanded"] >= 120


@pytest.mark.scene("cuts")
@pytest.mark.parametrize("moment", ["mains_before_kill", "mains_before_cut", "mains_after_cut"])
def test_57_the_host_is_never_left_off_with_mains(facts: Facts, moment: str) -> None:
    found = facts[moment]
    assert found["code"] == 0
    assert [entry["on"] for entry in found["history"]["main"]] == [False, True]


@pytest.mark.scene("cuts")
def test_57_without_mains_the_outlet_stays_off(facts: Facts) -> None:
    assert [entry["on"] for entry in facts["mains_never"]["history"]["main"]] == [False]


@pytest.mark.scene("cuts")
def test_58_a_device_that_ignores_the_command(facts: Facts) -> None:
    deaf = facts["deaf"]
    assert deaf["history"]["main"] == []  # it never cut
    assert deaf["rebooted"] == ["now"]
    assert deaf["said"][-1] == "kill power: rebooting if there is still power in 180 s"


@needs_nut
def test_58_the_wait_comes_last_and_is_bounded_in_a_late_hook(tmp_path: Path) -> None:
    halt = Halt(tmp_path)
    halt.configure(**SETTINGS, UPS_POWEROFF_WAIT="180")
    assert halt.kill(late=True, action="poweroff")[2] == ["-a ups -k", "reboot"]
    assert halt.slept[-1] == 80  # systemd ends its late hooks after 90 s


@needs_nut
def test_58_stages_of_a_sysv_halt(tmp_path: Path) -> None:
    halt = Halt(tmp_path)
    halt.configure(**SETTINGS, UPS_POWEROFF_WAIT="180")
    assert halt.kill(stage=Stage.COMMAND)[2] == ["-a ups -k"]
    assert halt.kill(stage=Stage.WAIT)[2] == ["-a ups -k", "reboot"]
    assert halt.slept[-1] == 180


@needs_nut
def test_59_two_sections_are_both_commanded(tmp_path: Path) -> None:
    halt = Halt(tmp_path)
    both = "[one]\ndriver = usbhid-ups\nport = auto\n[two]\ndriver = usbhid-ups\nport = auto\nsdorder = 1\n"
    halt.configure({"ups.conf": both}, UPS_KILL_POWER="yes", UPS_RUN_AS_USER="root")
    assert halt.kill()[2] == ["-a one -k", "-a two -k"]


@needs_nut
def test_network_drivers_are_not_commanded_in_a_late_hook(tmp_path: Path) -> None:
    halt = Halt(tmp_path)
    link = halt.layout.driver_links / "snmp-ups"
    settings = {**SETTINGS, "UPS_DRIVER": "snmp-ups", "UPS_DRIVER_PORT": "192.0.2.5"}
    halt.configure(**settings)
    link.unlink(missing_ok=True)
    link.symlink_to(halt.driver)
    assert halt.kill(late=True, action="poweroff")[2] == []
    assert halt.kill()[2] == ["-a ups -k"]


@needs_nut
def test_a_pid_that_belongs_to_another_process_now(tmp_path: Path) -> None:
    halt = Halt(tmp_path)
    halt.configure(**SETTINGS)
    halt.layout.upsmon_pid_file.write_text("1\n")
    assert halt.kill() == (0, ACCEPTED, ["-a ups -k"])
    assert not halt.layout.upsmon_pid_file.exists()


def test_without_a_note_nothing_is_killed(tmp_path: Path) -> None:
    halt = Halt(tmp_path)
    code, said, calls = halt.kill()
    assert (code, calls) == (0, [])
    assert said == ["kill power: nothing to do: no UPS is connected to this host"]
