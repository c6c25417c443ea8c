"""A look at a recording: its reports are read as a device's would be, in made-up time."""

from __future__ import annotations

from pathlib import Path

from usbhidups.probe.clock import MadeUpClock
from usbhidups.probe.finding import Finding
from usbhidups.probe.look import Look, Plan
from usbhidups.ups.library import Library
from usbhidups.usb import fixture
from usbhidups.usb.replay import ReplayDevice

__all__ = ["look_at_recording"]


def look_at_recording(path: Path, library: Library, plan: Plan) -> Finding:
    """What the recording shows as it begins. Raises DescriptorError and ConfigErrors."""
    device = ReplayDevice(fixture.load(path), clock=_beginning, pause=_at_once)
    transport = device.open()
    try:
        return Look(transport, library, plan, MadeUpClock()).take(
            transport="replay", why="a recording was asked for"
        )
    finally:
        transport.close()


def _beginning() -> float:
    """The recording's own time stands still: what happens later in it is not looked at."""
    return 0.0


def _at_once(_seconds: float) -> None:
    """Nobody waits for a recording."""
