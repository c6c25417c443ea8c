"""What kill-power does for each family, as a table for docs/kill-power.md: read from the profiles' rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from usbhidups.ups.loading.library import GENERIC, Library
from usbhidups.ups.options import Options
from usbhidups.ups.profile import CommandRow, Profile
from usbhidups.ups.writing.delays import delays

__all__ = ["CANNOT", "killpower_document", "killpower_table"]

ALWAYS = "yes, on mains too"
BEGIN, END = "<!-- families -->", "<!-- end of families -->"
CANNOT = "cannot be told to cut its power"
MATTERS = re.compile(
    r"delay|restart|reboot|\bcut|\bpower commands|command|shut|come back|switched", re.I
)
"""Which of a profile's notes are about this."""


def killpower_document(library: Library, path: Path) -> str:
    """The document with its table as the profiles are now."""
    before, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{killpower_table(library)}{END}{after}"


def killpower_table(library: Library) -> str:
    """A row for each profile; the one for everybody last."""
    names = [name for name in library.names() if name != GENERIC]
    lines = [
        "| family | what is written: the first that the device has and obeys | grain | the load comes back |"
        " to know, to set |",
        "|---|---|---|---|---|",
    ]
    for name in [*names, GENERIC]:
        profile = library.load(name)
        lines.append("| " + " | ".join(_cells(profile)) + " |")
    return "\n".join(lines) + "\n"


def _cells(profile: Profile) -> Iterator[str]:
    ways = list(dict.fromkeys(_ways(profile)))
    yield profile.title
    yield "<br>".join(f"{n}. {way}" for n, (way, _) in enumerate(ways, 1)) if ways else CANNOT
    yield f"{profile.delay_step} s" if ways else "-"
    yield "<br>".join(f"{n}. {back}" for n, (_, back) in enumerate(ways, 1)) if ways else "-"
    notes = [note for note in profile.notes if MATTERS.search(note)]
    if not ways:
        notes.append("See *No command*.")
    yield " ".join(notes) or "-"


def _ways(profile: Profile) -> Iterator[tuple[str, str]]:
    """What is tried in turn, and whether the load comes back after it."""
    rows: dict[str, list[CommandRow]] = {}
    for row in profile.commands:
        if row.switches_load:
            rows.setdefault(row.name, []).append(row)
    default = delays(profile, Options())
    start, off = f"start delay {default.start} s", f"off delay {default.off} s"
    for row in rows.get("shutdown.return", ()):
        if row.path.endswith("Reboot"):
            yield f"{_named(row)} = {row.value}: off and on again, in its own time", ALWAYS
        else:
            yield (
                f"{off} ({_named(row)})",
                ALWAYS if row.convert else "if the model does so by itself",
            )
    if "load.on.delay" in rows and "load.off.delay" in rows:
        yield f"{start}, then {off}", ALWAYS
    for row in rows.get("shutdown.reboot", ())[:1]:
        if row.path.endswith("DelayBeforeReboot"):
            yield f"reboot {default.off} s ({_named(row)})", ALWAYS
        else:
            yield f"reboot ({_named(row)} = {row.value})", ALWAYS
    if "load.off.delay" in rows:
        yield f"{off} alone; never while the mains are there", "if the model does so by itself"


def _named(row: CommandRow) -> str:
    return row.path.rsplit(".", 1)[-1]
