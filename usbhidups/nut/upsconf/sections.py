"""ups.conf cut into sections, every setting with its place. (nut-driver-contract.md 2.1)

What a setting means is not known here, only where it stands. NUT skips lines it cannot use without a word;
so do we, but each leaves a note that the program may log.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from usbhidups.errors import ConfigError
from usbhidups.nut.words import MAX_WORD, MAX_WORDS, Line, LineReader

__all__ = ["COMMAND_LINE", "Section", "Setting", "UpsConf", "parse_upsconf"]

COMMAND_LINE = "command line"
"""``Setting.where`` of what came by ``-x``."""


@dataclass(frozen=True, slots=True)
class Setting:
    """``key = value``, or a flag (``value`` None), and where it was written (``line`` from 1).

    ``shared``: it stands in the file's global part, for every driver.
    """

    key: str
    value: str | None
    where: str = COMMAND_LINE
    line: int | None = None
    shared: bool = False

    @classmethod
    def from_argument(cls, text: str) -> Setting:
        """The argument of ``-x``: ``var=val``, cut at the first ``=``, or ``flag``."""
        key, equals, value = text.partition("=")
        return cls(key.strip(), value.strip() if equals else None)

    @property
    def place(self) -> str:
        """``file:line`` or ``command line``, to begin a message with."""
        return self.where if self.line is None else f"{self.where}:{self.line}"


@dataclass(frozen=True, slots=True)
class Section:
    """One UPS: everything under its ``[name]``, repeated sections joined in the order of the file."""

    name: str
    settings: tuple[Setting, ...]
    notes: tuple[str, ...] = ()

    def value(self, key: str) -> str | None:
        """The last value of ``key`` (in any case); None when it is absent or a bare flag."""
        found = [s.value for s in self.settings if s.key.lower() == key.lower()]
        return found[-1] if found else None

    @property
    def driver(self) -> str:
        """The program that the section is for, "" when it does not say."""
        return self.value("driver") or ""


@dataclass(frozen=True, slots=True)
class UpsConf:
    """A whole file. ``sections`` in the order in which they first appear; ``notes`` begin with the place."""

    where: str
    globals: tuple[Setting, ...]
    sections: Mapping[str, Section]
    notes: tuple[str, ...] = ()

    def section(self, name: str) -> Section:
        """The section ``[name]``, in exactly this case, as NUT's drivers look for it; else ConfigError."""
        if name in self.sections:
            return self.sections[name]
        import difflib  # only for an error message: the daemon does without it

        near = difflib.get_close_matches(name, self.sections, n=1)
        hint = f"; did you mean [{near[0]}]?" if near else ""
        raise ConfigError(f"there is no such section{hint}", where=self.where, key=f"[{name}]")

    def settings(self, name: str) -> tuple[Setting, ...]:
        """What ``-a name`` stands for: the global settings, then the section's, which overrule them."""
        return (*self.globals, *self.section(name).settings)

    def sections_for(self, drivers: Collection[str]) -> tuple[Section, ...]:
        """The sections that name one of these programs as their driver."""
        return tuple(section for section in self.sections.values() if section.driver in drivers)

    def notes_for(self, name: str) -> tuple[str, ...]:
        """What was strange in the global part and in one section."""
        return (*self.notes, *self.section(name).notes)


def parse_upsconf(text: str, *, where: str) -> UpsConf:
    """Cut up the text of a file that messages shall call ``where``. Raises nothing."""
    reader = LineReader(max_word=MAX_WORD, max_words=MAX_WORDS)
    lines = reader.feed(text)
    last = reader.finish()
    settings: dict[str | None, list[Setting]] = {None: []}
    notes: dict[str | None, list[str]] = {None: []}
    current: str | None = None
    for line in [*lines, last] if last else lines:
        if _names_section(line):
            current = line.words[0][1:-1]
            settings.setdefault(current, [])
            notes.setdefault(current, [])
            continue
        if setting := _setting(line, where, shared=current is None):
            settings[current].append(setting)
        if problem := _problem(line, is_setting=setting is not None):
            notes[current].append(f"{where}:{line.number}: {problem}")
    sections = {
        name: Section(name, tuple(own), tuple(notes[name]))
        for name, own in settings.items()
        if name is not None
    }
    return UpsConf(where, tuple(settings[None]), sections, tuple(notes[None]))


def _names_section(line: Line) -> bool:
    first = line.words[0] if line.words else ""
    return not line.error and len(first) > 2 and first.startswith("[") and first.endswith("]")


def _setting(line: Line, where: str, *, shared: bool) -> Setting | None:
    if line.error:
        return None
    match line.words:
        case (key,):
            return Setting(key, None, where, line.number, shared)
        case (key, "=", value, *_):
            return Setting(key, value, where, line.number, shared)
    return None


def _problem(line: Line, *, is_setting: bool) -> str:
    """What is strange about a line, "" if nothing is."""
    if line.error:
        return f"line ignored: {line.error}"
    shown = " ".join(line.words[:3])[:60]
    if not is_setting:
        return f"line ignored, it is neither a flag nor key = value: {shown!r}"
    if len(line.words) > 3:
        return f"only the first word after = counts, put quotes round the value: {shown!r}"
    if line.lossy:
        return f"characters outside ASCII or beyond {MAX_WORD} are dropped: {shown!r}"
    return ""
