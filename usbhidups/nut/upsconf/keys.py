"""Every option of ups.conf that this driver knows, one row each. (nut-driver-contract.md 2.2 to 2.4)

What a value must look like is ``options``' business. Names are compared without regard to case, which
accepts all that NUT accepts (it has some names in one case only).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

__all__ = ["GLOBAL_KEYS", "SECTION_KEYS", "Key", "Kind", "Reader", "option_table", "suggestion"]


class Kind(enum.Enum):
    """Whether an option takes a value; the words are those of ``-L``."""

    VALUE = "VALUE"
    FLAG = "FLAG"


class Reader(enum.Enum):
    """Which program an option is for."""

    DRIVER = "driver"
    NOBODY = "nobody"  # accepted for NUT's sake, has no effect in this driver
    OTHERS = "others"  # upsd or upsdrvctl read it; none of our business


@dataclass(frozen=True, slots=True)
class Key:
    """One option. ``exported``: clients see it as ``driver.parameter.*`` or ``driver.flag.*``.

    ``meant`` is the option's present name where this is an older or a misprinted one. ``bare`` is the value
    of an option that may stand without one.
    """

    name: str
    kind: Kind
    text: str
    reader: Reader = Reader.DRIVER
    exported: bool = True
    meant: str = ""
    bare: str = ""


_V, _F = Kind.VALUE, Kind.FLAG

_ALIKE = (
    Key("user", _V, "user to become when started as root", exported=False),
    Key("group", _V, "group that may use the state socket", exported=False),
    Key("pollinterval", _V, "seconds between reads of the status", exported=False),
    Key("synchronous", _V, "writing to clients may block", reader=Reader.NOBODY, exported=False),
    Key("debug_min", _V, "least debug level", exported=False),
    Key("LIBUSB_DEBUG", _V, "debug level of libusb", exported=False, reader=Reader.NOBODY),
    Key(
        "reconnect_max_tries",
        _V,
        "attempts to reconnect before giving up (-1: for ever)",
        reader=Reader.NOBODY,
    ),
    Key(
        "reconnect_report_freq",
        _V,
        "log each that many attempts to reconnect",
        reader=Reader.NOBODY,
    ),
    Key("maxstartdelay", _V, "seconds a start may take", reader=Reader.OTHERS, exported=False),
    Key("maxretry", _V, "attempts to start", reader=Reader.OTHERS, exported=False),
    Key("retrydelay", _V, "seconds between such attempts", reader=Reader.OTHERS, exported=False),
)
"""What may stand both in the global part and in a section."""

_GLOBAL = (
    *_ALIKE,
    Key("chroot", _V, "directory to change root to", exported=False),
    Key("statepath", _V, "directory of the state socket", exported=False),
    Key("driverpath", _V, "directory of the drivers", reader=Reader.OTHERS, exported=False),
    Key("nowait", _F, "do not wait for drivers", reader=Reader.OTHERS, exported=False),
)

_SECTION = (
    Key("driver", _V, "name of this program", exported=False),
    Key("port", _V, "auto, replay:FILE or usbip://HOST[:PORT]/BUSID"),
    Key("desc", _V, "description for clients", reader=Reader.OTHERS, exported=False),
    Key("sdorder", _V, "turn at kill-power", reader=Reader.OTHERS, exported=False),
    *_ALIKE,
    Key("sddelay", _V, "obsolete", reader=Reader.NOBODY, exported=False),
    Key("nolock", _F, "do not lock the port", reader=Reader.NOBODY),
    Key("ignorelb", _F, "ignore the device's low battery flag, use the thresholds"),
    Key("allow_killpower", _F, "allow driver.killpower from the start", exported=False),
    Key("sdcommands", _V, "instant commands for kill-power, with commas between"),
    Key("transport", _V, "way to a local device: auto, libusb or hidraw"),
    Key("vendorid", _V, "regular expression for the vendor id, four hex digits"),
    Key("productid", _V, "regular expression for the product id, four hex digits"),
    Key("vendor", _V, "regular expression for the manufacturer string"),
    Key("product", _V, "regular expression for the product string"),
    Key("serial", _V, "regular expression for the serial number"),
    Key("bus", _V, "regular expression for the bus number, three digits"),
    Key("device", _V, "regular expression for the device address, three digits"),
    Key("busport", _V, "regular expression for the port number, three digits"),
    Key("allow_duplicates", _F, "when a matching device is busy, try the next"),
    Key(
        "usb_set_altinterface",
        _V,
        "set the alternate setting of the interface (default 0)",
        bare="0",
        reader=Reader.NOBODY,
    ),
    Key("usb_config_index", _V, "index of the configuration (hex)", reader=Reader.NOBODY),
    Key("usb_hid_rep_index", _V, "number of the interface (hex)"),
    Key("usb_hid_desc_index", _V, "index of the HID descriptor (hex)"),
    Key("usb_hid_ep_in", _V, "interrupt IN endpoint (hex)"),
    Key("usb_hid_ep_out", _V, "interrupt OUT endpoint (hex)", reader=Reader.NOBODY),
    Key("subdriver", _V, "profile to use, whatever the device is"),
    Key("pollfreq", _V, "seconds between reads of everything"),
    Key("pollonly", _F, "do not use the interrupt endpoint"),
    Key("interruptonly", _F, "use nothing but the interrupt endpoint"),
    Key("interruptsize", _V, "bytes to ask for on the interrupt endpoint"),
    Key("maxreport", _F, "ask for every report with the same length", reader=Reader.NOBODY),
    Key("interrupt_pipe_no_events_tolerance", _V, "empty interrupt reads before reconnecting"),
    Key(
        "waitbeforereconnect",
        _V,
        "seconds to wait before each attempt to reconnect",
        reader=Reader.NOBODY,
    ),
    Key("offdelay", _V, "seconds before the output is cut"),
    Key("ondelay", _V, "seconds before the output returns"),
    Key("lowbatt", _V, "battery.charge.low of the driver, percent"),
    Key("onlinedischarge_onbattery", _F, "discharging on mains means on battery"),
    Key("onlinedischarge_calibration", _F, "discharging on mains means calibration"),
    Key(
        "onlinedischarge",
        _F,
        "old name of onlinedischarge_onbattery",
        meant="onlinedischarge_onbattery",
    ),
    Key(
        "onlinedischarge_battery",
        _F,
        "what NUT's manual calls onlinedischarge_onbattery",
        meant="onlinedischarge_onbattery",
    ),
    Key("onlinedischarge_log_throttle_sec", _V, "pause between messages", reader=Reader.NOBODY),
    Key(
        "onlinedischarge_log_throttle_hovercharge",
        _V,
        "charge from which there are no messages",
        reader=Reader.NOBODY,
    ),
    Key("lbrb_log_delay_sec", _V, "seconds that LB and RB must last on mains"),
    Key("lbrb_log_delay_without_calibrating", _F, "have that delay without CAL too"),
    Key("disable_fix_report_desc", _F, "leave broken report descriptors as they are"),
    Key("powercom_sdcmd_byte_order_fallback", _F, "Powercom: old byte order of shutdown commands"),
    Key("powercom_sdcmd_discrete_delay", _F, "Powercom: delays from a table"),
    Key("explore", _F, "claim any device that vendorid names", reader=Reader.NOBODY),
    Key("winhid", _F, "for Windows", reader=Reader.NOBODY),
)

GLOBAL_KEYS = {key.name.lower(): key for key in _GLOBAL}
"""What may stand before the first section, by lower-case name."""

SECTION_KEYS = {key.name.lower(): key for key in _SECTION}
"""What may stand in a section or after ``-x``, by lower-case name."""


def option_table() -> tuple[str, ...]:
    """The lines of ``-L``: ``VALUE name "text"`` or ``FLAG name "text"``."""
    return tuple(
        f'{key.kind.value} {key.name} "{key.text}"'
        for key in _SECTION
        if key.reader is not Reader.OTHERS
    )


def suggestion(name: str) -> str:
    """What was perhaps meant by an unknown name, as the end of a message; "" when nothing is near."""
    lowered = name.lower()
    if lowered in GLOBAL_KEYS:
        return f"; {GLOBAL_KEYS[lowered].name} belongs before the first section"
    import difflib  # only for an error message: the daemon does without it

    near = difflib.get_close_matches(lowered, SECTION_KEYS, n=1, cutoff=0.7)
    return f'; did you mean "{SECTION_KEYS[near[0]].name}"?' if near else ""
