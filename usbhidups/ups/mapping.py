"""Which field of this device feeds which row of its profile: the binding.

(Types are the seam between the profile side and the status/command side of ups/.)
"""

from __future__ import annotations

from dataclasses import dataclass

from usbhidups.hid.descriptor import Field
from usbhidups.ups.profile import CommandRow, FlagRow, Profile, VariableRow

__all__ = ["Binding", "BoundCommand", "BoundFlag", "BoundVariable"]


@dataclass(frozen=True, slots=True)
class BoundVariable:
    """A variable row and the field that feeds it; ``twin`` is the same path as an Input item, if any."""

    row: VariableRow
    field: Field
    twin: Field | None = None


@dataclass(frozen=True, slots=True)
class BoundFlag:
    """A flag row and the field that feeds it; ``twin`` as above."""

    row: FlagRow
    field: Field
    twin: Field | None = None


@dataclass(frozen=True, slots=True)
class BoundCommand:
    """A command row and the Feature field it writes."""

    row: CommandRow
    field: Field


@dataclass(frozen=True, slots=True)
class Binding:
    """All that a profile finds on one device, in the profile's order."""

    profile: Profile
    variables: tuple[BoundVariable, ...]
    flags: tuple[BoundFlag, ...]
    commands: tuple[BoundCommand, ...]
