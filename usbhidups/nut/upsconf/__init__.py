"""ups.conf as NUT reads it, and one driver's options out of it. Takes text, reads no files.

``sections`` cuts a file into sections, ``keys`` lists every option there is, ``match`` decides whether a
device is the one meant, ``options`` makes typed options of it all. (nut-driver-contract.md section 2)
"""

from usbhidups.nut.upsconf.keys import option_table
from usbhidups.nut.upsconf.match import DeviceMatch
from usbhidups.nut.upsconf.options import DriverOptions, Transport, driver_options
from usbhidups.nut.upsconf.port import LocalUsb, Port, Replay, UsbIp
from usbhidups.nut.upsconf.sections import Section, Setting, UpsConf, parse_upsconf

__all__ = [
    "DeviceMatch",
    "DriverOptions",
    "LocalUsb",
    "Port",
    "Replay",
    "Section",
    "Setting",
    "Transport",
    "UpsConf",
    "UsbIp",
    "driver_options",
    "option_table",
    "parse_upsconf",
]
