"""Settings, as they stand, become one driver's options: named, typed, checked. (contract 2.2 to 2.4)

The settings come in the order in which they take effect: a later one overrules an earlier one of the same
name, whether it stands in the file or came by ``-x``. What a person must mend is a ConfigError with its
place; what has no effect or is only odd becomes a note.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields

from usbhidups.errors import ConfigError
from usbhidups.nut.upsconf.match import DeviceMatch
from usbhidups.nut.upsconf.option_reader import OptionReader
from usbhidups.nut.upsconf.port import LocalUsb, Port, parse_port
from usbhidups.nut.upsconf.sections import Setting

__all__ = ["DriverOptions", "Transport", "driver_options"]


class Transport(enum.Enum):
    """By which way a local device is reached."""

    AUTO = "auto"
    LIBUSB = "libusb"
    HIDRAW = "hidraw"


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverOptions:
    """All options of one UPS. Times are seconds. None: not given, somebody else has the default.

    ``usb_*`` are numbers as given. ``published`` are the variables ``driver.parameter.*`` and
    ``driver.flag.*`` of what was given. ``notes`` begin with their place and are worth one line of the
    log each: options without effect, old names, values that were not understood as written.
    """

    port: Port
    transport: Transport = Transport.AUTO
    match: DeviceMatch = field(default_factory=DeviceMatch)
    allow_duplicates: bool = False
    usb_set_altinterface: int | None = None
    usb_config_index: int | None = None
    usb_hid_rep_index: int | None = None
    usb_hid_desc_index: int | None = None
    usb_hid_ep_in: int | None = None
    usb_hid_ep_out: int | None = None
    subdriver: str | None = None

    pollinterval: float = 2.0
    pollfreq: float | None = None
    pollonly: bool = False
    interruptonly: bool = False
    interruptsize: int | None = None
    maxreport: bool = False
    interrupt_pipe_no_events_tolerance: int = -1
    waitbeforereconnect: float = 0.0
    reconnect_max_tries: int = -1
    reconnect_report_freq: int = -1

    offdelay: int | None = None
    ondelay: int | None = None
    lowbatt: int | None = None
    ignorelb: bool = False
    onlinedischarge_onbattery: bool = False
    onlinedischarge_calibration: bool = False
    onlinedischarge_log_throttle_sec: float | None = None
    onlinedischarge_log_throttle_hovercharge: float = 100.0
    lbrb_log_delay_sec: float | None = None
    lbrb_log_delay_without_calibrating: bool = False
    disable_fix_report_desc: bool = False
    powercom_sdcmd_byte_order_fallback: bool = False
    powercom_sdcmd_discrete_delay: bool = False
    allow_killpower: bool = False
    sdcommands: tuple[str, ...] = ()
    defaults: Mapping[str, str] = field(default_factory=dict)
    overrides: Mapping[str, str] = field(default_factory=dict)

    user: str | None = None
    group: str | None = None
    chroot: str | None = None
    statepath: str | None = None
    debug_min: int | None = None
    synchronous: str = "auto"
    libusb_debug: str | None = None
    nolock: bool = False
    explore: bool = False
    winhid: bool = False
    published: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def driver_options(settings: Iterable[Setting], *, program: str) -> DriverOptions:
    """Make the options of one UPS for the driver that was started by the name ``program``.

    ``settings`` is ``UpsConf.settings(name)`` for ``-a name`` and a ``Setting.from_argument`` for each
    ``-x`` (``Setting("pollinterval", n)`` for ``-i``), in the order of the command line. ConfigError: an
    unknown name, a value out of its form, a driver that is not this program, no port.
    """
    given = OptionReader(settings)
    driver = given.text("driver")
    if driver is not None and driver != program:
        raise given.error("driver", f"names another program: this is {program}, not {driver}")
    for key, needs in (("subdriver", ("vendorid", "productid")), ("explore", ("vendorid",))):
        for needed in needs:
            if given.has(key) and given.text(needed) is None:
                raise given.error(key, f"needs {needed} too")
    return DriverOptions(
        port=_port(given),
        transport=_transport(given),
        match=DeviceMatch(**{f.name: given.pattern(f.name) for f in fields(DeviceMatch)}),
        allow_duplicates=given.has("allow_duplicates"),
        usb_set_altinterface=given.whole("usb_set_altinterface", low=0, high=255),
        usb_config_index=given.hexadecimal("usb_config_index"),
        usb_hid_rep_index=given.hexadecimal("usb_hid_rep_index"),
        usb_hid_desc_index=given.hexadecimal("usb_hid_desc_index"),
        usb_hid_ep_in=given.hexadecimal("usb_hid_ep_in"),
        usb_hid_ep_out=given.hexadecimal("usb_hid_ep_out"),
        subdriver=given.text("subdriver"),
        pollinterval=given.number("pollinterval", low=0.1, default=2.0),
        pollfreq=given.number("pollfreq", low=0.0),
        pollonly=given.has("pollonly"),
        interruptonly=given.has("interruptonly"),
        interruptsize=given.whole("interruptsize", low=1, high=65535),
        maxreport=given.has("maxreport"),
        interrupt_pipe_no_events_tolerance=given.whole(
            "interrupt_pipe_no_events_tolerance", default=-1
        ),
        waitbeforereconnect=given.number("waitbeforereconnect", low=0.0, default=0.0),
        reconnect_max_tries=given.whole("reconnect_max_tries", default=-1),
        reconnect_report_freq=given.whole("reconnect_report_freq", default=-1),
        offdelay=given.whole("offdelay", low=0),
        ondelay=given.whole("ondelay", low=-1),
        lowbatt=given.whole("lowbatt", low=0, high=100),
        ignorelb=given.has("ignorelb"),
        onlinedischarge_onbattery=given.has("onlinedischarge_onbattery"),
        onlinedischarge_calibration=given.has("onlinedischarge_calibration"),
        onlinedischarge_log_throttle_sec=given.number("onlinedischarge_log_throttle_sec"),
        onlinedischarge_log_throttle_hovercharge=given.number(
            "onlinedischarge_log_throttle_hovercharge", default=100.0
        ),
        lbrb_log_delay_sec=given.forgiving_delay("lbrb_log_delay_sec"),
        lbrb_log_delay_without_calibrating=given.has("lbrb_log_delay_without_calibrating"),
        disable_fix_report_desc=given.has("disable_fix_report_desc"),
        powercom_sdcmd_byte_order_fallback=given.has("powercom_sdcmd_byte_order_fallback"),
        powercom_sdcmd_discrete_delay=given.has("powercom_sdcmd_discrete_delay"),
        allow_killpower=given.has("allow_killpower"),
        sdcommands=given.names("sdcommands"),
        defaults=given.presets("default."),
        overrides=given.presets("override."),
        user=given.text("user"),
        group=given.text("group"),
        chroot=given.text("chroot"),
        statepath=given.text("statepath"),
        debug_min=given.whole("debug_min", low=0),
        synchronous=(given.text("synchronous") or "auto").lower(),
        libusb_debug=given.text("libusb_debug"),
        nolock=given.has("nolock"),
        explore=given.has("explore"),
        winhid=given.has("winhid"),
        published=given.published(),
        notes=tuple(dict.fromkeys(given.notes)),
    )


def _port(given: OptionReader) -> Port:
    text = given.text("port")
    if text is None:
        raise ConfigError("no port is given", where=given.where, key="port")
    try:
        port = parse_port(text)
    except ConfigError as error:
        raise given.error("port", error.problem) from error
    if isinstance(port, LocalUsb) and text != "auto":
        given.odd("port", "the device is looked for on USB, whatever this says; write auto")
    return port


def _transport(given: OptionReader) -> Transport:
    text = given.text("transport")
    try:
        return Transport(text or "auto")
    except ValueError:
        known = ", ".join(way.value for way in Transport)
        raise given.error("transport", f"{text!r} is none of {known}") from None
