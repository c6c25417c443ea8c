"""The stand-in for libusb under pyusb and under NUT's driver: it has to mean what libusb means."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.standin import build
from tests.standin.driver import NUT, Driver
from usbhidups.simulator.simulator import Simulator
from usbhidups.usb.fixture import load

FIXTURE = load(
    Path(__file__).parents[2] / "fixtures/hid-descriptors/0764-0501-cyberpower-cp1500epfclcd.toml"
)
GET_REPORT = "device.ctrl_transfer(0xA1, 1, 0x0308, 0, 64, 1000)"

PRELUDE = """
import errno, json, os, socket
import usb.core, usb.util
def number(call, *arguments):
    try:
        call(*arguments)
    except usb.core.USBError as error:
        return error.errno
    return 0
def tell(line):
    with socket.socket(socket.AF_UNIX) as control:
        control.connect(os.environ["CONTROL"])
        control.sendall(line.encode() + b"\\n")
        control.recv(65536)
device = usb.core.find()
"""

Child = Callable[..., object]


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Simulator]:
    with Simulator([FIXTURE], speed=0, control=tmp_path / "control") as running:
        yield running


@pytest.fixture
def child(simulator: Simulator, tmp_path: Path) -> Child:
    """Run statements in a process with pyusb on the stand-in; what they leave in ``result`` comes back."""
    try:
        build.library()
    except build.Unavailable as reason:
        pytest.skip(str(reason))
    host, port = simulator.address

    def run(statements: str, **more: str) -> object:
        environment = build.environment([f"{host}:{port}/1-1"]) | more
        environment["CONTROL"] = str(tmp_path / "control")
        script = PRELUDE + textwrap.dedent(statements) + "\nprint(json.dumps(result))\n"
        process = subprocess.run(
            [sys.executable, "-c", script],
            env=environment,
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        )
        value: object = json.loads(process.stdout)
        return value

    return run


def test_descriptors_are_the_devices(child: Child) -> None:
    assert child(
        """
        interface = device[0][(0, 0)]
        result = [device.idVendor, device.idProduct, device.product, interface.bInterfaceClass,
                  [endpoint.bEndpointAddress for endpoint in interface],
                  bytes(interface.extra_descriptors)[:2].hex(),
                  device.port_numbers, device.bus]
        """
    ) == [0x0764, 0x0501, "CP1500EPFCLCD", 3, [0x81], "0921", [1], 250]


def test_a_report_comes_whole(child: Child) -> None:
    recorded = FIXTURE.feature[0x08]
    assert isinstance(recorded, bytes)
    assert (
        child(
            f"""
            device.detach_kernel_driver(0)
            result = bytes({GET_REPORT}).hex()
            """
        )
        == recorded.hex()
    )


def test_an_unknown_report_is_a_stall(child: Child) -> None:
    statements = """
        device.detach_kernel_driver(0)
        result = number(device.ctrl_transfer, 0xA1, 1, 0x03FE, 0, 64, 1000)
        """
    assert child(statements) == errno.EPIPE


def test_an_interface_of_the_kernel_cannot_be_claimed(child: Child) -> None:
    assert child(
        """
            result = [device.is_kernel_driver_active(0),
                          number(usb.util.claim_interface, device, 0),
                      number(device.detach_kernel_driver, 0), number(usb.util.claim_interface, device, 0),
                      number(device.attach_kernel_driver, 0), device.is_kernel_driver_active(0)]
            """
    ) == [True, errno.EBUSY, 0, 0, errno.EBUSY, False]


def test_there_may_be_no_kernel_driver(child: Child) -> None:
    assert child("result = device.is_kernel_driver_active(0)", STANDIN_KERNEL="none") is False


def test_a_silent_pipe_times_out_and_can_be_read_again(child: Child, simulator: Simulator) -> None:
    simulator.command("interrupt-dead")
    assert child(
        f"""
            device.detach_kernel_driver(0)
            result = [number(device.read, 0x81, 64, 50), number(device.read, 0x81, 64, 50), len({GET_REPORT})]
            """
    ) == [errno.ETIMEDOUT, errno.ETIMEDOUT, 6]


def test_an_interrupt_report_arrives(child: Child, simulator: Simulator) -> None:
    simulator.command("flood 20")
    report = child("device.detach_kernel_driver(0)\nresult = list(device.read(0x81, 64, 5000))")
    assert isinstance(report, list)
    assert report[0] in FIXTURE.input or report[0] in FIXTURE.feature


def test_too_much_is_an_overflow(child: Child) -> None:
    statements = """
        device.detach_kernel_driver(0)
        tell("overflow")
        result = number(device.ctrl_transfer, 0xA1, 1, 0x0308, 0, 2, 1000)
        """
    assert child(statements) == errno.EOVERFLOW


def test_unplugged_is_gone_and_comes_back_under_another_number(child: Child) -> None:
    statements = """
        device.detach_kernel_driver(0)
        first = device.address
        tell("disconnect")
        lost = number(device.ctrl_transfer, 0xA1, 1, 0x0308, 0, 64, 1000)
        away = usb.core.find()
        tell("reconnect")
        back = usb.core.find()
        result = [first, lost, away, back.address, back.is_kernel_driver_active(0)]
        """
    assert child(statements) == [1, errno.ENODEV, None, 2, True]


def test_nuts_driver_runs_on_it(simulator: Simulator, tmp_path: Path) -> None:
    if not NUT.exists():
        pytest.skip("nut-server is not installed")
    try:
        build.library()
    except build.Unavailable as reason:
        pytest.skip(str(reason))
    host, port = simulator.address
    with Driver(NUT, tmp_path, [f"{host}:{port}/1-1"]) as driver:
        state = driver.connect()
        state.good()
        assert state.dump().variables["ups.status"] == "OL"
