"""The libusb transport through the real pyusb, on a stand-in for libusb whose bus is the simulator.

A kernel's own USB is in tests/vm; here are the same calls without root, each in a process of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.standin import build
from usbhidups.simulator.simulator import Simulator
from usbhidups.usb.fixture import load

CPS = load(
    Path(__file__).parents[2] / "fixtures/hid-descriptors/0764-0501-cyberpower-cp1500epfclcd.toml"
)

PRELUDE = """
import json, os, socket, threading
from usbhidups.errors import *
from usbhidups.usb.ports import make_port
def tell(line):
    with socket.socket(socket.AF_UNIX) as control:
        control.connect(os.environ["CONTROL"])
        control.sendall(line.encode() + b"\\n")
        control.recv(65536)
def kind(call, *arguments, **more):
    try:
        call(*arguments, **more)
    except TransferFailed as error:
        return error.kind.value
    except UsbHidUpsError as error:
        return type(error).__name__
port = make_port("auto", maybe=lambda vendor, product: True, transport="libusb")
"""

Child = Callable[..., object]


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Child]:
    """Run statements in a process on the stand-in; what they leave in ``result`` comes back."""
    try:
        build.library()
    except build.Unavailable as reason:
        pytest.skip(str(reason))
    with Simulator([CPS, CPS], speed=0, control=tmp_path / "control") as simulator:
        host, number = simulator.address

        def run(statements: str, *, devices: int = 1, **more: str) -> object:
            urls = [f"{host}:{number}/1-{each}" for each in range(1, devices + 1)]
            script = PRELUDE + textwrap.dedent(statements) + "\nprint(json.dumps(result))\n"
            process = subprocess.run(
                [sys.executable, "-W", "error", "-c", script],
                env=build.environment(urls) | {"CONTROL": str(tmp_path / "control")} | more,
                check=True,
                capture_output=True,
                text=True,
                timeout=60,
            )
            value: object = json.loads(process.stdout)
            return value

        yield run


def test_reading_and_writing(child: Child) -> None:
    assert child(
        """
        transport = port.open()
        result = [
            transport.identity.product,
            transport.report_descriptor().hex(),
            transport.get_feature(8, 6).hex(),
            transport.get_feature(8, 6).hex(),
            transport.string(1),
        ]
        transport.set_feature(bytes.fromhex("0750050a140a64"))
        result.append(transport.get_feature(7, 7).hex())
        transport.close()
        """
    ) == [
        "CP1500EPFCLCD",
        CPS.descriptor.hex(),
        "0864983a2c01",
        "0864983a2c01",
        "CPS",
        "0750050a140a64",
    ]


def test_the_kernels_driver_is_taken_away_and_given_back(child: Child) -> None:
    assert child(
        """
        from usbhidups.usb.libusb import Libusb
        libusb = Libusb()
        def bound():
            pipe = libusb.open_listed(libusb.listed()[0])
            active = libusb.backend().is_kernel_driver_active(pipe._handle, 0)
            pipe.close()
            return active
        result = [bound()]
        transport = port.open()
        result.append(bound())
        transport.close()
        result.append(bound())
        """
    ) == [True, False, True]


def test_a_device_without_kernel_driver(child: Child) -> None:
    assert child(
        """
        from usbhidups.usb.libusb import Libusb
        libusb = Libusb()
        pipe = libusb.open_listed(libusb.listed()[0])
        result = [libusb.backend().is_kernel_driver_active(pipe._handle, 0)]
        pipe.close()
        transport = port.open()
        result.append(transport.get_feature(8, 6).hex())
        transport.close()
        """,
        STANDIN_KERNEL="none",
    ) == [False, "0864983a2c01"]


def test_failures(child: Child) -> None:
    assert child(
        """
        transport = port.open()
        result = []
        for fault in ("stall 08", "timeout 08", "empty 08", "overflow"):
            tell(f"1-1 fault {fault}")
            result.append(kind(transport.get_feature, 8, 6, timeout=0.1))
            tell("1-1 clear")
        tell("1-1 fault long 08 8")
        result.append(transport.get_feature(8, 6).hex())
        transport.close()
        """
    ) == ["stall", "timeout", "short", "overflow", "0864983a2c01"]


def test_input_reports_and_calls(child: Child) -> None:
    assert child(
        """
        transport = port.open()
        while transport.wait_input(0.05):
            pass
        outage = threading.Timer(0.01, tell, ["1-1 mains off"])
        outage.start()
        result = [transport.wait_input(10)[0] in (8, 11)]
        outage.join()
        while transport.wait_input(0.05):
            pass
        transport.interrupt()
        result.append(transport.wait_input(1000))
        transport.close()
        """
    ) == [True, None]


def test_a_call_ends_a_long_wait_and_loses_nothing(child: Child) -> None:
    assert child(
        """
        transport = port.open()
        while transport.wait_input(0.05):
            pass
        caller = threading.Timer(0.01, transport.interrupt)
        caller.start()
        result = [transport.wait_input(1000)]
        caller.join()
        tell("1-1 mains off")
        transport.interrupt()
        report = transport.wait_input(1000) or transport.wait_input(1000)
        result.append(report[0] in (8, 11))
        transport.close()
        """
    ) == [None, True]


def test_reports_come_in_order_while_other_things_are_asked(child: Child) -> None:
    assert (
        child(
            """
        transport = port.open()
        while transport.wait_input(0.05):
            pass
        result = []
        for mains in ("off", "on") * 3:
            tell(f"1-1 mains {mains}")
            result.append(transport.get_feature(8, 6)[0])
            while (report := transport.wait_input(10))[0] != 11:
                pass
            result.append(bool(report[1] & 1))  # ACPresent
            while transport.wait_input(0.05):
                pass
        transport.close()
        """
        )
        == [8, False, 8, True] * 3
    )


def test_an_endpoint_that_stalls_is_cleared_and_read_again(child: Child) -> None:
    assert child(
        """
        transport = port.open()
        tell("1-1 fault interrupt-stall")
        result = [kind(transport.wait_input, 10)]
        tell("1-1 clear")
        transport.clear_halt()
        tell("1-1 mains off")
        result.append(transport.wait_input(10)[0] in (8, 11))
        transport.clear_halt()
        transport.reset()
        tell("1-1 mains on")
        result.append(transport.wait_input(10)[0] in (8, 11))
        transport.close()
        """
    ) == ["stall", True, True]


def test_a_device_that_leaves_ends_the_wait(child: Child) -> None:
    assert child(
        """
        transport = port.open()
        while transport.wait_input(0.05):
            pass
        leaving = threading.Timer(0.01, tell, ["1-1 disconnect"])
        leaving.start()
        result = [kind(transport.wait_input, 1000)]
        leaving.join()
        transport.close()
        """
    ) == ["DeviceGone"]


def test_lost_and_found_without_a_trace(child: Child) -> None:
    assert child(
        """
        transport = port.open()
        tell("1-1 disconnect")
        result = [kind(transport.get_feature, 8, 6), kind(transport.get_feature, 8, 6)]
        transport.close()
        result.append(kind(port.open))
        tell("1-1 reconnect")
        transport = port.open()
        result.append(transport.get_feature(8, 6).hex())
        transport.close()
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(20):
            port.open().close()
        result.append(len(os.listdir("/proc/self/fd")) - before)
        """
    ) == ["DeviceGone", "DeviceGone", "DeviceNotFound", "0864983a2c01", 0]


def test_two_twins_are_refused_and_told_apart(child: Child) -> None:
    assert child(
        """
        class At:
            def __init__(self, address):
                self.address = address
            def mismatches(self, identity, *, strings=True):
                return () if identity.address == self.address else ("another",)
        result = [kind(port.open)]
        from usbhidups.usb.libusb import Libusb
        for listed in sorted(Libusb().listed(), key=lambda each: each.address):
            one = make_port("auto", maybe=lambda *_: True, transport="libusb", match=At(listed.address))
            transport = one.open()
            result.append(transport.identity.address == listed.address)
            transport.close()
        """,
        devices=2,
    ) == ["DeviceNotFound", True, True]
