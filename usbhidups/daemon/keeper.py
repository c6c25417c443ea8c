"""The owner of one device: opens it, reads what is due, carries out what is asked, opens it again.

It decides nothing about UPSes (that is ``ups.device.Ups``) and knows no sockets (that is the main loop).
Clock and waiting are arguments, so that a day of faults runs in a second of test; in earnest a thread
turns it (``daemon.worker``). One device, one thread, one transfer at a time (design decision 1).

The recovery ladder, each rung bounded: the schedule retries and quarantines single reports; a stalled
interrupt endpoint has its halt cleared; a device that answers nothing is opened again, then reset, then
waited for. (issue "A status you can bet the house on")
"""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Callable
from typing import Protocol

from usbhidups import carryout
from usbhidups.daemon.messages import (
    Answer,
    Found,
    Job,
    JobKind,
    Notice,
    State,
    StateNotice,
    ViewNotice,
)
from usbhidups.errors import (
    AccessDenied,
    DescriptorError,
    DeviceBusy,
    DeviceGone,
    DeviceNotFound,
    TransferFailed,
    TransferKind,
)
from usbhidups.hid.descriptor import ReportType
from usbhidups.ups.device import Ups
from usbhidups.ups.freshness import Health
from usbhidups.ups.plan import ReadRequest, Refusal, WritePlan
from usbhidups.ups.view import View
from usbhidups.usb.transport import Transport

__all__ = ["Connect", "Keeper"]

_log = logging.getLogger(__name__)

INPUTS_PER_TURN = 32
"""Reports taken from the interrupt endpoint before control reads get their turn again (a flood)."""

RETRY_FIRST = 0.1
RETRY_ABSENT = 0.25
RETRY_MOST = 5.0
"""Seconds between attempts to open the device: doubled from the first to the most. A device that is not
there is looked for more often for a while, since looking costs nothing and it may be back any moment."""

LOOKED_FOR = 120.0
"""Seconds for which a device that left is looked for often."""

PERMISSION_PATIENCE = 30.0
"""Seconds for which a node without rights is expected to get them (failure C02)."""


class Connect(Protocol):
    """Opens the device. ``known`` is the UPS of the last connection, to be taken up again if it is it."""

    def __call__(self, *, known: Ups | None, now: float) -> tuple[Transport, Ups]:
        """Return an open transport and the UPS on it, or raise what usb/ and hid/ raise."""
        ...


class Keeper:
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
        self._not_before = self._lost_at = clock()
        self._retry = RETRY_FIRST
        self._rung = 0
        self._refused_since: float | None = None
        self._shown: View | None = None
        self.good_until = -math.inf

    # -- asked from other threads ------------------------------------------------------------

    def submit(self, job: Job) -> None:
        """Queue a job and make a waiting transfer return."""
        self._jobs.append(job)
        self.nudge()

    def nudge(self) -> None:
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
            self._show()
            self._wait(max(0.0, self._not_before - self._clock()))
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

    # -- opening -----------------------------------------------------------------------------

    def plugged(self) -> None:
        """A device appeared on the bus: look at once, unless the device's own rest forbids it."""
        gap = 0.0 if self._ups is None else self._ups.profile.pacing.reopen_gap
        if not gap:
            self._not_before = self._clock()
            self._retry = RETRY_FIRST

    def _open(self) -> None:
        now = self._clock()
        if now < self._not_before:
            return
        try:
            transport, ups = self._connect(known=self._ups, now=now)
        except (DeviceNotFound, DeviceGone, DeviceBusy, TransferFailed, DescriptorError) as error:
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
            self._transport, self._ups = transport, ups
            self._retry = RETRY_FIRST
            self._refused_since = None
            identity = ups.identity
            profile = ups.profile
            for notice in () if known else ups.notices:
                _log.warning("%s: %s", self._name, notice)
            self._post(Found(f"{profile.title} {profile.version}".strip(), identity.port_path))
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
        now = self._clock()
        self._not_before = now + self._retry
        often = absent and now - self._lost_at < LOOKED_FOR
        self._retry = min(self._retry * 2, RETRY_ABSENT if often else RETRY_MOST)

    def _drop(self, reason: str) -> None:
        """The connection is lost: close, and say when it may be opened again."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()
        if self._ups is not None:
            self._ups.disconnected(now=self._clock())
        gap = 0.0 if self._ups is None else self._ups.profile.pacing.reopen_gap
        self._lost_at = self._clock()
        self._not_before = self._lost_at + max(gap, RETRY_FIRST)
        self._retry = RETRY_FIRST
        self._say(State.RECONNECT, reason)

    # -- working -----------------------------------------------------------------------------

    def _work(self, transport: Transport) -> None:
        ups = self._the_ups()
        while self._jobs:
            self._do(self._jobs.popleft(), transport, ups)
        requests = ups.reads_due(self._clock())
        for request in requests:
            self._read(request, transport, ups)
            if self._jobs:
                break
        for index in ups.strings_wanted():
            self._read_string(index, transport, ups)
        if requests or self._shown is None:
            self._show()
        if not self._mend(transport, ups) or self._jobs:
            return
        pause = ups.next_due(self._clock())
        if ups.listens:
            self._listen(pause, transport, ups)
        elif pause:
            self._wait(pause)

    def _read(self, request: ReadRequest, transport: Transport, ups: Ups) -> None:
        get = (
            transport.get_feature
            if request.report_type is ReportType.FEATURE
            else transport.get_input
        )
        try:
            data = get(request.report_id, request.size)
        except TransferFailed as error:
            _log.debug("%s: %s", self._name, error)
            ups.read_failed(request, error.kind, now=self._clock())
        else:
            if not data or data[0] != request.report_id:
                ups.read_failed(request, TransferKind.SHORT, now=self._clock())
            else:
                ups.got_report(request.report_type, data, now=self._clock())

    def _read_string(self, index: int, transport: Transport, ups: Ups) -> None:
        try:
            ups.got_string(index, transport.string(index))
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
                ups.no_input(now=self._clock())
                return
            ups.got_report(ReportType.INPUT, data, now=self._clock())
            self._show()
            if self._jobs:
                return
            pause = 0.0

    def _mend(self, transport: Transport, ups: Ups) -> bool:
        """Look at the health; climb the ladder where needed. False: the device was dropped."""
        health, reason = ups.health(self._clock())
        if health is Health.REOPEN:
            if self._rung:
                _log.debug("%s: reset", self._name)
                transport.reset()
            self._rung += 1
            self._drop(reason)
            return False
        if health is Health.FRESH:
            self._rung = 0
        return True

    def _show(self) -> None:
        """Post what is known now where it changed, and the state with it."""
        if self._ups is None:
            return
        now = self._clock()
        view = self._ups.view(now)
        lapsed = now > self.good_until  # others may have called it stale meanwhile: say it again
        self.good_until = self._ups.good_until
        if view is self._shown and not lapsed:
            return
        self._shown = view
        if lapsed:
            self._state = None
        if self._transport is not None:
            self._say(State.QUIET if view.fresh else State.DOUBT, view.reason)
        self._post(ViewNotice(view))

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
            ups.use(job.options)
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
            self._show()
        elif isinstance(planned, Refusal):
            _log.info("%s: %s refused: %s", self._name, job.name or job.kind.value, planned.reason)
            self._post(Answer(job, planned.code, planned.reason))
        else:
            outcome = carryout.carry_out(planned, transport, sleep=self._sleep, now=self._clock)
            ups.wrote(planned, outcome, now=self._clock())
            level = logging.INFO if outcome.done else logging.WARNING
            _log.log(level, "%s: %s: %s", self._name, job.name or job.kind.value, outcome.text)
            self._post(
                Answer(job, 0 if outcome.done else 3, f"{outcome.verdict.value}: {outcome.text}")
            )

    def _refuse_jobs(self) -> None:
        while self._jobs:
            self._post(Answer(self._jobs.popleft(), 3, "the UPS is not connected"))

    def _the_ups(self) -> Ups:
        if self._ups is None:  # cannot happen while a transport is open
            raise DeviceGone("no UPS attached")
        return self._ups
