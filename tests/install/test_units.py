"""The systemd units and the scripts, before and after they were installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.install.test_install import ROOT, make, settings

UNIT = ROOT / "systemd" / "usbhidups@.service"
SCRIPTS = (
    "systemd/system-shutdown/usbhidups",
    "init/late-killpower",
    "init/usbhidups",
    "init/openrc/usbhidups",
    "init/openrc/usbhidups-killpower",
)
MOST_EXPOSED = 2.0

needs_analyze = pytest.mark.skipif(
    not shutil.which("systemd-analyze"), reason="needs systemd-analyze"
)


@needs_analyze
def test_verify(tmp_path: Path) -> None:
    """The installed unit, whose program exists. Its manual page may not."""
    assert make("install", **settings(tmp_path)).returncode == 0
    unit = tmp_path / "usr/lib/systemd/system/usbhidups@.service"
    words = ["systemd-analyze", "verify", "--man=no", str(unit)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@needs_analyze
def test_exposure(tmp_path: Path) -> None:
    words = ["systemd-analyze", "security", "--offline=true", "--no-pager", str(UNIT)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    found = re.search(r"Overall exposure level .*: ([0-9.]+)", done.stdout)
    assert found, done.stdout + done.stderr
    assert float(found[1]) <= MOST_EXPOSED


def test_it_waits_for_nothing_and_never_gives_up() -> None:
    text = UNIT.read_text()
    assert "settle" not in re.sub(r"^#.*$", "", text, flags=re.MULTILINE)
    for line in ("Type=notify", "WatchdogSec=30s", "Restart=always", "StartLimitIntervalSec=0"):
        assert line in text.splitlines()


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="needs shellcheck")
@pytest.mark.parametrize("script", SCRIPTS)
def test_shellcheck(script: str) -> None:
    done = subprocess.run(
        ["shellcheck", ROOT / script], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.skipif(not shutil.which("busybox"), reason="needs busybox")
@pytest.mark.parametrize("script", SCRIPTS)
def test_busybox_can_read_it(script: str) -> None:
    subprocess.run(["busybox", "sh", "-n", ROOT / script], timeout=60, check=True)
