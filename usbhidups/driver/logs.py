"""Where the daemon's log goes: standard error in the foreground, syslog in the background.

Levels by reader: warning for the administrator (once per change), info for start, stop, found and status,
debug for transfers. ``-q`` hides info from syslog, each ``-D`` shows more on standard error.
"""

from __future__ import annotations

import logging
import sys
import syslog
from collections.abc import Callable

__all__ = ["Logs"]

_SEVERITY = {
    logging.DEBUG: syslog.LOG_DEBUG,
    logging.INFO: syslog.LOG_INFO,
    logging.WARNING: syslog.LOG_WARNING,
    logging.ERROR: syslog.LOG_ERR,
    logging.CRITICAL: syslog.LOG_CRIT,
}


class _Syslog(logging.Handler):
    """The C library's syslog(3): no socket of our own, no thread."""

    def emit(self, record: logging.LogRecord) -> None:
        syslog.syslog(_SEVERITY.get(record.levelno, syslog.LOG_INFO), self.format(record))


class _Elapsed(logging.Formatter):
    """NUT's debug format: seconds since the start, a TAB, the text; controls of strangers escaped."""

    def __init__(self, clock: Callable[[], float], *, stamped: bool) -> None:
        super().__init__()
        self._clock = clock
        self._start = clock()
        self._stamped = stamped

    def format(self, record: logging.LogRecord) -> str:
        text = printable(record.getMessage())
        if record.exc_info:
            traceback = self.formatException(record.exc_info).split("\n")
            text = "\n".join([text, *map(printable, traceback)])
        if not self._stamped:
            return text
        level = f"[{record.levelname.lower()}] " if record.levelno != logging.INFO else ""
        return f"{self._clock() - self._start:11.6f}\t{level}{text}"


def printable(text: str) -> str:
    """``text`` with everything that could steer a terminal or forge a line made visible."""
    return "".join(c if c.isprintable() or c == "\t" else f"\\x{ord(c):02x}" for c in text)


class Logs:
    """The log of this process. Levels: 0 warnings and info, 1 and more debug too."""

    def __init__(self, *, program: str, ups: str, clock: Callable[[], float], quiet: bool) -> None:
        self._ident = f"{program}[{ups}]"
        self._clock = clock
        self._quiet = quiet
        self._root = logging.getLogger("usbhidups")
        self._root.propagate = False
        self._handler: logging.Handler | None = None

    def to_stderr(self, *, stamped: bool) -> None:
        """Log to standard error, with the time where ``stamped``."""
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(_Elapsed(self._clock, stamped=stamped))
        self._use(handler)

    def to_syslog(self) -> None:
        """Log to syslog, facility daemon."""
        syslog.openlog(self._ident, syslog.LOG_PID, syslog.LOG_DAEMON)
        handler = _Syslog()
        handler.setFormatter(_Elapsed(self._clock, stamped=False))
        self._use(handler)

    def level(self, debug: int) -> None:
        """Show as much as debug level ``debug`` asks for."""
        usual = logging.WARNING if self._quiet else logging.INFO
        self._root.setLevel(logging.DEBUG if debug > 0 else usual)

    def close(self) -> None:
        """Take the handler out again."""
        if self._handler is not None:
            self._root.removeHandler(self._handler)
            self._handler = None

    def _use(self, handler: logging.Handler) -> None:
        self.close()
        self._handler = handler
        self._root.addHandler(handler)
