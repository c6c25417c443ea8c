"""Group A: enumeration, descriptors and identity."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.faults.catalogue import shows
from tests.faults.conftest import Make
from tests.faults.rig import fixture

CPS = "0764-0501-cyberpower-cp1500epfclcd"
EATON = "0463-ffff-eaton-3s"


@shows("A01", "the HID descriptor is empty and the report descriptor comes after 8 stray bytes, at the first"
       " two of three openings; no status is published before the descriptor makes sense")  # fmt: skip
def test_junk_before_the_descriptor(make: Make) -> None:
    rig = make(CPS, plugged=False)
    rig.do("reconnect")
    rig.fault("junk-descriptor", 8.0)
    rig.run(7.0)
    assert rig.history.statuses == []
    assert not rig.service.fresh
    rig.run(13.0)
    assert rig.status == "OL"


@shows("A01", "stray bytes for ever: no status at all, and the reason is published")
def test_junk_for_ever(make: Make) -> None:
    rig = make(CPS)
    rig.fault("junk-descriptor")
    rig.do("disconnect 1")
    rig.run(600.0)
    assert "OB" not in " ".join(rig.history.statuses)
    assert rig.status == "stale"
    assert "Power Device" in (rig.text("driver.state.reason") or "")


@shows(
    "A02",
    "asked, the HID descriptor tells a length of which the read stops short; the embedded one works",
)
def test_two_lengths(make: Make) -> None:
    rig = make(CPS)
    rig.fault("hid-length 4703")
    rig.do("disconnect 1")
    rig.run(20.0)
    assert rig.status == "OL"
    assert rig.text("battery.charge") == "100"


@shows(
    "A02", "the configuration tells a length that ends before PowerSummary; the longer one is taken"
)
def test_a_short_embedded_length(make: Make) -> None:
    rig = make(EATON)
    rig.fault("config-length 60")
    rig.do("disconnect 1")
    rig.run(20.0)
    assert rig.status == "OL"
    assert rig.text("battery.charge") is not None


@shows("A03", "the HID descriptor tells length 0 when asked")
def test_length_zero(make: Make) -> None:
    rig = make(CPS)
    rig.fault("hid-length 0")
    rig.do("disconnect 1")
    rig.run(20.0)
    assert rig.status == "OL"


@shows("A04", "the HID descriptor overflows and the report descriptor times out once")
def test_overflow_and_timeout(make: Make) -> None:
    rig = make(CPS)
    rig.fault("hid-long")
    rig.fault("descriptor-timeout times 1", 30.0)
    rig.do("disconnect 1")
    rig.run(25.0)
    assert rig.status == "OL"
    assert "permission" not in " ".join(said.reason for _, said in rig.history.said).lower()


@shows("A05", "a decoy HID interface 0 of 27 bytes, the UPS on interface 1")
def test_a_composite_device(make: Make) -> None:
    recorded = fixture(CPS)
    rig = make(replace(recorded, device=replace(recorded.device, interface=1, endpoint_in=0x82)))
    rig.run(10.0)
    assert rig.status == "OL"
    assert rig.text("battery.charge") == "100"
    rig.do("mains off")
    rig.run(3.0)
    assert rig.status == "OB DISCHRG"


@shows("A10", "the language table is nonsense; only 0x0409 answers")
def test_a_language_table_of_nonsense(make: Make) -> None:
    rig = make(CPS, plugged=False)
    rig.fault("strings-language")
    rig.do("reconnect")
    rig.run(20.0)
    assert rig.status == "OL"
    assert rig.text("ups.mfr") == "CPS"


@shows("A11", "after an hour strings are stalled for ever and the cable is pulled: the device is taken up"
       " again without them, its name stays")  # fmt: skip
def test_strings_that_are_lost(make: Make) -> None:
    rig = make(CPS)
    rig.run(10.0)
    name = rig.text("ups.model")
    rig.fault("strings-stall")
    rig.unplug(3.0)
    rig.run(10.0)
    assert rig.status == "OL"
    assert rig.text("ups.model") == name
    assert name


@shows("A12", "all strings are empty: asked for once, never again")
def test_empty_strings(make: Make) -> None:
    rig = make(EATON)
    rig.fault("strings-empty")
    rig.do("disconnect 1")
    rig.run(60.0)
    asked = _strings(rig)
    rig.run(600.0)
    assert rig.status == "OL"
    assert _strings(rig) == asked


@pytest.mark.parametrize("product", [0x0004, 0x7777])
@shows("A17", "an APC with a product id that nobody knows: everything standard works at once")
def test_an_unknown_product(make: Make, product: int) -> None:
    recorded = fixture("051d-0002-apc-back-ups-bk650m2-ch")
    rig = make(replace(recorded, device=replace(recorded.device, product_id=product)))
    rig.run(10.0)
    assert rig.status.startswith("OL")
    rig.do("mains off")
    rig.run(3.0)
    assert rig.status.startswith("OB")


def _strings(rig: object) -> int:
    entries = rig.device.gadget.log.entries  # type: ignore[attr-defined]  # a Rig
    return sum(1 for entry in entries if entry.what == "string")
