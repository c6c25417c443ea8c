"""Values that a firmware scales wrongly, told by what such a value can be (failure E03).

Every repair is noted for people (``Access.note``), and ``disable_fix_report_desc`` turns all of them off. A
factor that depends on a comparison stays for the connection once it was seen to be needed, or the value
would jump when the battery is discharged or the mains fail.
"""

from __future__ import annotations

from usbhidups.ups.convert.numbers import formatted, is_sentinel
from usbhidups.ups.convert.rules import Access
from usbhidups.ups.evidence import Reading
from usbhidups.ups.profile import VariableRow

__all__ = [
    "battery_two_thirds",
    "frequency_tenfold",
    "nominal_battery",
    "output_tenth",
    "tiny_line_volts",
    "tiny_volts",
]

_TOO_HIGH = 1.4  # times nominal: no lead battery is charged that far
_TWO_THIRDS = 2 / 3

# Below one volt nothing runs, so the exponent of the descriptor is wrong; the powers are those seen.
_TINY_LIMIT_7, _TINY_FACTOR_7 = 5e-5, 1e7  # Liebert PSA: 1.39e-06 V for 13.9 V
_TINY_LIMIT_5, _TINY_FACTOR_5 = 5e-3, 1e5  # Liebert PST: 0.001212 V for 121.2 V; Tripp Lite 3016

_LEAST_BATTERY = 3.0  # volts: one lithium cell

_USUAL_FREQUENCIES = (45.0, 65.0)
_NARROW = 0.05  # part of a nominal frequency by which mains may be off
_CLOSE = 0.15  # part of a nominal voltage by which an output may be off


def battery_two_thirds(row: VariableRow, reading: Reading, access: Access) -> str | None:
    """A battery voltage that is half as much again as it should be, told by the nominal voltage."""
    nominal = access.number(f"{row.name}.nominal")
    if nominal and reading.physical / nominal > _TOO_HIGH:
        access.memory[_key(row)] = _TWO_THIRDS
    return _repaired(row, reading, access.memory.get(_key(row), 1.0), access)


def tiny_volts(row: VariableRow, reading: Reading, access: Access) -> str | None:
    """A voltage whose exponent is wrong by 1e7 or 1e5. Zero stays zero."""
    if 0 < reading.physical < _TINY_LIMIT_7:
        return _repaired(row, reading, _TINY_FACTOR_7, access)
    return tiny_line_volts(row, reading, access)


def tiny_line_volts(row: VariableRow, reading: Reading, access: Access) -> str | None:
    """A voltage whose exponent is wrong by 1e5: what is left of the mains' is shown as small as it is."""
    tiny = 0 < reading.physical < _TINY_LIMIT_5
    return _repaired(row, reading, _TINY_FACTOR_5 if tiny else 1.0, access)


def nominal_battery(row: VariableRow, reading: Reading, access: Access) -> str | None:
    """A nominal battery voltage; one below that of a single cell was never filled in, or means the mains."""
    if reading.physical < _LEAST_BATTERY:
        return None
    return _repaired(row, reading, 1.0, access)


def output_tenth(row: VariableRow, reading: Reading, access: Access) -> str | None:
    """An output voltage that is ten times too low, told by the nominal voltage or by that of the mains.

    Seen on a unit that answers 22.6 V on mains of 227 V. An output that feeds a load has no tenth of its
    voltage; an input may have, so nothing is done there.
    """
    if access.memory.get(_key(row)) is None:
        for other in (f"{row.name}.nominal", "input.voltage.nominal", "input.voltage"):
            expected = access.number(other)
            if expected and reading.physical > 0:
                if abs(10 * reading.physical - expected) <= _CLOSE * expected:
                    access.memory[_key(row)] = 10.0
                break
    return _repaired(row, reading, access.memory.get(_key(row), 1.0), access)


def frequency_tenfold(row: VariableRow, reading: Reading, access: Access) -> str | None:
    """A frequency that some firmwares send ten or a hundred times too high.

    The factor is decided by the first value that can be a frequency of mains; input and output decide on
    their own.
    """
    if access.memory.get(_key(row)) is None:
        low, high = _frequency_window(row, reading.physical, access)
        for factor in (1.0, 0.1, 0.01):
            if low <= reading.physical * row.scale * factor <= high:
                access.memory[_key(row)] = factor
                break
    return _repaired(row, reading, access.memory.get(_key(row), 1.0), access)


def _repaired(row: VariableRow, reading: Reading, factor: float, access: Access) -> str | None:
    if is_sentinel(row, reading):
        return None
    if factor == 1.0 or access.options.disable_fix_report_desc:
        return formatted(row, reading)
    text = formatted(row, reading, factor)
    access.note(f"{row.name}: {reading.physical * row.scale:g} taken as {text}")
    return text


def _key(row: VariableRow) -> str:
    return f"{row.name} factor"


def _frequency_window(row: VariableRow, value: float, access: Access) -> tuple[float, float]:
    low, high = access.number("input.frequency.low"), access.number("input.frequency.high")
    if low and high:
        return low, high
    side = row.name.split(".", 1)[0]
    nominal = access.number(f"{side}.frequency.nominal") or access.number("input.frequency.nominal")
    if not nominal:
        return _USUAL_FREQUENCIES
    return nominal * (1 - _NARROW), nominal * (1 + _NARROW)
