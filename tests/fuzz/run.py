"""Fuzz one target, guided by coverage, and keep what reached new code.

    .venv/bin/pip install atheris
    .venv/bin/python -m tests.fuzz.run TARGET [--inputs 1000000] [--seconds 600]

Begins with the target's seeds and kept inputs. At the end the least set of inputs that reaches the same code
replaces the kept ones. A crash ends the run with status 1; its input is shown and kept too, so that the
suite fails until it is mended.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tests.fuzz import corpus_file
from tests.fuzz.targets import TARGETS


def fill(directory: Path, inputs: Iterable[bytes]) -> Path:
    """Write inputs as the fuzzer wants them, one file each."""
    directory.mkdir()
    for number, data in enumerate(inputs):
        (directory / f"{number:06}").write_bytes(data)
    return directory


def contents(directory: Path) -> list[bytes]:
    return [file.read_bytes() for file in sorted(directory.iterdir())]


def fuzz(name: str, *, inputs: int, seconds: int) -> int:
    """Run the fuzzer in processes of its own (it ends its process itself); 0 when nothing was found."""
    target = TARGETS[name]
    with tempfile.TemporaryDirectory(prefix="usbhidups-fuzz-") as scratch:
        place = Path(scratch)
        known = fill(place / "known", [*target.seeds(), *corpus_file.load(name)])
        crashes = fill(place / "crashes", ())
        kept = fill(place / "kept", ())
        worker = [sys.executable, "-m", "tests.fuzz.worker", name, f"-max_len={target.longest}"]
        limits = [f"-runs={inputs}", f"-max_total_time={seconds}", f"-artifact_prefix={crashes}/"]
        subprocess.run([*worker, *limits, "-print_final_stats=1", str(known)], check=False)
        subprocess.run([*worker, "-merge=1", str(kept), str(known)], check=True)
        found = contents(crashes)
        corpus_file.save(name, [*contents(kept), *found])
    for data in found:
        print(f"{name} fails on {data.hex()}")
    return 1 if found else 0


def main() -> int:
    options = argparse.ArgumentParser(
        prog="python -m tests.fuzz.run", description="fuzz one target"
    )
    options.add_argument("target", choices=sorted(TARGETS))
    options.add_argument("--inputs", type=int, default=1_000_000, help="at most so many (1000000)")
    options.add_argument("--seconds", type=int, default=600, help="at most so long (600)")
    given = options.parse_args()
    return fuzz(given.target, inputs=given.inputs, seconds=given.seconds)


if __name__ == "__main__":
    sys.exit(main())
