"""The command line of the appliance: what it prints, what it returns."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from usbhidups.appliance.upsd import WAIT

Facts = dict[str, Any]


@pytest.mark.scene("by_command")
def test_from_boot_to_disable(facts: Facts) -> None:
    assert facts["nothing"] == [0, "disabled\n", ""]
    assert facts["check"] == [0, "primary: ups@localhost\n", ""]
    assert facts["start"] == [0, "primary: ups@localhost\n", ""]
    assert facts["again"] == [0, "primary\n", ""]
    code, text, _ = facts["status"]
    status = json.loads(text)
    assert code == 1  # no UPS is attached
    assert (status["upsd"], status["upsmon"], status["drivers"]) == (True, True, ["ups"])
    assert status["trouble"] in ("DRIVER-NOT-CONNECTED", "DATA-STALE", WAIT)
    assert facts["restart"] == [0, "primary\n", ""]
    assert facts["same_password"]
    assert facts["apply"][0] == 0
    assert facts["new_password"]
    said = "kill power: nothing to do: no powerfail shutdown\n"
    assert facts["killpower"] == [0, "", said]
    assert facts["stop"] == [0, "", ""]
    left = " ".join(facts["processes_after_stop"])
    assert not any(name in left for name in ("/upsd", "/upsmon", "keep-driver", "usbhid-ups"))


@pytest.mark.scene("by_command")
def test_wrong_settings_are_one_line_each_and_disabling_is_clean(facts: Facts) -> None:
    code, _, errors = facts["refused"]
    assert code == 1
    assert [line.split(":")[:2] for line in errors.splitlines()] == [
        ["error", " UPS_DRIVER"],
        ["error", " UPS_OFFDELAY"],
    ]
    assert facts["disable"][0] == 0
    assert facts["files_after_disable"] == ["nut.conf"]
    assert facts["status_disabled"][0] == 0


def run(tmp_path: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    paths = {"USBHIDUPS_LAYOUT": "debian", "USBHIDUPS_RUNDIR": str(tmp_path / "run"), **environment}
    return subprocess.run(
        [sys.executable, "-m", "usbhidups", "appliance", *words],
        env={**os.environ, **paths},
        capture_output=True,
        text=True,
        check=False,
    )


def test_check_writes_nothing(tmp_path: Path) -> None:
    settings = tmp_path / "rc.conf"
    settings.write_text("UPS_DRIVER=netxml-ups\nUPS_DRIVER_PORT=$(id)\n")
    done = run(
        tmp_path, "check", USBHIDUPS_SETTINGS=str(settings), NUT_CONFPATH=str(tmp_path / "nut")
    )
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"error: {settings}:2: UPS_DRIVER_PORT: "
        "uses the shell's $; values are taken as written, never expanded",
        "error: UPS_DRIVER_PORT: netxml-ups needs the UPS's http:// address",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["rc.conf"]


@pytest.mark.parametrize("path", ["relative", "/a\nb", '/a"b'])
def test_strange_paths_are_refused(tmp_path: Path, path: str) -> None:
    done = run(tmp_path, "check", NUT_CONFPATH=path)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1


def test_unknown_layout(tmp_path: Path) -> None:
    done = run(tmp_path, "check", USBHIDUPS_LAYOUT="nonsense")
    assert (done.returncode, done.stderr) == (
        1,
        "usbhidups: no layout 'nonsense'; known are debian, astlinux\n",
    )


def test_a_note_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    for text in ("", "[]", '{"mode": 1}', "{"):
        (tmp_path / "run/active.json").write_text(text)
        done = run(tmp_path, "killpower")
        assert done.returncode == 1
        assert "active.json" in done.stderr
