"""The guest itself: what every other test of this folder takes for granted."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.vm.kernel import MODULES


def test_the_kernel_is_the_distributions_with_usb() -> None:
    loaded = {line.split()[0] for line in Path("/proc/modules").read_text().splitlines()}
    assert {name.replace("-", "_") for name in MODULES} <= loaded


def test_udevd_is_at_work() -> None:
    subprocess.run(["udevadm", "settle", "--timeout=10"], check=True)
    subprocess.run(["udevadm", "control", "--ping"], check=True)
    assert os.path.exists("/run/udev/control")
