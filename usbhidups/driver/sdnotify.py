"""The service manager's notification protocol (sd_notify(3)): one datagram per message, no library.

It never fails its caller: a service manager that does not listen is no reason to stop watching a UPS.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping

__all__ = ["Notifier"]

_log = logging.getLogger(__name__)


class Notifier:
    """Sends messages to the socket named by ``NOTIFY_SOCKET``; does nothing where there is none.

    ``watchdog_interval`` is how often ``alive`` is wanted (half of WATCHDOG_USEC), None when it is not.
    """

    def __init__(self, environment: Mapping[str, str], *, pid: int) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        self.watchdog_interval: float | None = None
        usec = environment.get("WATCHDOG_USEC", "")
        meant_for = environment.get("WATCHDOG_PID", str(pid))
        if self._address and usec.isdigit() and int(usec) > 0 and meant_for == str(pid):
            self.watchdog_interval = int(usec) / 2_000_000
        self._status = ""

    def ready(self, pid: int) -> None:
        """Start-up is done: the socket listens (``MAINPID`` covers a start through a launcher)."""
        self._send(f"READY=1\nMAINPID={pid}")

    def reloading(self, monotonic_us: int) -> None:
        """Configuration is being read again; ``ready`` must follow."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={monotonic_us}")

    def status(self, text: str) -> None:
        """One line for ``systemctl status``; sent only when it changed."""
        if text != self._status:
            self._status = text
            self._send("STATUS=" + text.replace("\n", " "))

    def alive(self) -> None:
        """Feed the watchdog."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """An orderly stop has begun."""
        self._send("STOPPING=1")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.settimeout(0.0)
                sender.sendto(message.encode(), address)
        except OSError as error:
            _log.debug("service manager not told (%s): %s", error, message.partition("\n")[0])


def environment() -> Mapping[str, str]:
    """The process environment, named here so that tests can pass their own."""
    return os.environ
