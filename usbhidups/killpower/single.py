"""One UPS: its power is cut by the running driver, or, where there is none that can, from here.

The driver is asked first. Then whoever holds the device is made to let go of it, and the device is opened
here, again and again as long as there is time: USB may not have settled, the device may answer late.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable
from dataclasses import replace

from usbhidups.attach import attach
from usbhidups.configuration import Paths, ups_options
from usbhidups.errors import ConfigError, DeviceNotFound, TransferFailed, UsbHidUpsError
from usbhidups.execute import Result, ResultKind, describe, execute
from usbhidups.hid import report, units
from usbhidups.hid.descriptor import ReportType
from usbhidups.instance import make_room
from usbhidups.killpower.result import PoweroffResult, PoweroffStatus
from usbhidups.killpower.run_lock import RunLock, parsed
from usbhidups.nut.upsconf import DriverOptions
from usbhidups.ports import port_of
from usbhidups.stateclient import NoAnswer, StateClient
from usbhidups.ups.device import Ups
from usbhidups.ups.loading.library import Library
from usbhidups.ups.plan import ReadBack, Refusal, WritePlan
from usbhidups.usb.ports import Port
from usbhidups.usb.transport import Transport

__all__ = ["TIME_LIMIT", "Killpower"]

TIME_LIMIT = 30.0
"""Seconds for one UPS, from looking for it to having read it back."""

RESERVE = 6.0
"""Seconds before the end after which no new attempt begins: a command that was begun must be finished."""

LOOK_AGAIN = 0.5
"""Seconds between attempts to find and open the device."""

READING = 6.0
"""Seconds for reading what the plan depends on; a device that is slower is told all the same."""

READ_TIMEOUT = 1.0
PING_TIMEOUT = 2.0
DRIVER_TIMEOUT = 8.0
PATIENCE = 2.0
"""Seconds for one report; for a running driver to be there, to cut the power, and to leave."""

WATCHED = 3.0
BETWEEN_LOOKS = 0.5
"""Seconds in which a timer of seconds must be seen to count, and between two looks at it."""

Act = Callable[[Transport, Ups], PoweroffResult]


class Killpower:
    """Cuts the power of one UPS. ``say`` gets one line at a time for people.

    ``open_port`` makes the port of the device, where it is not the one that ``options`` mean.
    """

    def __init__(
        self,
        *,
        program: str,
        ups: str,
        options: DriverOptions,
        places: Paths,
        say: Callable[[str], None],
        open_port: Callable[[Library], Port] | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._program = program
        self._name = ups
        self._options = options
        self._places = places
        self._say = say
        self._open_port = open_port or (lambda library: port_of(options, library, lock_dir=None))
        self._clock = clock
        self._sleep = sleep
        self._deadline = clock() + TIME_LIMIT
        self._rest = LOOK_AGAIN
        self._reports: dict[int, bytes] = {}

    def cut(self) -> PoweroffResult:
        """Do it. Raises ConfigError when the options are wrong; everything else is in the result."""
        self._deadline = self._clock() + TIME_LIMIT
        socket_path = self._places.socket(self._program, self._name)
        with RunLock(str(socket_path), clock=self._clock) as turn:
            told = turn.take(until=self._deadline - RESERVE)
            other = parsed(self._name, told) if told else None
            if other is not None:
                return replace(other, text=f"by another kill-power at the same time: {other.text}")
            cut = self._ask_driver() or self._from_here()
            turn.tell(cut)
            return cut

    def rehearse(self) -> PoweroffResult:
        """Say what would be written, bytes and meaning, and write nothing. The driver may go on."""
        return self._alone(self._describe)

    # -- by the running driver ---------------------------------------------------------------

    def _ask_driver(self) -> PoweroffResult | None:
        """What the running driver made of it; None when there is none that could."""
        path = self._places.socket(self._program, self._name)
        try:
            with StateClient(path, timeout=PING_TIMEOUT) as client:
                client.ping()
                client.set("driver.flag.allow_killpower", "1")
            with StateClient(path, timeout=DRIVER_TIMEOUT) as client:
                code, text = client.command_watching("driver.killpower", "driver.killpower.result")
        except NoAnswer as error:
            self._say(f"no running driver does it ({error})")
            return None
        if code != 0:
            self._say(f"the running driver could not: {text or f'code {code}'}")
            return None
        verified = text.startswith(ResultKind.VERIFIED.value)
        result = PoweroffStatus.VERIFIED if verified else PoweroffStatus.ACCEPTED
        return PoweroffResult(self._name, result, f"by the running driver: {text}")

    # -- from here ---------------------------------------------------------------------------

    def _from_here(self) -> PoweroffResult:
        try:
            make_room(
                self._places.socket(self._program, self._name),
                self._places.pid_file(self._program, self._name),
                program=self._program,
                ups=self._name,
                patience=PATIENCE,
                search=True,
            )
        except ConfigError as error:  # stuck in the kernel: the device may be had all the same
            self._say(str(error))
        return self._alone(self._carry_out)

    def _alone(self, act: Act) -> PoweroffResult:
        library = Library([self._places.profiles])
        port = self._open_port(library)
        problem = ""
        try:
            while True:
                try:
                    transport = port.open()
                    try:
                        return act(transport, self._attached(transport, library))
                    finally:
                        transport.close()
                except ConfigError:
                    raise
                except UsbHidUpsError as error:
                    if str(error) != problem:
                        problem = str(error)
                        self._say(problem)
                left = self._deadline - RESERVE - self._clock()
                if left <= 0:
                    return PoweroffResult(self._name, PoweroffStatus.NOT_FOUND, problem)
                self._sleep(min(self._rest, left))
        finally:
            port.close()

    def _attached(self, transport: Transport, library: Library) -> Ups:
        zone = datetime.datetime.now().astimezone().tzinfo or datetime.UTC
        now = self._clock()
        ups = attach(
            transport,
            library,
            ups_options(self._options),
            subdriver=self._options.subdriver or "",
            now=now,
            zone=zone,
        ).ups
        self._rest = max(LOOK_AGAIN, ups.profile.pacing.reopen_gap)
        until = min(now + READING, self._deadline - RESERVE)
        while self._clock() < until:
            requests = ups.reads_due(self._clock())
            if not requests:
                break
            for request in requests:
                get = (
                    transport.get_feature
                    if request.report_type is ReportType.FEATURE
                    else transport.get_input
                )
                try:
                    data = get(request.report_id, request.size, timeout=READ_TIMEOUT)
                except TransferFailed as error:
                    ups.read_failed(request, error.kind, now=self._clock())
                else:
                    if request.report_type is ReportType.FEATURE:
                        self._reports[request.report_id] = data
                    ups.got_report(request.report_type, data, now=self._clock())
        return ups

    def _carry_out(self, transport: Transport, ups: Ups) -> PoweroffResult:
        planned = ups.killpower(now=self._clock())
        mains = self._on_mains(ups)
        if isinstance(planned, Refusal):
            result = PoweroffStatus.STAYS_ON if mains else PoweroffStatus.REFUSED
            return PoweroffResult(self._name, result, planned.reason)
        limit = self._deadline - self._clock()
        outcome = execute(planned, transport, sleep=self._sleep, now=self._clock, limit=limit)
        for sent in outcome.sent:
            word = "sent" if sent.taken else "refused"
            self._say(f"{word}: {sent.meaning}: {sent.data.hex(' ')}")
        if outcome.verdict is ResultKind.FAILED:
            raise DeviceNotFound(outcome.text)  # try again while there is time
        result, text = _result(outcome, mains=mains), outcome.text
        timer = _timer(planned, outcome.plan)
        if (
            result is PoweroffStatus.VERIFIED
            and timer is not None
            and not self._counts(timer, transport)
        ):
            result, text = (
                PoweroffStatus.ACCEPTED,
                f"{text}, but in {WATCHED:g} s it did not count down",
            )
        if result is PoweroffStatus.STAYS_ON:
            self._call_off(transport, ups)
        return PoweroffResult(self._name, result, text)

    def _call_off(self, transport: Transport, ups: Ups) -> None:
        """The host will be started again: a timer that runs without being shown must not cut it off then."""
        stop = ups.instcmd("shutdown.stop", None, now=self._clock())
        if isinstance(stop, WritePlan):
            limit = self._deadline - self._clock()
            outcome = execute(stop, transport, sleep=self._sleep, now=self._clock, limit=limit)
            self._say(f"called off: {outcome.text}")

    def _counts(self, timer: ReadBack, transport: Transport) -> bool:
        """Whether a timer runs: firmware that ignores a command may show the number all the same (F05)."""
        first = None
        until = self._clock() + WATCHED
        while True:
            try:
                size = timer.size
                data = transport.get_feature(timer.field.report_id, size, timeout=READ_TIMEOUT)
            except UsbHidUpsError:
                return True  # it went quiet after it had shown the number: no word against it
            raw = report.extract(timer.field, data)
            now = None if raw is None else report.logical(timer.field, raw)
            if first is None:
                first = now
            if now != first:
                return True
            if self._clock() >= until:
                return False
            self._sleep(BETWEEN_LOOKS)

    def _describe(self, _transport: Transport, ups: Ups) -> PoweroffResult:
        planned = ups.killpower(now=self._clock())
        if isinstance(planned, Refusal):
            return PoweroffResult(self._name, PoweroffStatus.REFUSED, planned.reason)
        for line in describe(planned, self._reports):
            self._say(line)
        others = ", or the next that the UPS obeys" if planned.fallback else ""
        would = f"it would be {planned.name}{others}"
        return PoweroffResult(self._name, PoweroffStatus.NOTHING, would)

    def _on_mains(self, ups: Ups) -> bool:
        """Whether the UPS says that mains are there. Not known is no: then nobody may count on it."""
        status = ups.view(self._clock()).variables.get("ups.status")
        return status is not None and "OL" in status.text.split()


def _timer(plan: WritePlan, name: str) -> ReadBack | None:
    """The timer by which the plan of that name is verified; None where it counts no single seconds."""
    chosen: WritePlan | None = plan
    while chosen is not None and chosen.name != name:
        chosen = chosen.fallback
    steps = () if chosen is None else chosen.steps
    timers = (step for step in steps if isinstance(step, ReadBack) and step.must_change)
    return next((timer for timer in timers if units.grain(timer.field) <= 1), None)


def _result(outcome: Result, *, mains: bool) -> PoweroffStatus:
    """What a verdict means to the caller. On battery a device that shows nothing may still obey."""
    match outcome.verdict:
        case ResultKind.VERIFIED:
            return PoweroffStatus.VERIFIED
        case ResultKind.ACCEPTED:
            return PoweroffStatus.ACCEPTED
        case ResultKind.IGNORED:
            return PoweroffStatus.STAYS_ON if mains else PoweroffStatus.ACCEPTED
        case _:
            return PoweroffStatus.STAYS_ON if mains else PoweroffStatus.REFUSED
