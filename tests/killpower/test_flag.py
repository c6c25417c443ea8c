"""When the late step acts: upsmon's flag, and nothing that only looks like it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from usbhidups.killpower.flag import Mode, PowerdownFlag

MAGIC = b"upsmon-shutdown-file"  # nut-driver-contract.md section 7
NOW = 1_000_000.0
UPTIME = 3600.0


def wish(
    tmp_path: Path, *, upsmon: str | None = None, nut: str = "", age: float = 10.0
) -> PowerdownFlag:
    """What NUT wants with these files; a flag that exists is ``age`` seconds old."""
    flag = tmp_path / "killpower"
    if upsmon is None:
        upsmon = f'POWERDOWNFLAG "{flag}"\n'
    (tmp_path / "upsmon.conf").write_text(upsmon)
    (tmp_path / "nut.conf").write_text(nut)
    if flag.exists():
        os.utime(flag, (NOW - age, NOW - age))
    return PowerdownFlag.of(tmp_path, now=lambda: NOW, uptime=lambda: UPTIME)


def put_flag(tmp_path: Path, content: bytes = MAGIC) -> Path:
    flag = tmp_path / "killpower"
    flag.write_bytes(content)
    return flag


def test_flag_of_upsmon(tmp_path: Path) -> None:
    put_flag(tmp_path)
    assert wish(tmp_path).wanted
    assert wish(tmp_path, nut="MODE=standalone\n").wanted


def test_no_files_at_all(tmp_path: Path) -> None:
    assert "names no POWERDOWNFLAG" in PowerdownFlag.of(tmp_path).why_not


def test_no_flag(tmp_path: Path) -> None:
    assert "no power-fail shutdown" in wish(tmp_path).why_not


@pytest.mark.parametrize(
    "content", [b"", b"upsmon", b"something of somebody else's, and long enough"]
)
def test_foreign_content(tmp_path: Path, content: bytes) -> None:
    put_flag(tmp_path, content)
    assert "not written by upsmon" in wish(tmp_path).why_not


def test_line_end_after_the_magic_words(tmp_path: Path) -> None:
    put_flag(tmp_path, MAGIC + b"\n")
    assert wish(tmp_path).wanted


def test_flag_that_outlived_a_boot(tmp_path: Path) -> None:
    """Upstream issue 2935: a flag on a disk with NUT switched off cut the power at every halt."""
    put_flag(tmp_path)
    assert wish(tmp_path, age=UPTIME - 1).wanted
    assert "before this boot" in wish(tmp_path, age=UPTIME + 3600).why_not


def test_clock_that_was_set_back_after_the_flag_was_written(tmp_path: Path) -> None:
    put_flag(tmp_path)
    assert wish(tmp_path, age=-86_400.0).wanted


def test_host_whose_ups_is_elsewhere(tmp_path: Path) -> None:
    put_flag(tmp_path)
    found = wish(tmp_path, nut="MODE=netclient\n")
    assert found.mode is Mode.CLIENT
    assert not found.wanted


def test_mode_none_is_told_apart(tmp_path: Path) -> None:
    found = wish(tmp_path, nut="# MODE=netclient\nMODE = none\n")
    assert found.mode is Mode.NONE


def test_last_flag_name_counts_and_quotes_are_nuts(tmp_path: Path) -> None:
    flag = put_flag(tmp_path)
    assert wish(tmp_path, upsmon=f"POWERDOWNFLAG /nonexistent\nPOWERDOWNFLAG {flag}\n").wanted
    assert not wish(tmp_path, upsmon=f"POWERDOWNFLAG {flag}\nPOWERDOWNFLAG /nonexistent\n").wanted


def test_flag_that_is_a_directory(tmp_path: Path) -> None:
    assert not wish(tmp_path, upsmon=f"POWERDOWNFLAG {tmp_path}\n").wanted
