"""One simulated UPS as a card, and what happened to all of them: one screen of 80 by 24."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console, Group, RenderableType
from rich.text import Text

from usbhidups.simulator.setup import SimulatorSetup
from usbhidups.tools.live_view.labels import clock, is_low, next_step, output, tokens
from usbhidups.tools.screen.console import can_draw, fitting
from usbhidups.tools.screen.gauges import bar
from usbhidups.tools.screen.labels import duration
from usbhidups.tools.screen.safe import safe
from usbhidups.tools.screen.summary import LABEL_WIDTH, Row, grid, headline

__all__ = ["picture"]

FULL = 2
"""UPSes that have room for all of their rows; more show those of ``IN_BRIEF``."""
IN_BRIEF = ("Battery", "Output", "Next")

EVENTS, FEW_EVENTS = 10, 3
"""Events that are shown at most; fewer where several UPSes need the lines."""


def picture(scenes: Sequence[SimulatorSetup], address: str, console: Console) -> RenderableType:
    """``address``: HOST:PORT of the USB/IP server, for the lines that say how to connect."""

    def cards(events: int, *, brief: bool) -> RenderableType:
        parts: list[RenderableType] = []
        for scene in scenes:
            parts += [*_card(scene, address, console, brief=brief), Text()]
        return Group(*parts, *_last(scenes, events, console))

    def heads() -> RenderableType:
        each = (_head(scene, console, more=True) for scene in scenes)
        return Group(*each, Text(), *_last(scenes, FEW_EVENTS, console))

    many = len(scenes) > FULL
    events = max(FEW_EVENTS, EVENTS - 8 * (len(scenes) - 1))
    return fitting(
        console,
        [
            lambda: cards(events, brief=many),
            lambda: cards(FEW_EVENTS, brief=many),
            lambda: cards(FEW_EVENTS, brief=True),
            heads,
        ],
    )


def _last(
    scenes: Sequence[SimulatorSetup], events: int, console: Console
) -> Iterator[RenderableType]:
    yield Text("Events", style="bold")
    yield from _events(scenes, events, console)
    if scenes:
        speed = f", {scenes[0].speed:g} times as fast" if scenes[0].speed != 1 else ""
        yield Text(f"{clock(scenes[0].time)} by the UPS's clock{speed}.  Ctrl-C ends", "dim")


def _card(
    scene: SimulatorSetup, address: str, console: Console, *, brief: bool
) -> Iterator[RenderableType]:
    yield _head(scene, console)
    rows = _rows(scene, address, console)
    yield grid(row for row in rows if not brief or row.label in IN_BRIEF)


def _head(scene: SimulatorSetup, console: Console, *, more: bool = False) -> RenderableType:
    unknown = "" if scene.present else "off the bus"
    name = f"{scene.model} ({scene.busid}, simulated)"
    values = f"{scene.charge:.0f} %, {duration(scene.runtime)}" if more else ""
    return headline(name, tokens(scene), console, unknown=unknown, more=values)


def _rows(scene: SimulatorSetup, address: str, console: Console) -> Iterator[Row]:
    charge = _bar(scene.charge, console, style="red" if is_low(scene) else "green")
    charge.append(f" {scene.charge:.0f} %  {duration(scene.runtime)}")
    or_time = f" or {duration(scene.low_runtime)}" if scene.low_runtime else ""
    charge.append(f"  low at {scene.low_charge:g} %{or_time}", "dim")
    yield Row("Battery", charge)
    load = _bar(scene.load, console, style="red" if scene.load > 100 else "green")
    yield Row("Load", load.append(f" {scene.load:.0f} %"))
    mains = f"{100 * scene.voltage:.0f} % of nominal" if scene.voltage else "none"
    yield Row("Mains", Text(mains, style="" if scene.mains else "yellow"))
    yield Row("Output", Text(output(scene), style="" if scene.output else "bold red"))
    yield Row("Next", Text(safe(next_step(scene)), style="cyan" if scene.next else "dim"))
    if scene.faults:
        yield Row("Faults", Text(safe(", ".join(scene.faults)), style="magenta"))
    if scene.holder:
        yield Row("Driver", Text(f"{safe(scene.holder)}, {scene.requests} requests so far"))
    else:
        yield Row("Driver", Text(f"none yet; port = usbip://{address}/{scene.busid}", "yellow"))


def _events(scenes: Sequence[SimulatorSetup], count: int, console: Console) -> Iterator[Text]:
    entries = sorted(
        (entry.at, scene.busid, entry.number, entry.text)
        for scene in scenes
        for entry in scene.event_log
    )
    for at, busid, _, text in entries[-count:]:
        place = f"{busid}  " if len(scenes) > 1 else ""
        line = Text.assemble((f"  {clock(at)}  ", "dim"), (place, "bold"), safe(text))
        line.truncate(console.width, overflow="ellipsis" if can_draw(console.file) else "crop")
        yield line


def _bar(percent: float, console: Console, *, style: str) -> Text:
    width = max(10, min(30, (console.width - LABEL_WIDTH) // 3))
    full, empty = bar(percent / 100, width, drawn=can_draw(console.file))
    return Text.assemble((full, style), (empty, "dim"))
