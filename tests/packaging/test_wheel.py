"""Source archive and wheel: the one is whole enough to build the other, which runs away from the tree."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from usbhidups import __version__

ROOT = Path(__file__).parents[2]
FIXTURE = ROOT / "fixtures/hid-descriptors/0764-0501-cyberpower-cp1500epfclcd.toml"
UNREACHABLE = ("Could not find a version", "No matching distribution", "Temporary failure")


LIBRARIES = sysconfig.get_path("purelib")
"""Where the tests' own Python has the libraries. As PYTHONPATH it does not bring the editable tree."""


def run(*words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in words],
        env={**os.environ, "PYTHONPATH": LIBRARIES},
        cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=300, check=False,
    )  # fmt: skip


def pip_install(python: Path, what: Sequence[str | Path], *, cwd: Path) -> None:
    """With the pip of the environment that runs the tests; skips where no index can be reached."""
    words = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", *what]
    done = run(*words, cwd=cwd)
    if any(word in done.stderr for word in UNREACHABLE):
        pytest.skip(f"no package index gives {what[-1]}: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("wheel")


@pytest.fixture(scope="module")
def python(place: Path) -> Path:
    """An environment of its own with the build tool, and nothing of the tree."""
    venv.create(place / "venv", with_pip=False, symlinks=True)
    path = place / "venv" / "bin" / "python"
    pip_install(path, ["hatchling>=1.21,<2"], cwd=place)
    return path


@pytest.fixture(scope="module")
def archive(place: Path, python: Path) -> Path:
    done = run(python, "-m", "hatchling", "build", "-t", "sdist", "-d", place, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return place / f"usbhidups-{__version__}.tar.gz"


@pytest.fixture(scope="module")
def wheel(place: Path, python: Path, archive: Path) -> Path:
    """Built from the unpacked archive, not from the tree."""
    with tarfile.open(archive) as file:
        file.extractall(place, filter="data")
    tree = place / f"usbhidups-{__version__}"
    done = run(python, "-m", "hatchling", "build", "-t", "wheel", "-d", place, cwd=tree)
    assert done.returncode == 0, done.stderr
    return place / f"usbhidups-{__version__}-py3-none-any.whl"


def test_the_archive_holds_what_is_needed_to_build_test_and_package(archive: Path) -> None:
    with tarfile.open(archive) as file:
        held = {name.partition("/")[2] for name in file.getnames()}
    for folder in ("usbhidups", "tests", "fixtures", "tools", "man", "completion", "udev",
                   "systemd", "init", "packaging", "docs"):  # fmt: skip
        for source in (ROOT / folder).rglob("*"):
            if source.suffix in {".py", ".toml", ".8", ".rules", ".service", ".md"}:
                assert str(source.relative_to(ROOT)) in held
    for name in ("README.md", "LICENSE", "CHANGELOG.md", "Makefile", "pyproject.toml"):
        assert name in held


def test_the_wheel_holds_all_data(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    for source in (ROOT / "usbhidups").rglob("*"):
        if source.is_file() and "__pycache__" not in source.parts:
            assert str(source.relative_to(ROOT)) in held
    data = f"usbhidups-{__version__}.data/data/share"
    for page in (ROOT / "man").glob("*.8"):
        assert f"{data}/man/man8/{page.name}" in held
    assert f"{data}/bash-completion/completions/usbhidups" in held
    assert f"{data}/usbhidups/99-ups.rules" in held


def test_it_runs_from_the_wheel(place: Path, python: Path, wheel: Path) -> None:
    pip_install(python, ["--no-deps", "--no-compile", wheel], cwd=place)
    program = python.parent / "usbhidups"
    where = run(python, "-c", "import usbhidups; print(usbhidups.__file__)", cwd=place)
    assert where.stdout.startswith(str(place))
    assert run(program, "--version", cwd=place).stdout == f"usbhidups {__version__}\n"
    card = run(program, "probe", "--replay", FIXTURE, cwd=place)
    assert card.returncode == 0, card.stderr
    assert "CP1500EPFCLCD" in card.stdout
    assert "CyberPower" in card.stdout
    driver = run(
        program, "-s", "ups", "-d", "0", "-u", "root", "-x", f"port=replay:{FIXTURE}", cwd=place
    )
    assert "ups.status: OL" in driver.stdout, driver.stderr
