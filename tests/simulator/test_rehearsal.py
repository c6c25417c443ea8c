"""docs/rehearsal.md, command by command, with NUT's real upsd and upsmon.

The blocks marked ``console`` are given to one shell, as somebody would type them; after each command its output
must be what the document shows (``...`` stands for anything).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.driver_tools import FIXTURES
from tests.killpower.home import ALONE
from tests.nut_tools import find_program, needs_nut

DOCUMENT = Path(__file__).parents[2] / "docs" / "rehearsal.md"
PLACE = Path("/tmp/rehearsal")
FIXTURE = FIXTURES / "0463-ffff-eaton-3s.toml"

DEADLINE = 240.0
MARK = "\x01"


@dataclass(frozen=True)
class Step:
    """One command (with its further lines) and the lines that it prints."""

    command: str
    shown: str


def steps() -> list[Step]:
    text = DOCUMENT.read_text(encoding="utf-8")
    found: list[Step] = []
    for block in re.findall(r"^```console\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            lines = part.splitlines()
            typed = [lines[0], *(line[2:] for line in lines[1:] if line.startswith("> "))]
            shown = [line for line in lines[1:] if not line.startswith("> ")]
            found.append(Step("\n".join(typed), "\n".join(shown)))
    return found


def pattern(shown: str) -> str:
    return ".*".join(re.escape(part) for part in shown.split("..."))


@pytest.mark.nut
@needs_nut
@pytest.mark.skipif(
    os.geteuid() != 0, reason="upsmon's PID file is /run's: needs a /run of its own"
)
@pytest.mark.skipif(not find_program("upsmon"), reason="needs the distribution's upsmon")
def test_the_walk_through_as_it_is_written(tmp_path: Path) -> None:
    if PLACE.exists():
        pytest.skip(f"{PLACE} is there: somebody rehearses")
    (tmp_path / "bin").mkdir()
    tool = tmp_path / "bin" / "usbhidups"
    tool.write_text(f'#!/bin/sh\nexec {sys.executable} -m usbhidups "$@"\n')
    tool.chmod(0o755)
    shutil.copy(FIXTURE, tmp_path / "ups.toml")  # what `usbhidups record` would have made
    script = "".join(f"{step.command}\nprintf '{MARK}%s{MARK}' $?\n" for step in steps())
    environment = {
        **os.environ,
        "HOME": str(tmp_path),
        "PATH": f"{tool.parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    try:
        with subprocess.Popen(
            [*ALONE, "timeout", "-k", "5", str(DEADLINE), "bash"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as shell:
            output, _ = shell.communicate(script, timeout=DEADLINE + 20)
        logs = "\n".join(
            f"-- {log.name}\n{log.read_text(errors='replace')}" for log in PLACE.glob("*.log")
        )
    finally:
        shutil.rmtree(PLACE, ignore_errors=True)
    parts = output.split(MARK)
    answers = list(zip(parts[0::2], parts[1::2], strict=False))
    for number, step in enumerate(steps()):
        assert number < len(answers), f"not reached: {step.command}\n{output}\n{logs}"
        printed, status = answers[number]
        said = f"{step.command}\n{printed}\n{logs}"
        assert status == "0", said
        assert re.fullmatch(pattern(step.shown), printed.strip("\n"), re.DOTALL), said


def test_what_is_not_run_here_writes_nothing_or_is_meant_to() -> None:
    """Commands outside of console blocks: those that need a UPS, and those that shut a host down."""
    text = re.sub(r"^```console\n.*?^```", "", DOCUMENT.read_text(), flags=re.DOTALL | re.MULTILINE)
    named = set(re.findall(r"(?:`|^    )((?:usbhidups|upsmon) [^`\n]+)", text, re.MULTILINE))
    assert named == {
        "usbhidups record ups.toml",
        "usbhidups record night.toml --minutes 30",
        "usbhidups doctor",
        "usbhidups status --watch office",
        "usbhidups killpower --dry-run",
        "upsmon -c fsd",
    }
