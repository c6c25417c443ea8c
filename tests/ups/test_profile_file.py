"""The loader is the schema: what a profile may say, and how it is told what it may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from usbhidups.errors import ProfileError
from usbhidups.ups.loading.library import Library
from usbhidups.ups.profile import Match, Poll

PATH = ' path = "UPS.Input.Voltage",'

HEAD = """
[profile]
title = "Test"
extends = "generic"
"""


def library(tmp_path: Path, **files: str) -> Library:
    for name, text in files.items():
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    return Library([tmp_path])


@pytest.mark.parametrize(
    ("body", "key", "says"),
    [
        ("[speed]\nfast = true", "speed", "allowed are"),
        ("[pacing]\nspeed = 1", "pacing.speed", "allowed are"),
        ("[pacing]\nuse_interrupt = 1", "pacing.use_interrupt", "true or false"),
        ("[pacing]\nnever_read = 'x'", "pacing.never_read", "whole number"),
        ('[variables]\n"a.b" = "UPS.Nowhere"', "variables.a.b.path", "Nowhere"),
        ('[variables]\n"a.b" = {PATH convert = "magic" }', "variables.a.b.convert", "celsius"),
        ('[variables]\n"a.b" = {PATH table = "none" }', "variables.a.b.table", "beeper"),
        ('[variables]\n"a.b" = {PATH format = "%s" }', "variables.a.b.format", "%.1f"),
        ('[variables]\n"a.b" = {PATH poll = "often" }', "variables.a.b.poll", "constant"),
        ('[variables]\n"a.b" = {PATH scale = "tiny" }', "variables.a.b.scale", "fraction"),
        ('[variables]\n"a.b" = 5', "variables.a.b", "string, a table"),
        ('[variables]\n"a.b" = { format = "%.1f" }', "variables.a.b.path", "must be given"),
        ('[settings]\n"a.b" = {PATH convert = "celsius" }', "settings.a.b.convert", "written"),
        ('[settings]\n"a.b" = {PATH enum = true }', "settings.a.b.enum", "table"),
        ('[settings]\n"a.b" = {PATH range = [1, 2, 3] }', "settings.a.b.range", "pairs"),
        ('[flags]\n"UPS.Output.Boost" = "loud"', "flags.UPS.Output.Boost.words", "no table"),
        ('[flags]\n"UPS.Output.Boost" = { mask = 1 }', "flags.UPS.Output.Boost.words", "must be given"),
        ('[commands]\n"a.b" = "UPS.Output.Boost"', "commands.a.b.write", "path and a number"),
        ('[commands]\n"a.b" = { path = "UPS.Output.Boost", convert = "x" }', "commands.a.b.convert", "minutes"),
        ('[descriptor]\nfixes = ["none"]', "descriptor.fixes", "apc-input-limits"),
        ('[usages]\nff01 = "Short"', "usages.ff01", "8 hexadecimal"),
        ('[tables]\nx = { a = "b" }', "tables.x.a", "whole number"),
        ('[identity]\nproduct = "("', "identity.product", "regular expression"),
        (
            '[variables]\n"a.b" = {PATH when = { path = "UPS.Output.Boost" } }',
            "variables.a.b.when.path",
            "is or not",
        ),
        (
            '[variables]\n"a.b" = {PATH when = { option = "fast" } }',
            "variables.a.b.when.option",
            "offdelay",
        ),
        ("[[variant]]\nvendor = '1234'", "variant.name", "must be given"),
        ("[[match]]\nvendor = '1234'\n[pacing]\n[[match]]\nvendor = '1'", "match", "before all other"),
    ],
)  # fmt: skip
def test_an_error_names_file_key_and_what_is_allowed(
    tmp_path: Path, body: str, key: str, says: str
) -> None:
    with pytest.raises(ProfileError) as caught:
        library(tmp_path, mine=f"{HEAD}\n{body.replace('PATH', PATH)}\n").load("mine")
    assert caught.value.where == str(tmp_path / "mine.toml")
    assert caught.value.key == key
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("head", "key"),
    [
        ("[profile]\nextends = 'generic'", "profile.title"),
        ("[profile]\ntitle = 'x'\nmaker = 'y'", "profile.maker"),
        ("[profile]\ntitle = 'x'\n[[match]]\nvendor = '12'", "match.vendor"),
        ("[profile]\ntitle = 'x'\n[[match]]\nproducts = ['xyz']", "match.products"),
        ("[profile]\ntitle = 'x'\n[[match]]\nmanufacturer = '['", "match.manufacturer"),
        ("[profile]\ntitle = 'x'\n[[match]]\nhas = ['UPS.Strange']", "match.has"),
        ("[profile\n", ""),
    ],
)
def test_errors_of_the_head(tmp_path: Path, head: str, key: str) -> None:
    with pytest.raises(ProfileError) as caught:
        library(tmp_path, mine=head).head("mine")
    assert caught.value.key == key
    assert "mine.toml" in str(caught.value)


def test_what_is_said_later_goes_first_and_replaces_the_same_path(tmp_path: Path) -> None:
    profile = library(
        tmp_path,
        mine=HEAD
        + """
        [variables]
        "input.voltage" = { path = "UPS.PowerConverter.Input.Voltage", format = "%.2f" }
        """,
    ).load("mine")
    rows = [row for row in profile.variables if row.name == "input.voltage"]
    assert (rows[0].path, rows[0].format) == ("UPS.PowerConverter.Input.Voltage", "%.2f")
    assert "UPS.Input.Voltage" in [row.path for row in rows]
    assert [row.path for row in rows].count("UPS.PowerConverter.Input.Voltage") == 1


def test_dots_stand_for_what_is_inherited(tmp_path: Path) -> None:
    profile = library(
        tmp_path, mine=f'{HEAD}[variables]\n"ups.load" = ["...", "UPS.Flow.PercentLoad"]\n'
    ).load("mine")
    rows = [row.path for row in profile.variables if row.name == "ups.load"]
    assert rows[0] == "UPS.Output.PercentLoad"
    assert rows[-1] == "UPS.Flow.PercentLoad"


def test_false_drops(tmp_path: Path) -> None:
    profile = library(
        tmp_path,
        mine=HEAD
        + """
        [variables]
        "ups.load" = false
        "input.voltage" = [false, "UPS.Flow.Voltage"]
        [settings]
        "ups.delay.*" = false
        [commands]
        "*" = false
        """,
    ).load("mine")
    names = {row.name for row in profile.variables}
    assert "ups.load" not in names
    assert "ups.delay.start" not in names
    assert [row.path for row in profile.variables if row.name == "input.voltage"] == [
        "UPS.Flow.Voltage"
    ]
    assert {row.name for row in profile.commands} == {
        "load.off.delay",
        "load.on.delay",
        "shutdown.reboot",
    }


def test_a_setting_has_the_defaults_of_a_setting(tmp_path: Path) -> None:
    profile = library(
        tmp_path,
        mine=HEAD
        + """
        [tables]
        speed = { 0 = "slow", 1 = "fast" }
        [settings]
        "a.b" = { path = "UPS.Output.Boost", table = "speed", enum = true, range = [0, 1] }
        "ups.delay.start" = { path = "UPS.Output.Buck", default = "delays.start" }
        [delays]
        start = 77
        """,
    ).load("mine")
    row = next(row for row in profile.variables if row.name == "a.b")
    assert (row.writable, row.string, row.length, row.poll) == (True, True, 10, Poll.SETTING)
    assert row.enum == ("slow", "fast")
    assert row.ranges == ((0, 1),)
    assert next(row for row in profile.variables if row.name == "ups.delay.start").default == "77"


def test_a_variant_replaces_numbers_of_the_family(tmp_path: Path) -> None:
    text = f"""{HEAD}
        [scales]
        step = 1
        [variables]
        "input.voltage" = {{ path = "UPS.Flow.Voltage", scale = "step" }}
        "ups.load" = {{ path = "UPS.Flow.PercentLoad", scale = "1/4" }}
        [[variant]]
        name = "odd"
        vendor = "1234"
        scales = {{ step = 2.5 }}
        pacing = {{ never_read = [7] }}
        """
    files = library(tmp_path, mine=text)
    plain = files.load("mine")
    odd = files.load("mine", lambda match: match == Match(vendor=0x1234))
    assert [profile.variables[-1].name for profile in (plain, odd)] == ["ups.timer.start"] * 2
    scales = [
        {row.path: row.scale for row in profile.variables if "Flow" in row.path}
        for profile in (plain, odd)
    ]
    assert scales[0]["UPS.Flow.Voltage"] == 1
    assert scales[1]["UPS.Flow.Voltage"] == 2.5
    assert scales[1]["UPS.Flow.PercentLoad"] == 0.25
    assert (plain.variant, odd.variant) == ("", "odd")
    assert (plain.pacing.never_read, odd.pacing.never_read) == ((), (7,))


def test_a_file_of_the_administrator_goes_before_a_built_in_one(tmp_path: Path) -> None:
    files = library(tmp_path, apc="[profile]\ntitle = 'My APC'\nextends = 'generic'\n")
    assert files.head("apc").title == "My APC"
    assert files.load("apc").source == str(tmp_path / "apc.toml")
    assert Library([tmp_path / "missing"]).head("apc").title == "APC"


def test_extending_oneself_is_an_error(tmp_path: Path) -> None:
    files = library(
        tmp_path,
        a="[profile]\ntitle = 'A'\nextends = 'b'",
        b="[profile]\ntitle = 'B'\nextends = 'a'",
    )
    with pytest.raises(ProfileError, match="extends itself"):
        files.load("a")


def test_an_unknown_profile_names_those_there_are() -> None:
    with pytest.raises(ProfileError, match="apc"):
        Library().load("nonsense")
