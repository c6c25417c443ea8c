"""Scenes: played once, all that are needed at the same time, before the first test that looks at one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.appliance.stage import LONGEST_SCENE, perform, why_no_stage

Facts = dict[str, Any]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "scene(name): looks at the facts of a scene of NUT's real programs"
    )


@pytest.fixture(scope="session")
def stages(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Facts]]:
    """Facts by the name of a scene. Every scene that a selected test is marked with starts now."""
    if reason := why_no_stage():
        pytest.skip(reason)
    directory = tmp_path_factory.mktemp("scenes")
    marks = (item.get_closest_marker("scene") for item in request.session.items)
    names = dict.fromkeys(mark.args[0] for mark in marks if mark)
    running = {name: perform(name, directory) for name in names}
    facts: dict[str, Facts] = {}

    def facts_of(name: str) -> Facts:
        if name not in facts:
            facts[name] = _finish(name, running[name], directory)
        return facts[name]

    try:
        yield facts_of
    finally:
        for process in running.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def facts(request: pytest.FixtureRequest, stages: Callable[[str], Facts]) -> Facts:
    """What the scene named by the test's ``scene`` mark found out."""
    mark = request.node.get_closest_marker("scene")
    return stages(mark.args[0])


def _finish(name: str, process: subprocess.Popen[str], directory: Path) -> Facts:
    try:
        code = process.wait(LONGEST_SCENE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
    said = (directory / f"{name}.log").read_text(errors="replace")
    result = directory / f"{name}.json"
    if code != 0 or not result.exists():
        pytest.fail(f"scene {name} ended with {code}:\n{said[-6000:]}", pytrace=False)
    found: Facts = json.loads(result.read_text())
    found["said"] = said
    return found
