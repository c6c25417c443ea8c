"""Cut the power, now that the host has shut down: alone, in bounded time, and saying how sure it is.

The running driver is asked first, where there is one. Otherwise the device is opened here, whoever may have
held it before. Nothing is written anywhere but to the device: the disk may be read-only, /run gone, the
service manager dead. (design decision "Kill-power stands alone"; nut-driver-contract.md 6.6, 7)
"""

from __future__ import annotations

import contextlib
import datetime
import enum
import time
from collections.abc import Callable
from dataclasses import dataclass

from usbhidups.attach import attach
from usbhidups.carryout import Outcome, Verdict, carry_out, describe
from usbhidups.configuration import Places, ups_options
from usbhidups.errors import (
    ConfigError,
    DescriptorError,
    DeviceNotFound,
    TransferFailed,
    UsbHidUpsError,
)
from usbhidups.hid.descriptor import ReportType
from usbhidups.instance import make_room
from usbhidups.nut.upsconf import DriverOptions
from usbhidups.ports import port_of
from usbhidups.stateclient import NoAnswer, StateClient
from usbhidups.ups.device import Ups
from usbhidups.ups.library import Library
from usbhidups.ups.plan import Refusal
from usbhidups.usb.transport import Transport

__all__ = ["Cut", "Killpower", "Result", "as_driver"]

TIME_LIMIT = 30.0
"""Seconds for one UPS, from looking for it to having read it back."""

LOOK_AGAIN = 0.5
"""Seconds between attempts to find and open the device: USB may not have settled, a node may be late."""

READING = 8.0
"""Seconds for reading what the plan depends on; a device that is slower is told all the same."""

READ_TIMEOUT = 1.0
DRIVER_TIMEOUT = 12.0


class Result(enum.IntEnum):
    """What came of it; the number is the exit status of ``usbhidups killpower``."""

    VERIFIED = 0  # the device shows that it counts down
    ACCEPTED = 3  # the device took the command, and shows nothing that proves it
    REFUSED = 4  # the device cannot or would not: do not wait for a cut, reboot instead
    NOT_FOUND = 5  # no device could be reached in time


@dataclass(frozen=True, slots=True)
class Cut:
    """What came of one UPS, in words too."""

    ups: str
    result: Result
    text: str


class Killpower:
    """Cuts the power of one UPS. ``say`` gets one line at a time for people."""

    def __init__(
        self,
        *,
        program: str,
        ups: str,
        options: DriverOptions,
        places: Places,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._program = program
        self._name = ups
        self._options = options
        self._places = places
        self._say = say
        self._clock = clock
        self._sleep = sleep
        self._deadline = clock() + TIME_LIMIT
        self._reports: dict[int, bytes] = {}

    def cut(self) -> Cut:
        """Do it. Raises ConfigError when the options are wrong; everything else is in the result."""
        self._deadline = self._clock() + TIME_LIMIT
        asked = self._ask_driver()
        if asked is not None:
            return asked
        with contextlib.suppress(ConfigError):  # one that does not leave is worked around
            make_room(
                self._places.socket(self._program, self._name),
                self._places.pid_file(self._program, self._name),
                program=self._program,
                ups=self._name,
                patience=3.0,
            )
        return self._alone(self._carry_out)

    def rehearse(self) -> Cut:
        """Print what would be written, bytes and meaning, and write nothing."""
        return self._alone(self._describe)

    # -- by the running driver ---------------------------------------------------------------

    def _ask_driver(self) -> Cut | None:
        """What the running driver made of it; None when there is none that could."""
        path = self._places.socket(self._program, self._name)
        try:
            with StateClient(path, timeout=2.0) as client:
                client.ping()
                client.set("driver.flag.allow_killpower", "1")
            with StateClient(path, timeout=DRIVER_TIMEOUT) as client:
                code, text = client.command_watching("driver.killpower", "driver.killpower.result")
        except NoAnswer:
            return None
        if code != 0:
            self._say(f"the running driver could not: {text or f'code {code}'}; trying alone")
            return None
        verified = text.startswith(Verdict.VERIFIED.value)
        result = Result.VERIFIED if verified else Result.ACCEPTED
        return Cut(self._name, result, f"by the running driver: {text}")

    # -- alone -------------------------------------------------------------------------------

    def _alone(self, act: Callable[[Transport, Ups], Cut]) -> Cut:
        library = Library([self._places.profiles])
        port = port_of(self._options, library, lock_dir=None)
        problem = "no device was found"
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
                    if isinstance(error, DescriptorError) or self._clock() > self._deadline:
                        return Cut(self._name, Result.NOT_FOUND, problem)
                self._sleep(LOOK_AGAIN)
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
        until = min(now + READING, self._deadline)
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

    def _carry_out(self, transport: Transport, ups: Ups) -> Cut:
        planned = ups.killpower(now=self._clock())
        if isinstance(planned, Refusal):
            return Cut(self._name, Result.REFUSED, planned.reason)
        outcome = carry_out(planned, transport, sleep=self._sleep, now=self._clock)
        for sent in outcome.sent:
            self._say(
                f"{'sent' if sent.taken else 'refused'}: {sent.meaning}: {sent.data.hex(' ')}"
            )
        if outcome.verdict is Verdict.FAILED and self._clock() < self._deadline:
            raise DeviceNotFound(outcome.text)
        return Cut(self._name, _result(outcome), outcome.text)

    def _describe(self, _transport: Transport, ups: Ups) -> Cut:
        planned = ups.killpower(now=self._clock())
        if isinstance(planned, Refusal):
            return Cut(self._name, Result.REFUSED, planned.reason)
        for line in describe(planned, self._reports):
            self._say(line)
        return Cut(self._name, Result.ACCEPTED, f"would do {planned.name}; nothing was written")


def as_driver(program: str, ups: str, options: DriverOptions, places: Places) -> int:
    """``-k``: 0 when the device took a command, as NUT's callers want it; else the Result's number."""
    cut = Killpower(program=program, ups=ups, options=options, places=places, say=print).cut()
    print(f"{ups}: {cut.result.name.lower()}: {cut.text}", flush=True)
    return 0 if cut.result is Result.ACCEPTED else int(cut.result)


def _result(outcome: Outcome) -> Result:
    if outcome.verified:
        return Result.VERIFIED
    return (
        Result.ACCEPTED
        if outcome.verdict in (Verdict.ACCEPTED, Verdict.IGNORED)
        else Result.REFUSED
    )
