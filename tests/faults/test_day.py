"""A short day of mixed faults; the long one is ``make test-day``. And that a day which goes wrong says so."""

from __future__ import annotations

import logging
import re
import shlex
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.faults import day
from tests.faults.rig import Rig

NAMES = (
    "0463-ffff-eaton-3s",
    "04d8-d004-openups-described-on-line",
    "050d-0f51-belkin-described-on-line",
    "05dd-041b-delta-described-rich",
    "0764-0501-cps-described-rich",
    "0764-0601-cps-described-freq10-0601",
)
HALF_AN_HOUR = 1800.0


@pytest.fixture(autouse=True)
def _unlogged() -> Iterator[None]:
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("name", NAMES)
def test_half_an_hour_of_mixed_faults(name: str) -> None:
    outcome = day.play(name, 1, seconds=HALF_AN_HOUR)
    assert outcome.wrong == ()
    assert outcome.seconds >= HALF_AN_HOUR
    assert outcome.happened.total() >= 5


def test_a_seed_is_all_that_decides() -> None:
    first, second = (day.play(NAMES[0], 7, seconds=HALF_AN_HOUR) for _ in range(2))
    other = day.play(NAMES[0], 8, seconds=HALF_AN_HOUR)
    assert (first.happened, first.requests) == (second.happened, second.requests)
    assert (first.happened, first.requests) != (other.happened, other.requests)


class Liar(Rig):
    """Once, after a quarter of an hour, an outage is published that is none."""

    def _note(self) -> None:
        super()._note()
        said = self.history.said[-1][1]
        if self.clock.now > 1900.0 and all(one.alarm != "made up" for _, one in self.history.said):
            lie = replace(said, fresh=True, words=("OB",), alarm="made up")
            self.history.said.append((self.clock.now, lie))


def test_what_is_wrong_is_told_with_the_seed_that_plays_it_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [
        "--fixture",
        NAMES[0],
        "--hours",
        "0.5",
        "--stretch",
        "0.5",
        "--seed",
        "5",
        "--jobs",
        "0",
    ]
    assert day.main(arguments) == 0
    assert "0 of 1 stretches failed" in capsys.readouterr().out
    monkeypatch.setattr(day, "Rig", Liar)
    assert day.main(arguments) == 1
    said = capsys.readouterr().out
    assert "I1 evidence" in said
    assert "1 of 1 stretches failed" in said
    again = re.search(r"python -m tests\.faults\.day (.*)", said)
    assert again is not None
    assert "--seed 5" in again[1]
    assert day.main(shlex.split(again[1])) == 1
    assert "I1 evidence" in capsys.readouterr().out
    monkeypatch.undo()
    assert day.main(shlex.split(again[1])) == 0


def test_a_process_that_grows_is_told() -> None:
    outcome = day.play(NAMES[1], 1, seconds=600.0)
    more = replace(outcome, descriptors=outcome.descriptors + 1)
    bigger = replace(outcome, megabytes=outcome.megabytes + 50.0)
    histories = [[outcome, outcome, last] for last in (more, bigger, outcome)]
    assert [len(list(day.grown(history))) for history in histories] == [1, 1, 0]
