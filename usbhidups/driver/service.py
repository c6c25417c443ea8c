"""One UPS as NUT sees it: what is published, and who asked for what. Runs in the main thread.

It joins a worker (which owns the device) to a state server (which owns the clients). It never touches a
device and never waits: what a worker says comes as notices, what a client wants goes as jobs.
"""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Protocol

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
from usbhidups.driver.publish import DriverState, commands_of, means_yes, variables_of
from usbhidups.driver.server import ClientId, StateServer
from usbhidups.nut.session import Instcmd, Set, tracking_line
from usbhidups.nut.store import VariableStore
from usbhidups.nut.upsconf import DriverOptions
from usbhidups.ups.snapshot import Snapshot

__all__ = ["Control", "Service", "Work"]

_log = logging.getLogger(__name__)

REPLACED_AFTER = 30.0
"""Seconds after which a worker is taken to be stuck in the kernel and replaced (failure B18). Doubled each
time, until data are good again: who is left behind stays in memory. While the second one hangs too, the
service manager's watchdog is not fed, so that it may replace the whole process."""

DOUBLED_AT_MOST = 8
"""Times that it is doubled: two hours."""

COMPLAINTS = 10
"""Different reasons that are logged until the data are good again: the first as a warning, none twice."""

HANDLED, UNKNOWN, INVALID, FAILED = 0, 1, 2, 3
"""TRACKING codes (nut-driver-contract.md 3.2)."""


class Work(Protocol):
    """What a service needs of a worker (``daemon.worker.Worker``)."""

    def start(self) -> None: ...
    def submit(self, job: Job) -> None: ...
    def plugged(self) -> None: ...
    def unplugged(self) -> None: ...
    def end(self) -> None: ...
    def stop(self, timeout: float) -> bool: ...
    def abandon(self) -> None: ...
    @property
    def silent_for(self) -> float: ...
    @property
    def good_until(self) -> float: ...


class Control(Protocol):
    """What a client may do to the process; the loop implements it."""

    def exit(self, service: Service, *, status: int = 0) -> None:
        """End this UPS's service (and the process with the last one, with this exit status)."""
        ...

    def reload(self, service: Service, *, or_exit: bool) -> int:
        """Read the configuration again; a TRACKING code: 0 applied, 2 something needs a restart."""
        ...

    def set_debug(self, level: int) -> None:
        """Change the debug level; negative goes back to the configured one."""
        ...

    @property
    def debug(self) -> int:
        """The debug level in force."""
        ...


@dataclass(frozen=True, slots=True)
class _Asker:
    """Who waits for the answer to a job."""

    client: ClientId
    tracking: str | None
    ends_driver: bool = False


class Service:
    """One UPS: a store, its state server and the worker behind them."""

    def __init__(
        self,
        *,
        name: str,
        program: str,
        options: DriverOptions,
        control: Control,
        start_worker: Callable[[Callable[[Notice], None], DriverOptions], Work],
        wake: Callable[[], None],
        clock: Callable[[], float],
        wall_clock: Callable[[], str],
    ) -> None:
        """``wake`` rouses the main loop from any thread; ``wall_clock`` gives now as ISO 8601."""
        self.name = name
        self.options = options
        self.store = VariableStore(defaults=options.defaults, overrides=options.overrides)
        self._program = program
        self._control = control
        self._start_worker = start_worker
        self._wake = wake
        self._clock = clock
        self._wall_clock = wall_clock
        self._inbox: deque[Notice] = deque()
        self._server: StateServer | None = None
        self._view = Snapshot()
        self._allow_killpower = options.allow_killpower
        self._state = State.WAITING
        self._reason = "not looked yet"
        self._since = wall_clock()
        self._profile = ""
        self._transport = ""
        self._losses = 0
        self._complaints: set[str] = set()
        self._pending: list[Job] = []
        self._killpower = ""
        self._replaced = 0
        self._worker = self._new_worker()

    # -- life --------------------------------------------------------------------------------

    def start(self, server: StateServer | None) -> None:
        """Begin to serve (``server`` None: nobody listens, as for ``-d``) and to read."""
        self._server = server
        self._publish()
        self._worker.start()

    def end(self) -> None:
        """Have the device given back; ``stop`` waits for it."""
        self._worker.end()

    def stop(self, timeout: float) -> None:
        """Close the socket, give the device back; bounded by ``timeout`` seconds."""
        if self._server is not None:
            self._server.close()
            self._server = None
        if not self._worker.stop(timeout):
            _log.warning("%s: a USB transfer hangs; the device was not given back", self.name)

    def plugged(self) -> None:
        """Something was plugged in."""
        self._worker.plugged()

    def unplugged(self) -> None:
        """Something was pulled out."""
        self._worker.unplugged()

    @property
    def alive(self) -> bool:
        """Whether the worker gives signs of life: what the service manager's watchdog wants to know."""
        return self._worker.silent_for < REPLACED_AFTER

    @property
    def fresh(self) -> bool:
        """Whether clients are told that the data are good."""
        return self.store.fresh

    @property
    def summary(self) -> str:
        """One line for the service manager's status."""
        status = self.store.text("ups.status")
        return f"{self.name}: {status}" if status and self.fresh else f"{self.name}: {self._reason}"

    # -- turned by the main loop -------------------------------------------------------------

    def settle(self) -> None:
        """Take in what the worker said."""
        while self._inbox:
            notice = self._inbox.popleft()
            match notice:
                case SnapshotNotice(view):
                    self._view = view
                    self._replaced = 0 if view.fresh else self._replaced
                case StateNotice(state, reason):
                    self._enter(state, reason)
                case Found(profile, transport, losses):
                    self._profile, self._transport, self._losses = profile, transport, losses
                case GaveUp(reason):
                    _log.error("%s: %s", self.name, reason)
                    self._control.exit(self, status=1)
                case Answer():
                    self._answered(notice)
            if not self._inbox or isinstance(notice, Answer):
                self._publish()

    def tick(self) -> None:
        """Look after the worker: call it when ``due``, and at least every few seconds.

        A worker that hangs in a transfer cannot say that its data age, so that is noticed here.
        """
        silent = self._worker.silent_for
        if self._view.fresh and self._clock() > self._worker.good_until:
            self._view = replace(self._view, fresh=False)
            if self._state in (State.QUIET, State.DOUBT):  # else there is a better reason
                hanging = f": a transfer has not returned for {silent:.0f} s" if silent >= 1 else ""
                self._enter(State.DOUBT, f"nothing new was heard in time{hanging}")
            self._publish()
        if silent > self._patience:
            _log.warning("%s: a USB transfer hangs for %.0f s; starting anew", self.name, silent)
            self._replaced += 1
            self._worker.abandon()
            self._worker = self._new_worker()
            self._worker.start()
            for job in list(self._pending):
                self._answered(Answer(job, FAILED, "a USB transfer hangs"))

    @property
    def due(self) -> float:
        """Seconds until ``tick`` has something to do, if nothing is heard meanwhile."""
        replaced = self._patience - self._worker.silent_for
        stale = self._worker.good_until - self._clock() if self._view.fresh else math.inf
        return min(replaced, stale)

    def command(self, client: ClientId, request: Instcmd | Set) -> None:
        """A client asks for something; the answer may come later."""
        if isinstance(request, Set):
            self._set(client, request)
        elif request.command.lower().startswith("driver."):
            self._driver_command(client, request)
        else:
            kind = (
                JobKind.KILLPOWER
                if request.command.lower() == "shutdown.default"
                else JobKind.INSTCMD
            )
            asker = _Asker(client, request.tracking)
            _log.info("%s: asked for %s %s", self.name, request.command, request.parameter or "")
            self._submit(Job(kind, asker, request.command, request.parameter))

    def reconfigure(self, options: DriverOptions, *, names: Collection[str]) -> None:
        """Take over the named options, which may change while running."""
        self.options = replace(self.options, **{name: getattr(options, name) for name in names})
        self._worker.submit(Job(JobKind.OPTIONS, None, options=self.options))
        self._publish()

    def texts(self) -> list[tuple[str, str]]:
        """What is published: sorted names with their texts."""
        return self.store.texts()

    # -- inside ------------------------------------------------------------------------------

    @property
    def _patience(self) -> float:
        return REPLACED_AFTER * 2.0 ** min(self._replaced, DOUBLED_AT_MOST)

    def _new_worker(self) -> Work:
        return self._start_worker(self._post, self.options)

    def _submit(self, job: Job) -> None:
        self._pending.append(job)
        self._worker.submit(job)

    def _post(self, notice: Notice) -> None:  # called by the worker's thread
        self._inbox.append(notice)
        self._wake()

    def _enter(self, state: State, reason: str) -> None:
        if (state, reason) == (self._state, self._reason):
            return
        if state is State.QUIET:
            _log.info("%s: data are good", self.name)
            self._complaints.clear()
        elif reason not in self._complaints and len(self._complaints) < COMPLAINTS:
            level = logging.INFO if self._complaints else logging.WARNING
            _log.log(level, "%s: %s", self.name, reason)
            self._complaints.add(reason)
        else:
            _log.debug("%s: %s", self.name, reason)
        if state is not self._state:
            self._since = self._wall_clock()
        self._state, self._reason = state, reason

    def _publish(self) -> None:
        standing = DriverState(
            state=self._state,
            reason=self._reason,
            since=self._since,
            debug=self._control.debug,
            allow_killpower=self._allow_killpower,
            profile=self._profile,
            transport=self._transport,
            losses=self._losses,
            killpower=self._killpower,
        )
        variables = variables_of(
            self._view, program=self._program, options=self.options, standing=standing
        )
        before, mode = self.store.text("ups.status"), self.store.text("driver.mode")
        lines = self.store.apply(variables, commands_of(self._view), fresh=self._view.fresh)
        if lines and self._server is not None:
            self._server.broadcast(lines)
        if self._view.mode and self._view.mode != mode:
            _log.info("%s: reports come by %s", self.name, self._view.mode)
        status = self.store.text("ups.status")
        if status != before:
            why = self.store.text("experimental.ups.status.reason")
            _log.info(
                "%s: status %s -> %s%s",
                self.name,
                before or "unknown",
                status or "unknown",
                f" ({why})" if why else "",
            )

    def _answered(self, answer: Answer) -> None:
        if answer.job in self._pending:
            self._pending.remove(answer.job)
        if answer.job.kind is JobKind.KILLPOWER:
            self._killpower = answer.text
            self._publish()  # before the answer, so that who asked can read it
        asker = answer.job.token
        if not isinstance(asker, _Asker):
            return
        self._reply(asker.client, asker.tracking, answer.code)
        if asker.ends_driver and answer.code == HANDLED:
            self._control.exit(self)

    def _reply(self, client: ClientId, tracking: str | None, code: int) -> None:
        if tracking is not None and self._server is not None:
            self._server.reply(client, tracking_line(tracking, code))

    def _set(self, client: ClientId, request: Set) -> None:
        name = request.name.lower()
        if name == "driver.flag.allow_killpower":
            self._allow_killpower = means_yes(request.value)
        elif name == "driver.debug":
            try:
                self._control.set_debug(int(request.value))
            except ValueError:
                self._reply(client, request.tracking, INVALID)
                return
        elif name in {override.lower() for override in self.options.overrides}:
            self._reply(client, request.tracking, UNKNOWN)
            return
        else:
            _log.info("%s: asked to set %s to %r", self.name, request.name, request.value)
            asker = _Asker(client, request.tracking)
            self._submit(Job(JobKind.SET, asker, request.name, request.value))
            return
        self._publish()
        self._reply(client, request.tracking, HANDLED)

    def _driver_command(self, client: ClientId, request: Instcmd) -> None:
        match request.command.lower():
            case "driver.exit":
                self._reply(client, request.tracking, HANDLED)
                self._control.exit(self)
            case "driver.killpower" if self._allow_killpower:
                asker = _Asker(client, request.tracking, ends_driver=True)
                self._submit(Job(JobKind.KILLPOWER, asker))
            case "driver.killpower":
                _log.warning("%s: driver.killpower refused: allow_killpower is 0", self.name)
                self._reply(client, request.tracking, INVALID)
            case "driver.reload" | "driver.reload-or-error":
                self._reply(client, request.tracking, self._control.reload(self, or_exit=False))
            case "driver.reload-or-exit":
                self._reply(client, request.tracking, self._control.reload(self, or_exit=True))
            case _:
                self._reply(client, request.tracking, INVALID)
