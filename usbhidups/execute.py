"""Carrying out a plan on a device: write, pause, read back, withdraw, fall back; bounded in time.

What came of it is said only from what the device shows. Used by the daemon and by kill-power; it decides
nothing about UPSes and sends nothing that the plan does not hold. ``describe`` says in words and bytes what
would be sent.
"""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from usbhidups.errors import TransferFailed, TransferKind, UsbHidUpsError
from usbhidups.hid import report, units
from usbhidups.ups.plan import CutTime, Pause, Read, ReadBack, Step, Write, WritePlan
from usbhidups.usb.transport import Transport

__all__ = ["Result", "ResultKind", "Sent", "describe", "execute"]

TRIES = 4
BETWEEN = 0.25
"""Reads of a read-back until the device shows it, and the seconds between them."""

TIME_LIMIT = 20.0
"""Seconds for one plan with its fallbacks: no new step begins afterwards."""

STEP_TIMEOUT = 3.0
"""Seconds for one control transfer here."""


class ResultKind(enum.Enum):
    """What came of a plan."""

    VERIFIED = "verified"  # the device shows it
    ACCEPTED = "accepted"  # the device took the bytes; nothing it shows proves more
    IGNORED = "ignored"  # the device took the bytes and shows something else: unverified at best
    REFUSED = "refused"  # the device would not take the bytes
    FAILED = "failed"  # the device could not be reached


@dataclass(frozen=True, slots=True)
class Sent:
    """One report that was sent, and whether the device took it."""

    data: bytes
    meaning: str
    taken: bool


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it, in words too; ``plan`` is the name of the plan that counts (a fallback's perhaps)."""

    verdict: ResultKind
    plan: str
    text: str
    sent: tuple[Sent, ...] = ()

    @property
    def done(self) -> bool:
        """Whether the device took it and does not show the opposite."""
        return self.verdict in (ResultKind.VERIFIED, ResultKind.ACCEPTED)

    @property
    def verified(self) -> bool:
        """Whether the device shows it."""
        return self.verdict is ResultKind.VERIFIED


def execute(
    plan: WritePlan,
    transport: Transport,
    *,
    sleep: Callable[[float], None],
    now: Callable[[], float],
    limit: float = TIME_LIMIT,
) -> Result:
    """Do it; each fallback is tried when the one before was refused or is not obeyed.

    ``limit``: seconds after which no new step begins.
    A device that goes away meanwhile is a FAILED outcome, no exception: what was sent is told.
    """
    work = _Work(transport, sleep, now, now() + limit)
    outcome = work.execute(plan)
    failures: list[str] = []
    ignored: Result | None = None
    while not outcome.done:
        failures.append(f"{outcome.plan}: {outcome.text}")
        if outcome.verdict is ResultKind.IGNORED and ignored is None:
            ignored = outcome
        following = plan.fallback
        if following is not None and following.not_after_ignored and ignored is not None:
            following = following.fallback
        if following is None or work.late or work.gone:
            break
        plan = following
        outcome = work.execute(plan)
    if not outcome.done:
        best = ignored or outcome
        return replace(best, text="; ".join(failures), sent=tuple(work.sent))
    words = "; ".join([*failures, f"{outcome.plan}: {outcome.text}"])
    return replace(outcome, text=words, sent=tuple(work.sent))


def describe(plan: WritePlan, reports: Mapping[int, bytes]) -> tuple[str, ...]:
    """The plan in lines for people, with the exact bytes; ``reports`` are Feature reports as read now."""
    lines: list[str] = []
    current = dict(reports)
    chosen: WritePlan | None = plan
    while chosen is not None:
        lines.append(f"{chosen.name}:" if chosen is plan else f"if that is refused, {chosen.name}:")
        lines += [f"  {_described(step, current)}" for step in chosen.steps]
        if chosen.cut is not CutTime.AS_ASKED:
            lines.append(
                f"  the load goes {chosen.cut.value}: file systems must be read-only before"
            )
        if chosen.undo:
            lines.append("  should a step fail after a write:")
            lines += [f"    {_described(step, current)}" for step in chosen.undo]
        chosen = chosen.fallback
    return tuple(lines)


def _described(step: Step, current: dict[int, bytes]) -> str:
    if isinstance(step, Pause):
        return f"wait {step.seconds:g} s"
    if isinstance(step, Read):
        return f"read {step.report_id:02x}: {step.meaning}"
    if isinstance(step, ReadBack):
        return f"read back {step.field.report_id:02x}: {step.meaning}"
    data = _inserted(step, current.get(step.field.report_id))
    current[step.field.report_id] = data
    return f"write feature {step.field.report_id:02x} = {data.hex(' ')}: {step.meaning}"


def _inserted(step: Write, before: bytes | None) -> bytes:
    """The whole report with the one field changed; unknown bits are 0, the id is always the real one."""
    data = bytearray((before or b"").ljust(step.size, b"\0")[: step.size])
    data[0] = step.field.report_id
    return report.insert(step.field, bytes(data), step.logical)


class _Work:
    """One carrying-out: the transport, the clock, and what was sent so far."""

    def __init__(
        self,
        transport: Transport,
        sleep: Callable[[float], None],
        now: Callable[[], float],
        until: float,
    ) -> None:
        self._transport = transport
        self._sleep = sleep
        self._now = now
        self._until = until
        self.sent: list[Sent] = []
        self.gone = False

    @property
    def late(self) -> bool:
        """Whether no new step may begin."""
        return self._now() >= self._until

    def execute(self, plan: WritePlan) -> Result:
        """One plan, without its fallbacks."""
        verdict, words = ResultKind.ACCEPTED, "accepted, nothing proves more"
        written = False
        before = {
            step: self._read(step)
            for step in plan.steps
            if isinstance(step, ReadBack) and step.must_change
        }
        for step in plan.steps:
            if self.late:
                verdict, words = ResultKind.FAILED, "out of time"
            elif isinstance(step, Pause):
                self._sleep(step.seconds)
                continue
            elif isinstance(step, Read):
                self._read_once(step)
                continue
            elif isinstance(step, Write):
                problem = self._write(step)
                if problem is None or step.may_fail:
                    written = written or problem is None
                    continue
                verdict, words = problem
            else:
                verdict, words = self._look(step, before.get(step))
                if verdict is not ResultKind.IGNORED:
                    continue
            if written and verdict is not ResultKind.IGNORED:
                words = f"{words}{self._undo(plan.undo)}"
            return Result(verdict, plan.name, words)
        return Result(verdict, plan.name, words)

    def _write(self, step: Write) -> tuple[ResultKind, str] | None:
        """Read, change, send. None: the device took it."""
        before: bytes | None = None
        try:
            if step.field.size < 8 * (step.size - 1):
                before = self._transport.get_feature(
                    step.field.report_id, step.size, timeout=STEP_TIMEOUT
                )
        except UsbHidUpsError as error:
            return self._problem(error, step.meaning)
        data = _inserted(step, before)
        try:
            self._transport.set_feature(data, timeout=STEP_TIMEOUT)
        except UsbHidUpsError as error:
            self.sent.append(Sent(data, step.meaning, taken=False))
            return self._problem(error, step.meaning)
        self.sent.append(Sent(data, step.meaning, taken=True))
        return None

    def _look(self, step: ReadBack, before: int | None) -> tuple[ResultKind, str]:
        shown = ""
        for attempt in range(TRIES):
            if attempt:
                self._sleep(BETWEEN)
            value = self._read(step)
            if value is None:
                continue
            if any(low <= value <= high for low, high in step.accept):
                if value == before:
                    return ResultKind.ACCEPTED, f"{step.meaning}, accepted; it showed that before"
                return ResultKind.VERIFIED, f"{step.meaning}, verified"
            shown = f"{units.to_physical(step.field, value):g}"
            if self.late:
                break
        if not shown:
            return ResultKind.ACCEPTED, f"{step.meaning}, accepted; it cannot be read back"
        return ResultKind.IGNORED, f"{step.meaning} was accepted, but the device shows {shown}"

    def _read(self, step: ReadBack) -> int | None:
        try:
            data = self._transport.get_feature(
                step.field.report_id, step.size, timeout=STEP_TIMEOUT
            )
        except UsbHidUpsError:
            return None
        raw = report.extract(step.field, data)
        return None if raw is None else report.logical(step.field, raw)

    def _read_once(self, step: Read) -> None:
        with contextlib.suppress(UsbHidUpsError):
            self._transport.get_feature(step.report_id, step.size, timeout=STEP_TIMEOUT)

    def _undo(self, steps: Sequence[Step]) -> str:
        failed = False
        for step in steps:
            if isinstance(step, Pause):
                self._sleep(step.seconds)
            elif isinstance(step, Write):
                failed = failed or self._write(step) is not None
        if not steps:
            return ""
        return "; withdrawing failed too" if failed else "; what was begun is withdrawn"

    def _problem(self, error: UsbHidUpsError, meaning: str) -> tuple[ResultKind, str]:
        if isinstance(error, TransferFailed):
            if error.kind is TransferKind.STALL:
                return ResultKind.REFUSED, f"{meaning} was refused ({error})"
        else:
            self.gone = True
        return ResultKind.FAILED, f"{meaning} failed ({error})"
