"""Hostile devices: what they say is bounded and escaped, and believed of nobody but the one who said it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.faults.catalogue import shows
from tests.faults.conftest import Make
from tests.faults.rig import fixture
from usbhidups.nut.store import MAX_LINE
from usbhidups.simulator.device import SimulatedDevice

CPS = "0764-0501-cyberpower-cp1500epfclcd"
EATON = "0463-ffff-eaton-3s"

NASTY = (
    'UPS "1500" \\ # \x1b[31mred',
    'x\nSETINFO ups.status "OB LB"\nDATAOK',
    "\x9b2J\x00\r\u2028\u202e",
    "\u0416\u20ac\ud7ff" * 40,
    '"' * 126,
    "\\" * 126,
)


@pytest.mark.parametrize(
    "text", NASTY, ids=["quotes", "line", "controls", "wide", "all quotes", "all escapes"]
)
@shows("G03", "names with quotes, line ends, escape sequences and NULs: every line of the socket is whole,"
       " bounded and printable, and none of them says more than its variable")  # fmt: skip
def test_names_that_are_none(make: Make, text: str) -> None:
    recorded = fixture(EATON)
    strings = dict.fromkeys(range(1, 10), text)
    device = replace(recorded.device, manufacturer=text, product=text, serial=text, strings=strings)
    rig = make(replace(recorded, device=device))
    rig.run(60.0)
    assert rig.status == "OL"
    lines = rig.service.store.dump().split(b"\n")[:-1]
    assert all(len(line) < MAX_LINE for line in lines)
    assert all(32 <= byte < 127 for line in lines for byte in line)
    assert {line.split(b" ")[0] for line in lines} <= {
        b"SETINFO", b"SETFLAGS", b"SETAUX", b"ADDENUM", b"ADDRANGE", b"ADDCMD", b"DATAOK", b"DUMPDONE",
    }  # fmt: skip
    assert sum(line.startswith(b"SETINFO ups.status ") for line in lines) == 1


def test_another_descriptor_at_the_same_place(make: Make) -> None:
    """With other fields it is read anew, and nothing old is published of it."""
    rig = make(CPS)
    rig.run(60.0)
    assert rig.text("input.transfer.low") is not None
    other = fixture("2e8a-0005-pico-hid-ups")
    same_ids = replace(other, device=replace(other.device, vendor_id=0x0764, product_id=0x0501))
    rig.unplug(30.0)
    rig.run(20.0)
    rig.device = SimulatedDevice(same_ids, now=rig.clock.now)
    rig.run(60.0)
    assert rig.status.startswith("OL")
    assert rig.text("ups.mfr.date") is not None
    assert rig.text("input.transfer.low") is None
    rig.do("mains off")
    rig.run(5.0)
    assert rig.status.startswith("OB")
