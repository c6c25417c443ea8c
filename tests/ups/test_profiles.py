"""The profiles that come with the program, as files and as a whole."""

from __future__ import annotations

import ast
import csv
import re
from pathlib import Path

import pytest

from usbhidups.hid.usages import Names
from usbhidups.supported import supported
from usbhidups.ups.convert import COMMANDS, READERS
from usbhidups.ups.fixes import FIXES
from usbhidups.ups.loading.library import Library
from usbhidups.ups.profile import Match, Profile

PACKAGE = Path(__file__).parents[2] / "usbhidups"
PROFILES = PACKAGE / "profiles"
IDS = Path(__file__).parents[3] / "shared" / "reference" / "usb-ids.csv"

LIBRARY = Library()
NAMES = LIBRARY.names()


@pytest.fixture(scope="module")
def profiles() -> dict[str, Profile]:
    """Every profile, as a device without a variant would have it, and with each of its variants."""
    loaded = {}
    for name in NAMES:
        loaded[name] = LIBRARY.load(name)
        for number, variant in enumerate(variants_of(name), 1):
            loaded[f"{name} variant {number}"] = LIBRARY.load(name, variant.__eq__)
    return loaded


def variants_of(name: str) -> list[Match]:
    """What the devices are for which a profile has special tables."""
    asked: list[Match] = []

    def note(match: Match) -> bool:
        asked.append(match)
        return False

    LIBRARY.load(name, note)
    return asked


@pytest.mark.parametrize("name", NAMES)
def test_a_profile_loads_and_every_path_is_known(name: str) -> None:
    profile = LIBRARY.load(name)
    names = Names(profile.usages)
    paths = [row.path for row in profile.variables]
    paths += [row.path for row in profile.flags]
    paths += [row.path for row in profile.commands]
    for path in paths:
        assert names.text(names.path(path))


@pytest.mark.parametrize("name", [name for name in NAMES if name != "generic"])
def test_a_family_extends_the_standard(name: str) -> None:
    """D14: the standard PowerSummary is always read."""
    head = LIBRARY.head(name)
    assert head.extends == "generic"
    paths = {row.path for row in LIBRARY.load(name).flags}
    assert "UPS.PowerSummary.PresentStatus.ACPresent" in paths


def test_no_vendor_or_product_id_is_in_code() -> None:
    devices = supported(LIBRARY)
    numbers = {device.vendor_id for device in devices}
    numbers |= {device.product_id or 0 for device in devices}
    numbers = {number for number in numbers if 0x200 < number < 0xFFFF}
    words = {f"{number:04x}" for number in numbers}
    found = []
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Constant) or isinstance(node.value, bool):
                continue
            if isinstance(node.value, str):
                hit = bool(words & set(re.split(r"\W", node.value.lower())))
            else:
                hit = node.value in numbers
            if hit:
                found.append((path.name, node.value))
    assert found == []


def test_every_conversion_and_every_fix_is_used(profiles: dict[str, Profile]) -> None:
    converts = {row.convert for profile in profiles.values() for row in profile.variables}
    commands = {row.convert for profile in profiles.values() for row in profile.commands}
    fixes = {fix for profile in profiles.values() for fix in profile.fixes}
    assert set(READERS) - converts == set()
    assert set(COMMANDS) - commands == set()
    assert set(FIXES) - fixes == set()


def test_whatever_switches_the_load_says_so(profiles: dict[str, Profile]) -> None:
    for profile in profiles.values():
        for row in profile.commands:
            switches = row.name.startswith(("load.", "shutdown.")) or ".load." in row.name
            assert row.switches_load is (switches and row.name != "shutdown.stop"), row


def test_loading_one_profile_reads_only_what_it_extends(monkeypatch: pytest.MonkeyPatch) -> None:
    library = Library()
    read: set[str] = set()
    original = Library._text

    def text(self: Library, name: str) -> str:
        read.add(name)
        return original(self, name)

    monkeypatch.setattr(Library, "_text", text)
    library.load("apc")
    assert read == {"apc", "generic"}


@pytest.mark.skipif(not IDS.exists(), reason=f"no list of ids at {IDS}")
def test_every_id_of_nut_is_known() -> None:
    with IDS.open(encoding="utf-8") as file:
        nut = {
            f"{row['vendor_id']}:{row['product_id']}"
            for row in csv.DictReader(file)
            if row["driver"] == "usbhid-ups"
        }
    assert nut - {device.ids for device in supported(LIBRARY)} == set()
