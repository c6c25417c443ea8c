"""The port that a UPS's options mean, made ready to be opened: options in, ``usb.ports.Port`` out."""

from __future__ import annotations

from pathlib import Path

from usbhidups.attach import maybe_ups
from usbhidups.nut.upsconf import DriverOptions, LocalUsb, Replay, UsbIp
from usbhidups.ups.loading.library import Library
from usbhidups.usb.handle_transport import Choice
from usbhidups.usb.ports import Port, make_port

__all__ = ["port_of", "port_text"]


def port_of(options: DriverOptions, library: Library, *, lock_dir: Path | None) -> Port:
    """The port of one UPS. ConfigError where an option cannot be met (a missing library, a bad fixture)."""
    return make_port(
        port_text(options),
        maybe=lambda vendor, product: maybe_ups(library, vendor, product),
        match=options.match,
        transport=options.transport.value,
        choice=Choice(
            interface=options.usb_hid_rep_index,
            descriptor_index=options.usb_hid_desc_index or 0,
            endpoint_in=None if options.usb_hid_ep_in is None else 0x80 | options.usb_hid_ep_in,
            interrupt_size=options.interruptsize,
        ),
        duplicates=options.allow_duplicates,
        lock_dir=lock_dir,
    )


def port_text(options: DriverOptions) -> str:
    """The port as ups.conf would say it."""
    match options.port:
        case Replay(path):
            return f"replay:{path}"
        case UsbIp(host, port, busid):
            return (
                f"usbip://[{host}]:{port}/{busid}"
                if ":" in host
                else f"usbip://{host}:{port}/{busid}"
            )
        case LocalUsb():
            return "auto"
