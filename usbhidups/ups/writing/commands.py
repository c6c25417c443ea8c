"""Instant commands become lists of writes, or a refusal with a reason. Nothing is sent here.

A command is a row of the profile, or made of two rows (``shutdown.return``: the start delay, a pause, the off
delay; the first is withdrawn when the second fails). Whatever can switch the load needs the profile's word
for it (``CommandRow.switches_load``). nut-driver-contract.md 6.3 to 6.6, reference/shutdown-sequences.csv.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from usbhidups.hid.descriptor import Descriptor, Field, ReportType
from usbhidups.ups.decode import Context, holds
from usbhidups.ups.evidence import Evidence
from usbhidups.ups.mapping import Binding, BoundCommand, BoundVariable
from usbhidups.ups.plan import CutTime, Pause, Read, Refusal, Step, Write, WritePlan
from usbhidups.ups.writing import encode
from usbhidups.ups.writing.delays import Delays, effective
from usbhidups.ups.writing.encode import Unencodable

__all__ = ["INVALID", "KILLPOWER", "Commands"]

INVALID = 2
"""TRACKING: unknown command, or an argument that is none (nut-driver-contract.md 3.2)."""

FAILED = 3
"""TRACKING: known, but cannot be done."""

KILLPOWER = ("shutdown.return", "shutdown.reboot", "load.off.delay")
"""What kill-power tries, in this order (nut-driver-contract.md 6.6). Newer NUT ends with shutdown.stayoff,
after which the load never comes back by itself; a battery that runs down does that better."""

RETURNING = KILLPOWER[:2]
"""Those after which the load comes back although the mains never went: all that is tried while they are
there."""

LEAST_GAP = 0.125
"""Seconds between two writes, whatever the profile says (B11)."""

LONGEST_DELAY = 7200
"""Seconds: a longer delay before the load goes is a mistake (F09)."""

_RENAMED = {"beeper.off": "beeper.disable", "beeper.on": "beeper.enable"}
_AT_ONCE = {"load.off": "load.off.delay", "load.on": "load.on.delay"}
_COMPOSED = ("shutdown.return", "shutdown.stayoff")
_SWITCHING = ("load.", "shutdown.")
_ECHOED = ("beeper.enable", "beeper.disable")
_BATTERY_TEST = "test.battery."
_TEST_RUNS = (5, 7)  # in progress, scheduled: what a test's item shows while it obeys
_STOPPED = "shutdown.stop"


@dataclass(frozen=True, slots=True)
class Commands:
    """What one UPS can be told to do, in its present state."""

    binding: Binding
    evidence: Evidence
    context: Context
    delays: Delays

    def available(self) -> frozenset[str]:
        """The commands to be offered."""
        names = {name for name in self._names() if self._allowed(name)}
        names.update(
            name
            for name, other in _AT_ONCE.items()
            if self._row(other) is not None and self._allowed(other)
        )
        if {"load.off.delay", "load.on.delay"} <= names:
            names.update(_COMPOSED)
        names.update(old for old, new in _RENAMED.items() if new in names)
        if any(name in names for name in KILLPOWER):
            names.add("shutdown.default")
        return frozenset(names)

    def plan(self, name: str, argument: str | None) -> WritePlan | Refusal:
        """What carries out one command; ``argument`` as the client gave it."""
        number: int | None = None
        if argument is not None and argument.strip():
            try:
                number = int(argument)
            except ValueError:
                return Refusal(INVALID, f"{argument!r} is no whole number")
        if name == "shutdown.default":
            return self.killpower(())
        try:
            return self._plan(_RENAMED.get(name, name), number)
        except Unencodable as error:
            return Refusal(INVALID, f"{name}: {error}")

    def killpower(self, wanted: Iterable[str], *, on_mains: bool = False) -> WritePlan | Refusal:
        """Cut the power, so that it comes back with the mains: each plan the fallback of the one before.

        ``wanted`` are the administrator's sdcommands; () means the built-in chain, of which ``on_mains``
        leaves what brings the load back: cut otherwise, it would stay off for good (failure F05).
        """
        chosen = RETURNING if on_mains else KILLPOWER
        names = tuple(
            part
            for name in tuple(wanted) or chosen
            for part in (chosen if name == "shutdown.default" else (name,))
        )
        plans: list[WritePlan] = []
        reasons: list[str] = []
        for name in names:
            planned = self._emergency(_RENAMED.get(name, name))
            if isinstance(planned, Refusal):
                reasons.append(planned.reason)
            else:
                plans.append(planned)
        chain: WritePlan | None = None
        for plan in reversed(plans):
            chain = replace(plan, fallback=chain)
        if chain is None:
            why = "; ".join(dict.fromkeys(reasons))
            aim = "switch off and on again by itself" if on_mains else "cut its power on command"
            return Refusal(FAILED, f"this device cannot {aim}: {why}")
        return chain

    # -- one command -------------------------------------------------------------------------

    def _emergency(self, name: str) -> WritePlan | Refusal:
        """A command of the kill-power chain: its delay is ours, not the table's."""
        try:
            row = self._row(name)
            if name == "shutdown.reboot" and row is not None and _ends(row, "DelayBeforeReboot"):
                return self._single(name, row, self.delays.off)
            return self._plan(name, None)
        except Unencodable as error:
            return Refusal(INVALID, f"{name}: {error}")

    def _plan(self, name: str, number: int | None) -> WritePlan | Refusal:
        row = self._row(name)
        if row is not None:
            return self._single(name, row, number)
        if name in _AT_ONCE and (row := self._row(_AT_ONCE[name])) is not None:
            return self._single(name, row, 0)
        if name in _COMPOSED:
            return self._composed(name)
        return Refusal(INVALID, f"{name}: this device has no such command")

    def _single(self, name: str, row: BoundCommand, number: int | None) -> WritePlan | Refusal:
        """One row, one write."""
        refusal = self._forbidden(name, row)
        if refusal is not None:
            return refusal
        logical, words = self._value(name, row, number)
        shown = f"{row.row.path} = {words}"
        steps: list[Step] = [encode.write(self._on, row.field, logical, shown)]
        check = self._check(name, row, logical, shown)
        if check is None and row.row.switches_load:
            check = self._glance(row.field)
        if check is not None:
            steps.append(check)
        cut = self._cut_time(name, row)
        return WritePlan(name, tuple(steps), switches_load=row.row.switches_load, cut=cut)

    def _value(self, name: str, row: BoundCommand, number: int | None) -> tuple[int, str]:
        """The logical value of a single write, and it in words."""
        path = row.row.path
        if self._counts_down(name, row):
            if number is not None:
                seconds = number
            elif name in _AT_ONCE and row.row.value is None:
                seconds = 0
            elif row.row.value is not None and not self._is_ours(name, path):
                seconds = row.row.value
            elif path.endswith("Startup"):
                seconds = self.delays.start
            else:
                seconds = self.delays.off
            if seconds > LONGEST_DELAY:
                raise Unencodable(f"{seconds} s is longer than {LONGEST_DELAY} s")
            if seconds < 0 and name != _STOPPED and number is not None:
                raise Unencodable(f"{seconds} s is no delay; {_STOPPED} cancels")
            step = self.binding.profile.delay_step
            return encode.delay(row, seconds, self.context.options, step=step), f"{seconds} s"
        value = number if number is not None else row.row.value
        if value is None:
            raise Unencodable("a number is needed")
        return encode.number(row.field, value), str(value)

    def _glance(self, written: Field) -> Read | None:
        """A report with flags, to be read after an order whose effect nothing shows."""
        for bound in self.binding.flags:
            field = bound.field
            ours = field.report_type is ReportType.FEATURE and field.report_id != written.report_id
            if ours:
                size = self._on.report_bytes[field.report_type, field.report_id] + 1
                return Read(field.report_id, size, "no order, so that no order is the last")
        return None

    def _cut_time(self, name: str, row: BoundCommand) -> CutTime:
        """By the standard a reboot switches off at once; a vendor's trigger has its own time."""
        if not _ends(row, "DelayBeforeReboot"):
            return CutTime.AS_ASKED
        return CutTime.AT_ONCE if self._counts_down(name, row) else CutTime.OWN

    def _composed(self, name: str) -> WritePlan | Refusal:
        """Start delay first, a gap, then the off delay; the first is withdrawn when the second fails."""
        start, off = self._row("load.on.delay"), self._row("load.off.delay")
        if start is None or off is None:
            missing = "load.on.delay" if start is None else "load.off.delay"
            return Refusal(INVALID, f"{name}: this device has no {missing}")
        for row in (start, off):
            refusal = self._forbidden(name, row)
            if refusal is not None:
                return refusal
        stays_off = name == "shutdown.stayoff"
        wanted = effective(self.delays)
        seconds = encode.CANCEL if stays_off else wanted.start
        options, step = self.context.options, self.binding.profile.delay_step
        start_value = encode.delay(start, seconds, options, step=step)
        off_value = encode.delay(off, wanted.off, options, step=step)
        start_words = f"{start.row.path} = {seconds} s"
        off_words = f"{off.row.path} = {wanted.off} s"
        gap = Pause(max(LEAST_GAP, self.binding.profile.pacing.write_gap))
        steps: list[Step] = []
        automatic = self._start_auto("no" if stays_off else "yes")
        if automatic is not None:
            steps += [automatic, gap]
        steps += [
            encode.write(self._on, start.field, start_value, start_words),
            gap,
            encode.write(self._on, off.field, off_value, off_words),
        ]
        check = encode.timer_read_back(self._on, off, off_value, off_words)
        if check is not None:
            steps.append(check)
        return WritePlan(
            name,
            tuple(steps),
            undo=self._withdrawal(start, gap),
            switches_load=True,
            not_after_ignored=stays_off,
        )

    def _withdrawal(self, start: BoundCommand, gap: Pause) -> tuple[Step, ...]:
        try:
            value = encode.delay(start, encode.CANCEL, self.context.options, step=1)
        except Unencodable:
            return ()
        return (gap, encode.write(self._on, start.field, value, f"{start.row.path} withdrawn"))

    def _start_auto(self, word: str) -> Write | None:
        """The setting that lets the UPS start by itself, where the device has it and it is readable."""
        row = _setting_row(self.binding, "ups.start.auto", word)
        if row is None:
            return None
        bound, value = row
        return encode.write(
            self._on, bound.field, value, f"{bound.row.path} = {word}", may_fail=True
        )

    def _check(self, name: str, row: BoundCommand, logical: int, words: str) -> Step | None:
        """What the device must show afterwards; None where nothing it shows would prove anything."""
        if self._counts_down(name, row):
            return encode.timer_read_back(self._on, row, logical, words)
        if name in _ECHOED:
            return encode.read_back(self._on, row.field, logical, words=words)
        if name.startswith(_BATTERY_TEST + "start"):
            return encode.read_back(self._on, row.field, *_TEST_RUNS, words=f"{words}: in progress")
        return None

    @property
    def _on(self) -> Descriptor:
        return self.binding.descriptor

    # -- rows --------------------------------------------------------------------------------

    def _names(self) -> Iterable[str]:
        return dict.fromkeys(bound.row.name for bound in self.binding.commands)

    def _row(self, name: str) -> BoundCommand | None:
        """The first row of a command whose condition is met."""
        for bound in self.binding.commands:
            if bound.row.name == name and holds(bound.when, self.evidence, self.context):
                return bound
        return None

    def _allowed(self, name: str) -> bool:
        row = self._row(name)
        return row is not None and self._forbidden(name, row) is None

    @staticmethod
    def _forbidden(name: str, row: BoundCommand) -> Refusal | None:
        switching = name.startswith(_SWITCHING) or ".load." in name or ".shutdown." in name
        if switching and name != _STOPPED and not row.row.switches_load:
            return Refusal(INVALID, f"{name}: the profile does not allow it to switch the load")
        if not encode.writable(row.field):
            return Refusal(FAILED, f"{name}: {row.row.path} cannot be written on this device")
        return None

    @staticmethod
    def _counts_down(name: str, row: BoundCommand) -> bool:
        """Whether the number is a time in seconds before something happens, not a magic word."""
        if row.row.convert:
            return True
        if encode.is_delay(row.row.path):
            return row.row.value is None or row.row.value not in (1,) or name == _STOPPED
        return _ends(row, "DelayBeforeReboot") and row.row.value != 1

    @staticmethod
    def _is_ours(name: str, path: str) -> bool:
        """Whether ups.delay.* stands in for the table's number when the client gives none."""
        return encode.is_delay(path) and name in (*_COMPOSED, "load.off.delay", "load.on.delay")


def _ends(row: BoundCommand, words: str) -> bool:
    return row.row.path.rsplit(".", 1)[-1].endswith(words)


def _setting_row(binding: Binding, name: str, word: str) -> tuple[BoundVariable, int] | None:
    for bound in binding.alternatives(name):
        table: Mapping[int, str] = bound.row.table or {}
        for value, text in table.items():
            if text == word and bound.row.writable and encode.writable(bound.field):
                return bound, value
    return None
