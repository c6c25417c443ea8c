"""The live view: cards with sparklines and the last events, drawn anew every second.

A driver that goes away stays in the view as unknown until it is back. On what is no terminal each change is
one line instead.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterator, Sequence

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from usbhidups.tools.screen.console import can_draw, fitting, refit
from usbhidups.tools.screen.gauges import sparkline
from usbhidups.tools.screen.safe import safe
from usbhidups.tools.screen.summary import LABEL_WIDTH, Row, grid
from usbhidups.tools.status.card import card, head
from usbhidups.tools.status.history import Event, History
from usbhidups.tools.status.snapshot import Snapshot, State, take, worst
from usbhidups.tools.status.sockets import DriverSocket

__all__ = ["Watch"]

_TITLES = {"battery.charge": "Charge", "ups.load": "Load", "input.voltage": "Input"}
_SCALES: dict[str, tuple[float | None, float | None]] = {
    "battery.charge": (0.0, 100.0),
    "ups.load": (0.0, 100.0),
    "input.voltage": (None, None),
}
SHOWN_EVENTS, FEW_EVENTS = 8, 3


def _now() -> datetime.datetime:
    return datetime.datetime.now().astimezone()


class Watch:
    """Watches some UPSes until interrupted, or ``rounds`` times; ``look`` asks one driver."""

    def __init__(
        self,
        sockets: Sequence[DriverSocket],
        *,
        interval: float = 1.0,
        rounds: int | None = None,
        sleep: Callable[[float], None] = time.sleep,
        look: Callable[[DriverSocket], Snapshot] = take,
        now: Callable[[], datetime.datetime] = _now,
    ) -> None:
        self._sockets = tuple(sockets)
        self._interval = interval
        self._rounds = rounds
        self._sleep = sleep
        self._look = look
        self._now = now
        self._histories = {socket.ups: History() for socket in self._sockets}
        self._events: list[Event] = []
        self.state = State.UNKNOWN
        """What was seen last, of all of them: it is there after an interrupt too."""

    def live(self, console: Console) -> None:
        """Draw on a terminal."""
        with Live(console=console, auto_refresh=False, screen=True, transient=True) as display:
            for snapshots in self.turns():
                refit(console)
                display.update(self.picture(snapshots, console), refresh=True)
                del self._events[:-SHOWN_EVENTS]

    def lines(self, show: Callable[[Snapshot, Sequence[Event]], None]) -> None:
        """Call ``show`` for each UPS that changed."""
        for snapshots in self.turns():
            for snapshot in snapshots:
                news = [event for event in self._events if event.ups == snapshot.ups]
                if news:
                    show(snapshot, news)
            self._events.clear()

    def picture(self, snapshots: Sequence[Snapshot], console: Console) -> RenderableType:
        """Everything on one screen, the newest events last; of many UPSes less is told."""
        today = self._now().date()

        def cards(events: int, *, brief: bool = False, lines: bool = True) -> RenderableType:
            parts: list[RenderableType] = []
            for snapshot in snapshots:
                parts += [card(snapshot, console, today=today, brief=brief)]
                parts += [grid(self._sparklines(snapshot, console))] if lines else []
                parts += [Text()]
            return Group(*parts, *self._last(events))

        def heads() -> RenderableType:
            each = (head(snapshot, console, more=True) for snapshot in snapshots)
            return Group(*each, Text(), *self._last(FEW_EVENTS))

        return fitting(
            console,
            [
                lambda: cards(SHOWN_EVENTS),
                lambda: cards(FEW_EVENTS),
                lambda: cards(FEW_EVENTS, brief=True),
                lambda: cards(FEW_EVENTS, brief=True, lines=False),
                heads,
            ],
        )

    def _last(self, count: int) -> Iterator[RenderableType]:
        """The last events, and how to end."""
        yield Text("Events", style="bold")
        for event in self._events[-count:]:
            yield Text.assemble(
                (f"  {event.at}  ", "dim"), (safe(event.ups), "bold"), f"  {safe(event.text)}"
            )
        yield Text("Ctrl-C ends", style="dim")

    def _sparklines(self, snapshot: Snapshot, console: Console) -> Iterator[Row]:
        width = console.width - LABEL_WIDTH - 3
        for name, values in self._histories[snapshot.ups].series.items():
            low, high = _SCALES[name]
            line = sparkline(
                list(values), width, lowest=low, highest=high, drawn=can_draw(console.file)
            )
            if line.strip():
                yield Row(_TITLES[name], Text(line, style="cyan"))

    def turns(self) -> Iterator[tuple[Snapshot, ...]]:
        """All UPSes, again and again; what changed is kept for ``picture``."""
        done = 0
        while True:
            snapshots = tuple(self._look(socket) for socket in self._sockets)
            at = self._now().strftime("%H:%M:%S")
            for snapshot in snapshots:
                self._events.extend(self._histories[snapshot.ups].add(snapshot, at=at))
            self.state = worst(snapshots)
            yield snapshots
            done += 1
            if self._rounds is not None and done >= self._rounds:
                return
            self._sleep(self._interval)
