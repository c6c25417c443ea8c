"""The page as HTML: pure. Every text that comes from a device, a server or a log is escaped here."""

from __future__ import annotations

from datetime import datetime, tzinfo
from html import escape

from usbhidups.appliance.web.plot import day_plot
from usbhidups.appliance.web.snapshot import Snapshot, UpsView, describe, number, status_words

__all__ = ["fragment", "page"]

TITLE = "UPS status"
NO_STATUS = "No UPS Status available"


def page(snapshot: Snapshot, *, zone: tzinfo | None = None) -> str:
    """The whole document; the script replaces its ``main`` by fresh fragments, without it the page reloads."""
    host = f"{escape(snapshot.hostname)} · " if snapshot.hostname else ""
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{host}{TITLE}</title>
<link rel="icon" href="icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="style.css">
<noscript><meta http-equiv="refresh" content="10"></noscript>
<script src="live.js" defer></script>
</head>
<body>
<header>
<h1>{TITLE}</h1><p class="host">{escape(snapshot.hostname)}</p><p id="live" class="live">live</p>
</header>
<main id="content">
{fragment(snapshot, zone=zone)}</main>
<footer>
<a href="status.json">JSON</a> <a href="metrics">Prometheus</a> <a href="fragment">HTML fragment</a>
</footer>
</body>
</html>
"""


def fragment(snapshot: Snapshot, *, zone: tzinfo | None = None) -> str:
    """The content alone, to be put into another page by CGI or PHP."""
    if snapshot.hidden:
        return f'<p class="note">{escape(_sentence(snapshot.hidden))}</p>\n'
    parts: list[str] = []
    if snapshot.default_password:
        parts.append(
            '<p class="warning" role="alert">Other hosts can log in with the default password. '
            "Choose your own in UPS_MONITOR_PASS.</p>\n"
        )
    parts += [_card(view, snapshot.when, zone) for view in snapshot.upses]
    if not snapshot.upses:
        parts.append(f'<p class="note">{NO_STATUS}</p>\n')
    parts.append(_events(snapshot))
    when = datetime.fromtimestamp(snapshot.when, zone)
    server = {True: "Network UPS server: on. ", False: "Network UPS server: off. ", None: ""}
    parts.append(
        f'<p class="when">{server[snapshot.serves_others]}As of {when:%Y-%m-%d %H:%M:%S}.</p>\n'
    )
    return "".join(parts)


def _card(view: UpsView, now: float, zone: tzinfo | None) -> str:
    level = _level(view)
    words = view.trouble or status_words(view.status) or "no status"
    name = escape(view.target)
    about = f'<p class="about">{escape(view.description)}</p>' if view.description else ""
    content = _values(view) if view.variables else _absence(view)
    return f"""<section class="ups {level}" aria-label="{name}">
<div class="head"><div><h2>{name}</h2>{about}</div><p class="state">{escape(_sentence(words))}</p></div>
{content}{_plots(view, now, zone)}{_remarks(view)}</section>
"""


def _level(view: UpsView) -> str:
    """How bad it is, as a class: the colour of the card's state."""
    tokens = set(view.status.split())
    if view.trouble or not tokens:
        return "unknown"
    if tokens & {"LB", "FSD", "OFF"}:
        return "critical"
    if tokens & {"OB", "ALARM", "RB", "OVER", "BYPASS"} or "OL" not in tokens:
        return "warn"
    return "good"


def _values(view: UpsView) -> str:
    cells: list[str] = []
    for heading, text in describe(view):
        bar = ""
        if heading in ("UPS Load", "Battery Chg."):
            kind = "load" if heading == "UPS Load" else "level"
            bar = _bar(number(text.removesuffix(" %")), kind)
        value = escape(text)
        cells.append(f"<div><dt>{heading}</dt><dd>{value}{bar}</dd></div>")
    return f'<dl class="values">{"".join(cells)}</dl>\n'


def _absence(view: UpsView) -> str:
    return f'<p class="note">{NO_STATUS}: {escape(view.trouble)}</p>\n'


def _bar(percent: float | None, kind: str) -> str:
    if percent is None:
        return ""
    width = min(max(percent, 0.0), 100.0)
    return (
        f'<svg class="bar {kind}" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="rest" width="100" height="4"/><rect class="part" width="{width:.1f}" height="4"/></svg>'
    )


def _plots(view: UpsView, now: float, zone: tzinfo | None) -> str:
    drawn = [
        (
            "Battery charge, %",
            day_plot(
                [(s.when, s.charge) for s in view.history],
                now=now,
                title="Battery charge",
                unit="%",
                band=(0, 100),
                kind="charge",
                zone=zone,
            ),
        ),
        (
            "Load, %",
            day_plot(
                [(s.when, s.load) for s in view.history],
                now=now,
                title="Load",
                unit="%",
                band=(0, 100),
                kind="load",
                zone=zone,
            ),
        ),
        (
            "Mains, V",
            day_plot(
                [(s.when, s.voltage) for s in view.history],
                now=now,
                title="Mains voltage",
                unit="V",
                band=None,
                kind="voltage",
                zone=zone,
            ),
        ),
    ]
    figures = [
        f"<figure><figcaption>{name}</figcaption>{svg}</figure>" for name, svg in drawn if svg
    ]
    return f'<div class="plots">{"".join(figures)}</div>\n' if figures else ""


def _remarks(view: UpsView) -> str:
    remarks: list[str] = []
    if view.age is not None:
        remarks.append(f"read {_ago(view.age)}")
    if view.logins is not None:
        remarks.append(
            "1 client logged in" if view.logins == 1 else f"{view.logins} clients logged in"
        )
    return f'<p class="remarks">{" · ".join(remarks)}</p>\n' if remarks else ""


def _events(snapshot: Snapshot) -> str:
    if not snapshot.events:
        return ""
    rows = "".join(_event_row(line) for line in reversed(snapshot.events))
    return f'<section class="events"><h2>Recent UPS Events</h2><ol>{rows}</ol></section>\n'


def _event_row(line: str) -> str:
    when, dash, rest = line.partition(" - ")
    event, colon, message = rest.partition(": ")
    if not dash or not colon:
        return f"<li><span>{escape(line)}</span></li>"
    return f"<li><time>{escape(when)}</time> <b>{escape(event)}</b> <span>{escape(message)}</span></li>"


def _ago(seconds: float) -> str:
    if seconds < 2:
        return "just now"
    if seconds < 120:
        return f"{seconds:.0f} seconds ago"
    return f"{seconds / 60:.0f} minutes ago"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
