"""What several scenes do in the same way."""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import Any

from tests.appliance.stage import Stage

Facts = dict[str, Any]
SERVER = {
    "UPS_DRIVER": "usbhid-ups",
    "UPS_LISTEN_ALL": "yes",
    "UPS_MONITOR_PASS": "secret",
    "HOSTNAME": "attic",
}
POWERED = {**SERVER, "UPS_KILL_POWER": "yes"}


def again(stage: Stage) -> None:
    """The next boot after a shutdown, mains present."""
    stage.services.stop()
    (stage.base / "shutdowns").unlink(missing_ok=True)
    stage.status("OL")
    stage.start()
    stage.ready()


def nut_environment(stage: Stage) -> dict[str, str]:
    return {**os.environ, **stage.layout.nut_environment}


def text_of(stage: Stage, name: str) -> str:
    return (stage.layout.conf_dir / name).read_text()


def password_of(stage: Stage, user: str) -> str:
    match = re.search(rf'\[{user}\]\s+password = "?([^"\s]*)', text_of(stage, "upsd.users"))
    return match[1] if match else ""


def active_note(stage: Stage) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(stage.layout.active_file.read_text())
    return found


def upsc(stage: Stage) -> list[Any]:
    done = subprocess.run(
        [stage.layout.upsc, "ups@localhost"], capture_output=True, text=True, check=False
    )
    return [done.returncode, done.stderr.strip().splitlines()[-1]]
