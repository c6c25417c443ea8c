"""Whether NUT wants the power cut: the flag that upsmon writes before it calls the shutdown command.

Read here and not asked of ``upsmon -K``: on Debian that is a script which says yes where ``MODE=none`` switched
NUT off. A flag from before this boot is an old shutdown's and means nothing any more: on a disk it outlives
the boot when upsmon is not started again, and would cut the power at every halt.
(nut-driver-contract.md 7; appliance.md 4.5)
"""

from __future__ import annotations

import enum
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from usbhidups.nut.words import LineReader

__all__ = ["Mode", "PowerdownFlag"]

MAGIC = b"upsmon-shutdown-file"
"""What a flag begins with that upsmon wrote."""

LARGEST = 1 << 20
LONGEST_WORD = 4096
MOST_WORDS = 32
CLOCK_SLACK = 60.0
"""Seconds by which the flag may seem older than the boot: file systems round, clocks are set."""


class Mode(enum.Enum):
    """``MODE`` of nut.conf, as far as it matters here."""

    NONE = "none"  # NUT is switched off
    CLIENT = "netclient"  # the UPS is another host's
    SERVING = ""  # anything else, and no nut.conf at all


@dataclass(frozen=True, slots=True)
class PowerdownFlag:
    """What NUT wants. ``why_not`` is "" when the power is to be cut."""

    mode: Mode
    why_not: str

    @property
    def wanted(self) -> bool:
        """The host was shut down by upsmon for want of power."""
        return not self.why_not

    @classmethod
    def of(
        cls,
        conf: Path,
        *,
        now: Callable[[], float] = time.time,
        uptime: Callable[[], float] = lambda: time.clock_gettime(time.CLOCK_BOOTTIME),
    ) -> PowerdownFlag:
        """As the files in NUT's configuration directory ``conf`` and the flag say now."""
        mode = _mode(conf / "nut.conf")
        if mode is Mode.CLIENT:
            return cls(mode, "nut.conf says MODE=netclient: no UPS is attached to this host")
        return cls(mode, _flag(conf / "upsmon.conf", now(), uptime()))


def _mode(path: Path) -> Mode:
    mode = Mode.SERVING
    for words in _lines(path):
        if words[0] == "MODE" and len(words) >= 3:
            mode = next((each for each in Mode if each.value == words[2]), Mode.SERVING)
    return mode


def _flag(upsmon_conf: Path, now: float, uptime: float) -> str:
    """Why the flag does not ask for a cut, "" when it does."""
    named = [words[1] for words in _lines(upsmon_conf) if words[0] == "POWERDOWNFLAG" and words[1:]]
    if not named:
        return f"{upsmon_conf} names no POWERDOWNFLAG"
    flag = Path(named[-1])
    try:
        with flag.open("rb") as file:
            content = file.read(len(MAGIC))
            age = now - flag.stat().st_mtime
    except OSError:
        return f"no power-fail shutdown: there is no {flag}"
    if content != MAGIC:
        return f"{flag} was not written by upsmon"
    if age > uptime + CLOCK_SLACK:
        return f"{flag} is from before this boot: an old shutdown's, remove it"
    return ""


def _lines(path: Path) -> Iterator[tuple[str, ...]]:
    """The lines of one of NUT's files, cut into words; nothing where it cannot be read."""
    reader = LineReader(max_word=LONGEST_WORD, max_words=MOST_WORDS)
    try:
        with path.open("rb") as file:
            lines = reader.feed(file.read(LARGEST).decode("utf-8", "replace"))
    except OSError:
        return
    last = reader.finish()
    for line in [*lines, last] if last else lines:
        if line.words and not line.error:
            yield line.words
