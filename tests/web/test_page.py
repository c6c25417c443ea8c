"""Acceptance checks 67 and 68, and the page's other forms: what is shown, what is escaped, what is hidden."""

from __future__ import annotations

import json
import re
from datetime import UTC
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usbhidups.appliance.active import Active
from usbhidups.appliance.web.collector import Collector, Source
from usbhidups.appliance.web.exports import as_json, as_prometheus
from usbhidups.appliance.web.history import DAY, History
from usbhidups.appliance.web.page import fragment, page
from usbhidups.appliance.web.plot import day_plot
from usbhidups.appliance.web.snapshot import (
    Sample,
    Snapshot,
    UpsView,
    describe,
    number,
    status_words,
)

NOW = 1_800_000_000.0
ALL = {
    "ups.model": "Model 700",
    "ups.status": "OL CHRG",
    "input.voltage": "231.5",
    "ups.load": "17",
    "battery.charge": "83",
    "battery.runtime": "1230",
}
HEADINGS = {
    "ups.model": "Model",
    "ups.status": "Status",
    "input.voltage": "Utility",
    "ups.load": "UPS Load",
    "battery.charge": "Battery Chg.",
    "battery.runtime": "Batt. Runtime",
}
EVENTS = tuple(f"2026-01-31 18:02:1{n} - ONBATT: event {n}" for n in range(4))


def view(**changes: object) -> UpsView:
    values: dict[str, object] = {
        "name": "ups",
        "target": "ups@localhost",
        "variables": ALL,
        "age": 1.0,
    }
    return UpsView(**{**values, **changes})  # type: ignore[arg-type]


def shown(*views: UpsView, **more: object) -> str:
    return fragment(Snapshot(when=NOW, upses=views, **more), zone=UTC)  # type: ignore[arg-type]


def test_67_six_values() -> None:
    assert describe(view()) == [
        ("Model", "Model 700"),
        ("Status", "OL CHRG"),
        ("Utility", "231.5 Volts"),
        ("UPS Load", "17 %"),
        ("Battery Chg.", "83 %"),
        ("Batt. Runtime", "21 minutes"),
    ]


@pytest.mark.parametrize("missing", [name for name in ALL if name != "ups.model"])
def test_67_a_missing_variable_drops_its_column(missing: str) -> None:
    there = {name: value for name, value in ALL.items() if name != missing}
    headings = [heading for heading, _ in describe(view(variables=there))]
    assert headings == [text for name, text in HEADINGS.items() if name != missing]


def test_67_model_falls_back() -> None:
    there = {name: value for name, value in ALL.items() if name != "ups.model"}
    assert describe(view(variables={**there, "device.model": "D"}))[0] == ("Model", "D")
    assert describe(view(variables=there))[0] == ("Model", "-")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [("89", "1 minutes"), ("90", "2 minutes"), ("0", "0 minutes"), ("29.9", "0 minutes")],
)
def test_67_runtime_is_rounded(seconds: str, text: str) -> None:
    assert ("Batt. Runtime", text) in describe(view(variables={**ALL, "battery.runtime": seconds}))


def test_67_no_data() -> None:
    text = shown(view(variables={}, trouble="data is stale"))
    assert "No UPS Status available: data is stale" in text
    assert "<dl" not in text
    assert "No UPS Status available" in shown()


def test_68_device_text_is_escaped() -> None:
    text = shown(
        view(variables={**ALL, "ups.model": '<b>x</b>"'}), events=("<script>alert(1)</script>",)
    )
    assert "&lt;b&gt;x&lt;/b&gt;&quot;" in text
    assert "<b>x" not in text
    assert "<script" not in text


TAGS = {
    *("html", "head", "meta", "title", "link", "noscript", "script", "body", "header", "h1", "p"),
    *("main", "section", "div", "h2", "dl", "dt", "dd", "svg", "rect", "ol", "li", "time", "b"),
    *("span", "footer", "a"),
}


class _Tags(HTMLParser):
    """Collects tags and attributes, and checks that what is opened is closed."""

    VOID = frozenset({"meta", "link", "line", "polyline", "polygon", "circle", "rect"})

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


ANY_TEXT = st.text(alphabet=st.characters(codec="utf-8"), max_size=40)


@given(st.dictionaries(st.sampled_from(sorted(ALL)), ANY_TEXT), ANY_TEXT, ANY_TEXT)
def test_68_no_text_makes_a_tag(variables: dict[str, str], name: str, other: str) -> None:
    strange = view(
        variables=variables, target=name, description=other, trouble="" if variables else other
    )
    text = page(
        Snapshot(
            when=NOW, hostname=other, upses=(strange,), events=(other, f"{other} - {name}: x")
        ),
        zone=UTC,
    )
    reader = _Tags()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    assert reader.tags <= TAGS
    assert not {name for name in reader.attributes if name.startswith("on")}
    assert "style" not in reader.attributes


def test_68_hidden_by_preference_or_without_upsmon(tmp_path: Path) -> None:
    note = tmp_path / "active.json"
    collector = Collector(Source(active_file=note), clock=lambda: NOW)
    assert "not configured" in fragment(collector.look())  # no note: nothing was generated
    active = Active(mode="primary", target="ups@localhost", upsmon_pid_file=str(tmp_path / "pid"))
    note.write_text(active.as_text())
    assert "not running" in fragment(collector.look())
    note.write_text(Active(mode="primary", target="ups@localhost", show_status=False).as_text())
    hidden = collector.look()
    assert "switched off" in fragment(hidden)
    assert "ups@localhost" not in page(hidden) + as_json(hidden) + as_prometheus(hidden)


def test_server_and_default_password_are_told() -> None:
    text = shown(view(logins=2), serves_others=True, default_password=True)
    assert "default password" in text
    assert "Network UPS server: on." in text
    assert "2 clients logged in" in text
    assert "astlinux" not in text


@pytest.mark.parametrize(
    ("status", "level"),
    [
        ("OL", "good"),
        ("OL CHRG", "good"),
        ("OB DISCHRG", "warn"),
        ("OL RB", "warn"),
        ("ALARM OL", "warn"),
        ("OB LB", "critical"),
        ("FSD OL", "critical"),
        ("OFF", "critical"),
        ("WAIT", "warn"),
        ("", "unknown"),
    ],
)
def test_the_colour_never_flatters(status: str, level: str) -> None:
    assert f'<section class="ups {level}"' in shown(view(variables={**ALL, "ups.status": status}))


def test_old_values_do_not_pose_as_current() -> None:
    text = shown(view(variables={}, trouble="the driver is not connected", age=600.0))
    assert "read 10 minutes ago" in text
    assert '<section class="ups unknown"' in text


def test_last_events_newest_first() -> None:
    text = shown(view(), events=EVENTS)
    assert re.findall(r"event (\d)", text) == ["3", "2", "1", "0"]


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e99", "x", "", "1" * 33, None, "0x10"])
def test_what_is_no_number(text: str | None) -> None:
    assert number(text) is None


def test_words_of_a_status() -> None:
    assert status_words("OB DISCHRG LB XYZ") == "on battery, discharging, battery low, XYZ"


def test_json_holds_everything_shown() -> None:
    found = json.loads(as_json(Snapshot(when=NOW, upses=(view(logins=1),), events=EVENTS)))
    assert found["ups"][0]["variables"] == ALL
    assert found["ups"][0]["shown"]["Utility"] == "231.5 Volts"
    assert found["events"] == list(EVENTS)


LINE = re.compile(
    r'[a-z_]+\{[a-z]+="(?:[^"\\]|\\.)*"(?:,[a-z]+="(?:[^"\\]|\\.)*")*\} -?\d+(\.\d+)?(e[+-]?\d+)?'
)


@given(st.dictionaries(st.sampled_from(sorted([*ALL, "ups.mfr"])), ANY_TEXT), ANY_TEXT)
def test_prometheus_lines_are_well_formed(variables: dict[str, str], name: str) -> None:
    text = as_prometheus(Snapshot(when=NOW, upses=(view(variables=variables, target=name),)))
    for line in text.split("\n")[:-1]:
        assert line.startswith(("# HELP ", "# TYPE ")) or LINE.fullmatch(line), line


def test_prometheus_values() -> None:
    gone = view(name="b", target="b@localhost", variables={}, trouble="data is stale", age=None)
    lines = as_prometheus(Snapshot(when=NOW, upses=(view(), gone))).splitlines()
    assert 'nut_up{ups="ups@localhost"} 1.0' in lines
    assert 'nut_up{ups="b@localhost"} 0.0' in lines
    assert 'nut_battery_charge_percent{ups="ups@localhost"} 83.0' in lines
    assert 'nut_ups_status{ups="ups@localhost",status="OL"} 1.0' in lines
    assert not any(line.startswith('nut_battery_charge_percent{ups="b@') for line in lines)


def test_history_keeps_a_day_and_no_more(tmp_path: Path) -> None:
    history = History()
    for second in range(0, 2 * DAY, 30):
        history.add("ups@localhost", ALL, now=NOW + second)
    end = NOW + 2 * DAY
    kept = history.of("ups@localhost", now=end)
    assert kept[0].when >= end - DAY
    assert len(kept) == DAY // 60
    assert kept[0] == Sample(kept[0].when, 83.0, 17.0, 231.5)
    history.save(tmp_path / "h")
    again = History()
    again.load(tmp_path / "h")
    assert again.of("ups@localhost", now=end) == kept


def test_history_looks_closer_on_battery_and_survives_a_clock_set_back() -> None:
    history = History()
    on_battery = {**ALL, "ups.status": "OB"}
    for second in range(0, 60, 5):
        history.add("a", on_battery, now=NOW + second)
    assert len(history.of("a", now=NOW + 60)) == 12
    history.add("a", ALL, now=NOW - 7200)
    assert not history.of("a", now=NOW - 7200)
    history.add("a", ALL, now=NOW - 7140)
    assert len(history.of("a", now=NOW - 7140)) == 1


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"a": 1}', '{"a": [[1]]}', '{"a": [["x", 1, 1, 1]]}', "null"]
)
def test_a_strange_history_file_is_ignored(tmp_path: Path, text: str) -> None:
    (tmp_path / "h").write_text(text)
    history = History()
    history.load(tmp_path / "h")
    assert history.of("a", now=NOW) == ()


POINTS = st.lists(
    st.tuples(st.integers(0, DAY), st.one_of(st.none(), st.floats(-1e6, 1e6))),
    max_size=600,
    unique_by=lambda p: p[0],
)


@given(POINTS)
def test_a_plot_stays_inside_its_frame(points: list[tuple[int, float | None]]) -> None:
    start = int(NOW) - DAY
    ordered = sorted((start + when, value) for when, value in points)
    svg = day_plot(ordered, now=NOW, title="T", unit="V", band=None, kind="voltage", zone=UTC)
    if all(value is None for _, value in ordered):
        assert svg == ""
        return
    pairs = re.findall(r"(-?[\d.]+),(-?[\d.]+)", " ".join(re.findall(r'points="([^"]*)"', svg)))
    assert pairs
    for x, y in pairs:
        assert 0 <= float(x) <= 420
        assert 0 <= float(y) <= 150
    assert len(pairs) < 2500


def test_a_gap_in_the_data_is_a_gap_in_the_line() -> None:
    points = [(int(NOW) - 7200 + 60 * n, 230.0) for n in range(30)]
    points += [(int(NOW) - 1200 + 60 * n, 231.0) for n in range(20)]
    svg = day_plot(points, now=NOW, title="T", unit="V", band=None, kind="voltage", zone=UTC)
    assert svg.count("<polyline") == 2
    assert 'aria-label="T, last 24 hours: 230 to 231 V, now 231 V"' in svg
