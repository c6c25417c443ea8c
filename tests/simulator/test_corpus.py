"""Every recorded and described device, as the simulator serves it: byte for byte, and field for field."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from usbhidups.simulator.device import SimulatedDevice
from usbhidups.simulator.layout import Kind
from usbhidups.simulator.reports import extract
from usbhidups.simulator.transfers import Status
from usbhidups.usb import fixture

ROOT = Path(__file__).parents[2]
RECORDED = sorted((ROOT / "fixtures" / "hid-descriptors").glob("*.toml"))
SHARED = ROOT.parent / "shared" / "corpus"
CORPUS = [*sorted(SHARED.glob("*.toml")), *sorted((SHARED / "synthetic").glob("*.toml"))]


def serve_all(path: Path) -> SimulatedDevice:
    recorded = fixture.load(path)
    device = SimulatedDevice(recorded, speed=0.0, now=0.0)
    numbered = device.gadget.unit.layout.numbered
    for report_id, answer in recorded.feature.items():
        setup = bytes((0xA1, 1, report_id, 3, recorded.device.interface, 0, 0, 4))
        for now in (0.0, 60.0):
            reply = device.control(setup, b"", now)
            if isinstance(answer, bytes):
                assert reply.status is Status.OK, (path.name, report_id)
                assert reply.data == (answer if numbered else answer[1:]), (path.name, report_id)
            else:
                assert reply.status is not Status.OK or not reply.data, (path.name, report_id)
    return device


def outage(device: SimulatedDevice) -> None:
    """Mains fails, the battery runs out, mains returns, all orders of its timers are given: no crash."""
    for line in (
        "speed 60",
        "mains off",
        "test quick",
        "load 90",
        "mains 0.9",
        "test deep",
        "mains off",
    ):
        device.command(line, 60.0)
    for now in range(61, 600, 20):
        device.advance(float(now))
    assert not device.ups.main.on
    device.command("mains on", 700.0)
    unit = device.gadget.unit
    for kind, report_id in unit.reports.keys:
        if kind is Kind.FEATURE:
            data = bytes(len(unit.reports.read(kind, report_id)))
            unit.write(kind, report_id, data)
            unit.write(kind, report_id, b"\xff" * len(data))
    device.command("mains off", 800.0)
    device.command("mains on", 900.0)
    device.advance(1000.0)


@pytest.mark.skipif(not RECORDED, reason="no fixtures yet")
@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_fixtures(path: Path) -> None:
    device = serve_all(path)
    outage(device)


@pytest.mark.skipif(not CORPUS, reason="the corpus is not in this checkout")
def test_corpus() -> None:
    served = 0
    for path in CORPUS:
        recorded = fixture.load(path)
        if recorded.descriptor and recorded.complete:
            outage(serve_all(path))
            served += 1
    assert served > 700


@pytest.mark.skipif(not CORPUS, reason="the corpus is not in this checkout")
def test_fields_are_where_nut_saw_them() -> None:
    """``[seen]`` of the corpus is NUT's debug log: report id, offset, size, and for flags the value."""
    places = flags = 0
    for path in CORPUS:
        text = path.read_text()
        if "[seen" not in text:
            continue
        document = tomllib.loads(text)
        recorded = fixture.load(path)
        if not recorded.complete:
            continue
        layout = SimulatedDevice(recorded, now=0.0).gadget.unit.layout
        for seen in document.get("seen", {}).get("paths", ()):
            kind = Kind[seen["type"].upper()]
            slots = [
                slot
                for slot in layout.of_report(kind, int(seen["report_id"], 16))
                if (slot.offset, slot.size) == (seen["offset"], seen["size"])
            ]
            assert slots, (path.name, seen)
            answer = (recorded.feature if kind is Kind.FEATURE else recorded.input).get(
                slots[0].report_id
            )
            if isinstance(answer, bytes) and slots[0].size == 1 and layout.numbered:
                assert str(extract(answer[1:], slots[0])) == seen["value"], (path.name, seen)
                flags += 1
            places += 1
    assert places > 100
    assert flags > 10
