"""A look at one open device: every report that matters is read, nothing is written.

The reports that its profile maps are read once (``everything``: all that it declares), then again until no
flag is in doubt or patience ends. What is refused or late is part of the finding.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from usbhidups.attach import Attachment, attach
from usbhidups.errors import TransferFailed, TransferKind
from usbhidups.execute import describe
from usbhidups.hid.descriptor import ReportType
from usbhidups.hid.usages import Names
from usbhidups.tools.probe.clock import Clock
from usbhidups.tools.probe.fieldrows import field_rows
from usbhidups.tools.probe.finding import Cut, FieldRow, Finding, Link, Profiled, Transfer
from usbhidups.tools.probe.problem import Problem, Situation
from usbhidups.ups.device import Ups
from usbhidups.ups.loading.library import Library
from usbhidups.ups.mapping import BoundFlag, BoundVariable
from usbhidups.ups.options import Options
from usbhidups.ups.plan import ReadRequest, Refusal
from usbhidups.ups.reading.wanted import Key, key_of, name_fields, request
from usbhidups.ups.snapshot import Value
from usbhidups.usb.transport import Transport

__all__ = ["Look", "Plan"]

_log = logging.getLogger(__name__)

TIMEOUT = 2.0
"""Seconds for one transfer: a device that is slower is told to be."""

SILENT_AFTER = 3
"""Transfers that time out from the first, with no answer between, after which no more are tried."""

ROUND = 1.0
"""Seconds between two readings of flags that are in doubt."""

Progress = Callable[[str, int, int], None]
"""``progress(name, done, of)``: called before each transfer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How to look. ``patience``: seconds for settling what is in doubt."""

    everything: bool = False
    patience: float = 4.0
    options: Options = field(default_factory=Options)
    subdriver: str = ""


def _no_progress(_name: str, _done: int, _of: int) -> None:
    """Nobody watches."""


class Look:
    """One look; may be taken again (``again``) on the same connection."""

    def __init__(
        self,
        transport: Transport,
        library: Library,
        plan: Plan,
        clock: Clock,
        *,
        progress: Progress = _no_progress,
    ) -> None:
        """Raises DescriptorError, ProfileError, ConfigError and what the transport raises."""
        self._transport = transport
        self._plan = plan
        self._clock = clock
        self._progress = progress
        self._started = clock.now()
        zone = datetime.datetime.now().astimezone().tzinfo or datetime.UTC
        self._attached: Attachment = attach(
            transport,
            library,
            plan.options,
            subdriver=plan.subdriver,
            now=self._started,
            zone=zone,
        )
        self._ups: Ups = self._attached.ups
        self._reports: dict[Key, bytes] = {}
        self._transfers: list[Transfer] = []
        self._answered = 0
        self._texts: dict[int, str] = {}

    @property
    def ups(self) -> Ups:
        """The UPS as the driver sees it."""
        return self._ups

    @property
    def attached(self) -> Attachment:
        """How it came to be seen this way."""
        return self._attached

    @property
    def reports(self) -> dict[Key, bytes]:
        """The reports that were read, id byte first."""
        return dict(self._reports)

    @property
    def strings(self) -> dict[int, str]:
        """The strings that values asked for, by index."""
        return dict(self._texts)

    def fields(self) -> tuple[FieldRow, ...]:
        """Every field with what is known of it."""
        ups = self._ups
        names = Names(ups.profile.usages)
        return field_rows(ups.descriptor, self._reports, names=names, binding=ups.binding)

    def take(self, *, transport: str = "", why: str = "") -> Finding:
        """Read it and say what was found. Raises DeviceGone, DeviceBusy, AccessDenied."""
        requests = list(self._requests())
        for number, each in enumerate(requests):
            self._progress(
                f"{each.report_type.name.lower()} {each.report_id:02x}", number, len(requests)
            )
            self._read(each)
            if self._silent():
                return self._finding(transport, why)
        self._strings()
        self._settle()
        return self._finding(transport, why)

    def again(self, *, transport: str = "", why: str = "") -> Finding:
        """Read what is due by now, as the driver would, and say what is known."""
        for each in self._ups.reads_due(self._clock.now()):
            self._read(each)
        self._strings()
        return self._finding(transport, why)

    # -- reading -----------------------------------------------------------------------------

    def _requests(self) -> Iterator[ReadRequest]:
        """What to read, in the descriptor's order: each report once."""
        binding = self._ups.binding
        never = frozenset(self._ups.profile.pacing.never_read)
        mapped = self._mapped()
        for report_type, report_id in binding.descriptor.report_bytes:
            key = (report_type, report_id)
            if report_type is ReportType.OUTPUT or report_id in never:
                continue
            if self._plan.everything or key in mapped:
                yield request(binding, key)

    def _mapped(self) -> frozenset[Key]:
        binding = self._ups.binding
        rows: tuple[BoundVariable | BoundFlag, ...] = (*binding.variables, *binding.flags)
        sources = [key_of(row.field) for row in rows]
        sources += [key_of(row.when.field) for row in rows if row.when and row.when.field]
        sources += [key_of(command.field) for command in binding.commands]
        sources += [key_of(each) for each in name_fields(binding)]
        return frozenset(sources)

    def _read(self, each: ReadRequest) -> None:
        gap = self._ups.profile.pacing.request_gap
        if gap and self._transfers:
            self._clock.sleep(gap)
        feature = each.report_type is ReportType.FEATURE
        get = self._transport.get_feature if feature else self._transport.get_input
        before = self._clock.now()
        failure, data = "", b""
        try:
            data = get(each.report_id, each.size, timeout=TIMEOUT)
        except TransferFailed as error:
            failure = error.kind.value
            self._ups.read_failed(each, error.kind, now=self._clock.now())
        else:
            now = self._clock.now()
            if data and data[0] == each.report_id:
                self._answered += 1
                self._reports[each.report_type, each.report_id] = data
                self._ups.got_report(each.report_type, data, now=now)
            else:
                failure = "answered with another report's id" if data else "empty"
                self._ups.read_failed(each, TransferKind.SHORT, now=now)
        seconds = self._clock.now() - before
        if _log.isEnabledFor(logging.DEBUG):
            got = failure or data.hex(" ")
            _log.debug("%s %02x: %s", each.report_type.name.lower(), each.report_id, got)
        self._transfers.append(Transfer(each.report_type, each.report_id, seconds, failure))

    def _silent(self) -> bool:
        return self._answered == 0 and len(self._transfers) >= SILENT_AFTER and self._all_late()

    def _all_late(self) -> bool:
        return all(each.failure == TransferKind.TIMEOUT.value for each in self._transfers)

    def _strings(self) -> None:
        self._ups.view(self._clock.now())
        for index in self._ups.strings_wanted():
            try:
                text = self._transport.string(index, timeout=TIMEOUT)
            except TransferFailed:
                text = None
            self._ups.got_string(index, text)
            if text is not None:
                self._texts[index] = text

    def _settle(self) -> None:
        """Read on while flags are in doubt; a flag that is not believed in time is shown as held."""
        until = self._clock.now() + self._plan.patience
        interrupts_only = not self._ups.profile.pacing.use_feature
        while self._clock.now() < until:
            now = self._clock.now()
            view = self._ups.view(now)
            due = self._ups.reads_due(now)
            if not due and view.fresh and not self._ups.unsettled:
                return
            for each in due:
                self._read(each)
            if interrupts_only:
                self._listen()
            self._strings()
            self._clock.sleep(min(ROUND, max(0.05, until - self._clock.now())) if not due else 0.0)

    def _listen(self) -> None:
        """Input reports of a device that answers nothing else: those that come, else asked for."""
        try:
            data = self._transport.wait_input(ROUND)
        except TransferFailed:
            data = None
        if data is not None:
            self._reports[ReportType.INPUT, data[0]] = data
            self._ups.got_report(ReportType.INPUT, data, now=self._clock.now())
            return
        for each in self._requests():
            if each.report_type is ReportType.INPUT:
                self._read(each)

    # -- what was found ----------------------------------------------------------------------

    def _finding(self, transport: str, why: str) -> Finding:
        now = self._clock.now()
        ups, profile = self._ups, self._ups.profile
        view = ups.view(now)
        seconds = sum(each.seconds for each in self._transfers)
        return Finding(
            identity=ups.identity,
            transport=transport,
            why=why,
            profile=Profiled(
                profile.name,
                profile.title,
                profile.version,
                profile.variant,
                self._attached.why,
                (*(repair.text for repair in self._attached.repairs), *ups.repairs),
                profile.notes,
            ),
            variables={"device.type": Value("ups"), **view.variables},
            commands=tuple(sorted(view.commands)),
            fields=self.fields(),
            link=Link(tuple(self._transfers), seconds),
            cut=self._cut(now),
            oddities=tuple(
                f"byte {oddity.offset}: {oddity.text}"
                for oddity in self._attached.declared.oddities
            ),
            warnings=(*ups.notices, *(() if view.fresh else (f"not fresh: {view.reason}",))),
            problem=self._hindrance(),
        )

    def _cut(self, now: float) -> Cut:
        planned = self._ups.killpower(now=now)
        if isinstance(planned, Refusal):
            return Cut(refusal=planned.reason)
        features = {
            report_id: data
            for (kind, report_id), data in self._reports.items()
            if kind is ReportType.FEATURE
        }
        return Cut(plan=describe(planned, features))

    def _hindrance(self) -> Problem | None:
        if self._reports or not self._transfers:
            return None
        late = self._all_late()
        how = "answers none of its reports in time" if late else "refuses all of its reports"
        return Problem(
            Situation.SILENT,
            f"it is open, but {how}",
            "plug it out and in, try another cable and a port without a hub; a UPS whose USB part hangs "
            "comes back when it is switched off and on",
        )
