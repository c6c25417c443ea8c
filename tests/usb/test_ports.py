"""What ``port`` and ``transport`` of ups.conf mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.usb.pipes import Clock
from usbhidups.errors import ConfigError, DeviceGone, DeviceNotFound, FixtureError
from usbhidups.identity import Identity
from usbhidups.simulator.simulator import Simulator
from usbhidups.usb.fixture import load
from usbhidups.usb.handle_transport import Choice
from usbhidups.usb.libusb import Libusb
from usbhidups.usb.local import Host, LocalPort
from usbhidups.usb.ports import make_port, open_port

FIXTURE = (
    Path(__file__).parents[2] / "fixtures/hid-descriptors/0764-0501-cyberpower-cp1500epfclcd.toml"
)


def never(vendor_id: int, product_id: int) -> bool:
    return False


class OnlyApc:
    def mismatches(self, identity: Identity, *, strings: bool = True) -> Sequence[str]:
        return () if identity.vendor_id == 0x051D else ("vendorid '0764' is not '051d'",)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator([load(FIXTURE)], speed=0) as running:
        yield running


def test_a_recording(tmp_path: Path) -> None:
    played = tmp_path / "ups.toml"
    played.write_text(
        FIXTURE.read_text()
        + "\n[[timeline]]\nat = 1\nevent = 'disconnect'\n[[timeline]]\nat = 2\nevent = 'reconnect'\n"
    )
    clock = Clock()
    port = make_port(f"replay:{played}", maybe=never, clock=clock)
    transport = port.open()
    assert transport.identity.port_path == f"replay:{played}"
    assert transport.get_feature(8, 6) == bytes.fromhex("0864983a2c01")
    clock.now += 1
    with pytest.raises(DeviceGone):
        transport.get_feature(8, 6)
    with pytest.raises(DeviceNotFound):
        port.open()
    clock.now += 1
    port.open().close()  # the same device, an hour older
    port.close()


def test_a_recording_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(FixtureError, match="No such file"):
        make_port(f"replay:{tmp_path}/none.toml", maybe=never)


def test_an_exported_device(simulator: Simulator) -> None:
    port = make_port(simulator.url(), maybe=never)
    for _ in range(2):  # opened again and again
        transport = port.open()
        assert transport.identity.port_path == simulator.url()
        assert transport.get_feature(8, 6) == bytes.fromhex("0864983a2c01")
        transport.close()
    port.close()


def test_the_criteria_count_there_too(simulator: Simulator) -> None:
    with pytest.raises(DeviceNotFound, match="vendorid '0764' is not '051d'"):
        open_port(simulator.url(), maybe=never, match=OnlyApc())
    with pytest.raises(DeviceNotFound, match="vendorid"):
        open_port(f"replay:{FIXTURE}", maybe=never, match=OnlyApc())


def test_choices_made_by_hand(simulator: Simulator) -> None:
    transport = open_port(simulator.url(), maybe=never, choice=Choice(endpoint_in=0x85))
    assert transport.identity.endpoint_in == 0x85
    transport.close()


def test_a_bad_address() -> None:
    with pytest.raises(ConfigError) as caught:
        make_port("usbip://", maybe=never)
    assert caught.value.key == "port"


def test_local_devices(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    host = Host(sysfs=tmp_path, dev=tmp_path)
    (tmp_path / "bus/usb/devices").mkdir(parents=True)
    port = make_port("auto", maybe=never, host=host)
    assert isinstance(port, LocalPort)
    with pytest.raises(DeviceNotFound, match="no UPS found on this host's USB"):
        port.open()
    assert caplog.text == ""


def test_other_texts_are_taken_for_auto(caplog: pytest.LogCaptureFixture) -> None:
    assert isinstance(make_port("/dev/usb/hiddev0", maybe=never), LocalPort)
    assert "port = /dev/usb/hiddev0 is taken for auto" in caplog.text


def test_an_unknown_transport() -> None:
    with pytest.raises(ConfigError, match="'usbfs' is none of auto, libusb, hidraw") as caught:
        make_port(maybe=never, transport="usbfs")
    assert caught.value.key == "transport"


def test_libusb_is_missed_at_once_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(self: Libusb) -> None:
        raise ConfigError("pyusb is not installed", key="transport")

    monkeypatch.setattr(Libusb, "backend", missing)
    make_port(maybe=never, transport="auto")
    with pytest.raises(ConfigError, match="pyusb"):
        make_port(maybe=never, transport="libusb")
