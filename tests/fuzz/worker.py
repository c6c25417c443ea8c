"""The process that fuzzes: ``python -m tests.fuzz.worker TARGET [libFuzzer options]``. Started by ``run``."""

from __future__ import annotations

import shlex
import sys

import atheris


def main() -> None:
    _, name, *options = sys.argv
    with atheris.instrument_imports(include=["usbhidups"]):
        from tests.fuzz.targets import TARGETS
    # Merging starts further workers through a shell, by what stands where the program's name is expected.
    again = shlex.join([sys.executable, "-m", "tests.fuzz.worker", name])
    atheris.Setup([again, *options], TARGETS[name].run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
