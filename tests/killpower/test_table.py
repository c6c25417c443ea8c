"""docs/kill-power.md holds what the profiles say, and says of no family more than NUT's facts allow."""

from __future__ import annotations

import re

from tests.driver_tools import FIXTURES
from tests.killpower.families import ABLE
from tools.generate import KILL_POWER
from tools.killpower_table import CANNOT, killpower_table
from usbhidups.killpower.result import PoweroffStatus
from usbhidups.ups.loading.library import Library

COMMANDLESS = {"EcoFlow", "Mini-Box openUPS", "Powervar", "Salicru"}
"""Families without shutdown commands in NUT (nut-driver-contract.md 6.5; Salicru: vendor-quirks.md)."""


def rows() -> dict[str, list[str]]:
    lines = killpower_table(Library()).splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {first: rest for first, *rest in cells}


def test_the_document_holds_it() -> None:
    assert killpower_table(Library()) in KILL_POWER.read_text(encoding="utf-8")


def test_every_profile_has_a_row() -> None:
    library = Library()
    assert set(rows()) == {library.load(name).title for name in library.names()}


def test_who_cannot() -> None:
    assert {title for title, cells in rows().items() if cells[0] == CANNOT} == COMMANDLESS


def test_nobody_whose_night_was_played_cannot() -> None:
    able = {family.fixture for family in ABLE}
    assert able <= {path.stem for path in FIXTURES.glob("*.toml")}
    for word in ("openups", "ecoflow", "powervar", "salicru"):
        assert not [name for name in able if word in name]


def test_cyberpower_counts_minutes() -> None:
    """Failure F03: seconds that are no whole minutes are cut down, 20 s are now."""
    assert rows()["CyberPower"][1] == "60 s"


def test_every_status_is_explained() -> None:
    text = KILL_POWER.read_text(encoding="utf-8")
    told = {int(n): word for n, word in re.findall(r"^\| (\d) \| ([a-z ]+) \|", text, re.MULTILINE)}
    assert told == {int(result): result.words.partition(":")[0] for result in PoweroffStatus}
