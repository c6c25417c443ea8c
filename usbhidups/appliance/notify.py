"""upsmon's notify command: note the event in the log, then mail it. Never fails, always ends.

upsmon runs it in a child of its own and does not wait, so nothing here delays a shutdown; the limits keep
a stuck mailer from piling up processes. The log comes first: it does not depend on anything.
"""

from __future__ import annotations

import logging
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

from usbhidups.appliance.active import Active
from usbhidups.appliance.eventlog import append_event, event_line
from usbhidups.appliance.mail import Event, compose, hand_over

__all__ = ["MAILED", "notify"]

MAILED = frozenset(
    {
        "ONLINE",
        "ONBATT",
        "LOWBATT",
        "FSD",
        "SHUTDOWN",
        "COMMOK",
        "COMMBAD",
        "REPLBATT",
        "NOPARENT",
    }
)
"""Events worth a mail. NOCOMM repeats every five minutes; what is not listed is only logged."""

LISTING_SECONDS = 5.0
MAIL_SECONDS = 30.0

log = logging.getLogger(__name__)


def notify(active: Active, *, kind: str, ups: str, message: str, when: datetime) -> int:
    """Log and mail one event; return how many mails were taken by sendmail."""
    try:
        append_event(Path(active.event_log), event_line(when, kind, message))
    except OSError as error:
        log.warning("event log %s: %s", active.event_log, error.strerror)
    if kind not in MAILED or not active.notify_to:
        return 0
    event = Event(kind, ups, message, when)
    listing = _listing(active.upsc, ups) if ups else ""
    mails = [
        compose(
            event,
            receiver=receiver,
            sender=active.notify_from,
            hostname=active.hostname,
            listing=listing,
        )
        for receiver in active.notify_to
    ]
    # At once and not in turn: an address that blocks the mailer must not hold up the others.
    with ThreadPoolExecutor(max_workers=8) as pool:
        sent = list(
            pool.map(
                lambda mail: hand_over(mail, Path(active.sendmail), seconds=MAIL_SECONDS), mails
            )
        )
    for receiver, taken in zip(active.notify_to, sent, strict=True):
        if not taken:
            log.warning("mail to %s about %s was not accepted", receiver, kind)
    return sum(sent)


def _listing(upsc: str, ups: str) -> str:
    try:
        done = subprocess.run(
            [upsc, ups],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=LISTING_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", errors="replace")
