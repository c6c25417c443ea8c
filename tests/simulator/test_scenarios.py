"""Every named scenario in virtual time, and a thousand hours of whatever comes."""

from __future__ import annotations

import random

import pytest

from tests.simulator.devices import Host
from usbhidups.simulator.output import Cause
from usbhidups.simulator.scenarios import SCENARIOS
from usbhidups.simulator.ups import FLAGS

END = 7200


def play(name: str, *, step: float = 1.0) -> tuple[Host, list[str]]:
    """The scenario second by second; the flag bytes (report 01) in the order in which they changed."""
    host = Host()
    host.do(f"scenario {name}")
    seen: list[str] = []
    for _ in range(round(END / step)):
        host.wait(step)
        shown = host.feature(0x01).data.hex()
        if shown and (not seen or seen[-1] != shown):
            seen.append(shown)
    return host, seen


@pytest.mark.parametrize("name", SCENARIOS)
def test_each_plays_to_its_end(name: str) -> None:
    host, _ = play(name)
    state = host.do("state")
    assert isinstance(state, dict)
    assert state["steps left"] == 0
    assert state["mains"] is True
    assert state["present"] is True
    assert state["output"] is True
    assert host.device.cuts_on_mains() == []


def test_outage() -> None:
    _, seen = play("outage")
    assert seen == ["0191", "0194", "0184", "0183", "0191"]


def test_battery_dies() -> None:
    host, seen = play("battery-dies")
    assert [(round(s.at), s.on, s.cause) for s in host.device.history] == [
        (305, False, Cause.EMPTY),
        (905, True, Cause.MAINS),
    ]
    assert "018c" in seen  # discharging and low
    assert "01ac" in seen  # and shutdown imminent


def test_self_test() -> None:
    _, seen = play("self-test")
    assert seen == ["0191", "0195", "0185", "0183", "0191"]


def test_glitches_are_of_two_seconds() -> None:
    _, seen = play("glitches", step=0.5)
    assert seen == ["0191", "0199", "0191", "01d1", "0191", "0111", "0191", "0100", "0191"]


def test_unknown_scenario() -> None:
    with pytest.raises(ValueError, match="scenarios are outage, brownout"):
        Host().do("scenario doom")


@pytest.mark.parametrize("seed", range(3))
def test_a_thousand_hours(seed: int) -> None:
    """Nobody asks for a shutdown: the load is lost to an empty battery or not at all."""
    chance = random.Random(seed)
    host = Host()
    flags = sorted(FLAGS)
    for _ in range(4000):
        host.do(
            chance.choice(
                (
                    "mains off",
                    "mains on",
                    "mains on",
                    f"mains {chance.uniform(0.5, 1.3):.2f}",
                    f"load {chance.randrange(130)}",
                    f"glitch {chance.choice(flags)}",
                    "test quick",
                    "test deep",
                    f"disconnect {chance.uniform(0, 60):.1f}",
                )
            )
        )
        host.wait(chance.expovariate(1 / 900))
        ups = host.device.ups
        assert 0.0 <= ups.charge <= 100.0
        assert ups.main.on or not ups.mains_good
    assert host.now > 1000 + 0.9 * 1000 * 3600
    assert host.device.cuts_on_mains() == []
    assert {s.cause for s in host.device.history} <= {Cause.EMPTY, Cause.MAINS}
