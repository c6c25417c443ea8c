"""The words by which a simulated UPS is driven: one command, one function.

The same words come from the control socket, from a fixture's timeline (``stall:40`` is ``stall 40``) and from
scenarios. A wrong command is a ValueError that says what is wrong; nothing has happened then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MappingProxyType

from usbhidups.simulator.faults import FAULTS, parse_fault
from usbhidups.simulator.gadget import Gadget
from usbhidups.simulator.output import Cause
from usbhidups.simulator.ups import FLAGS
from usbhidups.simulator.usages import parse_path
from usbhidups.usb.fixture import Failure

__all__ = ["COMMANDS", "perform"]

GLITCH = 2.0
"""Seconds that a glitch lasts when nothing is said."""

Command = Callable[[Gadget, list[str], float], None]


def perform(gadget: Gadget, words: Sequence[str], now: float) -> None:
    """Carry out one command. ``now`` is the host's time."""
    name, *rest = words
    command = COMMANDS.get(name)
    if command is None and name in FAULTS:
        command, rest = COMMANDS["fault"], [name, *rest]
    if command is None:
        raise ValueError(f"unknown command {name!r}")
    good = gadget.unit.ups.mains_good
    try:
        command(gadget, rest, now)
    except IndexError:
        raise ValueError(f"{name} needs more words") from None
    gadget.unit.frozen = (
        gadget.faults.strike("frozen", now) is not None
    )  # from now on, not the next look
    gadget.unit.pass_time(0.0)
    if gadget.unit.ups.mains_good != good:
        bounce = gadget.faults.strike("bounce", now)
        if bounce is not None and gadget.present:
            gadget.disconnect(now, bounce.amount)


def _mains(gadget: Gadget, words: list[str], now: float) -> None:
    ups = gadget.unit.ups
    if words[0] in ("on", "off"):
        ups.set_mains(on=words[0] == "on")
    else:
        ups.set_mains(on=True, voltage=float(words[0]))


def _load(gadget: Gadget, words: list[str], now: float) -> None:
    gadget.unit.ups.load = max(0.0, float(words[0]))


def _charge(gadget: Gadget, words: list[str], now: float) -> None:
    gadget.unit.ups.set_charge(float(words[0]))


def _runtime(gadget: Gadget, words: list[str], now: float) -> None:
    gadget.unit.ups.set_runtime(float(words[0]))


def _flag(gadget: Gadget, words: list[str], now: float) -> None:
    name, value = words[0], words[1]
    if name not in FLAGS:
        raise ValueError(f"unknown flag {name!r}")
    if value not in ("on", "off"):
        raise ValueError("a flag is on or off")
    gadget.unit.ups.force(name, on=value == "on")


def _glitch(gadget: Gadget, words: list[str], now: float) -> None:
    if words[0] not in FLAGS:
        raise ValueError(f"unknown flag {words[0]!r}")
    seconds = float(words[1]) if len(words) > 1 else GLITCH
    gadget.unit.ups.force(words[0], on=True, seconds=seconds)


def _test(gadget: Gadget, words: list[str], now: float) -> None:
    if words[0] == "stop":
        gadget.unit.ups.stop_test()
    elif words[0] in ("quick", "deep"):
        gadget.unit.ups.start_test(deep=words[0] == "deep")
    else:
        raise ValueError("test is quick, deep or stop")


def _output(gadget: Gadget, words: list[str], now: float) -> None:
    if words[0] not in ("on", "off"):
        raise ValueError("output is on or off")
    ups = gadget.unit.ups
    ups.main.switch(on=words[0] == "on", cause=Cause.PERSON, now=ups.now, mains=ups.mains_good)


def _quirk(gadget: Gadget, words: list[str], now: float) -> None:
    gadget.unit.ups.quirks.set(words[0], words[1] if len(words) > 1 else "on")


def _set(gadget: Gadget, words: list[str], now: float) -> None:
    if not gadget.unit.put(parse_path(words[0]), int(words[1], 0)):
        raise ValueError(f"no field {words[0]}")


def _report(gadget: Gadget, words: list[str], now: float) -> None:
    kind, report_id, *rest = words
    number = int(report_id, 16)
    if kind == "feature" and rest[0] in (failure.value for failure in Failure):
        gadget.take_answer(number, Failure(rest[0]))
        return
    data = bytes.fromhex("".join(rest))
    if not data or data[0] != number:
        raise ValueError(f"a report begins with its id {report_id}")
    if kind == "feature":
        gadget.take_answer(number, data)
    elif kind == "input":
        gadget.unit.push_input(number, data[1:])
    else:
        raise ValueError("a report is feature or input")


def _disconnect(gadget: Gadget, words: list[str], now: float) -> None:
    if words:
        gadget.disconnect(now, float(words[0]))
    else:
        gadget.disconnect(now)


def _reconnect(gadget: Gadget, words: list[str], now: float) -> None:
    gadget.reconnect(now)


def _fault(gadget: Gadget, words: list[str], now: float) -> None:
    if not words:
        raise IndexError
    gadget.faults.add(parse_fault(words, now))


def _clear(gadget: Gadget, words: list[str], now: float) -> None:
    gadget.faults.clear(words[0] if words else None)


def _forget(gadget: Gadget, words: list[str], now: float) -> None:
    gadget.log.forget()


COMMANDS = MappingProxyType(
    {
        "mains": _mains,
        "load": _load,
        "charge": _charge,
        "runtime": _runtime,
        "flag": _flag,
        "glitch": _glitch,
        "test": _test,
        "output": _output,
        "quirk": _quirk,
        "set": _set,
        "report": _report,
        "disconnect": _disconnect,
        "reconnect": _reconnect,
        "fault": _fault,
        "clear": _clear,
        "forget": _forget,
    }
)
"""Every command by its first word; a fault's name stands for ``fault NAME`` as well."""
