"""A finding for people: a card for each device, and the list of all its fields.

Whatever a device says goes through ``safe`` first.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence

from rich.console import Console, Group, RenderableType
from rich.text import Text

from usbhidups.hid.descriptor import ReportType
from usbhidups.tools.probe.finding import FieldRow, Finding, Link
from usbhidups.tools.screen.safe import safe
from usbhidups.tools.screen.summary import (
    LABEL_WIDTH,
    Row,
    Summary,
    folded,
    grid,
    headline,
    summary,
)

__all__ = ["card", "field_lines", "head"]

_OTHER_COLUMNS = 60
_WIDE_HEAD = "rep       bits  {}        raw            value  feeds"
_NARROW_HEAD = "rep       bits  path\n         raw            value  feeds"

MANY = 6
"""Reports that are named at most."""

SLOW = 0.25
"""Seconds for one report after which it is worth a word."""

_KINDS = {ReportType.INPUT: "in", ReportType.OUTPUT: "out", ReportType.FEATURE: "ft"}


def card(
    finding: Finding, console: Console, *, today: datetime.date, brief: bool = False
) -> RenderableType:
    """The card of one device; ``brief``: without what does not change from one look to the next."""
    return Group(head(finding, console), grid(_rows(finding, console, today, brief=brief)))


def head(finding: Finding, console: Console, *, more: bool = False) -> RenderableType:
    """The head of a card; ``more``: with the values that matter most, where no card follows."""
    who = finding.identity
    names = [safe(name.strip()) for name in (who.manufacturer, who.product) if name]
    name = " ".join(names) or _ids(finding) or "report descriptor"
    unknown = ""
    if not finding.readable:
        unknown = f"for {finding.other_driver}" if finding.other_driver else "not readable"
    elif not finding.text("ups.status"):
        unknown = "status unknown"
    texts = {name: value.text for name, value in finding.variables.items()} if more else {}
    status = finding.text("ups.status")
    return headline(name, status, console, unknown=unknown, more=summary(texts))


def _rows(
    finding: Finding, console: Console, today: datetime.date, *, brief: bool
) -> Iterator[Row]:
    yield Row("Where", Text(_where(finding), style="dim"))
    problem = finding.problem
    if problem is not None:
        yield Row("Why", Text(safe(problem.reason), style="magenta"))
        yield Row("Mend", Text(safe(problem.mend), style="bold"))
    texts = {name: value.text for name, value in finding.variables.items()}
    yield from Summary(texts, console, today=today).rows()
    if brief and finding.link.transfers:
        yield Row("Link", _link(finding.link))
    elif not brief:
        yield from _about(finding, console)
        yield from _abilities(finding, console)
    for warning in finding.warnings:
        yield Row("Note", Text(safe(warning), style="yellow"))


def _where(finding: Finding) -> str:
    who = finding.identity
    parts = [_ids(finding)] if _ids(finding) else []
    if who.port_path:
        parts.append(f"at {safe(who.port_path)}")
    if who.bus is not None and who.address is not None:
        parts.append(f"(bus {who.bus} device {who.address})")
    if who.serial:
        parts.append(f"serial {safe(who.serial)}")
    if who.release:
        parts.append(f"release {who.release >> 8:x}.{who.release & 0xFF:02x}")
    return " ".join(parts)


def _ids(finding: Finding) -> str:
    """Vendor and product; "" for a descriptor that came without."""
    who = finding.identity
    return f"{who.vendor_id:04x}:{who.product_id:04x}" if who.vendor_id or who.product_id else ""


def _about(finding: Finding, console: Console) -> Iterator[Row]:
    """How it is seen: profile, transport, link, repairs."""
    profile = finding.profile
    if profile is not None:
        text = Text(" ".join(part for part in (profile.title, profile.version) if part))
        if profile.variant:
            text.append(f" / {profile.variant}")
        text.append(f"  {safe(profile.why)}", "dim")
        yield Row("Profile", text)
    if finding.transport:
        text = Text(finding.transport)
        text.append(f"  {safe(finding.why)}", "dim")
        yield Row("Read by", text)
    if finding.transport in ("replay", "text"):
        yield Row("Holds", _recorded(finding.link))
    elif finding.link.transfers:
        yield Row("Link", _link(finding.link))
    repairs = profile.repairs if profile is not None else ()
    if repairs:
        yield Row("Repairs", _hung(repairs, console))
    if finding.oddities:
        yield Row("Oddities", _hung(finding.oddities, console, "dim"))


def _recorded(link: Link) -> Text:
    asked = len({each.name for each in link.transfers})
    missing = [each.name for each in link.failed]
    held = asked - len(missing)
    if not held:
        return Text("no reports, only the descriptor")
    text = Text(f"{held} report{'' if held == 1 else 's'}")
    if missing:
        more = f" and {len(missing) - MANY} more" if len(missing) > MANY else ""
        text.append(f"; not {', '.join(missing[:MANY])}{more}", "dim")
    return text


def _hung(lines: Sequence[str], console: Console, style: str = "") -> Text:
    """Lines that keep their indentation where they are too long for the screen."""
    width = max(20, console.width - LABEL_WIDTH - 1)
    shown: list[str] = []
    for line in map(safe, lines):
        indent = " " * (len(line) - len(line.lstrip()))
        shown += folded(line.lstrip(), width, indent=indent, hang="    ")
    return Text("\n".join(shown), style)


def _link(link: Link) -> Text:
    failed, slowest = link.failed, link.slowest
    count = len(link.transfers)
    text = Text(f"{count} transfer{'' if count == 1 else 's'}")
    if link.seconds >= 0.001:
        text.append(f" in {link.seconds:.2f} s")
    if failed:
        told = ", ".join(f"{each.name} {each.failure}" for each in failed[:MANY])
        more = f" and {len(failed) - MANY} more" if len(failed) > MANY else ""
        word = "report" if len(failed) == 1 else "reports"
        text.append(f"; {len(failed)} {word} failed: {told}{more}", "yellow")
    if slowest is not None and slowest.seconds >= SLOW:
        text.append(f"; slowest {slowest.name}: {slowest.seconds:.2f} s", "yellow")
    return text


def _abilities(finding: Finding, console: Console) -> Iterator[Row]:
    """What it can be told: commands, settings, and the cut of its power."""
    if finding.commands:
        yield Row("Commands", Text(", ".join(safe(name) for name in finding.commands)))
    settings = [
        f"{name} = {value.text}{f' ({choices})' if (choices := _choices(finding, name)) else ''}"
        for name, value in sorted(finding.variables.items())
        if value.writable
    ]
    if settings:
        yield Row("Settings", _hung(settings, console))
    cut = finding.cut
    if cut.plan:
        yield Row("Kill-power", _hung(cut.plan, console))
    elif cut.refusal:
        yield Row("Kill-power", Text(safe(cut.refusal), style="yellow"))


def _choices(finding: Finding, name: str) -> str:
    value = finding.variables[name]
    if value.enum:
        return ", ".join(value.enum)
    return ", ".join(f"{low} to {high}" for low, high in value.ranges)


def field_lines(finding: Finding, *, width: int | None) -> list[Text]:
    """Every field: where its bits are, what they hold, and what they feed.

    A line each where ``width`` has room for it (None: as much as is needed), else two. Fields that repeat the
    path of the one before, feed nothing and hold the same bits are only counted.
    """
    longest = max((len(row.path) for row in finding.fields), default=0)
    wide = width is None or longest + _OTHER_COLUMNS <= width
    lines = [Text(_WIDE_HEAD.format("path".ljust(longest)) if wide else _NARROW_HEAD, style="bold")]
    for row, more in _counted(finding.fields):
        field = row.field
        feeds = ", ".join(row.feeds) or "nothing"
        tail = Text(f"{feeds}, {more} more alike" if more else feeds)
        tail.stylize("" if row.feeds else "dim")
        bits = f"{field.offset}+{field.size}"
        place = Text(f"{_KINDS[field.report_type]} {field.report_id:02x} {bits:>8}  ")
        raw = "" if row.raw is None else f"{row.raw:x}"
        path = Text(row.path.ljust(longest) if wide else row.path)
        path.stylize("" if row.raw is not None else "dim")
        values = Text.assemble(f"{raw:>10} ", _value(row), "  ")
        gap = "" if wide else "\n  "
        lines.append(Text.assemble(place, path, gap, values, tail))
    return lines


def _counted(rows: Sequence[FieldRow]) -> Iterator[tuple[FieldRow, int]]:
    """Rows, each with the number of those after it that say nothing new."""
    at = 0
    while at < len(rows):
        row = rows[at]
        alike = at + 1
        while not row.feeds and alike < len(rows) and _alike(row, rows[alike]):
            alike += 1
        yield row, alike - at - 1
        at = alike


def _alike(one: FieldRow, other: FieldRow) -> bool:
    return (one.path, one.raw, one.feeds) == (other.path, other.raw, other.feeds) and (
        (one.field.report_type, one.field.report_id)
        == (other.field.report_type, other.field.report_id)
    )


def _value(row: FieldRow) -> Text:
    """Sixteen columns, to the right."""
    if row.value is None:
        return Text(f"{'not read':>16}", style="dim")
    unit = f" {row.unit}" if row.unit and len(row.unit) <= 2 else ""
    mark = "" if row.in_range else " !"
    return Text(f"{f'{row.value:.6g}{unit}{mark}':>16}", style="" if row.in_range else "red")
