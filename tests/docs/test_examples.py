"""Every example of README and docs/*.md works as it stands there, or says why it is not run."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from _pytest.mark.structures import ParameterSet

from tests.docs.blocks import DOCUMENTS, LANGUAGES, ROOT, WORDS, Block, blocks, indented
from tests.docs.session import DRIVERS, namespaces, type_in
from tests.nut_tools import needs_nut
from tests.replay.drive import load, read
from tests.replay.parity import OWN
from usbhidups.configuration import DRIVER_NAMES
from usbhidups.nut.upsconf import driver_options, parse_upsconf
from usbhidups.ups.loading.library import Library

ALL = [block for document in DOCUMENTS for block in blocks(document)]
ELSEWHERE = {"rehearsal.md": "tests/simulator/test_rehearsal.py"}
"""Documents whose sessions have a test of their own."""

PART = """\
[profile]
title = "Example"
extends = "cps"
[[match]]
vendor = "1209"
[usages]
ff860060 = "APCStatusFlag"
ffff0068 = "EmergencyStop"
"""
"""What a part of a profile needs before it to be one."""


def of(language: str) -> list[ParameterSet]:
    return [pytest.param(each, id=each.place) for each in ALL if each.language == language]


def sessions() -> list[ParameterSet]:
    found = []
    for document in DOCUMENTS:
        if document.name in ELSEWHERE:
            continue
        typed = [
            block for block in blocks(document) if block.language == "console" and not block.not_run
        ]
        for nut in (False, True):
            chosen = [block for block in typed if ("nut" in block.words) is nut]
            marks = [pytest.mark.nut, needs_nut] if nut else []
            name = f"{document.name}{'-nut' if nut else ''}"
            if chosen:
                found.append(pytest.param(chosen, nut, id=name, marks=marks))
    return found


@pytest.mark.parametrize(("chosen", "nut"), sessions())
def test_session(tmp_path: Path, chosen: list[Block], nut: bool) -> None:  # noqa: FBT001
    if nut and not (namespaces() and DRIVERS.is_dir()):
        pytest.skip("needs root, namespaces, and NUT's drivers in /lib/nut")
    steps = [step for block in chosen for step in block.steps]
    answers = type_in(steps, tmp_path, nut=nut)
    for step, printed, status in answers:
        assert step.pattern.fullmatch(printed), (
            f"$ {step.command}\n{printed}\n-- shown:\n{step.shown}"
        )
        assert status == 0 or step.may_fail, f"{status} from $ {step.command}\n{printed}"
    assert len(answers) == len(steps), f"not reached: {steps[len(answers)].command}"


@pytest.mark.parametrize("block", [block for block in ALL if block.not_run], ids=lambda b: b.place)
def test_not_run(block: Block) -> None:
    """Listed one by one, so that nobody has to look for them."""
    commands = " ; ".join(step.command for step in block.steps) or block.text.partition("\n")[0]
    pytest.skip(f"{block.not_run}: {commands}")


@pytest.mark.parametrize("block", of("sh"))
def test_shell_is_shell(block: Block) -> None:
    done = subprocess.run(
        ["sh", "-n"], input=block.text, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("block", of("ini"))
def test_upsconf_is_understood(block: Block) -> None:
    conf = parse_upsconf(block.text, where=block.place)
    sections = conf.sections_for(DRIVER_NAMES)
    assert sections
    for section in sections:
        options = driver_options(conf.settings(section.name), program=section.driver)
        assert (*conf.notes_for(section.name), *options.notes) == ()


@pytest.mark.parametrize("block", of("toml"))
def test_toml_is_a_profile_or_a_recording(tmp_path: Path, block: Block) -> None:
    assert tomllib.loads(block.text)
    place = tmp_path / "example.toml"
    if "fixture" in block.words:
        place.write_text(block.text, encoding="utf-8")
        assert load(place).identity.vendor_id
    else:
        assert "profile" in block.words
        head = "" if "[profile]" in block.text else PART
        place.write_text(f"{head}\n{block.text}", encoding="utf-8")
        assert Library([tmp_path]).load("example").variables


@pytest.mark.parametrize("block", of("python"))
def test_python_is_python(block: Block) -> None:
    compile(block.text, block.place, "exec")


def test_the_device_that_is_added_comes_out_as_expected(tmp_path: Path) -> None:
    """The profile and the recording of adding-a-device.md belong together."""
    profile, recording = (
        block.text for block in blocks(ROOT / "docs/adding-a-device.md") if block.language == "toml"
    )
    profiles = tmp_path / "profiles.d"
    profiles.mkdir()
    (profiles / "example.toml").write_text(profile, encoding="utf-8")
    (tmp_path / "fixture.toml").write_text(recording, encoding="utf-8")
    given = load(tmp_path / "fixture.toml")
    seen = read(given, Library([profiles]))
    published = {name: text for name, text in seen.texts.items() if name not in OWN}
    assert published == given.content["expected"]["variables"]
    assert seen.choice.profile.name == "example"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_every_example_says_what_it_is(document: Path) -> None:
    for block in blocks(document):
        assert block.language in LANGUAGES, f"{block.place}: a fence says what it holds"
        if block.language in ("", "text"):
            assert not block.steps, f"{block.place}: commands stand in a console block"
        assert set(block.words) <= WORDS.keys(), f"{block.place}: {block.words}"
        if block.language == "console":
            assert block.steps, f"{block.place}: no command in it"
    commands = [
        line for line in indented(document) if line.startswith(("$", "#", "usbhidups", "ups"))
    ]
    assert document.name in ELSEWHERE or commands == [], "commands stand in a fence"


def test_most_examples_are_run() -> None:
    count = Counter(bool(block.not_run) for block in ALL if block.language == "console")
    assert count[False] > count[True]
    assert shutil.which("bash")
