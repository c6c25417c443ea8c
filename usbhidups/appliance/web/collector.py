"""Asks upsd again and again, in one thread, and keeps the latest snapshot for everyone who looks.

However many browsers look, upsd is asked once per interval; and however slow upsd is, a page is answered at
once from what is known, with its age.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from usbhidups.appliance.active import Active, load_active
from usbhidups.appliance.eventlog import last_events
from usbhidups.appliance.processes import find
from usbhidups.appliance.upsd import WAIT, UpsdClient, split_target
from usbhidups.appliance.web.history import History
from usbhidups.appliance.web.snapshot import Snapshot, UpsView
from usbhidups.errors import ConfigError, ServerRefused, ServerUnreachable

__all__ = ["Collector", "Source"]

UPSD_SECONDS = 5.0
EVENTS = 4
SAVE_EVERY = 600.0

REASONS = {
    "DATA-STALE": "data is stale",
    "DRIVER-NOT-CONNECTED": "the driver is not connected",
    "UNKNOWN-UPS": "upsd knows no such UPS",
    "ACCESS-DENIED": "upsd denies access",
    WAIT: "upsd waits for the driver's first status",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where to look: the appliance's note, or (``target`` given) an upsd without an appliance.

    ``target`` is ``host[:port]`` or ``name@host[:port]``; without a name every UPS there is shown.
    """

    active_file: Path | None = None
    target: str = ""
    event_log: Path | None = None


class Collector:
    """``look`` asks once; ``start`` lets a thread do so; ``snapshot`` is what everyone reads."""

    def __init__(
        self,
        source: Source,
        *,
        interval: float = 5.0,
        state_file: Path | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._source = source
        self._interval = interval
        self._state_file = state_file
        self._clock = clock
        self._history = History()
        self._views: dict[str, tuple[float, UpsView]] = {}
        self._names: dict[str, str] = {}
        self._snapshot = Snapshot(when=clock(), hidden="not asked yet")
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        if state_file is not None:
            self._history.load(state_file)

    @property
    def snapshot(self) -> Snapshot:
        """The latest one; its ages are brought up to now."""
        now = self._clock()
        late = max(0.0, now - self._snapshot.when)
        upses = tuple(
            replace(view, age=None if view.age is None else view.age + late)
            for view in self._snapshot.upses
        )
        return replace(self._snapshot, upses=upses)

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="collector", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self._save()

    def look(self) -> Snapshot:
        """Ask now."""
        self._snapshot = self._look()
        return self._snapshot

    def _run(self) -> None:
        saved = time.monotonic()
        while not self._stop.is_set():
            self.look()
            if time.monotonic() - saved > SAVE_EVERY:
                self._save()
                saved = time.monotonic()
            self._stop.wait(self._interval)

    def _save(self) -> None:
        if self._state_file is not None:
            try:
                self._history.save(self._state_file)
            except OSError:
                self._state_file = None  # nowhere to keep it: the day starts anew at the next start

    def _look(self) -> Snapshot:
        now = self._clock()
        target, active = self._source.target, Active()
        if not target and self._source.active_file is not None:
            try:
                active = load_active(self._source.active_file)
            except (ConfigError, OSError) as error:
                return Snapshot(when=now, hidden=str(error))
            if hidden := _why_hidden(active):
                return Snapshot(when=now, hostname=active.hostname, hidden=hidden)
            target = active.target
        name, host, port = split_target(target)
        log = Path(active.event_log) if active.event_log else self._source.event_log
        return Snapshot(
            when=now,
            hostname=active.hostname or host,
            upses=self._ask(name, host, port, active, now),
            events=tuple(last_events(log, EVENTS)) if log else (),
            serves_others=active.serves_others if active.mode == "primary" else None,
            default_password=active.default_password and active.serves_others,
        )

    def _ask(
        self, name: str, host: str, port: int, active: Active, now: float
    ) -> tuple[UpsView, ...]:
        names = {name: ""} if name else self._names or {"ups": ""}
        try:
            with UpsdClient(host, port, seconds=UPSD_SECONDS) as client:
                known = client.ups_names()
                if not name or active.ups_names:
                    names = {n: d for n, d in known.items() if n not in active.aliases}
                else:
                    names = {name: known.get(name, "")}
                self._names = names
                views = [self._ask_one(client, ups, names[ups], host, port, now) for ups in names]
        except ServerUnreachable as error:
            views = [self._without(ups, names[ups], host, port, str(error), now) for ups in names]
        return tuple(sorted(views, key=lambda view: (view.name != name, view.name)))

    def _ask_one(
        self, client: UpsdClient, ups: str, description: str, host: str, port: int, now: float
    ) -> UpsView:
        try:
            variables = client.variables(ups)
            logins = client.logins(ups)
        except ServerRefused as error:
            trouble = REASONS.get(error.reason, error.reason)
            return self._without(ups, description, host, port, trouble, now)
        target = _target(ups, host, port)
        self._history.add(target, variables, now=now)
        view = UpsView(
            name=ups,
            target=target,
            description="" if description == "Description unavailable" else description,
            variables=variables,
            age=0.0,
            logins=logins,
            history=self._history.of(target, now=now),
        )
        self._views[target] = (now, view)
        return view

    def _without(
        self, ups: str, description: str, host: str, port: int, trouble: str, now: float
    ) -> UpsView:
        """No fresh data: say why and since when; the plots stay, the last values do not pose as current."""
        target = _target(ups, host, port)
        read_at, last = self._views.get(target, (None, None))
        return UpsView(
            name=ups,
            target=target,
            description=description or (last.description if last else ""),
            trouble=trouble,
            age=None if read_at is None else max(0.0, now - read_at),
            history=self._history.of(target, now=now),
        )


def _target(ups: str, host: str, port: int) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"{ups}@{shown}" if port == 3493 else f"{ups}@{shown}:{port}"


def _why_hidden(active: Active) -> str:
    if not active.show_status:
        return "the status page is switched off (status_ups_show_status)"
    if active.mode == "disabled":
        return "UPS monitoring is not configured"
    if find(Path(active.upsmon_pid_file), "upsmon") is None:
        return "UPS monitoring is not running"
    return "" if active.target else "upsmon.conf names no UPS"
