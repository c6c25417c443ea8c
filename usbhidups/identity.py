"""Who a device is, as the bus says: a leaf that every package may import, like ``errors``."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Identity"]


@dataclass(frozen=True, slots=True)
class Identity:
    """What the bus says of a device. Ids are numbers; strings are as sent (None: not available).

    ``port_path`` is the kernel's stable name of the place it is plugged in (``1-1.3``), or the address
    of an exported device (``usbip://host:port/busid``), or ``replay:FILE``. ``bus`` and ``address`` are
    the kernel's numbers, None where there is no kernel. ``interface`` is the HID interface in use.
    """

    vendor_id: int
    product_id: int
    release: int = 0
    manufacturer: str | None = None
    product: str | None = None
    serial: str | None = None
    port_path: str = ""
    bus: int | None = None
    address: int | None = None
    interface: int = 0
    endpoint_in: int | None = 0x81
