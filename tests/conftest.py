"""What holds for every test: none is judged by how long it took, and in which process it runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "usbhidups",
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("usbhidups")

HERE = Path(__file__).parent

ONE_PROCESS = frozenset({"appliance", "packaging"})
"""Folders whose files share what takes long to start; elsewhere only the tests of one file do."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One process more than processors: many tests wait for NUT's programs, and compute nothing meanwhile."""
    return len(os.sched_getaffinity(0)) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With several processes (``make test``), what is shared is started in one of them only."""
    for item in items:
        path = item.path.relative_to(HERE)
        folder = path.parts[0]
        item.add_marker(
            pytest.mark.xdist_group(folder if folder in ONE_PROCESS else str(path.with_suffix("")))
        )
