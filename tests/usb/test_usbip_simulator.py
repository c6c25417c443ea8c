"""The USB/IP transport on the simulator: whole devices, and the faults of the catalogue's sections A to C."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from usbhidups.errors import DeviceBusy, DeviceGone, DeviceNotFound, TransferFailed, TransferKind
from usbhidups.simulator.simulator import Simulator
from usbhidups.usb.fixture import Failure, Fixture, OriginKind, load
from usbhidups.usb.transport import Transport
from usbhidups.usb.usbip import list_devices, open_usbip, parse_address

FOLDER = Path(__file__).parents[2] / "fixtures/hid-descriptors"
FIXTURES = [
    fixture
    for path in sorted(FOLDER.glob("*.toml"))
    if (fixture := load(path)).origin.kind is OriginKind.RECORDED
]
CPS = load(FOLDER / "0764-0501-cyberpower-cp1500epfclcd.toml")
RUNTIME = bytes.fromhex("0864983a2c01")
PATIENCE = 10.0

Open = Callable[[], Transport]


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator([CPS], speed=0) as running:
        yield running


@pytest.fixture
def opening(simulator: Simulator) -> Iterator[Open]:
    opened: list[Transport] = []

    def once() -> Transport:
        opened.append(open_usbip(parse_address(simulator.url())))
        return opened[-1]

    yield once
    for transport in opened:
        transport.close()


def settle(transport: Transport) -> None:
    """Take the input reports that a device sends when somebody begins to listen."""
    while transport.wait_input(0.05) is not None:
        pass


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda fixture: Path(fixture.where).stem)
def test_recorded_devices(fixture: Fixture) -> None:
    with Simulator([fixture], speed=0) as simulator:
        transport = open_usbip(parse_address(simulator.url()))
        facts, who = fixture.device, transport.identity
        assert (who.vendor_id, who.product_id) == (facts.vendor_id, facts.product_id)
        assert (who.manufacturer, who.product, who.serial) == (
            facts.manufacturer,
            facts.product,
            facts.serial,
        )
        assert transport.report_descriptor() == fixture.descriptor
        for index, text in facts.strings.items():
            assert transport.string(index) == text
        for report_id, answer in fixture.feature.items():
            if not isinstance(answer, Failure):
                assert transport.get_feature(report_id, len(answer)) == answer
        transport.close()


def test_what_is_exported(simulator: Simulator) -> None:
    host, port = simulator.address
    (device,) = list_devices(host, port)
    assert (device.busid, device.vendor_id, device.product_id) == ("1-1", 0x0764, 0x0501)
    assert device.interfaces == ((3, 0, 0),)


def test_no_such_device(simulator: Simulator) -> None:
    with pytest.raises(DeviceNotFound):
        open_usbip(parse_address(simulator.url("9-9")))


def test_a_device_is_imported_once(opening: Open) -> None:
    opening()
    with pytest.raises(DeviceBusy):
        opening()


def test_an_event_is_seen_while_waiting(simulator: Simulator, opening: Open) -> None:
    transport = opening()
    settle(transport)
    outage = threading.Timer(0.01, simulator.command, ["mains off"])
    outage.start()
    report = transport.wait_input(PATIENCE)
    outage.join()
    assert report is not None
    assert report[0] in (0x08, 0x0B)


def test_an_event_during_a_control_request_is_not_lost(simulator: Simulator, opening: Open) -> None:
    transport = opening()
    settle(transport)
    simulator.command("mains off")
    transport.get_feature(8, 6)
    assert transport.wait_input(PATIENCE) is not None


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("stall 08", TransferKind.STALL),
        ("timeout 08", TransferKind.TIMEOUT),
        ("empty 08", TransferKind.SHORT),
        ("io 08", TransferKind.IO),
        ("misnumber 08", TransferKind.IO),
        ("overflow", TransferKind.OVERFLOW),
        ("errors", TransferKind.IO),
        ("wedge", TransferKind.TIMEOUT),
    ],
)
def test_a_failed_report_and_its_recovery(
    simulator: Simulator, opening: Open, fault: str, kind: TransferKind
) -> None:
    transport = opening()
    simulator.command(f"fault {fault}")
    with pytest.raises(TransferFailed) as caught:
        transport.get_feature(8, 6, timeout=0.1)
    assert caught.value.kind is kind
    simulator.command("clear")
    assert transport.get_feature(8, 6) == RUNTIME


def test_short_and_long_reports(simulator: Simulator, opening: Open) -> None:
    transport = opening()
    simulator.command("fault short 08 2")
    assert transport.get_feature(8, 6) == RUNTIME[:2]
    simulator.command("clear")
    simulator.command("fault long 08 8")
    assert transport.get_feature(8, 6) == RUNTIME  # failure B04: asked again with room, and cut
    assert transport.get_feature(8, 6) == RUNTIME


@pytest.mark.parametrize(
    "fault",
    [
        "hid-empty",
        "hid-length 0",
        "hid-length 61939",
        "hid-long",
        "config-length 0",
        "config-length 100",
        "config-length 65000",
        "strings-language",
        "junk-descriptor times 1",
    ],
)
def test_descriptors_in_disorder(simulator: Simulator, opening: Open, fault: str) -> None:
    simulator.command(f"fault {fault}")
    transport = opening()
    assert transport.report_descriptor() == CPS.descriptor
    assert transport.identity.product == "CP1500EPFCLCD"


@pytest.mark.parametrize("fault", ["strings-stall", "strings-empty"])
def test_no_strings(simulator: Simulator, opening: Open, fault: str) -> None:
    simulator.command(f"fault {fault}")
    transport = opening()
    assert transport.identity.product is None
    assert transport.get_feature(8, 6) == RUNTIME


def test_a_halted_endpoint_is_cleared(simulator: Simulator, opening: Open) -> None:
    transport = opening()
    settle(transport)
    simulator.command("fault interrupt-stall")
    with pytest.raises(TransferFailed) as caught:
        transport.wait_input(PATIENCE)
    assert caught.value.kind is TransferKind.STALL
    simulator.command("clear")
    transport.clear_halt()
    settle(transport)
    simulator.command("mains off")
    assert transport.wait_input(PATIENCE) is not None


def test_writes_reach_the_device(simulator: Simulator, opening: Open) -> None:
    transport = opening()
    transport.set_feature(bytes.fromhex("07 50 05 0a 14 0a 64"))
    assert transport.get_feature(7, 7) == bytes.fromhex("07 50 05 0a 14 0a 64")
    simulator.command("fault refuse 07")
    with pytest.raises(TransferFailed) as caught:
        transport.set_feature(bytes.fromhex("07 50 05 0a 14 0a 64"))
    assert caught.value.kind is TransferKind.STALL


def test_lost_and_found(simulator: Simulator, opening: Open) -> None:
    transport = opening()
    simulator.command("disconnect")
    with pytest.raises(DeviceGone):
        transport.get_feature(8, 6)
    with pytest.raises(DeviceNotFound):
        opening()
    simulator.command("reconnect")
    assert opening().get_feature(8, 6) == RUNTIME


def test_nothing_is_left_by_connections(simulator: Simulator) -> None:
    address = parse_address(simulator.url())
    open_usbip(address).close()
    before = len(os.listdir("/proc/self/fd"))
    simulator.command("fault errors times 1")
    with pytest.raises(TransferFailed):
        open_usbip(address)
    for _ in range(20):
        open_usbip(address).close()
    after = len(os.listdir("/proc/self/fd"))
    assert (
        after - before < 10
    )  # the simulator in this process may close its last ones a little later
