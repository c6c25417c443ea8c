"""Numbers of the HID usages that a simulated UPS understands; all others are bits that it keeps.

Pages 0x84 (Power Device) and 0x85 (Battery System) of the usage tables for HID power devices 1.1, and a few
vendor usages by what firmwares do with them. Written separately from the driver's table, on purpose.
"""

from __future__ import annotations

import re
from types import MappingProxyType

__all__ = ["NAMES", "index_node", "node_text", "parse_path"]

_POWER = {
    0x01: "iName",
    0x02: "PresentStatus",
    0x03: "ChangedStatus",
    0x04: "UPS",
    0x05: "PowerSupply",
    0x10: "BatterySystem",
    0x12: "Battery",
    0x14: "Charger",
    0x16: "PowerConverter",
    0x18: "OutletSystem",
    0x1A: "Input",
    0x1C: "Output",
    0x1E: "Flow",
    0x20: "Outlet",
    0x24: "PowerSummary",
    0x30: "Voltage",
    0x31: "Current",
    0x32: "Frequency",
    0x33: "ApparentPower",
    0x34: "ActivePower",
    0x35: "PercentLoad",
    0x36: "Temperature",
    0x40: "ConfigVoltage",
    0x42: "ConfigFrequency",
    0x43: "ConfigApparentPower",
    0x44: "ConfigActivePower",
    0x45: "ConfigPercentLoad",
    0x4B: "Power4B",  # no standard usage; a battery flag on one family
    0xD0: "PowerD0",  # likewise: mains present
    0x50: "SwitchOnControl",
    0x51: "SwitchOffControl",
    0x52: "ToggleControl",
    0x53: "LowVoltageTransfer",
    0x54: "HighVoltageTransfer",
    0x55: "DelayBeforeReboot",
    0x56: "DelayBeforeStartup",
    0x57: "DelayBeforeShutdown",
    0x58: "Test",
    0x5A: "AudibleAlarmControl",
    0x60: "Present",
    0x61: "Good",
    0x62: "InternalFailure",
    0x63: "VoltageOutOfRange",
    0x64: "FrequencyOutOfRange",
    0x65: "Overload",
    0x67: "OverTemperature",
    0x68: "ShutdownRequested",
    0x69: "ShutdownImminent",
    0x6B: "SwitchOnOff",
    0x6C: "Switchable",
    0x6D: "Used",
    0x6E: "Boost",
    0x6F: "Buck",
    0x72: "AwaitingPower",
    0x73: "CommunicationLost",
    0xFD: "iManufacturer",
    0xFE: "iProduct",
    0xFF: "iSerialNumber",
}

_BATTERY = {
    0x29: "RemainingCapacityLimit",
    0x2A: "RemainingTimeLimit",
    0x2C: "CapacityMode",
    0x42: "BelowRemainingCapacityLimit",
    0x43: "RemainingTimeLimitExpired",
    0x44: "Charging",
    0x45: "Discharging",
    0x46: "FullyCharged",
    0x47: "FullyDischarged",
    0x4B: "NeedReplacement",
    0x64: "RelativeStateOfCharge",
    0x65: "AbsoluteStateOfCharge",
    0x66: "RemainingCapacity",
    0x67: "FullChargeCapacity",
    0x68: "RunTimeToEmpty",
    0x69: "AverageTimeToEmpty",
    0x6A: "AverageTimeToFull",
    0x6B: "CycleCount",
    0x83: "DesignCapacity",
    0x85: "ManufacturerDate",
    0x89: "iDeviceChemistry",
    0x8B: "Rechargeable",
    0x8C: "WarningCapacityLimit",
    0x8F: "iOEMInformation",
    0xD0: "ACPresent",
    0xD1: "BatteryPresent",
    0xDB: "VoltageNotRegulated",
}

NAMES = MappingProxyType(
    {0x840000 | number: name for number, name in _POWER.items()}
    | {0x850000 | number: name for number, name in _BATTERY.items()}
)
"""``page << 16 | id`` to the name that ``set`` and ``state`` of the control socket use."""

_NUMBERS = {name.lower(): number for number, name in NAMES.items()}


def index_node(number: int) -> int:
    """The path node of a collection's index (vendor collection types): negative, so that no usage is it."""
    return -1 - number


def node_text(node: int) -> str:
    """A path node in words: a name, ``[3]`` for an index, or eight hex digits."""
    return f"[{-1 - node}]" if node < 0 else NAMES.get(node, f"{node:08x}")


def parse_path(text: str) -> tuple[int, ...]:
    """``UPS.Outlet.[2].SwitchOnOff`` as nodes; ValueError names the part that is unknown."""
    nodes = []
    for part in text.split("."):
        if index := re.fullmatch(r"\[(\d+)\]", part):
            nodes.append(index_node(int(index[1])))
        elif part.lower() in _NUMBERS:
            nodes.append(_NUMBERS[part.lower()])
        elif re.fullmatch(r"[0-9a-fA-F]{1,8}", part):
            nodes.append(int(part, 16))
        else:
            raise ValueError(f"unknown usage {part!r}")
    return tuple(nodes)
