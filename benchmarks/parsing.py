"""Parsing of report descriptors: ours and hid-tools', on the same bytes, turn about in the same run.

    .venv/bin/python -m benchmarks.parsing [--rounds N]

The descriptors are the project's fixtures, and those of the collection beside the project where that is
present; the same bytes count once. What is compared is the median time of each descriptor.
"""

from __future__ import annotations

import argparse
import gc
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from hidtools.hid import ReportDescriptor

from benchmarks.spread import Spread
from tests.hid.recordings import CORPUS, FIXTURES, load
from usbhidups.hid.descriptor import parse

__all__ = ["Parsing", "measure"]


@dataclass(frozen=True, slots=True)
class Parsing:
    """Median seconds per descriptor, both in the same order."""

    ours: tuple[float, ...]
    theirs: tuple[float, ...]
    length: int  # bytes of all descriptors

    @property
    def ratio(self) -> float:
        """How many times as long hid-tools takes for all of them."""
        return sum(self.theirs) / sum(self.ours)

    @property
    def ratios(self) -> Spread:
        """The same for each descriptor."""
        return Spread.of(theirs / ours for ours, theirs in zip(self.ours, self.theirs, strict=True))


def seconds(work: Callable[[bytes], object], data: bytes) -> float:
    """How long one call takes."""
    start = time.perf_counter()
    work(data)
    return time.perf_counter() - start


def measure(descriptors: Iterable[bytes], *, rounds: int) -> Parsing:
    """Parse every descriptor ``rounds`` times each way, turn about, so that both see the same machine."""
    ours, theirs, length = [], [], 0
    for descriptor in descriptors:
        pairs = [
            (seconds(parse, descriptor), seconds(ReportDescriptor.from_bytes, descriptor))
            for _ in range(rounds)
        ]
        ours.append(Spread.of(pair[0] for pair in pairs).median)
        theirs.append(Spread.of(pair[1] for pair in pairs).median)
        length += len(descriptor)
        gc.collect()
    return Parsing(tuple(ours), tuple(theirs), length)


def descriptors() -> list[bytes]:
    """Every different descriptor that is at hand."""
    both = [*load(FIXTURES), *load(CORPUS)]
    return list(dict.fromkeys(recording.descriptor for recording in both))


def main() -> None:
    options = argparse.ArgumentParser(description="descriptor parsing beside hid-tools")
    options.add_argument("--rounds", type=int, default=25, help="times each is parsed (25)")
    result = measure(descriptors(), rounds=options.parse_args().rounds)
    print(f"{len(result.ours)} descriptors, {result.length} bytes")
    print(f"ours       {1e3 * sum(result.ours):8.2f} ms")
    print(f"hid-tools  {1e3 * sum(result.theirs):8.2f} ms")
    print(f"ratio      {result.ratio:8.2f}")
    print(f"by descriptor: least {result.ratios.values[0]:.2f}, median {result.ratios.median:.2f}")


if __name__ == "__main__":
    main()
