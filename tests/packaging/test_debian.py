"""The Debian package: built from the tree, and (slow) installed into a fresh Debian with the real NUT."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from usbhidups import __version__

ROOT = Path(__file__).parents[2]
CANNOT = 77
"""The script's exit status on a machine that cannot do it."""


@pytest.fixture(scope="module")
def package() -> Path:
    for program in ("dpkg-deb", "make"):
        if shutil.which(program) is None:
            pytest.skip(f"needs {program}")
    done = subprocess.run(
        [ROOT / "packaging" / "build-deb"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return ROOT / done.stdout.strip()


def listing(package: Path) -> set[str]:
    done = subprocess.run(["dpkg-deb", "--fsys-tarfile", package], capture_output=True, check=True)
    names = subprocess.run(["tar", "-t"], input=done.stdout, capture_output=True, check=True)
    return {line.removeprefix(".") for line in names.stdout.decode().splitlines()}


def test_it_holds_everything(package: Path) -> None:
    held = listing(package)
    for name in (
        "/usr/bin/usbhidups",
        "/usr/lib/nut/usbhidups",
        "/usr/lib/usbhidups/late-killpower",
        "/usr/lib/systemd/system/usbhidups@.service",
        "/usr/lib/systemd/system-shutdown/usbhidups",
        "/usr/lib/udev/rules.d/99-ups.rules",
        "/usr/share/bash-completion/completions/usbhidups",
        "/usr/share/zsh/vendor-completions/_usbhidups",
        "/usr/share/fish/vendor_completions.d/usbhidups.fish",
        "/usr/share/doc/usbhidups/copyright",
        "/usr/share/doc/usbhidups/changelog.gz",
    ):
        assert name in held
    for page in (ROOT / "man").glob("*.8"):
        assert f"/usr/share/man/man8/{page.name}.gz" in held
    for source in (ROOT / "usbhidups").rglob("*"):
        if source.suffix in {".py", ".toml"}:
            assert f"/usr/lib/usbhidups/{source.relative_to(ROOT)}" in held
    assert not [name for name in held if "__pycache__" in name or name.startswith("/usr/local")]


def test_upsdrvctl_is_led_to_the_command(package: Path) -> None:
    done = subprocess.run(
        ["dpkg-deb", "--contents", package], capture_output=True, text=True, check=True
    )
    (link,) = [line for line in done.stdout.splitlines() if "./usr/lib/nut/usbhidups" in line]
    assert link.endswith(" -> ../../bin/usbhidups")


def test_its_version_is_the_trees(package: Path) -> None:
    done = subprocess.run(
        ["dpkg-deb", "--field", package, "Version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == __version__


def test_nothing_in_it_names_the_place_where_it_was_built(package: Path, tmp_path: Path) -> None:
    subprocess.run(["dpkg-deb", "--raw-extract", package, tmp_path / "all"], check=True)
    found = subprocess.run(
        ["grep", "-rl", "-e", str(ROOT), "-e", "@PYTHON@", "-e", "@VERSION@", tmp_path / "all"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.stdout == ""


@pytest.mark.slow
def test_in_a_fresh_debian(package: Path, tmp_path: Path) -> None:
    """upsdrvctl, upsd, upsc, doctor on a simulated UPS; after a purge nothing is left."""
    done = subprocess.run(
        [ROOT / "packaging" / "check-deb", package, tmp_path / "debian"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    shutil.rmtree(tmp_path / "debian", ignore_errors=True)
    if done.returncode == CANNOT:
        pytest.skip(done.stdout.strip().splitlines()[-1])
    assert done.returncode == 0, done.stdout
    for told in ("nothing to mend", "the driver runs as nut", "nothing is left", "all is well"):
        assert told in done.stdout
