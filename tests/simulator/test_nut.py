"""NUT's own usbhid-ups as the second opinion: what it reads from a simulated device is what was recorded.

The driver finds the device through the stand-in for libusb, so nothing of this host's USB is touched.
"""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.standin import build
from usbhidups.simulator.simulator import Simulator
from usbhidups.usb import fixture
from usbhidups.usb.fixture import Fixture

NUT = Path("/lib/nut/usbhid-ups")
ROOT = Path(__file__).parents[2]
RECORDED = ROOT / "fixtures" / "hid-descriptors"
CORPUS = ROOT.parent / "shared" / "corpus" / "synthetic"

pytestmark = [
    pytest.mark.nut,
    pytest.mark.skipif(not NUT.exists(), reason="needs the distribution's nut-server"),
]


def read_by_nut(
    simulator: Simulator, device: Fixture, folder: Path, *, updates: int
) -> dict[str, str]:
    """The variables that NUT's driver prints after so many updates."""
    host, port = simulator.address
    try:
        environment = build.environment([f"{host}:{port}/1-1"])
    except build.Unavailable as reason:
        pytest.skip(str(reason))
    options = (
        f"vendorid={device.device.vendor_id:04x}",
        f"productid={device.device.product_id:04x}",
    )
    words = [word for option in ("port=auto", "pollfreq=1", *options) for word in ("-x", option)]
    done = subprocess.run(
        [NUT, "-s", "bench", "-u", "root", "-i", "1", "-d", str(updates), *words],
        env=environment
        | {"NUT_STATEPATH": str(folder), "NUT_ALTPIDPATH": str(folder), "TZ": "UTC"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    found = dict(line.split(": ", 1) for line in done.stdout.splitlines() if ": " in line)
    assert "ups.status" in found, done.stderr
    return {name: value for name, value in found.items() if not name.startswith("driver.")}


@pytest.mark.skipif(not CORPUS.exists(), reason="the corpus is not in this checkout")
@pytest.mark.parametrize(
    "name",
    [
        "apc-plain-s1001",
        "cps-rich-s1",
        "mge-plain-s1001",
        "tripplite-plain-s1001",
        "liebert-plain-s1001",
    ],
)
def test_nut_reads_what_it_read_from_a_kernels_usb(name: str, tmp_path: Path) -> None:
    path = CORPUS / f"{name}.toml"
    document = tomllib.loads(path.read_text())
    evidence = document["published"] | document.get("published_280", {})
    device = fixture.load(path)
    with Simulator([device], speed=0) as simulator:
        assert read_by_nut(simulator, device, tmp_path, updates=4) == evidence["variables"]
        assert simulator.devices["1-1"].gadget.log.unknown == set()


@pytest.mark.parametrize(
    "name", ["051d-0002-apc-back-ups-cs-500", "0764-0501-cyberpower-cp1500epfclcd"]
)
def test_nut_sees_mains_fail_and_return(name: str, tmp_path: Path) -> None:
    path = RECORDED / f"{name}.toml"
    if not path.exists():
        pytest.skip(f"{name} is not among the fixtures")
    device = fixture.load(path)
    with Simulator([device]) as simulator:
        words = read_by_nut(simulator, device, tmp_path, updates=2)["ups.status"].split()
        assert "OL" in words
        simulator.command("mains off")
        words = read_by_nut(simulator, device, tmp_path, updates=2)["ups.status"].split()
        assert words == ["OB", "DISCHRG"]
        simulator.command("charge 5")
        words = read_by_nut(simulator, device, tmp_path, updates=2)["ups.status"].split()
        assert words == ["OB", "DISCHRG", "LB"]
        simulator.command("mains on")
        words = read_by_nut(simulator, device, tmp_path, updates=2)["ups.status"].split()
        assert "OL" in words
        assert "CHRG" in words
