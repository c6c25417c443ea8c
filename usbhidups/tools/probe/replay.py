"""A look at a recording: its reports are read as a device's would be, in made-up time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from usbhidups.tools.probe.clock import Clock, MadeUpClock
from usbhidups.tools.probe.finding import Finding
from usbhidups.tools.probe.look import Look, Plan
from usbhidups.ups.loading.library import Library
from usbhidups.usb import fixture
from usbhidups.usb.fixture import Fixture
from usbhidups.usb.replay import ReplayDevice

__all__ = ["look_at_fixture", "look_at_recording"]


def look_at_recording(path: Path, library: Library, plan: Plan) -> Finding:
    """What the recording shows as it begins. Raises DescriptorError and ConfigErrors."""
    return look_at_fixture(fixture.load(path), library, plan, MadeUpClock())


def look_at_fixture(recorded: Fixture, library: Library, plan: Plan, clock: Clock) -> Finding:
    """As look_at_recording, for one that was loaded or made."""
    device = ReplayDevice(recorded, clock=_beginning, pause=_at_once)
    transport = device.open()
    try:
        found = Look(transport, library, plan, clock).take(
            transport="replay", why="a recording was asked for"
        )
    finally:
        transport.close()
    if recorded.feature or recorded.input:
        return found
    said = "no reports were recorded: only the descriptor can be shown"
    return replace(found, problem=None, warnings=(said,))


def _beginning() -> float:
    """The recording's own time stands still: what happens later in it is not looked at."""
    return 0.0


def _at_once(_seconds: float) -> None:
    """Nobody waits for a recording."""
