"""A simulated UPS, whole: a device on a bus, its own time, and what is to happen to it.

Use it directly, with any clock, for tests without network and threads; ``Simulator`` puts it behind USB/IP.
``now`` is the host's time in seconds, from any origin; the UPS's own time runs ``speed`` times as fast.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from usbhidups.simulator.commands import perform
from usbhidups.simulator.event_log import EventLog, written
from usbhidups.simulator.gadget import Gadget
from usbhidups.simulator.layout import Kind
from usbhidups.simulator.output import Switching
from usbhidups.simulator.scenarios import SCENARIOS
from usbhidups.simulator.transfers import Reply, Status
from usbhidups.simulator.ups import MAIN, Ups
from usbhidups.usb.fixture import Fixture

__all__ = ["SimulatedDevice", "output_name"]

_SET_REPORT = (0x21, 0x09, Kind.FEATURE.value)
"""Request type, request and report type in the setup bytes of a SET_REPORT (HID 1.11 section 7.2.2)."""


@dataclass(frozen=True, slots=True)
class _Step:
    at: float  # the UPS's own time
    words: tuple[str, ...]


class SimulatedDevice:
    """One UPS. Every method that takes ``now`` lets time pass up to it first."""

    def __init__(
        self, fixture: Fixture, *, speed: float = 1.0, seed: int = 0, now: float | None = None
    ) -> None:
        self.gadget = Gadget(fixture, seed=seed)
        self.fixture = fixture
        self.event_log = EventLog()
        self._speed = speed
        self._last = now
        self._steps = _timeline(fixture)

    @property
    def ups(self) -> Ups:
        """The UPS behind the reports."""
        return self.gadget.unit.ups

    @property
    def speed(self) -> float:
        """How many of its own seconds pass in one of the host's."""
        return self._speed

    @property
    def steps(self) -> tuple[tuple[float, str], ...]:
        """What is still to happen by itself: when (its own time), and the command."""
        return tuple((step.at, " ".join(step.words)) for step in self._steps)

    @property
    def history(self) -> list[Switching]:
        """Every switching of the output that feeds the host."""
        return list(self.ups.main.history)

    def cuts_on_mains(self) -> list[Switching]:
        """When the load was cut although mains was there; must be empty unless somebody asked for it."""
        return [switching for switching in self.history if switching.cut_on_mains]

    def advance(self, now: float) -> None:
        """Let time pass: the UPS goes on, and what is due happens. Time never goes back."""
        if self._last is not None and now <= self._last and not self._due(self.ups.now):
            return
        elapsed = 0.0 if self._last is None else max(0.0, now - self._last)
        self._last = now if self._last is None else max(now, self._last)
        unit = self.gadget.unit
        end = unit.ups.now + elapsed * self._speed
        while self._due(end):
            step = self._steps.pop(0)
            unit.pass_time(max(0.0, step.at - unit.ups.now))
            self._perform(step.words, now)
        unit.frozen = self.gadget.faults.strike("frozen", now) is not None
        unit.pass_time(max(0.0, end - unit.ups.now))
        self.gadget.settle(now)
        self._look_at_outputs()

    def control(self, setup: bytes, data: bytes, now: float) -> Reply:
        """One control transfer: the eight setup bytes and what an OUT transfer carries."""
        self.advance(now)
        reply = self.gadget.control(setup, data, now)
        if (setup[0], setup[1], setup[3]) == _SET_REPORT:
            self._note_write(setup[2], data, reply)
        return reply

    def interrupt(self, endpoint: int, length: int, now: float) -> Reply | None:
        """What an interrupt IN transfer of ``length`` bytes brings now; None: it goes on waiting."""
        self.advance(now)
        return self.gadget.interrupt(endpoint, length, now)

    def open(self, now: float, *, who: str = "") -> None:
        """A host begins to talk to it; ``who`` is for the event_log."""
        self.advance(now)
        self.event_log.add(self.ups.now, f"opened by {who or 'a host'}")
        self.gadget.opened(now)

    def close(self) -> None:
        """The host that talked to it is gone."""
        self.event_log.add(self.ups.now, "let go by its host")

    def command(self, line: str | Sequence[str], now: float) -> object:
        """Carry out one command of docs/simulator.md; what it answers, ready for JSON. ValueError: not done."""
        words = line.split() if isinstance(line, str) else list(line)
        if not words:
            raise ValueError("empty command")
        self.advance(now)
        name, *rest = words
        if name == "state":
            return self.state()
        if name == "history":
            return self._histories()
        if name == "requests":
            return [entry.as_json() for entry in self.gadget.log.entries]
        if name == "wrote":
            return [data.hex(" ") for data in self.gadget.log.wrote()]
        if name == "speed":
            self._speed = _speed(rest)
        elif name == "scenario":
            self._play(rest)
        else:
            self._perform(words, now)
        return None

    def state(self) -> dict[str, object]:
        """What is so now, for people and tests."""
        ups, gadget = self.ups, self.gadget
        return {
            "busid": gadget.record.busid,
            "address": gadget.record.address,
            "present": gadget.present,
            "time": ups.now,
            "speed": self._speed,
            "mains": ups.mains_good,
            "voltage": ups.voltage if ups.mains else 0.0,
            "charge": ups.charge,
            "charging": ups.charging,
            "discharging": ups.draining,
            "load": ups.load,
            "runtime": ups.runtime,
            "test": ups.test.name.lower(),
            "output": ups.main.on,
            "timers": {
                "shutdown": _left(ups.main.shutdown_at, ups.now),
                "startup": _left(ups.main.startup_at, ups.now),
                "reboot": _left(ups.main.reboot_until, ups.now),
            },
            "flags": sorted(name for name in ups.forced if ups.flag(name)),
            "quirks": {key: value for key, value in asdict(ups.quirks).items() if value},
            "faults": [fault.as_text() for fault in gadget.faults.active],
            "requests": gadget.log.total,
            "unknown requests": sorted(gadget.log.unknown),
            "steps left": len(self._steps),
        }

    def _due(self, moment: float) -> bool:
        return bool(self._steps) and self._steps[0].at <= moment

    def _perform(self, words: Sequence[str], now: float) -> None:
        perform(self.gadget, words, now)
        self.event_log.add(self.ups.now, " ".join(words))
        self._look_at_outputs()

    def _look_at_outputs(self) -> None:
        for number, output in self.ups.outputs.items():
            self.event_log.look_at(number, output_name(number), output)

    def _note_write(self, report_id: int, data: bytes, reply: Reply) -> None:
        layout = self.gadget.unit.layout
        what = written(layout, report_id, data[1:] if layout.numbered else data)
        refused = "" if reply.status is Status.OK else f" ({reply.status.name.lower()})"
        self.event_log.add(self.ups.now, f"written {what}{refused}")
        self._look_at_outputs()

    def _histories(self) -> dict[str, object]:
        return {
            "main" if number == MAIN else output_name(number): [
                {"at": s.at, "on": s.on, "cause": s.cause.value, "mains": s.mains}
                for s in output.history
            ]
            for number, output in self.ups.outputs.items()
        }

    def _play(self, words: list[str]) -> None:
        scenario = SCENARIOS.get(words[0] if words else "")
        if scenario is None:
            raise ValueError(f"scenarios are {', '.join(SCENARIOS)}")
        start = self.ups.now
        steps = [_Step(start + at, tuple(line.split())) for at, line in scenario.steps]
        self._steps = sorted([*self._steps, *steps], key=lambda step: step.at)


def output_name(number: int) -> str:
    """What people call an output."""
    return "output" if number == MAIN else f"outlet {number}"


def _left(until: float | None, now: float) -> float | None:
    return None if until is None else until - now


def _speed(words: list[str]) -> float:
    speed = float(words[0]) if words else -1.0
    if not 0.0 <= speed <= 1e6:
        raise ValueError("speed is a number from 0 to 1000000")
    return speed


def _timeline(fixture: Fixture) -> list[_Step]:
    steps: list[_Step] = []
    for moment in fixture.timeline:
        for report_id, answer in moment.feature.items():
            shown = answer.hex() if isinstance(answer, bytes) else answer.value
            steps.append(_Step(moment.at, ("report", "feature", f"{report_id:02x}", shown)))
        if moment.input is not None:
            words = ("report", "input", f"{moment.input[0]:02x}", moment.input.hex())
            steps.append(_Step(moment.at, words))
        if moment.event:
            steps.append(_Step(moment.at, tuple(moment.event.split(":"))))
    return steps
