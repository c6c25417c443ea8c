"""A second device, independent of our simulator: the kernel's own HID gadget on its dummy controller.

It speaks USB through code that we did not write, and answers only what that code answers: descriptors as
given, GET_REPORT with zeros, interrupt reports when asked to.
"""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType

from usbhidups.usb.fixture import Fixture

__all__ = ["Gadget"]

GADGETS = Path("/sys/kernel/config/usb_gadget")
CONTROLLER = "dummy_udc.0"
LONGEST_REPORT = 64


class Gadget:
    """Plugged in from entering to leaving the context."""

    def __init__(self, fixture: Fixture) -> None:
        self._folder = GADGETS / "ups"
        self._fixture = fixture

    def __enter__(self) -> Gadget:
        device = self._fixture.device
        self._make("")
        self._write("idVendor", f"0x{device.vendor_id:04x}")
        self._write("idProduct", f"0x{device.product_id:04x}")
        self._write("bcdDevice", f"0x{device.release or 0:04x}")
        self._make("strings/0x409")
        self._write("strings/0x409/manufacturer", device.manufacturer or "")
        self._write("strings/0x409/product", device.product or "")
        self._write("strings/0x409/serialnumber", device.serial or "")
        self._make("functions/hid.usb0")
        self._write("functions/hid.usb0/protocol", "0")
        self._write("functions/hid.usb0/subclass", "0")
        self._write("functions/hid.usb0/report_length", str(LONGEST_REPORT))
        (self._folder / "functions/hid.usb0/report_desc").write_bytes(self._fixture.descriptor)
        self._make("configs/c.1")
        os.symlink(self._folder / "functions/hid.usb0", self._folder / "configs/c.1/hid.usb0")
        self._write("UDC", CONTROLLER)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._write("UDC", "\n")
        (self._folder / "configs/c.1/hid.usb0").unlink()
        for folder in ("configs/c.1", "functions/hid.usb0", "strings/0x409", ""):
            (self._folder / folder).rmdir()

    def send(self, report: bytes) -> None:
        """Queue one interrupt report."""
        port = os.open("/dev/hidg0", os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(port, report)
        finally:
            os.close(port)

    def _make(self, folder: str) -> None:
        (self._folder / folder).mkdir()

    def _write(self, name: str, text: str) -> None:
        (self._folder / name).write_text(text)
