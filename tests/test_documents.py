"""The examples of the documents work as they stand there."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from tests.replay.drive import load, read
from tests.replay.parity import OWN
from usbhidups.ups.loading.library import Library

DOCS = Path(__file__).parent.parent / "docs"


def blocks(name: str) -> list[str]:
    """The TOML blocks of a document, without their indentation."""
    text = (DOCS / name).read_text(encoding="utf-8")
    found = re.findall(r"^( *)```toml\n(.*?)^\1```", text, re.DOTALL | re.MULTILINE)
    return [textwrap.dedent(block) for _, block in found]


def test_the_device_that_is_added_comes_out_as_expected(tmp_path: Path) -> None:
    profile, fixture = blocks("adding-a-device.md")
    profiles = tmp_path / "profiles.d"
    profiles.mkdir()
    (profiles / "example.toml").write_text(profile, encoding="utf-8")
    (tmp_path / "fixture.toml").write_text(fixture, encoding="utf-8")
    recording = load(tmp_path / "fixture.toml")
    seen = read(recording, Library([profiles]))
    published = {name: text for name, text in seen.texts.items() if name not in OWN}
    assert published == recording.content["expected"]["variables"]
    assert seen.choice.profile.name == "example"


@pytest.mark.parametrize("block", blocks("profile-format.md"))
def test_the_examples_of_the_format_load(tmp_path: Path, block: str) -> None:
    head = '[profile]\ntitle = "Example"\nextends = "cps"\n[[match]]\nvendor = "1209"\n'
    more = '[usages]\nff860060 = "APCStatusFlag"\nffff0068 = "EmergencyStop"\n'
    (tmp_path / "example.toml").write_text(f"{head}\n{more}\n{block}", encoding="utf-8")
    assert Library([tmp_path]).load("example").variables
