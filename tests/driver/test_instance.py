"""Another instance of the driver: who it is by its PID file, and who it is not (failure G05)."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.driver_tools import DEADLINE, FIXTURES, running_driver
from usbhidups import instance

REPLAY = f"replay:{FIXTURES / '0764-0501-cyberpower-cp1500epfclcd.toml'}"


@pytest.mark.parametrize("content", ["{bystander}\n", "4194399\n", "", "none\n", "-1\n", "1\n"])
def test_a_pid_file_that_names_no_driver(content: str, tmp_path: Path) -> None:
    """A recycled PID, nobody's, none at all: the driver starts and harms nobody."""
    program = "import signal, sys; print(flush=True); signal.pause()"
    words = [sys.executable, "-c", program, "usbhidups-u"]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as bystander:
        try:
            assert bystander.stdout is not None
            bystander.stdout.readline()
            (tmp_path / "usbhidups-u.pid").write_text(content.format(bystander=bystander.pid))
            with running_driver(tmp_path, "u", REPLAY, "-F") as driver:
                driver.wait_for(lambda dump: dump.fresh)
                text = (tmp_path / "usbhidups-u.pid").read_text()
                assert text == f"{driver.process.pid}\n"
            assert bystander.poll() is None
        finally:
            bystander.kill()


def test_a_driver_that_hangs_is_found_by_its_pid_file(tmp_path: Path) -> None:
    with running_driver(tmp_path, "u", REPLAY, "-F") as first:
        first.wait_for(lambda dump: dump.fresh)
        first.process.send_signal(signal.SIGSTOP)
        first.path.unlink()
        pid_file = tmp_path / "usbhidups-u.pid"
        instance.make_room(first.path, pid_file, program="usbhidups", ups="u", patience=0.5)
        assert first.process.wait(DEADLINE) == -signal.SIGKILL
