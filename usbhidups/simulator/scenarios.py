"""Named scenarios: what happens to a simulated UPS, second by second of its own time.

Data only; each step is a command of docs/simulator.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["SCENARIOS", "Scenario"]


@dataclass(frozen=True, slots=True)
class Scenario:
    """``steps``: seconds after the scenario's start, and the command."""

    text: str
    steps: tuple[tuple[float, str], ...]


SCENARIOS = MappingProxyType(
    {
        "outage": Scenario(
            "mains fails for a minute and returns",
            ((5, "mains off"), (65, "mains on")),
        ),
        "brownout": Scenario(
            "mains sags: first boosted, then too low to use, then surges, then good",
            ((5, "mains 0.88"), (25, "mains 0.70"), (45, "mains 1.12"), (65, "mains on")),
        ),
        "battery-dies": Scenario(
            "mains fails, the battery runs out in five minutes, mains returns ten minutes later",
            ((0, "charge 100"), (0, "runtime 300"), (5, "mains off"), (905, "mains on")),
        ),
        "near-miss": Scenario(
            "mains fails, and returns in the minute in which the host goes down for a low battery",
            ((0, "charge 100"), (0, "runtime 300"), (5, "mains off"), (285, "mains on")),
        ),
        "flicker": Scenario(
            "mains comes and goes in seconds",
            tuple((5.0 + 3 * n, f"mains {'off' if n % 2 == 0 else 'on'}") for n in range(8)),
        ),
        "flaky-usb": Scenario(
            "transfers fail, the device leaves the bus and comes back",
            (
                (5, "errors chance 30 for 20"),
                (30, "disconnect 0.3"),
                (45, "delay 400 for 15"),
                (65, "disconnect 8"),
                (85, "interrupt-dead"),
                (95, "clear"),
            ),
        ),
        "bounce": Scenario(
            "each mains edge takes the device off the bus for five seconds",
            ((0, "bounce 5"), (5, "mains off"), (35, "mains on"), (50, "clear bounce")),
        ),
        "self-test": Scenario("a quick self-test", ((5, "test quick"),)),
        "calibration": Scenario(
            "a deep test: down to a quarter, then charging", ((5, "test deep"),)
        ),
        "glitches": Scenario(
            "on mains: low, replace, off and no battery for two seconds each, and one zero reading",
            (
                (5, "glitch low"),
                (10, "glitch replace"),
                (15, "glitch off"),
                (20, "glitch no-battery"),
                (25, "zero all times 1"),
            ),
        ),
        "overload": Scenario("too much load for half a minute", ((5, "load 120"), (35, "load 30"))),
        "old-battery": Scenario(
            "the battery asks to be replaced and lasts a minute",
            ((0, "flag replace on"), (0, "runtime 60"), (10, "mains off"), (40, "mains on")),
        ),
    }
)
"""By name, in the order in which help and docs show them."""
