"""The whole story, told by the programs themselves; and that no secret is in any of it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

import usbhidups.appliance

Facts = dict[str, Any]
PACKAGE = Path(usbhidups.appliance.__file__).parent


@pytest.mark.scene("story")
def test_from_an_empty_machine_to_the_return_of_the_mains(facts: Facts) -> None:
    assert facts["empty_machine"] == ["disabled", ["nut.conf"]]
    assert facts["start"] == facts["restart"] == []
    kinds = [line.split(" - ")[1].split(":")[0] for line in facts["events"]]
    # (a busy machine may start the driver so late that upsmon first misses it)
    main = [kind for kind in kinds if not kind.startswith("COMM")]
    assert (main[0], sorted(main[1:])) == ("START", ["LOWBATT", "ONBATT", "SHUTDOWN"])
    (follower, before), (primary, after) = facts["follower"], facts["shutdown"]
    assert follower == ["-h +0 now []"]
    assert primary == ["-h +0 now [upsmon-shutdown-file]"]
    assert before < after
    assert facts["kill"] == [
        0,
        ["kill power: commanding ups", "kill power: ups accepted the command"],
    ]
    off, on = facts["outlet"]
    assert (off["on"], on["on"]) == (False, True)
    assert 40 <= off["after"] <= 90
    assert on["mains"]
    assert not facts["flag_after_boot"]
    subjects = re.findall(r"^Subject: (.*)$", "\n".join(facts["mails"]), re.M)
    assert {subject.rpartition(": ")[2] for subject in subjects} >= {
        "Auto logout and shutdown proceeding",
        "UPS ups@localhost battery is low",
        "UPS ups@localhost on battery",
    }


@pytest.mark.scene("story")
def test_the_page_at_each_stage(facts: Facts) -> None:
    pages = facts["pages"]
    assert list(pages) == ["1-on-mains", "2-on-battery", "3-shutting-down", "4-mains-again"]
    for name, words in (
        ("1-on-mains", "On mains"),
        ("2-on-battery", "On battery, discharging"),
        ("3-shutting-down", "Shutting down, on battery"),
        ("4-mains-again", "On mains"),
    ):
        assert f'<p class="state">{words}' in pages[name]["fragment"]
        assert 'nut_up{ups="ups@localhost"} 1.0' in pages[name]["metrics"]


@pytest.mark.scene("story")
def test_no_secret_in_logs_processes_mails_or_page(facts: Facts) -> None:
    assert len(facts["secrets"]) == 2
    shown = [*facts["syslog"], *facts["processes"], *facts["mails"], *facts["events"]]
    shown += [text for page in facts["pages"].values() for text in page.values()]
    shown += [facts["said"], *facts["warnings"]]
    assert any("upsmon" in text for text in facts["processes"])
    for secret in facts["secrets"]:
        assert not [text for text in shown if secret in text]


@pytest.mark.scene("two_hosts")
def test_client_mode_against_another_host(facts: Facts) -> None:
    assert facts["follower"] == {
        "files": ["nut.conf", "upsmon.conf", "upssched.conf"],
        "server": False,  # UPS_LISTEN_ALL=yes is ignored
        "drivers": 0,  # and so is UPS_DRIVER
    }
    assert "CLIENT ups 198.51.100.2" in facts["clients"]


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="needs shellcheck")
def test_shell_scripts_are_clean(tmp_path: Path) -> None:
    scripts = [PACKAGE / "keep-driver.sh", *(PACKAGE / "integration").glob("*.sh")]
    scripts += (PACKAGE / "integration").glob("*.init")
    assert len(scripts) == 3
    subprocess.run(["shellcheck", *scripts], check=True)
    for script in scripts:
        subprocess.run(["busybox", "sh", "-n", script], check=True)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_units_are_accepted(tmp_path: Path) -> None:
    program = tmp_path / "usbhidups"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    units = list((PACKAGE / "integration").glob("*.service"))
    assert len(units) == 2
    for unit in units:
        text = unit.read_text().replace("/usr/bin/usbhidups", str(program))
        copy = tmp_path / unit.name
        copy.write_text(re.sub(r"^Documentation=.*\n", "", text, flags=re.M))
        done = subprocess.run(
            ["systemd-analyze", "verify", "--recursive-errors=no", copy],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
