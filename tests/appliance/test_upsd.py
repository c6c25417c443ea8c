"""The appliance's questions to a real upsd."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

from tests.nut_tools import needs_nut, running_upsd
from usbhidups.appliance.upsd import WAIT, UpsdClient
from usbhidups.errors import ServerRefused


def _variables(port: int) -> dict[str, str] | str:
    """What upsd says of ``dev``, or why it says nothing."""
    with UpsdClient("127.0.0.1", port, seconds=20) as client:
        try:
            return client.variables("dev")
        except ServerRefused as error:
            return error.reason


@needs_nut
def test_without_a_status_nothing_is_known_whatever_upsd_says(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir(mode=0o770)
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket(socket.AF_UNIX))
        listener.bind(str(tmp_path / "run/usbhidups-dev"))
        listener.listen()
        listener.settimeout(20)
        upsd = stack.enter_context(running_upsd(tmp_path, ["dev"]))
        driver = stack.enter_context(listener.accept()[0])
        done = upsd.run("upsc", upsd.address("dev"))
        # upsd finds nothing wrong
        assert (done.returncode, done.stdout) == (0, "ups.status: WAIT\n")
        assert _variables(upsd.port) == WAIT

        driver.sendall(b'SETINFO battery.charge "100"\n')
        upsd.wait_for(lambda: "battery.charge" in upsd.upsc("dev"))
        assert _variables(upsd.port) == WAIT

        driver.sendall(b'SETINFO ups.status "OL"\nDUMPDONE\nDATAOK\n')
        upsd.wait_for(lambda: upsd.upsc("dev").get("ups.status") == "OL")
        assert _variables(upsd.port) == {"battery.charge": "100", "ups.status": "OL"}

        driver.sendall(b"DATASTALE\n")
        upsd.wait_for(lambda: not upsd.upsc("dev"))
        assert _variables(upsd.port) == "DATA-STALE"


@needs_nut
def test_upsds_own_refusals_come_through(tmp_path: Path) -> None:
    with running_upsd(tmp_path, ["other"]) as upsd:
        assert _variables(upsd.port) == "UNKNOWN-UPS"
    with running_upsd(tmp_path, ["dev"]) as upsd:
        assert _variables(upsd.port) == "DRIVER-NOT-CONNECTED"
