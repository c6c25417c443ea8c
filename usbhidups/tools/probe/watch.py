"""Devices looked at again and again: a live view, a line for each change, or an object for each round.

Devices that are plugged in meanwhile come in, those that are lost stay until they are back.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterable, Iterator

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from usbhidups.errors import UsbHidUpsError
from usbhidups.tools.probe.card import card, head
from usbhidups.tools.probe.finding import Finding
from usbhidups.tools.probe.prober import Prober, Session
from usbhidups.tools.probe.subject import Subject
from usbhidups.tools.screen.console import fitting, refit
from usbhidups.tools.screen.labels import in_words
from usbhidups.tools.screen.safe import safe

__all__ = ["Watch"]

INTERVAL = 1.0
NONE_YET = "no UPS yet"
LOOK_AROUND = 10
"""Rounds after which the bus is looked at again while a device is missing."""


class Watch:
    """Holds the devices open while it goes on; ``close`` gives them back."""

    def __init__(
        self,
        prober: Prober,
        subjects: Callable[[], Iterable[Subject]],
        *,
        rounds: int | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._prober = prober
        self._subjects = subjects
        self._rounds = rounds
        self._sleep = sleep
        self._sessions: list[Session] = []
        self.problem = ""

    @property
    def findings(self) -> list[Finding]:
        """What was found last."""
        return [session.finding for session in self._sessions]

    def close(self) -> None:
        """Give the devices back."""
        for session in self._sessions:
            session.close()

    def live(self, console: Console) -> None:
        """Draw until interrupted."""
        with Live(console=console, auto_refresh=False, screen=console.is_terminal) as display:
            for _ in self.turns():
                refit(console)
                display.update(self.picture(console), refresh=True)

    def lines(self, show: Callable[[str], None]) -> None:
        """Call ``show`` with what changed of each device, until interrupted."""
        told: dict[str, str] = {}
        for _ in self.turns():
            now = {_name(each): _state(each) for each in self.findings}
            for name, state in (now or {"": self.problem or NONE_YET}).items():
                if told.get(name) != state:
                    at = datetime.datetime.now().astimezone()
                    show(f"{at:%H:%M:%S} {f'{name}: ' if name else ''}{state}")
                    told[name] = state

    def objects(self, show: Callable[[list[Finding]], None]) -> None:
        """Call ``show`` each round until interrupted."""
        for _ in self.turns():
            show(self.findings)

    def picture(self, console: Console) -> RenderableType:
        """All cards, or a line each where the terminal is too low for them."""
        now = datetime.datetime.now().astimezone()
        last = Text(f"{now:%H:%M:%S}  Ctrl-C ends", style="dim")
        if not self.findings:
            return Group(Text(self.problem or NONE_YET, style="magenta"), last)

        def cards() -> RenderableType:
            parts: list[RenderableType] = []
            for finding in self.findings:
                parts += [card(finding, console, today=now.date(), brief=True), Text()]
            return Group(*parts, last)

        def heads() -> RenderableType:
            return Group(*(head(finding, console, more=True) for finding in self.findings), last)

        return fitting(console, [cards, heads])

    def turns(self) -> Iterator[None]:
        """Each round, until there were as many as wanted."""
        done = 0
        while True:
            missing = not self._sessions or any(each.look is None for each in self._sessions)
            if missing and done % LOOK_AROUND == 0:
                self._look_around()
            else:
                self._sessions = [session.again() for session in self._sessions]
            yield
            done += 1
            if self._rounds is not None and done >= self._rounds:
                return
            self._sleep(INTERVAL)

    def _look_around(self) -> None:
        self.close()
        self._sessions.clear()
        try:
            for subject in self._subjects():
                self._sessions.append(self._prober.session(subject))
            self.problem = ""
        except UsbHidUpsError as error:
            self.problem = str(error)


def _name(finding: Finding) -> str:
    who = finding.identity
    names = " ".join(name.strip() for name in (who.manufacturer, who.product) if name)
    return safe(" ".join(part for part in (who.port_path, names) if part))


def _state(finding: Finding) -> str:
    if finding.problem is not None:
        return safe(finding.problem.reason)
    alarm = finding.text("ups.alarm")
    words = in_words(finding.text("ups.status"))
    return safe(f"{words}; alarm: {alarm}" if alarm else words)
