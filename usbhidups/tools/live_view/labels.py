"""Scenes in words: NUT's tokens, times of the UPS's own clock, one line for logs."""

from __future__ import annotations

from usbhidups.simulator.setup import SimulatorSetup
from usbhidups.tools.screen.labels import duration, in_words

__all__ = ["clock", "in_one_line", "is_low", "next_step", "output", "tokens"]

_BOOSTED, _TRIMMED = 0.92, 1.08
"""Shares of the nominal voltage at which the simulated regulator begins (docs/simulator.md, ``mains``)."""

_TOKENS = {"replace": "RB", "overload": "OVER", "low": "LB", "off": "OFF"}


def tokens(scene: SimulatorSetup) -> str:
    """What a driver should come to, as ``ups.status``; "" while the UPS is off the bus."""
    if not scene.present:
        return ""
    found = ["OL" if scene.mains else "OB"]
    if scene.draining:
        found.append("DISCHRG")
    elif scene.charging:
        found.append("CHRG")
    if scene.mains and scene.voltage < _BOOSTED:
        found.append("BOOST")
    if scene.mains and scene.voltage > _TRIMMED:
        found.append("TRIM")
    if not scene.mains and is_low(scene):
        found.append("LB")
    if scene.load > 100:
        found.append("OVER")
    if not scene.output:
        found.append("OFF")
    if scene.testing:
        found.append("TEST")
    found += [_TOKENS[flag] for flag in scene.flags if flag in _TOKENS]
    return " ".join(dict.fromkeys(found))


def is_low(scene: SimulatorSetup) -> bool:
    """Whether its charge, or the time that is left, is below its limit."""
    late = scene.draining and scene.runtime < scene.low_runtime
    return scene.charge <= scene.low_charge or late


def clock(seconds: float) -> str:
    """``00:05``, ``1:00:00``: time since the simulator began, by the UPS's own clock."""
    minutes, rest = divmod(int(max(0.0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def output(scene: SimulatorSetup) -> str:
    """The output that feeds the host, and its timers."""
    parts = ["on" if scene.output else "OFF"]
    if scene.cut_in is not None:
        parts.append(f"cut in {duration(scene.cut_in)}")
    if scene.back_in is not None:
        parts.append(f"on again in {duration(scene.back_in)}, if there are mains")
    elif scene.waits_for_mains:
        parts.append("waits for the mains")
    return ", ".join(parts)


def next_step(scene: SimulatorSetup) -> str:
    """What happens next by itself."""
    if scene.next is None:
        return "nothing by itself"
    left, command = scene.next
    more = f", then {scene.steps_left - 1} more" if scene.steps_left > 1 else ""
    return f"{command} in {duration(max(0.0, left))}{more}"


def in_one_line(scene: SimulatorSetup) -> str:
    """The state, short enough for a log."""
    if not scene.present:
        return "off the bus"
    words, left = in_words(tokens(scene)), duration(scene.runtime)
    return f"{words}; {scene.charge:.0f} %, {left}, load {scene.load:.0f} %"
