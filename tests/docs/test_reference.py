"""The generated references leave nothing out: options, what recordings publish, commands, exit statuses."""

from __future__ import annotations

import re
import tomllib

from tests.docs.blocks import ROOT
from usbhidups.driver.publish import DRIVER_COMMANDS
from usbhidups.killpower import PoweroffStatus
from usbhidups.nut.upsconf.keys import GLOBAL_KEYS, SECTION_KEYS
from usbhidups.tools.status.snapshot import State

VARIABLES = (ROOT / "docs/variables.md").read_text(encoding="utf-8")
OPTIONS = (ROOT / "docs/reference.md").read_text(encoding="utf-8")
TOLD = set(re.findall(r"^\| `([^`]+)` \|", VARIABLES, re.MULTILINE))


def numbered(name: str) -> bool:
    """One of a family of names with a number, which profiles write with an ``n``."""
    return re.sub(r"\.\d+\.", ".n.", name) in TOLD


def test_every_option_of_upsconf() -> None:
    keys = {key.name for key in (*GLOBAL_KEYS.values(), *SECTION_KEYS.values())}
    assert [name for name in keys if f"| `{name}`" not in OPTIONS] == []


def test_every_variable_and_command_of_a_recording() -> None:
    missing = set()
    for path in sorted((ROOT / "fixtures/hid-descriptors").glob("*.toml")):
        expected = tomllib.loads(path.read_text(encoding="utf-8")).get("expected", {})
        names = {*expected.get("variables", {}), *expected.get("commands", [])}
        missing |= {name for name in names if name not in TOLD and not numbered(name)}
    assert missing == set()


def test_every_command_of_the_driver() -> None:
    assert DRIVER_COMMANDS <= TOLD


def test_every_exit_status() -> None:
    for result in PoweroffStatus:
        assert f"| `killpower` | {int(result)} |" in VARIABLES
    for state in State:
        assert f"| `status` | {int(state)} |" in VARIABLES
