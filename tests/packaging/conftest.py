"""Source archive and wheel, built once."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from usbhidups import __version__

ROOT = Path(__file__).parents[2]


def build(kind: str, place: Path, *, cwd: Path) -> None:
    """By the build tool itself, which is among the tests' own packages: nothing is fetched."""
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", place],
        env={**os.environ, "PYTHONPATH": ""},
        cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("wheel")


@pytest.fixture(scope="session")
def archive(place: Path) -> Path:
    build("sdist", place, cwd=ROOT)
    return place / f"usbhidups-{__version__}.tar.gz"


@pytest.fixture(scope="session")
def wheel(place: Path, archive: Path) -> Path:
    """Built from the unpacked archive, not from the tree."""
    with tarfile.open(archive) as file:
        file.extractall(place, filter="data")
    build("wheel", place, cwd=place / f"usbhidups-{__version__}")
    return place / f"usbhidups-{__version__}-py3-none-any.whl"
