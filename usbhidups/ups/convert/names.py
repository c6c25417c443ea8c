"""The conversions by the names that profile rows use."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from usbhidups.ups.convert import dates, eaton, numbers, payloads, powercom, repairs, strings
from usbhidups.ups.convert.rules import Choices, CommandWriter, Reader, Writer

__all__ = ["CHOICES", "COMMANDS", "READERS", "WRITERS"]

READERS: Mapping[str, Reader] = MappingProxyType(
    {
        "string": strings.string,
        "date-string": strings.date_string,
        "date": dates.packed_date,
        "bcd-date": dates.bcd_date,
        "unix-date": dates.unix_date,
        "unix-time": dates.unix_time,
        "celsius": numbers.celsius,
        "at-most-100": numbers.at_most_100,
        "percent-of-full": numbers.percent_of_full,
        "thermistor": numbers.thermistor,
        "version-nibbles": numbers.version_nibbles,
        "revision-letter": numbers.revision_letter,
        "ampere-hours": numbers.ampere_hours,
        "battery-two-thirds": repairs.battery_two_thirds,
        "frequency-tenfold": repairs.frequency_tenfold,
        "nominal-battery": repairs.nominal_battery,
        "output-tenth": repairs.output_tenth,
        "tiny-line-volts": repairs.tiny_line_volts,
        "tiny-volts": repairs.tiny_volts,
        "payload-hex": payloads.hexadecimal,
        "payload-dotted": payloads.dotted,
        "payload-integer": payloads.integer,
        "payload-word": payloads.word,
        "payload-bits": payloads.bits,
        "payload-ascii-number": payloads.ascii_number,
        "computed-realpower": eaton.computed_realpower,
        "nominal-voltage": numbers.plain,
        "eco-mode": eaton.eco_mode,
        "eco-buzzword": eaton.eco_buzzword,
        "bypass-on": eaton.bypass_on,
        "minutes-swapped": powercom.startup_seconds,
        "minutes-and-seconds": powercom.shutdown_seconds,
    }
)

WRITERS: Mapping[str, Writer] = MappingProxyType(
    {
        "date": dates.write_packed_date,
        "bcd-date": dates.write_bcd_date,
        "unix-date": dates.write_unix_date,
        "unix-time": dates.write_unix_time,
        "nominal-voltage": numbers.write_plain,
        "eco-mode": eaton.write_eco_mode,
        "bypass-on": eaton.write_bypass_on,
    }
)

COMMANDS: Mapping[str, CommandWriter] = MappingProxyType(
    {
        "minutes": numbers.whole_minutes,
        "minutes-swapped": powercom.startup_timer,
        "minutes-and-seconds": powercom.shutdown_timer,
        "minutes-and-seconds-stay-off": powercom.stay_off_timer,
    }
)

CHOICES: Mapping[str, Choices] = MappingProxyType(
    {"nominal-voltage": eaton.nominal_voltage_choices}
)
