"""The whole appliance once, from an empty machine to the return of the mains.

Our driver on a simulated UPS, the generated files, the real upsd and upsmon, a second host with an upsmon
of its own, a stub for sendmail, the status page in a process of its own. As a scene it returns facts; run
by itself

    python -m tests.appliance.whole_story DIRECTORY

it also tells the story and leaves pictures of the page in DIRECTORY (needs chromium).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.appliance.follower import FOLLOWER_PASSWORD
from tests.appliance.stage import REPOSITORY, Stage, perform, why_no_stage
from usbhidups.simulator.simulator import Simulator
from usbhidups.usb import fixture

FIXTURE = REPOSITORY / "fixtures/hid-descriptors/0764-0501-cyberpower-cp1500epfclcd.toml"
PICTURES = "STORY_PICTURES"
BROWSER = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
]
WIDTHS = {"desktop": "1200,1000", "phone": "500,1500"}

PASSWORD = "between-hosts-1"
SETTINGS = {
    "UPS_DRIVER": "usbhid-ups",
    "UPS_LISTEN_ALL": "yes",
    "UPS_MONITOR_PASS": PASSWORD,
    "UPS_NOTIFY": "one@example.org two@example.org",
    "UPS_NOTIFY_FROM": "UPS <ups@example.org>",
    "UPS_KILL_POWER": "yes",
    "HOSTNAME": "attic",
}


def play(stage: Stage) -> dict[str, Any]:
    if os.environ.get(PICTURES):  # time for a picture before upsmon ends
        stage.timing = replace(stage.timing, final_delay=20)
    with Simulator([fixture.load(FIXTURE)]) as simulator, stage.second_host("follower") as there:
        return _Story(stage, simulator).tell(there)


class _Story:
    def __init__(self, stage: Stage, simulator: Simulator) -> None:
        self.stage = stage
        self.simulator = simulator
        self.facts: dict[str, Any] = {"pages": {}}
        self.page = ""

    def tell(self, there: list[str]) -> dict[str, Any]:
        stage, facts = self.stage, self.facts
        stage.settings(UPS_MONITOR_PASS=PASSWORD)
        facts["empty_machine"] = [stage.generate().plan.mode.value, self._files()]
        stage.settings(**SETTINGS)
        facts["warnings"] = list(stage.generate().plan.warnings)
        facts["files"] = self._files()
        stage.use_real_driver(self.simulator.url("1-1"))
        self.say("settings checked, NUT's files generated")
        self.simulator.command("load 23")
        facts["start"] = stage.start()
        stage.until(lambda: stage.variable("ups.status").startswith("OL"), "our driver's data")
        stage.until(lambda: stage.logins() == 1, "upsmon")
        web = self._start_web()
        follower = subprocess.Popen(
            [*there, sys.executable, "-m", "tests.appliance.follower", "/run/follower"],
            cwd=REPOSITORY,
            env={**os.environ, FOLLOWER_PASSWORD: PASSWORD},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            self._outage(follower)
            self._return()
        finally:
            for process in (web, follower):
                process.terminate()
                process.communicate()
        facts["mails"] = stage.mails()
        facts["syslog"] = stage.lines("syslog")
        facts["secrets"] = re.findall(
            r'password = "([^"]+)"', (stage.layout.conf_dir / "upsd.users").read_text()
        )
        return facts

    def _outage(self, follower: subprocess.Popen[str]) -> None:
        stage, facts = self.stage, self.facts
        stage.until(lambda: stage.logins() == 2, "the second host's login")
        self.look("1-on-mains", "2 clients logged in")
        self.say("a second host has logged in")
        shown = json.loads(self._get("status.json"))["ups"][0]
        facts["variables"], facts["description"] = shown["variables"], shown["description"]
        facts["serial"] = shown["variables"].get("ups.serial")
        self.simulator.command("runtime 600")
        self.simulator.command("mains off")
        stage.wait_event("ONBATT")
        self.look("2-on-battery", "On battery")
        self.say("mains failed")
        facts["processes"] = stage.processes()
        self.simulator.command("charge 12")
        self.simulator.command("runtime 900")
        stage.until(lambda: "FSD" in stage.variable("ups.status"), "FSD")
        self.look("3-shutting-down", "hutting down")
        self.say("battery low: FSD is set")
        facts["follower"] = _answer(follower, "shutdown")
        stage.wait_shutdown()
        facts["shutdown"] = [stage.shutdowns(), stage.shutdown_time()]
        stage.wait_event("SHUTDOWN")
        stage.until(lambda: len(stage.mails()) >= 6, "mails")
        self.say("the second host has shut down, then this one's shutdown command ran")
        facts["events"] = stage.lines("ups-status.log")

    def _return(self) -> None:
        """The halt's kill step; a minute later the cut; mains; the outlet comes back; the next boot."""
        stage, facts = self.stage, self.facts
        begun = self._ups_time()
        facts["kill"] = stage.kill_power()
        self.say("kill power: the UPS has its orders")
        self.simulator.command("speed 400")
        stage.until(lambda: self._ups_time() > begun + 150, "the cut")
        self.simulator.command("mains on")
        stage.until(lambda: self._ups_time() > begun + 400, "the return")
        self.simulator.command("speed 1")
        history = self.simulator.command("history")
        facts["outlet"] = [
            {**entry, "after": entry["at"] - begun}
            for entry in (history["main"] if isinstance(history, dict) else [])
        ]
        self.say(f"outlet: {facts['outlet']}")
        facts["restart"] = stage.start()
        self.simulator.command("charge 60")
        stage.until(lambda: stage.variable("ups.status").startswith("OL"), "mains again")
        stage.until(lambda: stage.logins() == 1, "upsmon again")
        self.look("4-mains-again", "On mains")
        again = json.loads(self._get("status.json"))["ups"][0]["variables"]
        facts["serial_after_restart"] = again.get("ups.serial")
        facts["flag_after_boot"] = stage.layout.flag_file.exists()

    def _ups_time(self) -> float:
        state = self.simulator.command("state")
        return float(state["time"]) if isinstance(state, dict) else 0.0

    def _files(self) -> list[str]:
        return sorted(path.name for path in self.stage.layout.conf_dir.iterdir())

    def _start_web(self) -> subprocess.Popen[str]:
        command = [
            sys.executable,
            "-m",
            "usbhidups",
            "web",
            "--interval",
            "1",
            "--listen",
            "127.0.0.1:0",
        ]
        web = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
        self.page = web.stdout.readline().strip() if web.stdout else ""
        return web

    def look(self, name: str, wanted: str) -> None:
        """Wait until the page says so; keep it, and its picture if pictures are wanted."""
        self.stage.until(lambda: wanted in self._get("fragment"), f"{wanted!r} on the page")
        paths = ("", "fragment", "status.json", "metrics")
        self.facts["pages"][name] = {path or "page": self._get(path) for path in paths}
        if directory := os.environ.get(PICTURES):
            for width, size in WIDTHS.items():
                picture(self.page, Path(directory) / f"{name}-{width}.png", size)

    def _get(self, path: str) -> str:
        with urllib.request.urlopen(self.page + path, timeout=10) as answer:  # noqa: S310
            text: str = answer.read().decode()
            return text

    def say(self, text: str) -> None:
        print(f"* {text}\n    events: {' '.join(self.stage.events())}", flush=True)


def picture(url: str, path: Path, size: str) -> None:
    """What Debian's Chromium makes of a page."""
    with tempfile.TemporaryDirectory() as profile:
        command = ["chromium", *BROWSER, f"--user-data-dir={profile}", f"--window-size={size}"]
        subprocess.run(
            [*command, f"--screenshot={path}", url],
            check=True,
            timeout=60,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def _answer(process: subprocess.Popen[str], question: str) -> Any:
    if process.stdin is None or process.stdout is None:
        raise AssertionError("no pipes")
    process.stdin.write(question + "\n")
    process.stdin.flush()
    return json.loads(process.stdout.readline())


def main(directory: Path) -> int:
    if reason := why_no_stage() or ("" if shutil.which("chromium") else "needs chromium"):
        print(reason, file=sys.stderr)
        return 1
    directory.mkdir(parents=True, exist_ok=True)
    os.environ[PICTURES] = str(directory.resolve())
    code = perform("story", directory.resolve()).wait()
    print((directory / "story.log").read_text())
    return code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
