"""The one protocol behind which all ways to a device stand.

A transport moves bytes and names failures; it knows nothing of HID items or UPSes. One thread uses a
transport at a time. Every call returns or raises within its timeout (seconds). Report data always starts
with the report id byte, on devices without report ids with a made-up 0.
"""

from __future__ import annotations

from typing import Protocol

from usbhidups.identity import Identity

__all__ = ["CONTROL_TIMEOUT", "Transport"]

CONTROL_TIMEOUT = 5.0
"""Seconds for one control transfer, as NUT's USB_TIMEOUT (nut-driver-contract.md 5.3)."""


class Transport(Protocol):
    """An open device. Errors: DeviceGone, TransferFailed, AccessDenied, DeviceBusy (usbhidups.errors)."""

    @property
    def identity(self) -> Identity:
        """Who it is; read once at opening, costs nothing."""
        ...

    def report_descriptor(self) -> bytes:
        """The report descriptor of the power interface, the best copy that could be had."""
        ...

    def get_feature(self, report_id: int, size: int, *, timeout: float = CONTROL_TIMEOUT) -> bytes:
        """GET_REPORT(Feature). ``size`` = declared bytes with the id byte.

        Returns 1..n bytes, id byte first; may be shorter than ``size`` (the device's choice), never longer.
        """
        ...

    def get_input(self, report_id: int, size: int, *, timeout: float = CONTROL_TIMEOUT) -> bytes:
        """GET_REPORT(Input); as get_feature."""
        ...

    def set_feature(self, data: bytes, *, timeout: float = CONTROL_TIMEOUT) -> None:
        """SET_REPORT(Feature) of a whole report, id byte first. Returns once acknowledged."""
        ...

    def wait_input(self, timeout: float) -> bytes | None:
        """Wait for one input report on the interrupt endpoint; None when none came in time."""
        ...

    def string(self, index: int, *, timeout: float = CONTROL_TIMEOUT) -> str | None:
        """String descriptor ``index`` (first language, else 0x0409); None where there is none."""
        ...

    def clear_halt(self) -> None:
        """Clear a halt of the interrupt endpoint; does nothing where that has no meaning."""
        ...

    def reset(self) -> None:
        """Reset the device's port. Afterwards the transport may raise DeviceGone: open it anew."""
        ...

    def interrupt(self) -> None:
        """From another thread: make a wait_input that is under way return soon (None)."""
        ...

    def close(self) -> None:
        """Give everything back (a detached kernel driver too). Bounded in time; never raises."""
        ...
