"""One process per device."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from usbhidups.errors import DeviceBusy
from usbhidups.usb.locks import DeviceLock, holders


def test_a_second_one_hears_who_holds_it(tmp_path: Path) -> None:
    lock = DeviceLock.take(tmp_path, "1-1.3")
    assert lock is not None
    assert lock.path == tmp_path / "usbhidups-1-1.3.lock"
    assert lock.path.read_text() == f"{os.getpid()}\n"
    with pytest.raises(DeviceBusy) as caught:
        DeviceLock.take(tmp_path, "1-1.3")
    assert caught.value.holder.startswith(f"pid {os.getpid()} (this driver itself")
    other = DeviceLock.take(tmp_path, "1-1.4")
    assert other is not None
    other.release()
    lock.release()
    lock.release()
    again = DeviceLock.take(tmp_path, "1-1.3")
    assert again is not None
    again.release()


def test_it_dies_with_its_process(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib; from usbhidups.usb.locks import DeviceLock\n"
        "lock = DeviceLock.take(pathlib.Path(sys.argv[1]), '1-1'); print('held', flush=True); input()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        with pytest.raises(DeviceBusy, match=rf"held by pid {child.pid} \(python"):
            DeviceLock.take(tmp_path, "1-1")
        child.kill()
        child.wait()
        lock = DeviceLock.take(tmp_path, "1-1")
    assert lock is not None
    lock.release()


def test_odd_places_make_harmless_names(tmp_path: Path) -> None:
    lock = DeviceLock.take(tmp_path, "../../etc/passwd")
    assert lock is not None
    assert lock.path == tmp_path / "usbhidups-.._.._etc_passwd.lock"
    lock.release()


def test_a_link_is_not_followed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "usbhidups-1-1.lock").symlink_to(victim)
    assert DeviceLock.take(tmp_path, "1-1") is None
    assert victim.read_text() == "precious"
    assert "not locked" in caplog.text


def test_no_directory_is_no_reason_to_fail(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert DeviceLock.take(tmp_path / "none", "1-1") is None
    assert "this device is not locked" in caplog.text


def test_another_users_file_can_be_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "usbhidups-1-1.lock"
    path.write_text("77\n")
    really_open = os.open

    def for_reading_only(path: Path, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_ACCMODE != os.O_RDONLY:
            raise PermissionError(13, "Permission denied")
        return really_open(path, flags, mode)

    monkeypatch.setattr(os, "open", for_reading_only)  # root may write everything
    lock = DeviceLock.take(tmp_path, "1-1")
    assert lock is not None
    assert path.read_text() == "77\n"
    lock.release()


def test_who_has_a_node_open(tmp_path: Path) -> None:
    node = str(tmp_path / "hidraw0")
    for pid, name, target in [
        ("12", "upsd", "/dev/null"),
        ("345", "usbhid-ups", node),
        ("7", "x", node),
    ]:
        links = tmp_path / "proc" / pid / "fd"
        links.mkdir(parents=True)
        (links / "3").symlink_to(target)
        (tmp_path / "proc" / pid / "comm").write_text(f"{name}\n")
    (tmp_path / "proc/7/comm").unlink()
    (tmp_path / "proc/99").mkdir()
    (tmp_path / "proc/self").mkdir()
    assert holders(node, proc=tmp_path / "proc") == ("pid 7", "pid 345 (usbhid-ups)")
    assert holders(node, proc=tmp_path / "none") == ()


def test_we_are_no_holder_ourselves(tmp_path: Path) -> None:
    with open(tmp_path / "node", "w") as file:
        assert holders(file.name) == ()
