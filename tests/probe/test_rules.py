"""Finding the rule of udev that means a device, by reading the rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from usbhidups.tools.probe.rules import find_rule

OURS = Path(__file__).parents[2] / "udev"


def rules(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("line", "group"),
    [
        ('ATTR{idVendor}=="051d", ATTR{idProduct}=="0002", MODE="664", GROUP="nut"', "nut"),
        ('SUBSYSTEM=="hidraw", ATTRS{idVendor}=="051d", GROUP:="ups"', "ups"),
        ('ATTR{idVendor}=="051D|0764", ATTR{idProduct}=="000?", TAG+="uaccess"', ""),
        ('ATTR{idVendor}=="051d", \\\n  ATTR{idProduct}=="*", MODE="0666"', ""),
    ],
)
def test_lines_that_mean_it(tmp_path: Path, line: str, group: str) -> None:
    found = find_rule(0x051D, 0x0002, [rules(tmp_path, "62.rules", f"# first\n{line}\n")])
    assert found is not None
    assert (found.place, found.group) == (f"{tmp_path}/62.rules:2", group)


@pytest.mark.parametrize(
    "line",
    [
        '# ATTR{idVendor}=="051d", ATTR{idProduct}=="0002", MODE="664"',
        'ATTR{idVendor}=="051d", ATTR{idProduct}=="0003", MODE="664"',
        'ATTR{idVendor}=="0764", MODE="664"',
        'ATTR{idProduct}=="0002", MODE="664"',
        'ATTR{idVendor}=="051d", ATTR{power/control}="on"',
        'KERNEL=="ttyUSB*", GROUP="dialout"',
    ],
)
def test_lines_that_do_not(tmp_path: Path, line: str) -> None:
    assert find_rule(0x051D, 0x0002, [rules(tmp_path, "62.rules", line)]) is None


def test_the_last_one_counts_and_files_are_masked(tmp_path: Path) -> None:
    line = 'ATTR{{idVendor}}=="051d", GROUP="{}"\n'
    etc, lib = tmp_path / "etc", tmp_path / "lib"
    rules(lib, "50.rules", line.format("masked"))
    rules(etc, "50.rules", "")
    rules(lib, "60.rules", line.format("early"))
    rules(etc, "70.rules", line.format("late"))
    found = find_rule(0x051D, 0x0002, [etc, lib, tmp_path / "none"])
    assert found is not None
    assert found.group == "late"


def test_our_own_rules_are_understood() -> None:
    found = find_rule(0x0764, 0x0501, [OURS])
    assert found is not None
    assert found.group == "nut"
