"""One UPS as its driver publishes it, in a few lines for people."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.text import Text

from usbhidups.tools.screen.safe import safe
from usbhidups.tools.screen.summary import Row, Summary, grid, headline, summary
from usbhidups.tools.status.snapshot import Snapshot

__all__ = ["card", "head"]


def card(
    snapshot: Snapshot, console: Console, *, today: datetime.date, brief: bool = False
) -> RenderableType:
    """The card of one UPS. Stale values are not shown: they would be taken for true."""
    rows = _rows(snapshot, console, today, brief=brief)
    return Group(head(snapshot, console), grid(rows))


def head(snapshot: Snapshot, console: Console, *, more: bool = False) -> RenderableType:
    """The head of a card; ``more``: with the values that matter most, where no card follows."""
    unknown = snapshot.why_unknown
    return headline(
        snapshot.ups,
        snapshot.text("ups.status"),
        console,
        unknown="unknown" if unknown else "",
        more=summary(snapshot.variables) if more and not unknown else "",
    )


def _rows(
    snapshot: Snapshot, console: Console, today: datetime.date, *, brief: bool
) -> Iterator[Row]:
    summary = Summary(snapshot.variables, console, today=today)
    if snapshot.why_unknown:
        yield Row("Why", Text(safe(snapshot.why_unknown), style="magenta"))
    else:
        yield from summary.brief() if brief else summary.rows()
    if brief:
        return
    names = [snapshot.text(f"ups.{part}") for part in ("mfr", "model")]
    device = " ".join(safe(name) for name in names if name)
    if device:
        yield Row("Device", Text(device))
    driver = [snapshot.socket.program, snapshot.text("driver.version")]
    state = snapshot.text("driver.state")
    words = " ".join(part for part in driver if part) if not snapshot.problem else ""
    if state and state != "quiet":
        since = snapshot.text("driver.state.since")
        words += f": {state}{f' since {since}' if since else ''}"
    if words:
        yield Row("Driver", Text(safe(words)))
