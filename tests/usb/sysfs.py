"""A made-up /sys and /dev with USB devices in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.usb.bytes import DEVICE, UPS, configuration, endpoint, hid, interface

__all__ = ["Part", "Plug", "plug", "unplug"]


@dataclass(frozen=True)
class Part:
    """One interface. ``descriptor`` None: the kernel does not show it; ``hidraw`` "": no node."""

    number: int = 0
    kind: int = 3
    descriptor: bytes | None = UPS
    driver: str = "usbhid"
    hidraw: str = "hidraw0"


@dataclass(frozen=True)
class Plug:
    """One device."""

    port: str = "1-1"
    address: int = 7
    vendor: int = 0x0764
    product: int = 0x0501
    strings: dict[str, str] = field(
        default_factory=lambda: {"manufacturer": "CPS", "product": "CP1500", "serial": "0000"}
    )
    parts: Sequence[Part] = (Part(),)
    control: str = "on"


def plug(root: Path, device: Plug) -> None:
    """Show ``device`` below ``root/sys`` and ``root/dev``."""
    bus = int(device.port.split("-")[0])
    folder = root / "sys/bus/usb/devices" / device.port
    (folder / "power").mkdir(parents=True)
    ids = device.vendor.to_bytes(2, "little") + device.product.to_bytes(2, "little")
    described = b"".join(
        interface(part.number, kind=part.kind)
        + hid(len(part.descriptor or b""))
        + endpoint(0x81 + part.number)
        for part in device.parts
    )
    (folder / "descriptors").write_bytes(DEVICE[:8] + ids + DEVICE[12:] + configuration(described))
    (folder / "busnum").write_text(f"{bus}\n")
    (folder / "devnum").write_text(f"{device.address}\n")
    (folder / "power/control").write_text(f"{device.control}\n")
    for name, text in device.strings.items():
        (folder / name).write_text(f"{text}\n")
    for part in device.parts:
        _plug_part(root, folder, device, part)
    node = root / f"dev/bus/usb/{bus:03d}/{device.address:03d}"
    node.parent.mkdir(parents=True, exist_ok=True)
    node.touch()


def _plug_part(root: Path, folder: Path, device: Plug, part: Part) -> None:
    inner = folder / f"{device.port}:1.{part.number}"
    inner.mkdir()
    (inner / "bInterfaceNumber").write_text(f"{part.number:02x}\n")
    (inner / "bInterfaceClass").write_text(f"{part.kind:02x}\n")
    if part.driver:
        driver = root / "sys/bus/usb/drivers" / part.driver
        driver.mkdir(parents=True, exist_ok=True)
        (inner / "driver").symlink_to(driver)
    if part.descriptor is None:
        return
    hid_device = inner / f"0003:{device.vendor:04X}:{device.product:04X}.000{part.number + 1:X}"
    hid_device.mkdir()
    (hid_device / "report_descriptor").write_bytes(part.descriptor)
    if part.hidraw:
        (hid_device / "hidraw" / part.hidraw).mkdir(parents=True)
        (root / "dev").mkdir(exist_ok=True)
        (root / "dev" / part.hidraw).touch()


def unplug(root: Path, device: Plug) -> None:
    """Take it away again."""
    folder = root / "sys/bus/usb/devices" / device.port
    folder.rename(root / f"unplugged-{device.port}-{device.address}")
