"""Values of the Eaton family that are worked out from several variables (vendor-quirks.md 10)."""

from __future__ import annotations

from usbhidups.ups.convert.rules import Access
from usbhidups.ups.evidence import Reading
from usbhidups.ups.profile import VariableRow

__all__ = [
    "bypass_on",
    "computed_realpower",
    "eco_buzzword",
    "eco_mode",
    "nominal_voltage_choices",
    "write_bypass_on",
    "write_eco_mode",
]

_USUAL_POWER_FACTOR = 0.80

_VOLTAGE_FAMILIES = (("100", "110", "120", "127"), ("200", "208", "220", "230", "240"))

_ECO_WORDS = {"normal": 0, "ECO": 1, "ESS": 2}
_ECO_PREFIX = "vendor:mge-hid:"
_BYPASS_WORDS = {"disabled": 0, "on": 1}


def computed_realpower(row: VariableRow, reading: Reading, access: Access) -> str | None:
    """Real power of a unit that does not measure it: load, nominal power and power factor."""
    load, nominal = access.number("ups.load"), access.number("ups.power.nominal")
    if load is None or not nominal:
        return None
    factor = access.number("output.powerfactor") or _USUAL_POWER_FACTOR
    return f"{load * 0.01 * nominal * factor:.0f}"


def nominal_voltage_choices(row: VariableRow, text: str) -> tuple[str, ...]:
    """The row's words, those of the other kind of mains left out: nobody makes a 230 V unit one of 120 V."""
    for family in _VOLTAGE_FAMILIES:
        if text in family:
            return tuple(word for word in row.enum if word in family)
    return row.enum


def eco_mode(row: VariableRow, reading: Reading, access: Access) -> str | None:
    """normal, ECO or ESS; ECO only while the bypass is good enough to run on."""
    if reading.logical == 1 and not _bypass_within(access, "eco", 0.95, 1.05, 0.05):
        return "normal"
    return next((word for word, number in _ECO_WORDS.items() if number == reading.logical), None)


def eco_buzzword(row: VariableRow, reading: Reading, access: Access) -> str | None:
    """The energy saving mode in the vendor's words, while there is one."""
    word = eco_mode(row, reading, access)
    return f"{_ECO_PREFIX}{word}" if word in ("ECO", "ESS") else None


def write_eco_mode(row: VariableRow, text: str, access: Access) -> float:
    """The number of a mode, with or without the vendor's prefix."""
    return _number(text.removeprefix(_ECO_PREFIX), _ECO_WORDS)


def bypass_on(row: VariableRow, reading: Reading, access: Access) -> str | None:
    """disabled or on; on only while the bypass is good enough to feed the load."""
    if reading.logical == 1 and not _bypass_within(access, "bypass", 0.80, 1.15, 0.10):
        return None
    return next((word for word, number in _BYPASS_WORDS.items() if number == reading.logical), None)


def write_bypass_on(row: VariableRow, text: str, access: Access) -> float:
    """The number of a switch position."""
    return _number(text, _BYPASS_WORDS)


def _number(text: str, words: dict[str, int]) -> float:
    if text not in words:
        raise ValueError(f"{text!r} is none of {', '.join(words)}")
    return float(words[text])


def _bypass_within(access: Access, mode: str, low: float, high: float, spread: float) -> bool:
    """Whether the bypass's voltage and frequency are within the limits of a mode, or of their usual values."""
    voltage, frequency = (
        access.number("input.bypass.voltage"),
        access.number("input.bypass.frequency"),
    )
    nominal_voltage = access.number("output.voltage.nominal")
    nominal_frequency = access.number("output.frequency.nominal")
    if not (voltage and frequency and nominal_voltage and nominal_frequency):
        return False
    lowest = access.number(f"input.transfer.{mode}.low") or nominal_voltage * low
    highest = access.number(f"input.transfer.{mode}.high") or nominal_voltage * high
    percent = access.number(f"input.transfer.frequency.{mode}.range")
    margin = nominal_frequency * (percent / 100 if percent else spread)
    return lowest <= voltage <= highest and abs(frequency - nominal_frequency) <= margin
