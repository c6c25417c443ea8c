"""``make install``: laid out as a distribution would, run from where it was put, and removed again."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from usbhidups import __version__

ROOT = Path(__file__).parent.parent.parent

pytestmark = pytest.mark.skipif(not shutil.which("make"), reason="needs make")


def make(target: str, **variables: object) -> subprocess.CompletedProcess[str]:
    words = [f"{name}={value}" for name, value in variables.items()]
    return subprocess.run(
        ["make", "--no-print-directory", "-s", target, f"INSTALL_PYTHON={sys.executable}", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def files_below(place: Path) -> set[str]:
    return {
        f"/{path.relative_to(place)}"
        for path in place.rglob("*")
        if path.is_symlink() or path.is_file()
    }


@pytest.fixture(scope="module")
def packaged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a distribution's package would hold."""
    place = tmp_path_factory.mktemp("packaged")
    done = make(
        "install", DESTDIR=place, PREFIX="/usr", NUTDRIVERDIR="/lib/nut", INIT="sysv",
        LINK_AS_USBHID_UPS=1,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return place


def test_everything_has_its_place(packaged: Path) -> None:
    found = files_below(packaged)
    assert {
        "/usr/bin/usbhidups",
        "/usr/lib/usbhidups/late-killpower",
        "/usr/lib/usbhidups/usbhidups/__init__.py",
        "/usr/lib/usbhidups/usbhidups/profiles/generic.toml",
        "/usr/lib/systemd/system/usbhidups@.service",
        "/usr/lib/systemd/system/nut-driver@.service.d/usbhidups.conf",
        "/usr/lib/systemd/system-shutdown/usbhidups",
        "/usr/lib/tmpfiles.d/usbhidups.conf",
        "/usr/lib/sysusers.d/usbhidups.conf",
        "/usr/lib/udev/rules.d/99-ups.rules",
        "/usr/share/doc/usbhidups/installation.md",
        "/usr/share/doc/usbhidups/pictures/probe.svg",
        "/etc/init.d/usbhidups",
        "/lib/nut/usbhidups",
        "/lib/nut/usbhid-ups",
    } <= found
    outside = {
        name for name in found if not name.startswith(("/usr/", "/etc/init.d/", "/lib/nut/"))
    }
    assert outside == set()


def test_nothing_names_the_packages_own_place(packaged: Path) -> None:
    """DESTDIR stands before everything and is written into nothing, compiled files included."""
    for name in files_below(packaged):
        path = packaged / name[1:]
        if not path.is_symlink():
            assert str(packaged).encode() not in path.read_bytes(), name
    assert os.readlink(packaged / "lib/nut/usbhidups") == "/usr/bin/usbhidups"


def test_modules_are_compiled_for_a_read_only_system(packaged: Path) -> None:
    package = packaged / "usr/lib/usbhidups/usbhidups"
    sources = [path for path in package.rglob("*.py") if path.stat().st_size]
    missing = [p for p in sources if not list(p.parent.glob(f"__pycache__/{p.stem}.*.pyc"))]
    assert missing == []


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Installed for real, into a place of the test's own."""
    place = tmp_path_factory.mktemp("local")
    assert make("install", **settings(place), LINK_AS_USBHID_UPS=1).returncode == 0
    return place


def settings(place: Path) -> dict[str, object]:
    return {
        "PREFIX": place / "usr",
        "SYSCONFDIR": place / "etc",
        "SHUTDOWNDIR": place / "usr/lib/systemd/system-shutdown",
        "NUTDRIVERDIR": place / "nut",
        "INIT": "openrc",
    }


@pytest.mark.parametrize("command", ["usr/bin/usbhidups", "nut/usbhidups", "nut/usbhid-ups"])
def test_runs_from_where_it_is(local: Path, command: str) -> None:
    """By every name, from another directory, with a hostile PYTHONPATH."""
    (local / "bad").mkdir(exist_ok=True)
    (local / "bad" / "usbhidups.py").write_text("raise SystemExit(99)\n")
    done = subprocess.run(
        [local / command, "-V"],
        cwd=local / "bad",
        env={"PYTHONPATH": str(local / "bad"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, __version__ in done.stdout) == (0, True), done.stderr


def test_it_is_the_installed_copy_that_runs(local: Path) -> None:
    version = local / "usr/lib/usbhidups/usbhidups/__init__.py"
    original = version.read_text()
    try:
        version.write_text('__version__ = "9.9.9"\n')
        words = [str(local / "usr/bin/usbhidups"), "-V"]
        said = subprocess.run(words, capture_output=True, text=True, timeout=30, check=True).stdout
    finally:
        version.write_text(original)
    assert "9.9.9" in said


def test_driver_names_follow_the_link(local: Path) -> None:
    """As usbhid-ups it obeys sections for usbhid-ups, and no others."""
    (local / "ups.conf").write_text("[a]\n driver = usbhid-ups\n port = auto\n")
    environment = {"NUT_CONFPATH": str(local), "NUT_STATEPATH": "/nonexistent"}
    for command, status in (("nut/usbhid-ups", 255), ("nut/usbhidups", 1)):
        done = subprocess.run(
            [local / command, "-a", "a", "-c", "reload"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == status, done.stderr  # 255: nobody is running


def test_uninstall_leaves_nothing(tmp_path: Path) -> None:
    place = tmp_path / "root"
    assert (
        make("install", **settings(place), LINK_AS_USBHID_UPS=1, WITH_APPLIANCE=1).returncode == 0
    )
    (place / "etc/ups.conf").write_text("mine\n")
    assert make("uninstall", **settings(place)).returncode == 0
    assert files_below(place) == {"/etc/ups.conf"}


def test_nuts_own_driver_is_never_overwritten(tmp_path: Path) -> None:
    place = tmp_path / "root"
    (place / "nut").mkdir(parents=True)
    (place / "nut/usbhid-ups").write_text("NUT's\n")
    refused = make("install", **settings(place), LINK_AS_USBHID_UPS=1)
    assert refused.returncode != 0
    assert "docs/switching.md" in refused.stderr
    assert make("install", **settings(place)).returncode == 0
    assert make("uninstall", **settings(place)).returncode == 0
    assert (place / "nut/usbhid-ups").read_text() == "NUT's\n"
