"""Watching a simulator: drawn anew on a terminal, or one line for each event.

``take`` gives the scenes of now, ``wait`` lets time pass; neither is a clock of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from usbhidups.simulator.setup import SimulatorSetup
from usbhidups.tools.live_view.labels import clock, in_one_line, tokens
from usbhidups.tools.screen.safe import safe

__all__ = ["Take", "lines", "live"]

INTERVAL = 0.5
"""Seconds between two looks."""

Take = Callable[[], Sequence[SimulatorSetup] | None]
"""The scenes of now; None: the simulator has ended."""


def live(take: Take, address: str, *, wait: Callable[[float], None]) -> None:
    """Draw on standard output, a terminal, until the simulator ends."""
    from rich.live import Live

    from usbhidups.tools.live_view.drawing import picture
    from usbhidups.tools.screen.console import make_console, refit

    console = make_console()
    with Live(console=console, auto_refresh=False, screen=True, transient=True) as display:
        while (scenes := take()) is not None:
            refit(console)
            display.update(picture(scenes, address, console), refresh=True)
            wait(INTERVAL)


def lines(take: Take, *, wait: Callable[[float], None]) -> Iterator[str]:
    """What happened, and the state whenever its words change, until the simulator ends."""
    told: dict[str, int] = {}
    stood: dict[str, str] = {}
    while (scenes := take()) is not None:
        for scene in scenes:
            place = f"{scene.busid} " if len(scenes) > 1 else ""
            for entry in scene.event_log:
                if entry.number > told.get(scene.busid, 0):
                    yield f"{clock(entry.at)} {place}{safe(entry.text)}"
                    told[scene.busid] = entry.number
            state = tokens(scene)
            if stood.get(scene.busid) != state:
                yield f"{clock(scene.time)} {place}{in_one_line(scene)}"
                stood[scene.busid] = state
        wait(INTERVAL)
