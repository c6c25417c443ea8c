"""Source archive and wheel: the one is whole enough to build the other, which runs away from the tree."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from tests.packaging.conftest import ROOT
from usbhidups import __version__

FIXTURE = ROOT / "fixtures/hid-descriptors/0764-0501-cyberpower-cp1500epfclcd.toml"

LIBRARIES = sysconfig.get_path("purelib")
"""Where the tests' own Python has the libraries. As PYTHONPATH it does not bring the editable tree."""


def run(*words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in words],
        env={**os.environ, "PYTHONPATH": LIBRARIES},
        cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=300, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def python(place: Path, wheel: Path) -> Path:
    """An environment with the wheel in it, as pip (and so pipx) installs it, and nothing of the tree.

    The libraries that it depends on are the tests' own: nothing is fetched.
    """
    venv.create(place / "venv", with_pip=False, symlinks=True)
    path = place / "venv" / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", str(path))
    words = ("install", "--quiet", "--no-index", "--no-deps", "--no-compile", str(wheel))
    done = run(*pip, *words, cwd=place)
    assert done.returncode == 0, done.stderr
    return path


def test_the_archive_holds_what_is_needed_to_build_test_and_package(archive: Path) -> None:
    with tarfile.open(archive) as file:
        held = {name.partition("/")[2] for name in file.getnames()}
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.splitlines()
    assert not [name for name in tracked if (ROOT / name).is_file() and name not in held]
    for name in ("README.md", "LICENSE", "CHANGELOG.md", "Makefile", "pyproject.toml",
                 "udev/99-ups.rules", "packaging/build-deb", "usbhidups/profiles/generic.toml",
                 "tests/packaging/conftest.py"):  # fmt: skip
        assert name in held
    assert not [name for name in held if name.startswith((".venv", "build/", "dist/"))]


def test_the_wheel_holds_all_data(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    for source in (ROOT / "usbhidups").rglob("*"):
        if source.is_file() and "__pycache__" not in source.parts:
            assert str(source.relative_to(ROOT)) in held
    data = f"usbhidups-{__version__}.data/data/share"
    for page in (ROOT / "man").glob("*.8"):
        assert f"{data}/man/man8/{page.name}" in held
    for folder in ("init", "systemd"):
        for source in (ROOT / folder).rglob("*"):
            if source.is_file():
                assert f"{data}/usbhidups/{source.relative_to(ROOT)}" in held
    assert f"{data}/usbhidups/99-ups.rules" in held
    assert f"{data}/bash-completion/completions/usbhidups" in held
    assert f"{data}/zsh/site-functions/_usbhidups" in held
    assert f"{data}/fish/vendor_completions.d/usbhidups.fish" in held


def test_it_runs_from_the_wheel(place: Path, python: Path) -> None:
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


@pytest.mark.parametrize(
    "verb", ["list-supported", "doctor --json", "appliance check", "web --json"]
)
def test_other_commands_find_their_data(place: Path, python: Path, verb: str) -> None:
    done = run(python.parent / "usbhidups", *verb.split(), cwd=place)
    assert done.stdout
    assert "Traceback" not in done.stderr


def test_pip_can_resolve_what_it_depends_on(place: Path, python: Path) -> None:
    """The wheel's own words about its dependencies fit the libraries that the tests run with."""
    done = run(sys.executable, "-m", "pip", "--python", python, "check", cwd=place)
    assert "usbhidups" not in done.stdout, done.stdout
