"""What holds for every test: none is judged by how long it took, and in which process it runs."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "usbhidups",
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("usbhidups")

ONE_PROCESS = frozenset({"appliance", "packaging"})
"""Folders whose files share what takes long to start; elsewhere only the tests of one file do."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One process more than processors: many tests wait for NUT's programs, and compute nothing meanwhile."""
    return len(os.sched_getaffinity(0)) + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """With several processes (``make test``), what is shared is started in one of them only."""
    from xdist.scheduler import LoadFileScheduling

    class ByFileOrFolder(LoadFileScheduling):  # type: ignore[misc]  # it has no types
        def _split_scope(self, nodeid: str) -> str:
            _tests, folder, *_ = nodeid.split("/")
            return folder if folder in ONE_PROCESS else nodeid.partition("::")[0]

    return ByFileOrFolder(config, log)
