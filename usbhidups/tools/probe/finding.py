"""What probe found of one device: data only, ready to be shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from usbhidups.hid.descriptor import Field, ReportType
from usbhidups.identity import Identity
from usbhidups.tools.probe.problem import Problem
from usbhidups.ups.snapshot import Value

__all__ = ["Cut", "FieldRow", "Finding", "Link", "Profiled", "Transfer"]


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field of the report descriptor and what it holds.

    ``raw`` are its bits, unsigned, and ``value`` the physical number; None where its report was not
    read, or ended before the field. ``feeds`` are the NUT names whose rows read or write it, () when
    nothing does; ``unit`` is the physical unit's short name, "" where there is none.
    """

    path: str
    field: Field
    raw: int | None = None
    value: float | None = None
    in_range: bool = True
    unit: str = ""
    feeds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Transfer:
    """One report that was asked for: how long it took (seconds), and why it failed ("" when it did not)."""

    report_type: ReportType
    report_id: int
    seconds: float
    failure: str = ""

    @property
    def name(self) -> str:
        """``feature 0x0c``."""
        return f"{self.report_type.name.lower()} {self.report_id:#04x}"


@dataclass(frozen=True, slots=True)
class Link:
    """How the device answered while it was read."""

    transfers: tuple[Transfer, ...] = ()
    seconds: float = 0.0

    @property
    def failed(self) -> tuple[Transfer, ...]:
        """Transfers that brought nothing, a report that failed more than once only once."""
        last = {transfer.name: transfer for transfer in self.transfers}
        return tuple(transfer for transfer in last.values() if transfer.failure)

    @property
    def slowest(self) -> Transfer | None:
        """The transfer that took longest."""
        return max(self.transfers, key=lambda transfer: transfer.seconds, default=None)


@dataclass(frozen=True, slots=True)
class Profiled:
    """The profile and why it is this one. ``repairs`` are sentences for people."""

    name: str
    title: str
    version: str
    variant: str
    why: str
    repairs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cut:
    """What kill-power would do: the lines of its plan, or why there is none."""

    plan: tuple[str, ...] = ()
    refusal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One device. ``problem`` is None when it was read; otherwise all but the identity may be empty.

    ``transport`` says by which way it was read, ``why`` that way. ``warnings`` are sentences for people
    about the device or this host; ``oddities`` concern its descriptor. ``other_driver`` is the NUT
    driver that the device belongs to instead, "" where that is not so.
    """

    identity: Identity
    transport: str = ""
    why: str = ""
    profile: Profiled | None = None
    variables: Mapping[str, Value] = field(default_factory=dict)
    commands: tuple[str, ...] = ()
    fields: tuple[FieldRow, ...] = ()
    link: Link = Link()
    cut: Cut = Cut()
    oddities: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    problem: Problem | None = None
    other_driver: str = ""

    @property
    def readable(self) -> bool:
        """Whether it was read."""
        return self.problem is None

    @property
    def writable(self) -> tuple[str, ...]:
        """The names of the variables that can be set."""
        return tuple(name for name, value in self.variables.items() if value.writable)

    def text(self, name: str) -> str:
        """A variable as published, "" where it is not there."""
        value = self.variables.get(name)
        return "" if value is None else value.text
