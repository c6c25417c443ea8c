"""Rigs for scenarios; whatever else a scenario asserts, its history has to pass the invariants."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.faults.invariants import violations
from tests.faults.rig import Rig
from usbhidups.usb.fixture import Fixture

__all__ = ["Make"]

Make = Callable[..., Rig]


@pytest.fixture
def make() -> Iterator[Make]:
    """A factory of rigs; see Rig for its arguments."""
    rigs: list[Rig] = []

    def factory(recorded: Fixture | str, *options: str, **how: Any) -> Rig:
        rigs.append(Rig(recorded, *options, **how))
        return rigs[-1]

    yield factory
    for rig in rigs:
        assert violations(rig.history, but=rig.excused) == []
        assert rig.device.cuts_on_mains() == []
