"""The second machine of ``two_hosts``: follows 198.51.100.1 with files of the same generator.

Reads one question per line and answers with one line of JSON; ends with its input.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.appliance.stage import Stage, reaches

FOLLOWER_PASSWORD = "FOLLOWER_PASSWORD"
"""The environment variable with the account's password: an argument could be seen by everyone."""


def main(base: Path) -> int:
    stage = Stage(base)
    stage.layout = replace(stage.layout, run_dir=base / "run")
    stage.boot(
        UPS_MONITOR_HOST="ups@198.51.100.1",
        UPS_MONITOR_PASS=os.environ.get(FOLLOWER_PASSWORD, "secret"),
        UPS_LISTEN_ALL="yes",
        UPS_KILL_POWER="yes",
        UPS_DRIVER="usbhid-ups",
    )
    for line in sys.stdin:
        print(json.dumps(answer(stage, line.strip())), flush=True)
    stage.services.stop()
    return 0


def answer(stage: Stage, question: str) -> Any:
    if question == "state":
        files = sorted(path.name for path in stage.layout.conf_dir.iterdir())
        names = [words.split(" ")[0].rpartition("/")[2] for words in stage.processes()]
        return {
            "files": files,
            "server": reaches("127.0.0.1"),
            "drivers": names.count("usbhid-ups"),
        }
    if question == "shutdown":
        stage.wait_shutdown()
        return [stage.shutdowns(), stage.shutdown_time()]
    if question == "kill":
        stage.layout.flag_file.parent.mkdir(exist_ok=True)
        stage.layout.flag_file.write_text("upsmon-shutdown-file")
        return [*stage.kill_power(), stage.calls()]
    if question == "restart":
        (stage.base / "shutdowns").unlink()
        (stage.base / "shutdown-times").unlink()
        stage.services.stop()
        return stage.start()
    if question == "nocomm":
        stage.wait_event("NOCOMM")
        return [stage.events(), stage.shutdowns()]
    if question == "onbatt":
        stage.wait_event("ONBATT")
        return stage.events()
    raise ValueError(question)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
