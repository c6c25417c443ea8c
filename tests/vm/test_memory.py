"""The memory of the driver on the way that an appliance takes: a hidraw node, without libusb."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path

from benchmarks.processes import memory
from tests.vm.bus import eventually, fixture, plugged_in, settle
from tests.vm.host import PATIENCE, driver, rules, state

UPS = fixture("0764-0501-cyberpower-cp1500epfclcd")
OURS = 14.0
"""Megabytes above a bare interpreter, at most; 12.2 were measured (docs/benchmarks.md)."""

BARE = "import sys; print(flush=True); sys.stdin.read()"


def test_memory_of_the_usual_way() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", BARE], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as bare:
        assert bare.stdout is not None
        bare.stdout.readline()
        interpreter = memory(bare.pid).resident
        bare.communicate()
    with rules(), plugged_in(UPS) as (_, (device,)):
        eventually(lambda: device.hidraw, "its hidraw node")
        settle()
        with driver() as process, closing(state()) as socket:
            socket.good(timeout=PATIENCE)
            socket.settled(quiet=2.0, timeout=PATIENCE)
            assert device.driver() == "usbhid"
            assert "libusb" not in Path(f"/proc/{process.pid}/maps").read_text()
            found = memory(process.pid).resident
    print(f"{found:.1f} MB, a bare interpreter {interpreter:.1f} MB")
    assert found - interpreter < OURS
