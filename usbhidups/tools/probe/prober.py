"""From subjects to findings, and to sessions that go on while somebody watches."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from usbhidups.errors import (
    AccessDenied,
    DescriptorError,
    DeviceBusy,
    DeviceGone,
    DeviceNotFound,
    TransferFailed,
)
from usbhidups.tools.probe.clock import Clock
from usbhidups.tools.probe.finding import Finding
from usbhidups.tools.probe.look import Look, Plan
from usbhidups.tools.probe.subject import Known, Opened, Subject
from usbhidups.ups.loading.library import Library

__all__ = ["Prober", "Session"]

HINDRANCES = (
    AccessDenied,
    DescriptorError,
    DeviceBusy,
    DeviceGone,
    DeviceNotFound,
    TransferFailed,
)
"""What a look may end with that is the device's fault, or this host's; a wrong profile is neither."""

Progress = Callable[[str, str, int, int], None]
"""``progress(device, report, done, of)``."""


def _no_progress(_device: str, _report: str, _done: int, _of: int) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class Session:
    """A device and what was found of it; ``look`` is None when there is nothing to go on with."""

    finding: Finding
    subject: Subject
    look: Look | None = None

    def close(self) -> None:
        """Give the device back."""
        if isinstance(self.subject, Opened):
            self.subject.transport.close()

    def again(self) -> Session:
        """Read on; a device that is lost is told to be, and closed."""
        subject, look = self.subject, self.look
        if look is None or not isinstance(subject, Opened):
            return self
        try:
            found = look.again(transport=subject.way, why=subject.why)
        except HINDRANCES as error:
            self.close()
            lost = replace(self.finding, problem=subject.explain(error))
            return Session(lost, Known(lost))
        return replace(self, finding=_warned(found, subject))


class Prober:
    """Looks at subjects."""

    def __init__(
        self, library: Library, plan: Plan, clock: Clock, *, progress: Progress = _no_progress
    ) -> None:
        self._library = library
        self._plan = plan
        self._clock = clock
        self._progress = progress

    def findings(self, subjects: Iterable[Subject]) -> list[Finding]:
        """Look at each once, and close it."""
        found: list[Finding] = []
        for subject in subjects:
            session = self.session(subject)
            session.close()
            found.append(session.finding)
        return found

    def session(self, subject: Subject) -> Session:
        """Look at one; the session is to be closed. Raises ConfigError and ProfileError."""
        if isinstance(subject, Known):
            return Session(subject.finding, subject)
        identity = subject.identity
        name = identity.port_path

        def progress(report: str, done: int, of: int) -> None:
            self._progress(name, report, done, of)

        try:
            look = Look(
                subject.transport, self._library, self._plan, self._clock, progress=progress
            )
            found = look.take(transport=subject.way, why=subject.why)
        except HINDRANCES as error:
            lost = Finding(
                identity=identity,
                transport=subject.way,
                why=subject.why,
                warnings=subject.warnings,
                problem=subject.explain(error),
            )
            return Session(lost, subject)
        except BaseException:
            subject.transport.close()
            raise
        return Session(_warned(found, subject), subject, look)


def _warned(found: Finding, subject: Opened) -> Finding:
    return replace(found, warnings=(*subject.warnings, *found.warnings))
