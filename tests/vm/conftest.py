"""The tests of this folder run in a guest with a real kernel; the host only asks and shows.

One boot serves all of them. Each test is an ordinary pytest test: the host collects it, sends its name
to the pytest that runs in the guest, and reports what comes back as its own.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from tests.vm import kernel
from tests.vm.machine import GuestSilent, Machine, missing_programs

IN_GUEST = "USBHIDUPS_GUEST" in os.environ
HERE = Path(__file__).parent
TEST_SECONDS = 240.0  # for one test, emulated
BOOTS = 2  # a guest that a test has killed is replaced, once

GUEST = pytest.StashKey["_Guest"]()


class _Guest:
    """The machine of this test session, started by the first test that needs one."""

    def __init__(self) -> None:
        self._machine: Machine | None = None
        self._boots = 0
        self._folder = tempfile.TemporaryDirectory(prefix="usbhidups-vm-")

    def run(self, item: str, following: str | None) -> list[dict[str, object]]:
        """Run one test in the guest and return its reports. Errors: GuestSilent."""
        if self._machine is None:
            self._machine = self._boot()
        try:
            self._machine.send({"item": item, "next": following})
            answer = self._machine.receive(timeout=TEST_SECONDS)
        except GuestSilent:
            self._machine.stop()
            self._machine = None
            raise
        reports: list[dict[str, object]] = answer["reports"]
        return reports

    def _boot(self) -> Machine:
        found = kernel.find()
        if found is None or self._boots == BOOTS:
            raise GuestSilent("the guest has died too often")
        self._boots += 1
        return Machine(found, Path(self._folder.name))

    def close(self) -> None:
        if self._machine is not None:
            self._machine.stop()
        self._folder.cleanup()


def _unavailable() -> str | None:
    """Why no guest can be had on this machine, or None."""
    missing = missing_programs()
    if missing:
        return f"not installed: {', '.join(missing)}"
    if kernel.find() is None:
        return "no kernel for the guest: python -m tests.vm.kernel fetches it"
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what belongs to the guest."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.vm)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Where there can be no guest skip the tests that are left, or fail if this is CI."""
    ours = [item for item in session.items if HERE in item.path.parents]
    if IN_GUEST or not ours or session.config.option.collectonly:
        return
    reason = _unavailable()
    if reason is None:
        session.config.stash[GUEST] = _Guest()
    elif os.environ.get("CI"):
        raise pytest.UsageError(f"the tests of tests/vm must run here: {reason}")
    else:
        for item in ours:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Have the test run in the guest, and publish its reports as if it had run here."""
    guest = item.config.stash.get(GUEST, None)
    if guest is None or HERE not in item.path.parents:
        return None
    hook = item.ihook
    hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    following = nextitem if nextitem is not None and HERE in nextitem.path.parents else None
    try:
        found = guest.run(item.nodeid, following.nodeid if following is not None else None)
    except GuestSilent as error:
        reports = [_silent(item, str(error))]
    else:
        reports = [_report(item, data) for data in found]
    for report in reports:
        hook.pytest_runtest_logreport(report=report)
    hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def _report(item: pytest.Item, data: dict[str, object]) -> pytest.TestReport:
    if data["outcome"] == "skipped" and isinstance(data["longrepr"], list):
        data["longrepr"] = tuple(
            data["longrepr"]
        )  # JSON knows no tuples; pytest insists on this one
    made = item.ihook.pytest_report_from_serializable(config=item.config, data=data)
    assert isinstance(made, pytest.TestReport)
    return made


def _silent(item: pytest.Item, text: str) -> pytest.TestReport:
    return pytest.TestReport(
        nodeid=item.nodeid,
        location=item.location,
        keywords={},
        outcome="failed",
        longrepr=text,
        when="call",
    )


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the guest with the session."""
    guest = config.stash.get(GUEST, None)
    if guest is not None:
        guest.close()
