"""The reading side of one UPS: what to ask for, what to believe of the answers, and whether they are fresh.

It joins ``schedule``, ``plausibility``, ``announce``, ``evidence``, ``freshness``, ``freeze`` and
``failures``; it knows reports, not meanings.
Time is an argument (seconds of one monotonic clock).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from usbhidups.errors import TransferKind
from usbhidups.hid.descriptor import Field, ReportType
from usbhidups.hid.report import extract
from usbhidups.ups.evidence import Evidence, Report
from usbhidups.ups.mapping import Binding, BoundVariable
from usbhidups.ups.options import Options
from usbhidups.ups.plan import ReadRequest
from usbhidups.ups.reading.announce import Announcements, Finding
from usbhidups.ups.reading.endpoint import Endpoint
from usbhidups.ups.reading.failures import Failures
from usbhidups.ups.reading.freeze import FreezeDetector
from usbhidups.ups.reading.freshness import NEVER, Freshness, Health, Proof, Trust
from usbhidups.ups.reading.plausibility import Decision, Plausibility
from usbhidups.ups.reading.schedule import PollIntervals, Schedule
from usbhidups.ups.reading.wanted import Key, coverage, key_of, name_fields, proof_keys, wanted

__all__ = ["Reader"]

GUARDED = frozenset({"battery.charge", "battery.voltage", "battery.runtime"})
"""Numbers that cannot fall by half within seconds without a second look (D08)."""

USUAL_FULL = 30.0
"""Seconds between two reads of a measured value (NUT's pollfreq)."""

QUIET_AT_MOST = 60.0
"""Seconds of silence that an interrupt-only device may always make."""


class Reader:
    """The reports of one UPS, from the wire to the evidence."""

    def __init__(
        self, binding: Binding, options: Options, *, has_endpoint: bool, now: float
    ) -> None:
        pacing = binding.profile.pacing
        self._binding = binding
        interrupts = pacing.use_interrupt and not options.pollonly and has_endpoint
        self._controls = pacing.use_feature and not options.interruptonly
        self._endpoint = Endpoint(
            used=interrupts,
            needed=not self._controls,
            tolerance=options.interrupt_pipe_no_events_tolerance,
        )
        self._covered: Mapping[Key, Key] = coverage(binding) if interrupts else {}
        self._proof_keys = proof_keys(binding)
        self._asked_as = _asked_as(binding) if self._controls else {}
        self._rivals = _rivals(binding)
        self._measured = _measured(binding)
        self.evidence = Evidence(binding.descriptor)
        self._movement = FreezeDetector(now=now)
        self._failures = Failures()
        self.freshness = Freshness(self._movement, self._failures)
        self._plausibility = Plausibility(essential=self._proof_keys, guarded=_guarded(binding))
        self._announcements = Announcements(binding, self._covered)
        self._flag_fields = _flag_fields(binding)
        self._flags_seen: dict[Key, tuple[int | None, ...]] = {}
        self._schedule = Schedule(_beat(binding, options))
        self._names = name_fields(binding)
        self._want({}, now)
        self._outstanding: set[Key] = set()
        self._proof_at = NEVER
        self._longest_silence = 0.0
        self.changed = True

    # -- asking ------------------------------------------------------------------------------

    def reads_due(self, now: float) -> tuple[ReadRequest, ...]:
        """Reports to fetch now, in this order."""
        if not self._controls:
            return ()
        self._endpoint.look(now)
        self._schedule.listening(yes=self._endpoint.listens)
        self._feel_pulse()
        self._await_healing()
        requests = self._schedule.due(now)
        self._outstanding.update((request.report_type, request.report_id) for request in requests)
        return requests

    def next_due(self, now: float) -> float:
        """Seconds until ``reads_due`` has something; the beat where nothing is ever asked."""
        if not self._controls:
            return self._schedule.beat.status
        self._await_healing()  # it may have begun with what was read last
        return self._schedule.next_due(now)

    @property
    def listens(self) -> bool:
        """Whether the interrupt endpoint is worth waiting on."""
        return self._endpoint.listens

    @property
    def mode(self) -> str:
        """How reports come, for people."""
        return self._endpoint.mode

    def supplied(self, sources: Mapping[str, BoundVariable], *, now: float) -> None:
        """Say which rows give the variables their values now, so that others need not be read."""
        self._want(sources, now)

    def ask(self, fields: tuple[Field, ...], *, at: float) -> None:
        """Have the reports of these fields read no later than ``at``."""
        for field in fields:
            self._schedule.ask(key_of(field), at=at)

    def on_battery(self, *, yes: bool, now: float) -> None:
        """Read more often while the mains are away; when they go or come back, all that is measured at once."""
        self._schedule.on_battery(yes=yes, now=now)

    def use(self, options: Options) -> None:
        """Take over options that may change while running."""
        self._schedule.beat = _beat(self._binding, options)
        self._endpoint.tolerance = options.interrupt_pipe_no_events_tolerance

    # -- answers -----------------------------------------------------------------------------

    def got(self, report_type: ReportType, data: bytes, *, now: float) -> None:
        """A report came, asked for or not."""
        if not data:
            return
        key = (report_type, data[0])
        size = self._binding.descriptor.report_bytes.get(key)
        if size is None:
            return
        data = bytes(data[: size + 1])
        announced = report_type is ReportType.INPUT and key not in self._outstanding
        self._outstanding.discard(key)
        if announced:
            self._endpoint.brought()
        if len(data) < 2 and size:
            if not announced:
                self.failed(ReadRequest(*key, size + 1), TransferKind.SHORT, now=now)
            return
        if not announced:
            before = self.evidence.report(*key)
            moved = before is not None and before.data != data
            self._schedule.answered(key, moved=moved, now=now)
        asked_as = self._asked_as.get(key, key)
        verdict = self._plausibility.judge(
            key, data, announced=announced, asked_as=asked_as, now=now
        )
        if verdict is Decision.RECHECK:
            if self._controls and self._schedule.ask(asked_as, at=now):
                self._came(key, data, announced=announced, now=now)
                return
            self._plausibility.could_not_ask(asked_as, now=now)
        for by, held_back in self._plausibility.confirmed():
            self._believe(by, held_back, announced=by[0] is ReportType.INPUT, now=now)
        self._believe(key, data, announced=announced, now=now)

    def failed(self, request: ReadRequest, kind: TransferKind, *, now: float) -> None:
        """A control read failed."""
        key = (request.report_type, request.report_id)
        self._outstanding.discard(key)
        supported = self.evidence.report(*key) is not None
        self._schedule.failed(key, kind, now=now)
        self._failures.failed(key, kind, supported=supported, now=now)
        if key in self._proof_keys:
            self.freshness.unproven()
        self.evidence.refuse(*key, now)
        self.changed = True
        believed = self._plausibility.could_not_ask(key, now=now)
        if believed is not None:
            self._believe(believed[0], believed[1], announced=True, now=now)
        if supported and self._failures.number > 1:
            self._schedule.ask_another(key, at=now)
        for lost in self._schedule.lost(now):
            self.evidence.drop(*lost)
            self._movement.lost(lost)

    def input_failed(self, kind: TransferKind, *, now: float) -> None:
        """Waiting on the interrupt endpoint failed; a timeout is no failure."""
        self._endpoint.failed(kind, now=now)

    def no_input(self) -> None:
        """A wait on the interrupt endpoint ended empty."""
        self._endpoint.stayed_empty()

    # -- the connection ----------------------------------------------------------------------

    def disconnected(self, *, now: float) -> None:
        """The device is not open any more; what it said stays, and ages."""
        self.freshness.disconnected(now=now)
        self._outstanding.clear()

    def reconnected(self, *, now: float) -> None:
        """The same device was opened again: its status is read first."""
        self.freshness.reconnected(now=now)
        self._movement.was_away(now=now)
        self._failures.forget()
        self._schedule.restart(now=now)
        self._plausibility.forget()
        self._announcements.forget()
        self._outstanding.clear()
        self._endpoint.opened()

    def reopen(self, now: float) -> str:
        """Why the device is to be closed and opened again; "" where it is not."""
        if self._endpoint.too_quiet:
            return "the interrupt endpoint has been silent for too long"
        return self.freshness.reopen(now=now)

    def trust(self, now: float) -> Trust:
        """How much the evidence may be trusted, and what to do about it."""
        proof = self._proof()
        if self._controls and not self._schedule.status_tried():
            stale = "the status was not read yet"
        else:
            stale = self.freshness.stale(proof, now=now)
        good_until = self.freshness.good_until(proof)
        reopen = self.reopen(now)
        if reopen:
            return Trust(Health.REOPEN, reopen, stale, good_until)
        if stale:
            return Trust(Health.STALE, stale, stale, good_until)
        doubt = self.freshness.doubt(proof, now=now)
        return Trust(Health.DOUBTFUL if doubt else Health.FRESH, doubt, "", good_until)

    # -- inside ------------------------------------------------------------------------------

    def _believe(self, key: Key, data: bytes, *, announced: bool, now: float) -> None:
        before = self.evidence.report(*key)
        self.evidence.feed(key[0], data, now)
        if before is None or before.data != data or self._contradicted(key, before):
            self.changed = True
        if announced:
            self._schedule.announced(key, now=now)
            findings = self._announcements.announced(key, data, now=now)
        else:
            findings = self._announcements.polled(key, data, now=now)
        self._learn(findings)
        if before is None or before.data != data:
            self._look_around(key, data, now)
        self._came(key, data, self._measured.get(key, ()), announced=announced, now=now)
        if key in self._proof_keys or not self._proof_keys:
            if self._proof_at != NEVER:
                self._longest_silence = max(self._longest_silence, now - self._proof_at)
            self._proof_at = now

    def _came(
        self,
        key: Key,
        data: bytes,
        measured: Collection[Field] = (),
        *,
        announced: bool,
        now: float,
    ) -> None:
        if announced:
            self._failures.announced()
        else:
            self._failures.answered()
        self._movement.heard(key, data, measured=measured, now=now)

    def _contradicted(self, key: Key, before: Report) -> bool:
        """Whether another report of the same things has spoken since ``before``, and not in the same bytes.

        It is the newest that counts: one that repeats itself changes everything if it was contradicted.
        """
        others = (self.evidence.report(*counterpart) for counterpart in self._rivals.get(key, ()))
        return any(o is not None and o.at >= before.at and o.data != before.data for o in others)

    def _look_around(self, key: Key, data: bytes, now: float) -> None:
        """When flags changed, have the other status reports read too: they belong to one moment."""
        fields = self._flag_fields.get(key)
        if fields is None:
            return
        flags = tuple(extract(field, data) for field in fields)
        before = self._flags_seen.get(key)
        self._flags_seen[key] = flags
        if before is not None and before != flags:
            self._schedule.ask_status(at=now)
            self._movement.changed_flags(now=now)

    def _learn(self, findings: list[Finding]) -> None:
        for finding in findings:
            if finding.announces is None:
                self._schedule.suspicion(finding.key)
            elif finding.announces:
                self._schedule.proof(finding.key)
            else:
                self._schedule.disproof(finding.key)

    def _proof(self) -> Proof:
        if not self._proof_keys:
            usual = max(QUIET_AT_MOST, self._schedule.beat.full)
            return Proof(self._proof_at, usual, asked=self._controls)
        if self._controls and any(map(self._schedule.can_answer, self._proof_keys)):
            soonest = min(self._schedule.expected(key) for key in self._proof_keys)
            return Proof(self._proof_at, soonest, asked=True)
        patience = max(QUIET_AT_MOST, 3 * self._longest_silence)
        return Proof(self._proof_at, patience, asked=False)

    def _feel_pulse(self) -> None:
        keys, seconds = self._movement.pulse()
        for key in keys:
            self._schedule.ask_within(key, seconds)

    def _await_healing(self) -> None:
        """Have the mains' report read when a device that was stale has done well for long enough."""
        healed_at = self.freshness.healed_at
        if healed_at is not None:
            for key in self._proof_keys:
                self._schedule.ask(key, at=healed_at)

    def _want(self, supplied: Mapping[str, BoundVariable], now: float) -> None:
        reports = wanted(
            self._binding,
            tried=self._schedule.tried,
            works=self._schedule.works,
            supplied=supplied,
            covered=self._covered,
            also=self._names,
        )
        self._schedule.want(reports, now=now)


def _beat(binding: Binding, options: Options) -> PollIntervals:
    """The intervals. A profile's shorter full interval is there to keep a controller awake: the beat does."""
    pacing = binding.profile.pacing
    full = options.pollfreq
    if full is None:
        full = max(pacing.full_interval, USUAL_FULL)
    return PollIntervals(options.pollinterval, full, pacing.request_gap)


def _measured(binding: Binding) -> dict[Key, tuple[Field, ...]]:
    fields: dict[Key, dict[Field, None]] = {}
    for bound in binding.variables:
        for field in (bound.field, bound.counterpart):
            if field is not None and bound.row.default is None:
                fields.setdefault(key_of(field), {})[field] = None
    return {key: tuple(each) for key, each in fields.items()}


def _flag_fields(binding: Binding) -> dict[Key, list[Field]]:
    fields: dict[Key, list[Field]] = {}
    for bound in binding.flags:
        for field in (bound.field, bound.counterpart):
            if field is not None:
                fields.setdefault(key_of(field), []).append(field)
    return fields


def _asked_as(binding: Binding) -> dict[Key, Key]:
    """For each report: the one to read for a second look (the Feature report of an announced one)."""
    answers: dict[Key, Key] = {}
    for field, counterpart in _fields(binding):
        answers.setdefault(key_of(field), key_of(field))
        if counterpart is not None:
            answers[key_of(counterpart)] = key_of(field)
    return answers


def _rivals(binding: Binding) -> dict[Key, frozenset[Key]]:
    """For each report: the others that hold a field of it too."""
    rivals: dict[Key, frozenset[Key]] = {}
    for field, counterpart in _fields(binding):
        if counterpart is not None:
            one, other = key_of(field), key_of(counterpart)
            rivals[one] = rivals.get(one, frozenset()) | {other}
            rivals[other] = rivals.get(other, frozenset()) | {one}
    return rivals


def _fields(binding: Binding) -> list[tuple[Field, Field | None]]:
    return [
        *((flag.field, flag.counterpart) for flag in binding.flags),
        *((variable.field, variable.counterpart) for variable in binding.variables),
    ]


def _guarded(binding: Binding) -> list[Field]:
    return [
        field
        for bound in binding.variables
        if bound.row.name in GUARDED
        for field in (bound.field, bound.counterpart)
        if field is not None
    ]
