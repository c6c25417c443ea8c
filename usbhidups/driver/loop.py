"""The main thread: one selector for the state sockets, signals, plug events and the workers' notices.

It never touches a device, so it answers PING while USB hangs. It owns everything that is one per process:
the selector, the signal handlers, the service manager, the clock's ticks.
"""

from __future__ import annotations

import contextlib
import logging
import os
import selectors
import signal
import socket
from collections.abc import Callable, Sequence
from types import FrameType

from usbhidups.driver.sdnotify import Notifier
from usbhidups.driver.service import Service
from usbhidups.usb.uevents import Action, UeventListener

__all__ = ["EXIT_RESTART_NEEDED", "Loop", "Reload"]

_log = logging.getLogger(__name__)

TICK = 30.0
"""Seconds between looks at the workers at most; they say themselves when one is needed (``Service.due``)."""

STOP_TIMEOUT = 2.0
"""Seconds that the workers get to give their devices back at exit (3 s for the whole exit)."""

HEEDED = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGUSR1)

EXIT_RESTART_NEEDED = 128 + signal.SIGUSR1
"""Exit status when reload-or-exit found a change that needs a restart (nut-driver-contract.md 1.2)."""

Reload = Callable[[Service], bool]
"""Reads the configuration again; True: all changes are applied, False: something needs a restart."""


class Loop:
    """Serves until it is told to stop. Implements ``service.Control``."""

    def __init__(
        self,
        *,
        selector: selectors.BaseSelector,
        clock: Callable[[], float],
        notifier: Notifier,
        reload: Reload,
        debug: int,
        apply_debug: Callable[[int], None],
        plug_events: UeventListener | None = None,
    ) -> None:
        """``apply_debug`` makes a debug level take effect; ``plug_events`` is closed with the loop."""
        self.selector = selector
        self._clock = clock
        self._notifier = notifier
        self._reload = reload
        self._configured_debug = debug
        self._debug = debug
        self._apply_debug = apply_debug
        self._plug_events = plug_events
        self._services: list[Service] = []
        self._ended: list[Service] = []
        self._signals: list[int] = []
        self._status = 0
        self._heeding = False
        self._wake_read, self._wake_write = socket.socketpair()
        for end in (self._wake_read, self._wake_write):
            end.settimeout(0.0)
        self.selector.register(self._wake_read, selectors.EVENT_READ, self._drain)
        if plug_events is not None:
            self.selector.register(plug_events, selectors.EVENT_READ, self._plugged)

    # -- service.Control ---------------------------------------------------------------------

    @property
    def debug(self) -> int:
        """The debug level in force."""
        return self._debug

    def set_debug(self, level: int) -> None:
        """Change the debug level; negative goes back to the configured one."""
        self._debug = self._configured_debug if level < 0 else level
        self._apply_debug(self._debug)

    def exit(self, service: Service, *, status: int = 0) -> None:
        """End one service; the process ends with the last, with the worst status."""
        self._status = max(self._status, status)
        self._ended.append(service)

    def reload(self, service: Service, *, or_exit: bool) -> int:
        """Read the configuration again for one service; a TRACKING code."""
        if self._reload(service):
            return 0
        if or_exit:
            self._status = EXIT_RESTART_NEEDED
            self._ended.extend(self._services)
        return 2

    # -- running -----------------------------------------------------------------------------

    def wake(self) -> None:
        """Rouse the loop from any thread; a full pipe means that it is roused already."""
        with contextlib.suppress(BlockingIOError, OSError):
            self._wake_write.send(b"\0")

    def add(self, service: Service) -> None:
        """Look after a service that has been started."""
        self._services.append(service)

    @property
    def all_fresh(self) -> bool:
        """Whether every UPS has good data."""
        return all(service.fresh for service in self._services)

    def run(self) -> int:
        """Serve until the last service ended or a signal said so (``take_signals``); the exit status."""
        self._notifier.ready(os.getpid())
        try:
            while self._services:
                self.turn(self._pause())
        finally:
            self._notifier.stopping()
            self.close()
        return self._status

    def turn(self, timeout: float) -> None:
        """Wait for at most ``timeout`` seconds, then do whatever came up."""
        for key, mask in self.selector.select(timeout):
            key.data(mask)
        self._heed_signals()
        for service in self._services:
            service.settle()
            service.tick()
        self._end_services()
        if self._notifier.watchdog_interval and all(service.alive for service in self._services):
            self._notifier.alive()
        self._notifier.status("; ".join(service.summary for service in self._services))

    def close(self) -> None:
        """Stop what still runs and give everything back."""
        self._stop(self._services)
        self._services.clear()
        self._ignore_signals()
        for end in (self._wake_read, self._wake_write):
            with contextlib.suppress(KeyError, ValueError):
                self.selector.unregister(end)
            end.close()
        if self._plug_events is not None:
            with contextlib.suppress(KeyError, ValueError):
                self.selector.unregister(self._plug_events)
            self._plug_events.close()

    # -- inside ------------------------------------------------------------------------------

    def _pause(self) -> float:
        due = min((service.due for service in self._services), default=TICK)
        return max(0.01, min(TICK, due, self._notifier.watchdog_interval or TICK))

    def _drain(self, _mask: int) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._wake_read.recv(4096):
                pass

    def _plugged(self, _mask: int) -> None:
        if self._plug_events is None:
            return
        events = self._plug_events.read()
        gone = any(event.action is Action.REMOVE and event.subsystem == "usb" for event in events)
        for service in self._services:
            if gone:
                service.unplugged()
            if any(event.plugged for event in events):
                service.plugged()

    def _end_services(self) -> None:
        ended = [service for service in self._services if service in self._ended]
        self._ended.clear()
        self._services = [service for service in self._services if service not in ended]
        self._stop(ended)

    def _stop(self, services: Sequence[Service]) -> None:
        """All at once: the time is for all of them together."""
        until = self._clock() + STOP_TIMEOUT
        for service in services:
            service.end()
        for service in services:
            service.stop(max(0.0, until - self._clock()))

    # -- signals -----------------------------------------------------------------------------

    def take_signals(self) -> None:
        """Heed signals from now on; before ``run``, so that none ends the process without ceremony."""
        self._heeding = True
        signal.set_wakeup_fd(self._wake_write.fileno(), warn_on_full_buffer=False)
        for number in HEEDED:
            signal.signal(number, self._note_signal)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)

    def _ignore_signals(self) -> None:
        """The process is ending; told to once more, by who replaces it, it still ends with its own status."""
        if self._heeding:
            signal.set_wakeup_fd(-1)
            for number in HEEDED:
                signal.signal(number, signal.SIG_IGN)

    def _note_signal(self, number: int, _frame: FrameType | None) -> None:
        self._signals.append(number)

    def _heed_signals(self) -> None:
        while self._signals:
            number = self._signals.pop(0)
            if number in (signal.SIGHUP, signal.SIGUSR1):
                for service in list(self._services):
                    self.reload(service, or_exit=number == signal.SIGUSR1)
            else:
                _log.info("signal %d: exiting", number)
                self._ended.extend(self._services)
