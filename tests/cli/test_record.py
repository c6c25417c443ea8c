"""``usbhidups record`` as it is called."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.driver_tools import FIXTURES
from usbhidups.cli.main import main
from usbhidups.simulator.simulator import Simulator
from usbhidups.usb.fixture import OriginKind, load

SECRET = "SECRET123456"


@pytest.fixture
def simulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    monkeypatch.setenv("NUT_STATEPATH", str(tmp_path))
    monkeypatch.setenv("NUT_CONFPATH", str(tmp_path))
    original = load(FIXTURES / "051d-0002-apc-back-ups-bk650m2-ch.toml")
    strings = {**original.device.strings, 3: SECRET}
    device = replace(original.device, serial=SECRET, strings=strings)
    with Simulator([replace(original, device=device)], speed=0) as running:
        yield running


def test_a_file_that_can_be_replayed_without_the_serial(
    simulator: Simulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.toml"
    assert main(["record", str(path), "--port", simulator.url(), "--notes", "bought in 2020"]) == 0
    said = capsys.readouterr().out
    assert "serial numbers replaced by zeros in: device.serial" in said
    assert f"usbhidups probe --replay {path}" in said
    assert SECRET not in path.read_text(encoding="utf-8")
    fixture = load(path)
    assert fixture.origin.kind is OriginKind.RECORDED
    assert fixture.origin.notes == "bought in 2020"
    assert fixture.complete
    assert simulator.command("wrote") == []
    assert main(["probe", "--replay", str(path)]) == 0
    assert "OL DISCHRG" in capsys.readouterr().out


def test_it_does_not_overwrite(
    simulator: Simulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("precious")
    before = simulator.command("state")["requests"]  # type: ignore[index]
    assert main(["record", str(path), "--port", simulator.url()]) == 1
    assert "exists already" in capsys.readouterr().err
    assert path.read_text() == "precious"
    assert simulator.command("state")["requests"] == before  # type: ignore[index]


@pytest.mark.parametrize(
    ("file", "said"),
    [("none/mine.toml", "there is no such directory"), ("dangling", "exists already")],
)
def test_mistakes_are_told_before_the_device_is_opened(
    file: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "dangling").symlink_to(tmp_path / "elsewhere")
    assert main(["record", str(tmp_path / file), "--port", "usbip://127.0.0.1:1/1-1"]) == 1
    assert said in capsys.readouterr().err
    assert not (tmp_path / "elsewhere").exists()
