"""The samples that people copy: what the generator would write, without a secret (F18)."""

from __future__ import annotations

from pathlib import Path

import pytest

import usbhidups.appliance
from tests.appliance.planning import MASTER, plan_for, text_of
from usbhidups.appliance.layout import ASTLINUX
from usbhidups.appliance.overrides import MASTER_TOKEN

TEMPLATES = Path(usbhidups.appliance.__file__).parent / "templates"
NAMES = ["ups.conf", "upsd.conf", "upsd.users", "upsmon.conf"]


@pytest.mark.parametrize("name", NAMES)
def test_a_template_is_what_the_generator_writes(name: str) -> None:
    made = plan_for({"UPS_DRIVER": "usbhid-ups", "UPS_MONITOR_PASS": "CHANGE-ME"}, layout=ASTLINUX)
    written = text_of(made, name).split("\n", 1)[1]
    template = (TEMPLATES / name).read_text()
    lines = [line for line in template.splitlines() if not line.startswith("#")]
    assert "\n".join(lines) + "\n" == written.replace(MASTER, MASTER_TOKEN)
    assert (TEMPLATES / name).stat().st_mode & 0o111 == 0


def test_every_template_says_what_it_is() -> None:
    names = sorted(path.name for path in TEMPLATES.iterdir())
    assert names == sorted([*NAMES, "upsnotify", "upssched.conf"])
    for name in names:
        lines = (TEMPLATES / name).read_text().splitlines()
        assert any(line.startswith("# Template: copy to") for line in lines[:2])
