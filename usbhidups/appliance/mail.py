"""The mail about one event: its text, and handing it to the system's sendmail within a limit of time.

Addresses were checked by ``grammar``; here every header value loses what could end a line. No address ever
becomes an argument of sendmail, which reads the receivers from the headers (spec section 5).
"""

from __future__ import annotations

import os
import signal
import subprocess
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.utils import format_datetime, formataddr
from pathlib import Path

__all__ = ["Event", "compose", "hand_over"]

RULE = "-" * 40


@dataclass(frozen=True, slots=True)
class Event:
    """What upsmon reported: ``ups`` is ``name@host``, "" where the event names none (SHUTDOWN)."""

    kind: str
    ups: str
    message: str
    when: datetime


def compose(event: Event, *, receiver: str, sender: str, hostname: str, listing: str) -> bytes:
    """The whole message. ``listing`` is upsc's output, "" for none; ``sender`` is "" for no From."""
    subject = f"UPS on '{hostname}': {event.message}"
    headers = [f"To: {_clean(receiver)}"]
    if sender:
        headers.append(f"From: {_from_header(sender, hostname)}")
    headers += [
        f"Subject: {Header(_clean(subject), 'utf-8' if not subject.isascii() else None, 990).encode()}",
        f"Date: {format_datetime(event.when)}",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
    ]
    body = [_clean(subject), "", f"Event: {_clean(event.kind)}"]
    body.append(f"Generated: {event.when:%Y-%m-%d %H:%M:%S %Z}".rstrip())
    if listing:
        lines = [_clean(line) for line in listing.splitlines()]
        body += ["", RULE, *lines, RULE]
    text = "\n".join([*headers, "", *body]) + "\n"
    return text.encode("utf-8", errors="replace")


def hand_over(message: bytes, sendmail: Path, *, seconds: float) -> bool:
    """Give ``message`` to sendmail; whether it took it. After ``seconds`` it and its children are killed."""
    try:
        process = subprocess.Popen(
            [sendmail, "-t", "-i"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        return False
    try:
        process.communicate(message, timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    return process.returncode == 0


def _clean(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)


def _from_header(sender: str, hostname: str) -> str:
    name, bracket, rest = sender.partition("<")
    address = rest.rstrip().removesuffix(">") if bracket else sender
    return formataddr(
        (
            _clean(name).strip() if bracket else f"UPS-{_clean(hostname)}",
            _clean(address).encode("ascii", errors="replace").decode(),
        )
    )
