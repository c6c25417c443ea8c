"""The owner of one device: opens it, reads what is due, carries out what is asked, opens it again.

It decides nothing about UPSes (that is ``ups.device.Ups``) and knows no sockets (that is the main loop).
Clock and waiting are arguments, so that a day of faults runs in a second of test; in earnest a thread
turns it (``daemon.worker``). One device, one thread, one transfer at a time (design decision 1).

The recovery ladder, each rung bounded: the schedule retries and quarantines single reports; a stalled
interrupt endpoint has its halt cleared; a device that answers nothing is opened again, then reset, then
waited for. (issue "A status you can bet the house on")
"""

from __future__ import annotations

import contextlib
import logging
import math
from collections import deque
from collections.abc import Callable
from typing import Protocol

from usbhidups.configuration import ups_options
from usbhidups.driver.adaptive_timeout import AdaptiveTimeout
from usbhidups.driver.messages import (
    Answer,
    Found,
    GaveUp,
    Job,
    JobKind,
    Notice,
    SnapshotNotice,
    State,
    StateNotice,
)
from usbhidups.driver.retry import Loss, Retry
from usbhidups.errors import (
    AccessDenied,
    ConfigError,
    DescriptorError,
    DeviceBusy,
    DeviceGone,
    DeviceNotFound,
    ProfileError,
    TransferFailed,
    TransferKind,
)
from usbhidups.execute import execute
from usbhidups.hid.descriptor import ReportType
from usbhidups.nut.upsconf import DriverOptions
from usbhidups.ups.device import Ups
from usbhidups.ups.plan import ReadRequest, Refusal, WritePlan
from usbhidups.ups.reading.freshness import Health, Trust
from usbhidups.ups.snapshot import Snapshot
from usbhidups.usb.transport import Transport

__all__ = ["Connect", "DeviceLoop"]

_log = logging.getLogger(__name__)

INPUTS_PER_TURN = 32
"""Reports taken from the interrupt endpoint before control reads get their turn again (a flood)."""

LONGEST_ROUND = 1.0
"""Seconds of reading after which what is most urgent gets its turn again (slow devices, failure B02)."""

STRING_TIMEOUT = 2.0
"""Seconds for one string: they are for people, the status is for machines."""

LONGEST_WAIT = 10.0
"""Seconds after which a thread that has nothing to do shows that it lives, all the same: one that is silent for
longer is taken to hang (``daemon.service``)."""

PERMISSION_PATIENCE = 30.0
"""Seconds for which a node without rights is expected to get them (failure C02)."""


INTERNAL_ERROR_REST = 5.0
"""Seconds of rest after an error of the driver's own: it may come back at once, and upsmon waits for 15 s."""


UNOPENED = (
    ConfigError,
    DescriptorError,
    DeviceBusy,
    DeviceGone,
    DeviceNotFound,
    ProfileError,
    TransferFailed,
)
"""How opening may fail; whatever it is, it may be different the next time (or another device be there)."""


class Connect(Protocol):
    """Opens the device. ``known`` is the UPS of the last connection, to be taken up again if it is it."""

    def __call__(self, *, known: Ups | None, now: float) -> tuple[Transport, Ups]:
        """Return an open transport and the UPS on it, or raise what usb/ and hid/ raise."""
        ...


class DeviceLoop:
    """One device's owner. All methods but ``submit`` belong to the thread that calls ``turn``."""

    def __init__(
        self,
        *,
        name: str,
        connect: Connect,
        post: Callable[[Notice], None],
        clock: Callable[[], float],
        wait: Callable[[float], None],
        sleep: Callable[[float], None],
        options: DriverOptions,
    ) -> None:
        """``wait`` may end early (a job, a plug event); ``sleep`` may not (gaps between writes).

        ``good_until`` may be read by other threads: when what was posted is stale unless more is heard.
        """
        self._name = name
        self._connect = connect
        self._post = post
        self._clock = clock
        self._wait = wait
        self._sleep = sleep
        self._jobs: deque[Job] = deque()
        self._transport: Transport | None = None
        self._ups: Ups | None = None
        self._state: StateNotice | None = None
        self._options = options
        self._reloaded = False
        self._plugged = False
        self._retry = Retry(options, now=clock())
        self._adaptive_timeout = AdaptiveTimeout()
        self._recovery_level = 0
        self._heard = False
        self._refused_since: float | None = None
        self._shown: Snapshot | None = None
        self._well: Ups | None = None  # whose data were posted as good
        self.good_until = -math.inf

    # -- asked from other threads ------------------------------------------------------------

    def submit(self, job: Job) -> None:
        """Queue a job and make a waiting transfer return."""
        self._jobs.append(job)
        self.wake()

    def wake(self) -> None:
        """Something happened outside (a plug event, a job): do not wait any longer."""
        transport = self._transport
        if transport is not None:
            transport.interrupt()

    # -- the thread's own --------------------------------------------------------------------

    def turn(self) -> None:
        """Do what is due now, then wait until something is due or comes in. Never raises device errors."""
        if self._transport is None:
            self._open()
        if self._transport is None:
            self._refuse_jobs()
            now = self._clock()
            self._show(now)
            self._wait(min(self._retry.wait(now), LONGEST_WAIT))
            return
        try:
            self._work(self._transport)
        except DeviceGone as error:
            self._drop(str(error))
        except (AccessDenied, DeviceBusy) as error:
            self._drop(str(error))

    def close(self) -> None:
        """Give the device back."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def internal_error(self, reason: str) -> None:
        """``turn`` has raised what it must not: begin anew with the device, as if it were unknown."""
        self._drop(reason, Loss.CLOSED, rest=INTERNAL_ERROR_REST)
        self._ups = None

    # -- opening -----------------------------------------------------------------------------

    def plugged(self) -> None:
        """From any thread: a device appeared on the bus; look at once, unless it has to rest."""
        self._plugged = True

    def _open(self) -> None:
        now = self._clock()
        if self._plugged:
            self._plugged = False
            self._retry.plugged(now)
        if not self._retry.due(now):
            return
        try:
            transport, ups = self._connect(known=self._ups, now=now)
        except UNOPENED as error:
            self._refused_since = None
            self._later(str(error), absent=isinstance(error, DeviceNotFound))
        except AccessDenied as error:
            if self._refused_since is None:
                self._refused_since = now
            waited = now - self._refused_since
            patience = "" if waited > PERMISSION_PATIENCE else " (waiting for the rights)"
            self._later(f"{error}{patience}")
        else:
            known = ups is self._ups
            if known:
                ups.reconnected(transport.identity, now=now)
            elif self._reloaded:
                ups.use(ups_options(self._options))
            self._transport, self._ups = transport, ups
            self._heard = False
            self._retry.opened(now)
            self._refused_since = None
            identity = ups.identity
            profile = ups.profile
            for notice in () if known else ups.notices:
                _log.warning("%s: %s", self._name, notice)
            title = f"{profile.title} {profile.version}".strip()
            self._post(Found(title, identity.port_path, self._retry.losses))
            _log.info(
                "%s: %s %s %s at %s, profile %s",
                self._name,
                "back again:" if known else "found",
                identity.manufacturer or f"{identity.vendor_id:04x}",
                identity.product or f"{identity.product_id:04x}",
                identity.port_path,
                ups.profile.name,
            )

    def _later(self, reason: str, *, absent: bool = False) -> None:
        state = State.WAITING if self._ups is None else State.RECONNECT
        self._say(state, reason)
        tries = self._retry.failed(self._clock(), absent=absent)
        if self._retry.worth_a_line(tries):
            _log.info("%s: try %d to reconnect: %s", self._name, tries, reason)
        self._give_up(reason)

    def _drop(self, reason: str, loss: Loss = Loss.GONE, *, rest: float = 0.0) -> None:
        """The connection is lost: close, and say when it may be opened again."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()
        if self._ups is not None:
            self._ups.disconnected(now=self._clock())
        if self._ups is not None:
            rest = max(rest, self._ups.profile.pacing.reopen_gap)
        urgent = self._ups is not None and self._ups.on_battery
        self._retry.lost(loss, rest=rest, urgent=urgent, now=self._clock())
        self._say(State.RECONNECT, reason)
        self._give_up(reason)

    def _give_up(self, reason: str) -> None:
        if self._ups is not None and self._retry.exhausted:
            self._post(GaveUp(f"{reason}; reconnect_max_tries allows no more"))

    # -- working -----------------------------------------------------------------------------

    def _work(self, transport: Transport) -> None:
        ups = self._the_ups()
        while self._jobs:
            self._do(self._jobs.popleft(), transport, ups)
        began = now = self._clock()
        for number, request in enumerate(ups.reads_due(began)):
            answered = self._read(request, transport, ups, began=now)
            now = self._clock()
            if self._jobs:
                break
            if not answered and ups.reopen(now):
                break
            if number and now - began > LONGEST_ROUND:
                break  # the mains' report is due again
        for index in ups.strings_wanted():
            if self._jobs or now - began > LONGEST_ROUND:
                break
            self._read_string(index, transport, ups)
            now = self._clock()
        trust = self._show(now)
        if trust is None or not self._mend(trust, transport) or self._jobs:
            return
        pause = 0.0 if ups.strings_wanted() else min(ups.next_due(now), LONGEST_WAIT)
        if ups.listens:
            self._listen(pause, transport, ups)
        elif pause:
            self._wait(pause)

    def _read(self, request: ReadRequest, transport: Transport, ups: Ups, *, began: float) -> bool:
        """Read one report, now that it is ``began``; whether it came."""
        get = (
            transport.get_feature
            if request.report_type is ReportType.FEATURE
            else transport.get_input
        )
        try:
            data = get(
                request.report_id, request.size, timeout=self._adaptive_timeout.with_(request)
            )
        except TransferFailed as error:
            _log.debug("%s: %s", self._name, error)
            ups.read_failed(request, error.kind, now=self._clock())
            return False
        now = self._clock()
        self._adaptive_timeout.took(request, now - began)
        if not data or data[0] != request.report_id:
            ups.read_failed(request, TransferKind.SHORT, now=now)
            return False
        ups.got_report(request.report_type, data, now=now)
        self._hear()
        return True

    def _hear(self) -> None:
        if not self._heard:
            self._heard = True
            self._shown = None  # the state may have waited for it

    def _read_string(self, index: int, transport: Transport, ups: Ups) -> None:
        try:
            ups.got_string(index, transport.string(index, timeout=STRING_TIMEOUT))
        except TransferFailed as error:
            _log.debug("%s: %s", self._name, error)
            ups.got_string(index, None)

    def _listen(self, pause: float, transport: Transport, ups: Ups) -> None:
        """Take what the interrupt endpoint brings, publishing at once; return when nothing comes."""
        for _ in range(INPUTS_PER_TURN):
            try:
                data = transport.wait_input(pause)
            except TransferFailed as error:
                _log.debug("%s: %s", self._name, error)
                if error.kind is TransferKind.STALL:
                    transport.clear_halt()
                ups.input_failed(error.kind, now=self._clock())
                return
            if data is None:
                ups.no_input()
                return
            now = self._clock()
            ups.got_report(ReportType.INPUT, data, now=now)
            self._hear()
            self._show(now)
            if self._jobs:
                return
            pause = 0.0

    def _mend(self, trust: Trust, transport: Transport) -> bool:
        """Climb the ladder where the health needs it. False: the device was dropped."""
        if trust.health is Health.REOPEN:
            reset = self._recovery_level % 2 == 1
            if reset:
                _log.debug("%s: reset", self._name)
                with contextlib.suppress(DeviceGone):
                    transport.reset()
            self._recovery_level += 1
            self._drop(trust.reason, Loss.RESET if reset else Loss.CLOSED)
            return False
        healthy = trust.health is Health.FRESH and self._heard  # since it was opened
        if healthy and self._retry.well(self._clock()):
            self._recovery_level = 0
        return True

    def _show(self, now: float) -> Trust | None:
        """Post what is known now where it changed, and the state with it; None: nothing is known."""
        if self._ups is None:
            return None
        lapsed = now > self.good_until  # others may have called it stale meanwhile: say it again
        if lapsed and self._well is self._ups:
            self._ups.lapsed()
        view, trust = self._ups.look(now)
        self._well = self._ups if view.fresh else None
        self.good_until = trust.good_until
        if view is self._shown and not lapsed:
            return trust
        self._shown = view
        if lapsed:
            self._state = None
        by_grace = view.fresh and not self._heard
        if self._transport is not None and not by_grace:
            self._say(State.QUIET if view.fresh else State.DOUBT, view.reason)
        self._post(SnapshotNotice(view))
        return trust

    def _say(self, state: State, reason: str) -> None:
        notice = StateNotice(state, reason)
        if notice != self._state:
            self._state = notice
            self._post(notice)

    # -- jobs --------------------------------------------------------------------------------

    def _do(self, job: Job, transport: Transport, ups: Ups) -> None:
        now = self._clock()
        planned: WritePlan | Refusal | None
        if job.options is not None:
            self._reconfigure(job.options)
            return
        if job.kind is JobKind.KILLPOWER:
            self._say(State.KILLPOWER, "asked to cut the power")
            planned = ups.killpower(now=now)
        elif job.kind is JobKind.SET:
            planned = ups.set(job.name, job.value or "", now=now)
        else:
            planned = ups.instcmd(job.name, job.value, now=now)
        if planned is None:  # a value of the driver's own
            self._post(Answer(job, 0, ""))
            self._show(now)
        elif isinstance(planned, Refusal):
            _log.info("%s: %s refused: %s", self._name, job.name or job.kind.value, planned.reason)
            self._post(Answer(job, planned.code, planned.reason))
        else:
            outcome = execute(planned, transport, sleep=self._sleep, now=self._clock)
            ups.wrote(planned, outcome, now=self._clock())
            level = logging.INFO if outcome.done else logging.WARNING
            _log.log(level, "%s: %s: %s", self._name, job.name or job.kind.value, outcome.text)
            self._post(
                Answer(job, 0 if outcome.done else 3, f"{outcome.verdict.value}: {outcome.text}")
            )

    def _refuse_jobs(self) -> None:
        while self._jobs:
            job = self._jobs.popleft()
            if job.options is not None:
                self._reconfigure(job.options)
            else:
                self._post(Answer(job, 3, "the UPS is not connected"))

    def _reconfigure(self, options: DriverOptions) -> None:
        self._options = self._retry.options = options
        self._reloaded = True
        if self._ups is not None:
            self._ups.use(ups_options(options))

    def _the_ups(self) -> Ups:
        if self._ups is None:  # cannot happen while a transport is open
            raise DeviceGone("no UPS attached")
        return self._ups
