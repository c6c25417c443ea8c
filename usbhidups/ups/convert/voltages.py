"""Voltages that firmwares scale wrongly, told by what a voltage can be (failure E03)."""

from __future__ import annotations

from usbhidups.ups.convert.numbers import formatted, is_sentinel
from usbhidups.ups.convert.rules import Access
from usbhidups.ups.evidence import Reading
from usbhidups.ups.profile import VariableRow

__all__ = ["battery_two_thirds", "tiny_nominal_volts", "tiny_volts"]

_TOO_HIGH = 1.4  # times nominal: no lead battery is charged that far
_TWO_THIRDS = 2 / 3

# Below one volt nothing runs, so the exponent of the descriptor is wrong; the powers are those seen
# (Liebert PSA and PST: 1.39e-06 V for 13.9 V, 0.001212 V for 121.2 V).
_TINY = ((5e-5, 1e7), (5e-3, 1e5))
_NOT_A_NOMINAL = 1e-3


def battery_two_thirds(row: VariableRow, reading: Reading, access: Access) -> str | None:
    """A battery voltage that is half as much again as it should be, told by the nominal voltage.

    Once seen to be too high the correction stays for the connection, or it would jump when the battery
    is discharged.
    """
    if is_sentinel(row, reading):
        return None
    key = f"{row.name} factor"
    nominal = access.number(f"{row.name}.nominal")
    if nominal and reading.physical / nominal > _TOO_HIGH:
        access.memory[key] = _TWO_THIRDS
    return formatted(row, reading, access.memory.get(key, 1.0))


def tiny_volts(row: VariableRow, reading: Reading, access: Access) -> str | None:
    """A voltage whose exponent is wrong by 1e7 or 1e5. Zero stays zero."""
    if is_sentinel(row, reading):
        return None
    factors = (factor for limit, factor in _TINY if 0 < reading.physical < limit)
    return formatted(row, reading, next(factors, 1.0))


def tiny_nominal_volts(row: VariableRow, reading: Reading, access: Access) -> str | None:
    """A nominal battery voltage; one that is next to nothing was never filled in."""
    if is_sentinel(row, reading) or reading.physical < _NOT_A_NOMINAL:
        return None
    return formatted(row, reading)
