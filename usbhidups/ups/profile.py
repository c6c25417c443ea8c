"""Profiles: what is known of a firmware family, as data.

Only the types are here; ``profile_file`` reads them from TOML (and is the schema), ``choose`` picks one,
``mapping`` finds its paths on a device. Nothing here knows a vendor.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = [
    "CommandRow",
    "Condition",
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
class Condition:
    """When a row counts: all that is given must hold.

    ``path`` names another field of the device; its logical value must be one of ``values`` (``negated``:
    none of them; an unread or missing field is none of them). ``lacks`` is a path the device must not
    have. ``families`` are model families of the profile's model table; ``option`` is a boolean option.
    """

    path: str = ""
    values: tuple[int, ...] = ()
    negated: bool = False
    lacks: str = ""
    families: tuple[str, ...] = ()
    option: str = ""


@dataclass(frozen=True, slots=True)
class VariableRow:
    """One way to obtain one NUT variable; rows of a name are tried in order, the first usable one wins.

    The published text comes from the physical value times ``scale`` by ``format`` (printf), or from
    ``table`` (the integer value's word, ``otherwise`` where it has none, and back when writable), or from
    ``convert`` (the name of a function of ups/convert). ``mask`` takes bits out of the value first (the
    mask's lowest bit counts as 1). ``report`` is a Feature report, perhaps not in the descriptor, whose
    bytes ``convert`` reads instead of the field's; the row still counts only where the path exists.

    ``default`` makes it a value of the driver's own (NUT's "absent" rows): published when the path
    exists, never read nor sent. ``writable`` rows accept SET; ``length`` is the longest text (0: no
    limit), ``enum`` the words offered, ``ranges`` pairs of whole numbers; ``string`` tells clients that
    it is text and not a number. ``seen`` says where an odd row was seen.
    """

    name: str
    path: str
    format: str = "%.0f"
    convert: str = ""
    table: Mapping[int, str] | None = None
    otherwise: str = ""
    scale: float = 1.0
    mask: int | None = None
    report: int | None = None
    poll: Poll = Poll.VALUE
    default: str | None = None
    writable: bool = False
    string: bool = False
    length: int = 0
    enum: tuple[str, ...] = ()
    ranges: tuple[tuple[int, int], ...] = ()
    when: Condition | None = None
    seen: str = ""


@dataclass(frozen=True, slots=True)
class FlagRow:
    """One HID item that sets or clears a status flag, or raises an alarm text.

    ``table`` maps the logical value (after ``mask``) to a word: a flag name sets it, ``!name`` clears
    it; a value that is not in the table gives ``otherwise``, and ``""`` changes nothing. ``alarm``: the
    words are free alarm texts instead of flags.
    """

    path: str
    table: Mapping[int, str]
    otherwise: str = ""
    mask: int | None = None
    poll: Poll = Poll.STATUS
    alarm: bool = False
    when: Condition | None = None
    seen: str = ""


@dataclass(frozen=True, slots=True)
class CommandRow:
    """One instant command as one write: ``value`` is sent when the client gives no number.

    ``convert`` names a write conversion of ups/convert. ``switches_load`` is the profile's word that this
    row may switch the load; a command that does so without it is refused.
    """

    name: str
    path: str
    value: int | None = None
    convert: str = ""
    switches_load: bool = False
    when: Condition | None = None
    seen: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """One way a profile recognises a device: all that is given must agree.

    Ids are numbers (None: any vendor); ``products`` gives each product id what people call it, empty for
    any product. ``manufacturer``, ``product_string`` are regular expressions searched in the strings,
    ignoring case. ``has`` are paths that must exist, ``lacks`` paths that must not.
    """

    vendor: int | None = None
    products: Mapping[int, str] = field(default_factory=dict)
    manufacturer: str = ""
    product_string: str = ""
    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Identification:
    """How ups.mfr, ups.model, ups.serial and ups.firmware are made (vendor-quirks.md 0.2).

    ``manufacturer`` stands in when the device has no such string. ``product`` is a regular expression
    whose named groups ``model``, ``firmware`` and ``aux`` cut the product string. ``model_path`` is a
    string index field whose text is the model; with ``models`` (the name of a table file beside the
    profiles) it is the second half of the key that is looked up there, ``model_fallback_path`` standing
    in for an empty text.
    """

    manufacturer: str = ""
    product: str = ""
    model_path: str = ""
    model_fallback_path: str = ""
    models: str = ""


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
    """One firmware family, complete: inheritance from ``extends`` and the variant are already worked in.

    ``offdelay`` and ``ondelay`` are the defaults of ups.delay.shutdown and .start in seconds,
    ``delay_step`` is the grain of the device's delays in seconds.
    """

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
    offdelay: int = 20
    ondelay: int = 30
    delay_step: int = 1
    notes: tuple[str, ...] = ()
    variant: str = ""  # which [[variant]] is worked in
    source: str = ""  # file it was loaded from
