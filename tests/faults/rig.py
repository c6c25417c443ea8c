"""One UPS in virtual time: a simulated device, the driver's DeviceLoop and Service, no threads and no sockets.

The rig is the bus (plug events, rights), the threads (it steps the device loop, and lets the service look after
it as the main loop does) and the client (it writes down what is published). The code between the device's bytes
and the published words is the driver's own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.faults.history import Arranged, History, Said, Truth
from tests.faults.timeline import Timeline
from tests.faults.weigh import weight
from tests.faults.wire import Left, SimulatedPipe
from usbhidups.driver.connect import Connector
from usbhidups.driver.device_loop import Connect, DeviceLoop
from usbhidups.driver.messages import Answer, Job, JobKind, Notice
from usbhidups.driver.service import Service
from usbhidups.errors import DeviceNotFound, UsbHidUpsError
from usbhidups.nut.upsconf import DriverOptions, Setting, driver_options
from usbhidups.simulator.device import SimulatedDevice
from usbhidups.ups.loading.library import Library
from usbhidups.usb.fixture import Fixture, load
from usbhidups.usb.handle_transport import Choice, connect, read_facts
from usbhidups.usb.transport import Transport

__all__ = ["FIXTURES", "Rig", "fixture", "options_of"]

FIXTURES = Path(__file__).parents[2] / "fixtures" / "hid-descriptors"

GRAIN = 0.25
"""Seconds between two looks at the simulated device while a host waits."""

LOOK_AFTER = 1.0
"""Seconds between two looks of the main loop at its worker."""

_LIBRARY = Library()


def fixture(name: str) -> Fixture:
    """A fixture by its file's name without ending."""
    return load(FIXTURES / f"{name}.toml")


def options_of(*words: str) -> DriverOptions:
    """Options as ``key=value`` or ``flag``, as after -x."""
    settings = [Setting.from_argument(word) for word in ("port=auto", *words)]
    return driver_options(settings, program="usbhidups")


class _Port:
    """Where the simulated device is to be had; satisfies ``usb.ports.Port``."""

    def __init__(self, rig: Rig, options: DriverOptions) -> None:
        self._rig = rig
        self._choice = Choice(
            interface=options.usb_hid_rep_index, interrupt_size=options.interruptsize
        )

    def open(self) -> Transport:
        rig = self._rig
        rig.opened += 1
        rig.device.advance(rig.clock.now)
        if rig.refusal is not None:
            raise rig.refusal
        if not rig.device.gadget.present:
            raise DeviceNotFound("no UPS found on this host's USB")
        worker = rig.worker
        assert worker is not None
        pipe = SimulatedPipe(
            rig.device,
            rig.clock,
            wait=rig.wait,
            stuck=lambda: rig.stuck,
            left=lambda: worker.left,
        )
        facts = read_facts(pipe, rig.place, bus=1, address=rig.device.gadget.address)
        return connect(pipe, facts, choice=self._choice, clock=rig.clock, sleep=rig.clock.sleep)

    def close(self) -> None:
        return


class _Turned:
    """A worker whose device_loop is turned by the rig instead of a thread; satisfies ``service.Work``."""

    def __init__(
        self,
        rig: Rig,
        connect: Connect,
        post: Callable[[Notice], None],
        options: DriverOptions,
    ) -> None:
        self._rig = rig
        self._post = post
        self.left = False
        self.turned_at = rig.clock.now - rig.asleep
        self.device_loop = DeviceLoop(
            name="ups",
            connect=connect,
            post=self._say,
            clock=self._tick,
            wait=self._wait,
            sleep=rig.clock.sleep,
            options=options,
        )

    def start(self) -> None:
        self._rig.worker = self

    def submit(self, job: Job) -> None:
        self.device_loop.submit(job)
        self._rig.called = True

    def plugged(self) -> None:
        self.device_loop.plugged()
        self._rig.called = True

    def unplugged(self) -> None:
        self.device_loop.wake()
        self._rig.called = True

    @property
    def silent_for(self) -> float:
        return self._rig.clock.now - self._rig.asleep - self.turned_at

    @property
    def good_until(self) -> float:
        return self.device_loop.good_until

    def end(self) -> None:
        return

    def stop(self, timeout: float) -> bool:
        return True

    def abandon(self) -> None:
        self.left = True

    def _say(self, notice: Notice) -> None:
        if not self.left:
            if isinstance(notice, Answer):
                self._rig.answers.append(notice)
            self._post(notice)

    def _tick(self) -> float:
        self.turned_at = self._rig.clock.now - self._rig.asleep
        return self._rig.clock.now

    def _wait(self, seconds: float) -> None:
        deadline = self._rig.clock.now + seconds
        while self._rig.clock.now < deadline and not self._rig.wait(deadline):
            pass


class Rig:
    """``options`` as after -x. ``events``: the kernel tells of plugging. ``grain``: see GRAIN.

    ``refusal`` is what opening the device ends with, None: it opens. ``stuck``: transfers hang in the kernel.
    ``answers`` is what became of jobs. ``excused`` are invariants (by name) that its scenario breaks on
    purpose: the device lies.
    """

    def __init__(
        self,
        recorded: Fixture | str,
        *options: str,
        seed: int = 0,
        events: bool = True,
        grain: float = GRAIN,
        plugged: bool = True,
    ) -> None:
        self.clock = Timeline()
        self.recorded = fixture(recorded) if isinstance(recorded, str) else recorded
        self.device = SimulatedDevice(self.recorded, seed=seed, now=self.clock.now)
        self.place = "1-1"
        self.history = History(began=self.clock.now)
        self.refusal: UsbHidUpsError | None = None
        self.stuck = False
        self.called = False
        self.opened = 0
        self.asleep = 0.0
        self.replaced = 0
        self.exits: list[int] = []
        self.excused: frozenset[str] = frozenset()
        self._events = events
        self._grain = grain
        self._present = True
        if not plugged:
            self.device.gadget.disconnect(self.clock.now)
            self._present = False
            self.history.faults.append(Arranged("absent", self.clock.now, math.inf))
        given = options_of(*options)
        self.connect: Connect = Connector(given, _LIBRARY, _Port(self, given))
        self.worker: _Turned | None = None
        self.answers: list[Answer] = []
        self.service = Service(
            name="ups",
            program="usbhidups",
            options=given,
            control=_Control(self),
            start_worker=lambda post, current: _Turned(self, self.connect, post, current),
            wake=self._heard,
            clock=self.clock,
            wall_clock=lambda: f"{self.clock.now:.1f}",
        )
        self.service.start(None)
        self.clock.at(self.clock.now + LOOK_AFTER, self._look_after)
        self._note()

    # -- the script --------------------------------------------------------------------------

    def do(self, line: str) -> object:
        """One command of docs/simulator.md, now."""
        outcome = self.device.command(line, self.clock.now)
        self._passed()
        return outcome

    def at(self, seconds: float, action: str | Callable[[], None]) -> None:
        """Arrange a command, or anything, for so many seconds from now."""
        if isinstance(action, str):
            line = action
            self.clock.at(self.clock.now + seconds, lambda: (self.do(line), None)[1])
        else:
            self.clock.at(self.clock.now + seconds, action)

    def ask(self, command: str, *, value: str | None = None, seconds: float = 3.0) -> Answer:
        """What becomes of an instant command, or of setting a variable where there is a ``value``."""
        self.submit(command, value)
        self.run(seconds)
        return self.answers[-1]

    def submit(self, command: str, value: str | None = None) -> None:
        """A client wants this done."""
        assert self.worker is not None
        kind = JobKind.INSTCMD if value is None else JobKind.SET
        self.worker.submit(Job(kind, None, command, value))

    def fault(self, line: str, seconds: float = float("inf"), *, after: float = 0.0) -> None:
        """Arrange a fault that lasts so long, and write it down for the invariants."""
        begins = self.clock.now + after
        self.history.faults.append(Arranged(line, begins, begins + seconds))
        lasting = "" if seconds == float("inf") else f" for {seconds}"
        self.at(after, f"{line}{lasting}")

    def unplug(self, seconds: float, *, after: float = 0.0) -> None:
        """Arrange an absence from the bus."""
        begins = self.clock.now + after
        self.history.faults.append(Arranged("disconnect", begins, begins + seconds))
        self.at(after, f"disconnect {seconds}")

    def refuse(self, error: UsbHidUpsError, seconds: float) -> None:
        """From now on opening fails like this, for so long."""
        self.history.faults.append(Arranged(str(error), self.clock.now, self.clock.now + seconds))
        self.refusal = error
        self.at(seconds, self._permit)

    def suspend(self, seconds: float) -> None:
        """The host sleeps; its clocks that count sleep go on."""
        begins = self.clock.now
        self.history.faults.append(Arranged("asleep", begins, begins + seconds))
        self.clock.now += seconds
        self.asleep += seconds

    def run(self, seconds: float) -> None:
        """Let time pass, turning the driver."""
        end = self.clock.now + seconds
        self.clock.at(end, self._call)
        while self.clock.now < end:
            self.turn()
        self.clock.sleep(0.0)
        self.history.ended = self.clock.now
        self.history.requests = self.device.gadget.log.total

    def turn(self) -> None:
        """One turn of the device_loop."""
        worker = self.worker
        assert worker is not None
        self.history.turns += 1
        try:
            worker.device_loop.turn()
        except Left:
            self.replaced += 1

    # -- what is so --------------------------------------------------------------------------

    @property
    def weight(self) -> int:
        """Bytes of the driver's objects."""
        world = (self, self.device, self.recorded, self.history, self.clock, _LIBRARY)
        assert self.worker is not None
        return weight(self.worker.device_loop, self.service, apart=world)

    # -- what is published -------------------------------------------------------------------

    @property
    def status(self) -> str:
        """ups.status, "stale" where the data are not good, "" where there is none."""
        if not self.service.fresh:
            return "stale"
        return self.service.store.text("ups.status") or ""

    def text(self, name: str) -> str | None:
        """The published text of a variable."""
        return self.service.store.text(name)

    # -- for the parts -----------------------------------------------------------------------

    def wait(self, until: float) -> bool:
        """Let a little time pass, at most up to ``until``; whether somebody called meanwhile."""
        step = min(until, self.clock.now + self._grain, self.clock.next_event)
        back = self.device.gadget.absent_until
        if back is not None:
            step = min(step, max(back, self.clock.now))
        self.clock.sleep(max(0.0, step - self.clock.now))
        self.device.advance(self.clock.now)
        self._passed()
        called, self.called = self.called, False
        return called

    def _permit(self) -> None:
        self.refusal = None

    def _call(self) -> None:
        self.called = True

    def _look_after(self) -> None:
        self.service.tick()
        self._note()
        self.clock.at(self.clock.now + LOOK_AFTER, self._look_after)

    def _heard(self) -> None:
        """The worker said something: the main loop takes it in as soon as time passes at all."""
        self.clock.at(self.clock.now, self._settle)

    def _settle(self) -> None:
        self.service.settle()
        self._note()

    def _passed(self) -> None:
        """Something may have changed at the device: tell plug events, write the truth down."""
        present = self.device.gadget.present
        if present != self._present:
            self._present = present
            faults = self.history.faults
            if present and faults and faults[0].what == "absent":
                faults[0] = replace(faults[0], ends=min(faults[0].ends, self.clock.now))
            if self._events and present:
                self.service.plugged()
            elif self._events:
                self.service.unplugged()
        truth = Truth.of(self.device)
        truths = self.history.truths
        if not truths or truths[-1][1] != truth:
            truths.append((self.clock.now, truth))

    def _note(self) -> None:
        self._passed()
        store = self.service.store
        said = Said(
            store.fresh,
            tuple((store.text("ups.status") or "").split()),
            store.text("ups.alarm") or "",
            store.text("driver.state") or "",
            store.text("driver.state.reason") or "",
        )
        noted = self.history.said
        if not noted or noted[-1][1] != said:
            noted.append((self.clock.now, said))


class _Control:
    """What a client may do to the process; satisfies ``service.Control``."""

    debug = 0

    def __init__(self, rig: Rig) -> None:
        self._rig = rig

    def exit(self, service: Service, *, status: int = 0) -> None:
        self._rig.exits.append(status)

    def reload(self, service: Service, *, or_exit: bool) -> int:
        return 0

    def set_debug(self, level: int) -> None:
        return
