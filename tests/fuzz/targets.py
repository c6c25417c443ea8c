"""What is fuzzed: a written list. Each target takes any bytes and raises nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.fuzz import hid

__all__ = ["TARGETS", "Target"]


@dataclass(frozen=True, slots=True)
class Target:
    """``run`` takes one input and returns; whatever it raises is a finding.

    ``seeds`` gives real inputs to begin with, ``longest`` is the length in bytes beyond which nothing new
    is to be expected.
    """

    run: Callable[[bytes], None]
    seeds: Callable[[], Sequence[bytes]]
    longest: int


TARGETS = {
    "descriptor": Target(hid.descriptor, hid.descriptor_seeds, 2048),
    "reports": Target(hid.reports, hid.reports_seeds, 65),
    "usage-path": Target(hid.usage_path, hid.usage_path_seeds, 120),
}
