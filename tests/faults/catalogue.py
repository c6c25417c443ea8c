"""The rows of the failure catalogue, and the mark by which a test says which of them it shows.

A row is a failure that was reported of UPSes on USB; the letters are its group: A enumeration, descriptors and
identity; B transfers; C connection, hotplug, rights, hosts; D status; E values; F shutdown and return;
G the daemon around NUT.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import TypeVar

__all__ = ["FAILURES", "NOT_OURS", "shows"]

_Test = TypeVar("_Test", bound=Callable[..., object])

FAILURES = MappingProxyType(
    {
        "A01": "HID descriptor short, report descriptor behind stray bytes: OB although mains are there",
        "A02": "two descriptor lengths, the longer one unreadable: only battery numbers appear",
        "A03": "the HID descriptor says length 0 when asked",
        "A04": "the HID descriptor overflows, the report descriptor times out at first",
        "A05": "the UPS is on interface 1 of a composite device",
        "A06": "limits copied from another item: voltages clipped",
        "A07": "a maximum sent with its bytes reversed",
        "A08": "a maximum below its minimum",
        "A09": "legal but unusual descriptor items",
        "A10": "the language table is nonsense",
        "A11": "strings are not answered any more after hours",
        "A12": "a report names string 0, or an empty string",
        "A13": "the manufacturer's name where a date should be, blanks as serial number",
        "A14": "other makers' chips under one pair of ids",
        "A15": "unrelated devices are opened and upset",
        "A16": "no kernel driver bound, no hidraw node",
        "A17": "a firmware with a new product id and few values",
        "B01": "single reports fail at random",
        "B02": "the first walk takes 19 s",
        "B03": "a stall is taken for an empty answer",
        "B04": "more bytes than asked for, from the mains edge on",
        "B05": "an answer padded to the whole buffer, or with another report's id",
        "B06": "input reports shorter than declared",
        "B07": "a firmware too slow for the polls",
        "B08": "values frozen, never stale",
        "B09": "a control board that locks up when polled on in spite of errors",
        "B10": "opened again too early, it drops the load",
        "B11": "a second write too soon after the first is lost",
        "B12": "one report id hangs the device",
        "B13": "reports that nobody needs take seconds",
        "B14": "the interrupt endpoint fails from the first second",
        "B15": "only the interrupt endpoint carries data",
        "B16": "reads shorter than the report drop it off the bus",
        "B17": "an all-zero payload taken for empty",
        "B18": "a transfer that never returns hangs the driver",
        "B19": "the device was opened before the fork",
        "B20": "a transfer without a timeout, healed by a signal",
        "B21": "requests pile up in the kernel's control queue",
        "C01": "off the bus at the mains edge, back with a new number",
        "C02": "the node has no rights for some seconds",
        "C03": "re-enumerates every 20 s until somebody talks to it",
        "C04": "a container keeps an old device node",
        "C05": "all transfers fail for a while, then the same device works",
        "C06": "short disconnections at random",
        "C07": "the device appears seconds after the driver",
        "C08": "boot waits for udev to settle",
        "C09": "plugged in hours later, never picked up",
        "C10": "two identical UPSes, both drivers read the same one",
        "C11": "two drivers rob each other of the device",
        "C12": "detaching a driver that is not bound is fatal",
        "C13": "macOS owns the interface",
        "C14": "FreeBSD needs root and a quirk",
        "C15": "an update breaks the only descriptor path",
        "C16": "stale after a suspend, or readings from before it",
        "C17": "a pulled cable unnoticed in pollonly",
        "C18": "a moment of zero charge makes a desktop hibernate",
        "C19": "autosuspend of the port",
        "D01": "LB and RB for two seconds on mains",
        "D02": "discharging on mains: hovering, calibrating or a real outage",
        "D03": "OFF for 8 s when a self-test begins",
        "D04": "battery presence flaps",
        "D05": "LB a second after OB with a full battery, nobody says why",
        "D06": "OL CHRG LB after an outage",
        "D07": "FSD stays after the mains are back",
        "D08": "one reading of zeros",
        "D09": "an outage noticed half a minute late",
        "D10": "CHRG for ever at 100 %",
        "D11": "stale and fresh in turns, logs flooded",
        "D12": "the link is lost while on battery: shutdown",
        "D13": "an unknown status shown as blank",
        "D14": "no flags at all because of a wrong mapping",
        "E01": "run time 65535 or -1",
        "E02": "timers of -60",
        "E03": "values wrong by powers of ten",
        "E04": "celsius where kelvin is declared",
        "E05": "numbers as text, minutes for seconds",
        "E06": "load and nominal values of 0 that were never filled",
        "E07": "run time in minutes, estimates of an idle controller",
        "E08": "a setting is acknowledged and not taken",
        "F01": "the host halts, the UPS stays on",
        "F02": "kill-power cannot claim the device",
        "F03": "the load is cut at once instead of after the delay",
        "F04": "the output returns without mains",
        "F05": "mains return during the shutdown, the order is ignored",
        "F06": "all orders succeed and nothing happens",
        "F07": "off for two seconds only",
        "F08": "on and off again and again after kill-power",
        "F09": "the load goes off after minutes or hours, whatever was asked",
        "F10": "a shutdown cannot be stopped",
        "F11": "no restart before the battery is charged",
        "F12": "left in bypass without protection",
        "G01": "upsd never comes back to a restarted driver",
        "G02": "the socket has the wrong group",
        "G03": "broken lines on the state socket",
        "G04": "a slow start is killed and started again",
        "G05": "PID file missing, stale or recycled",
        "G06": "memory leaks while the device is lost",
        "G07": "clients that vanish in the middle",
        "G08": "one misleading error text for everything",
        "G09": "the driver never gives up, or too soon",
        "G10": "upsd finds no network interface at boot",
        "G11": "upsd and driver in either order",
        "G12": "clients poll once a minute",
    }
)
"""Every row: its id and the failure in a few words."""

NOT_OURS = MappingProxyType(
    {
        "C04": "The container must be given the bus directory; a node that is there and gives ENODEV is handled"
        " like any device that left (C01).",
        "C08": "A matter of the units that start it; ours order nothing before or after udev-settle, and"
        " readiness does not wait for a device (C07).",
        "C13": "macOS is no platform of this driver; hidapi would be the way.",
        "C14": "FreeBSD is no platform of this driver; rights and quirks are the appliance's.",
        "D07": "FSD is kept by upsd until its clients are gone; a driver can neither see nor clear it, and this"
        " one never sets it.",
        "G10": "upsd's listening addresses are upsd's; the order at boot is the distribution's.",
        "G12": "How often clients of upsd ask is theirs; changes are on the state socket at once.",
    }
)
"""Rows that are no driver's business, and why."""


def shows(row: str, scenario: str) -> Callable[[_Test], _Test]:
    """Mark a test as showing a row of the catalogue; ``scenario`` is for the table."""
    if row not in FAILURES:
        raise ValueError(f"the catalogue has no row {row}")

    def mark(test: _Test) -> _Test:
        rows: list[tuple[str, str]] = getattr(test, "catalogue", [])
        rows.append((row, scenario))
        test.catalogue = rows  # type: ignore[attr-defined]  # read by tests.faults.table
        return test

    return mark
