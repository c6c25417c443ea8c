"""Every input that fuzzing kept, and every seed, through its target."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz import corpus_file
from tests.fuzz.targets import TARGETS, Target

EACH = pytest.mark.parametrize("name", TARGETS)


@EACH
def test_kept_inputs_raise_nothing(name: str) -> None:
    kept = corpus_file.load(name)
    assert kept, f"no inputs are kept for {name}: run python -m tests.fuzz.run {name}"
    for data in kept:
        TARGETS[name].run(data)


@EACH
def test_seeds_raise_nothing(name: str) -> None:
    target = TARGETS[name]
    seeds = target.seeds()
    assert seeds
    for data in seeds:
        assert len(data) <= target.longest
        target.run(data)


@given(st.sampled_from(list(TARGETS.values())), st.binary(max_size=200))
def test_any_bytes_raise_nothing(target: Target, data: bytes) -> None:
    target.run(data)
