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

FIRST = ("differential", "appliance", "nut", "simulator", "killpower", "daemon", "cli")
"""Folders whose tests wait most of the time: begun first, for the others to compute meanwhile."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two processes to a processor: many tests wait for NUT's programs, and compute nothing meanwhile."""
    return 2 * len(os.sched_getaffinity(0))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """With several processes (``make test``), what is shared is started in one of them only."""
    from xdist.scheduler import LoadFileScheduling

    class ByFileOrFolder(LoadFileScheduling):  # type: ignore[misc]  # it has no types
        def _split_scope(self, nodeid: str) -> str:
            folder = _folder(nodeid)
            return folder if folder in ONE_PROCESS else nodeid.partition("::")[0]

    config.option.loadscopereorder = False  # it would begin with the files of the most tests
    return ByFileOrFolder(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long waits first."""
    ranks = {folder: rank for rank, folder in enumerate(FIRST)}
    items.sort(key=lambda item: ranks.get(_folder(item.nodeid), len(FIRST)))


def _folder(nodeid: str) -> str:
    """The folder below ``tests`` that a test is in."""
    return nodeid.split("/")[1]
