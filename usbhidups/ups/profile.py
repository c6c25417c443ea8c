"""Profiles: what is known of a firmware family, as data. The loader is the schema.

(The row types below are the seam between profiles/*.toml and the rest of ups/.)
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = [
    "CommandRow",
    "FlagRow",
    "Identification",
    "Match",
    "Pacing",
    "Poll",
    "Profile",
    "VariableRow",
]


class Poll(enum.Enum):
    """How often a value is worth a transfer."""

    STATUS = "status"  # every cycle: flags, countdowns
    VALUE = "value"  # in its turn: what is measured
    SETTING = "setting"  # after a write, and now and then: what a person may change
    CONSTANT = "constant"  # once per connection: what does not change


@dataclass(frozen=True, slots=True)
class VariableRow:
    """One way to obtain one NUT variable; rows of a name are tried in order, the first usable one wins.

    ``format`` is a printf format for the physical value; ``convert`` names a function of ups/convert.py,
    ``table`` turns the integer value into a word (and back, when writable). ``default`` makes it a value
    of the driver's own (NUT's "absent" rows): published when the path exists, never read nor sent.
    ``writable`` rows accept SET; ``length`` is the longest text, ``enum`` are the words offered,
    ``ranges`` pairs of whole numbers. ``seen`` says where an odd row was seen.
    """

    name: str
    path: str
    format: str = "%.0f"
    convert: str | None = None
    table: Mapping[int, str] | None = None
    poll: Poll = Poll.VALUE
    default: str | None = None
    writable: bool = False
    length: int = 0
    enum: tuple[str, ...] = ()
    ranges: tuple[tuple[int, int], ...] = ()
    only: str | None = None  # names a condition of ups/convert.py (a model family, an option)
    seen: str = ""


@dataclass(frozen=True, slots=True)
class FlagRow:
    """One HID item that sets or clears a status flag, or raises an alarm text.

    ``table`` maps the integer value to a word: a flag name sets it, ``!name`` clears it; a value that is
    not in the table changes nothing. ``convert`` names a function instead. ``alarm``: the words are free
    alarm texts instead of flags.
    """

    path: str
    table: Mapping[int, str] | None = None
    convert: str | None = None
    poll: Poll = Poll.STATUS
    alarm: bool = False
    only: str | None = None
    seen: str = ""


@dataclass(frozen=True, slots=True)
class CommandRow:
    """One instant command as one write: ``value`` is sent when the client gives no number.

    ``convert`` names a write conversion. ``switches_load`` is the profile's word that this row may switch
    the load; a command that does so without it is refused.
    """

    name: str
    path: str
    value: int | None = None
    convert: str | None = None
    switches_load: bool = False
    only: str | None = None
    seen: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """One way a profile recognises a device: all that is given must agree.

    Ids are numbers (None: any). ``manufacturer``, ``product_string`` are regular expressions searched in
    the strings, ignoring case. ``has`` are paths that must exist, ``lacks`` paths that must not.
    """

    vendor: int | None = None
    products: tuple[int, ...] = ()
    manufacturer: str = ""
    product_string: str = ""
    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Identification:
    """How ups.mfr, ups.model and ups.serial are made (vendor-quirks.md 0.2)."""

    manufacturer: str = ""  # when the device has no string
    rules: tuple[str, ...] = ()  # names of ups/identity.py, applied in order


@dataclass(frozen=True, slots=True)
class Pacing:
    """What the device bears: seconds unless said otherwise."""

    use_interrupt: bool = True
    use_feature: bool = True
    never_read: tuple[int, ...] = ()  # report ids never to ask for
    full_interval: float = 30.0  # seconds between full updates (NUT's pollfreq)
    write_gap: float = 0.125
    reopen_gap: float = 0.0  # least time between closing and opening again (failure B10)
    request_gap: float = 0.0  # least time between two control transfers (failure B07)
    oversize: tuple[int, ...] = ()  # reports to be asked with a larger buffer
    interrupt_size: int | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """One firmware family, complete: inheritance from ``extends`` is already worked in."""

    name: str
    title: str
    version: str
    matches: tuple[Match, ...]
    usages: Mapping[int, str]
    identification: Identification
    variables: tuple[VariableRow, ...]
    flags: tuple[FlagRow, ...]
    commands: tuple[CommandRow, ...]
    pacing: Pacing
    fixes: tuple[str, ...] = ()
    offdelay: int = 60
    ondelay: int = 120
    delay_step: int = 1
    shutdown: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    source: str = ""  # file it was loaded from
