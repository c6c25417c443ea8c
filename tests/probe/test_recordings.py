"""Probe on recordings: what was expected of them, and what NUT's debug log printed for the same bytes."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.replay.parity import OWN
from usbhidups.errors import FixtureError
from usbhidups.tools.probe.look import Plan
from usbhidups.tools.probe.replay import look_at_recording
from usbhidups.tools.probe.shape import as_object
from usbhidups.ups.loading.library import Library

FIXTURES = Path(__file__).parents[2] / "fixtures" / "hid-descriptors"
PATHS = sorted(FIXTURES.glob("*.toml"))
PLAN = Plan(everything=True, patience=60)


def content(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def probed(path: Path) -> dict[str, Any]:
    return as_object(look_at_recording(path, Library(), PLAN))


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_the_expected_variables_come_out(path: Path) -> None:
    found = probed(path)
    published = {name: text for name, text in found["variables"].items() if name not in OWN}
    assert published == content(path)["expected"]["variables"]
    assert found["readable"]


@pytest.mark.parametrize(
    "path", [path for path in PATHS if "seen" in content(path)], ids=lambda path: path.stem
)
def test_fields_are_where_nut_saw_them(path: Path) -> None:
    fields = {
        (field["path"], field["type"], f"{field['report_id']:02x}", field["offset"], field["size"])
        for field in probed(path)["fields"]
    }
    seen = {
        (each["path"], each["type"], each["report_id"], each["offset"], each["size"])
        for each in content(path)["seen"]["paths"]
    }
    assert seen
    assert {place[1:] for place in seen} <= {place[1:] for place in fields}
    standard = {place for place in seen if not re.search(r"\b[0-9a-f]{8}\b", place[0])}
    assert standard <= fields  # where NUT knew no name, a profile may know one


def test_values_are_those_that_nut_saw() -> None:
    path = FIXTURES / "051d-0002-apc-back-ups-bk650m2-ch.toml"
    values = {
        (field["path"], field["type"], field["offset"]): field["value"]
        for field in probed(path)["fields"]
    }
    feature = "Feature"
    assert values["UPS.PowerSummary.RunTimeToEmpty", feature, 0] == 3618
    assert values["UPS.Battery.Voltage", feature, 0] == 13.5
    assert values["UPS.PowerSummary.PresentStatus.Discharging", feature, 1] == 1
    assert values["UPS.PowerSummary.DelayBeforeShutdown", feature, 0] == -1
    assert values["UPS.Input.HighVoltageTransfer", feature, 0] == 278


def test_what_feeds_what() -> None:
    fields = probed(FIXTURES / "051d-0002-apc-back-ups-bk650m2-ch.toml")["fields"]
    feeds = {(field["path"], field["type"], field["offset"]): field["feeds"] for field in fields}
    assert feeds["UPS.PowerSummary.RunTimeToEmpty", "Feature", 0] == ["battery.runtime"]
    assert "ups.status" in feeds["UPS.PowerSummary.PresentStatus.ACPresent", "Feature", 2]
    assert "load.off.delay()" in feeds["UPS.PowerSummary.DelayBeforeShutdown", "Feature", 0]
    assert feeds["UPS.PowerSummary.CapacityMode", "Feature", 0] == []


def test_a_recording_without_reports_shows_its_descriptor(tmp_path: Path) -> None:
    whole = content(FIXTURES / "051d-0002-apc-back-ups-bk650m2-ch.toml")
    path = tmp_path / "bare.toml"
    path.write_text(
        'format = 1\n[device]\nvendor_id = "051d"\nproduct_id = "0002"\n[origin]\nkind = "described"\n'
        f'[report_descriptor]\ncomplete = true\nhex = """{whole["report_descriptor"]["hex"]}"""\n'
    )
    found = probed(path)
    assert found["readable"]
    assert found["fields"][0]["raw"] is None
    assert found["warnings"][:1] == ["no reports were recorded: only the descriptor can be shown"]


def test_a_recording_is_looked_at_as_it_begins(tmp_path: Path) -> None:
    """What happens later in it does not show, however long flags take to be believed."""
    path = tmp_path / "outage.toml"
    text = (FIXTURES / "051d-0002-apc-described-on-line.toml").read_text(encoding="utf-8")
    path.write_text(f'{text}\n[[timeline]]\nat = 1.0\nevent = "disconnect"\n', encoding="utf-8")
    assert probed(path)["variables"]["ups.status"].startswith("OL")


def test_a_file_that_is_no_recording_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none.toml"
    path.write_text(json.dumps({}))
    with pytest.raises(FixtureError, match=r"none\.toml"):
        look_at_recording(path, Library(), PLAN)
