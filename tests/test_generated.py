"""Generated files are as tools/generate.py would write them now, and hold what they promise."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tools.generate import files
from usbhidups.cli.main import main
from usbhidups.supported import supported
from usbhidups.ups.loading.library import Library

ROOT = Path(__file__).parent.parent


def test_no_generated_file_is_stale() -> None:
    stale = [
        str(path.relative_to(ROOT))
        for path, text in files().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    assert stale == [], "run: make generate"


def test_rules_give_both_nodes_of_every_id_to_the_group() -> None:
    rules = (ROOT / "udev" / "99-ups.rules").read_text(encoding="utf-8")
    for device in supported(Library()):
        for subsystem, attribute in (("usb", "ATTR"), ("hidraw", "ATTRS")):
            words = [
                f'SUBSYSTEM=="{subsystem}"',
                f'{attribute}{{idVendor}}=="{device.vendor_id:04x}"',
            ]
            if device.product_id is not None:
                words.append(f'{attribute}{{idProduct}}=="{device.product_id:04x}"')
            line = next(
                line for line in rules.splitlines() if line.startswith(", ".join(words) + ",")
            )
            assert 'GROUP="nut"' in line
            assert 'MODE="0660"' in line
            assert ('ATTR{power/control}="on"' in line) is (subsystem == "usb")


def test_every_rule_is_one_that_udev_reads() -> None:
    """Keys, operators and quoted values, separated by commas; no line is left open."""
    part = r'[A-Z]+(?:\{[^}"]+\})?(?:==|!=|=)"[^"]*"'
    rules = (ROOT / "udev" / "99-ups.rules").read_text(encoding="utf-8").splitlines()
    for line in rules:
        if line and not line.startswith("#"):
            assert re.fullmatch(rf"{part}(?:, {part})*", line), line


def test_the_list_is_the_same_for_programs_and_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list-supported", "--json"]) == 0
    objects = json.loads(capsys.readouterr().out)
    assert main(["list-supported"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(objects)
    cyberpower = {
        "vendor_id": "0764",
        "product_id": "0501",
        "profile": "cps",
        "title": "CyberPower",
    }
    assert any(cyberpower.items() <= item.items() for item in objects)
