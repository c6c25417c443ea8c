"""Start the driver process: user, directories, siblings, background, services, loop. (contract 1.3)

The order matters: privileges are given up before a device is opened, the fork comes before threads and
devices, the parent is released when the socket listens and the device was looked for.
"""

from __future__ import annotations

import contextlib
import logging
import os
import selectors
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, fields

from usbhidups import __version__, instance
from usbhidups.configuration import Paths
from usbhidups.driver.connect import Connector
from usbhidups.driver.logs import Logs
from usbhidups.driver.loop import Loop
from usbhidups.driver.messages import Notice
from usbhidups.driver.process import Background, PidFile, become, group_id
from usbhidups.driver.sdnotify import Notifier
from usbhidups.driver.server import StateServer
from usbhidups.driver.service import Service
from usbhidups.driver.worker import Worker
from usbhidups.errors import ConfigError
from usbhidups.nut.upsconf import DriverOptions
from usbhidups.ups.loading.library import Library
from usbhidups.usb.uevents import UeventListener

__all__ = ["LIVE", "Start", "dump", "serve"]

_log = logging.getLogger(__name__)

DEFAULT_USER = "nut"
"""Who the driver becomes when root starts it and nobody says otherwise (the distribution's account)."""

FIRST_LOOK = 5.0
"""Seconds that the parent of a background driver waits for the first data. Then it leaves with 0 all the
same: a device that comes later is normal (failures C07, G04)."""

LIVE = frozenset(
    {
        "pollinterval", "synchronous", "debug_min", "sdcommands", "reconnect_max_tries",
        "reconnect_report_freq", "notes", "published", "allow_killpower",
    }
)  # fmt: skip
"""Options that a reload applies to a running driver (contract 6.7)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Everything that is known when the driver starts. ``upses`` are names with their options."""

    program: str
    upses: tuple[tuple[str, DriverOptions], ...]
    places: Paths
    reread: Callable[[str], DriverOptions]  # the options of a UPS as the files say now
    debug: int = 0
    foreground: bool = False
    pid_file: bool = False
    quiet: bool = False
    chroot: str = ""
    user: str = ""
    group: str = ""
    notes: tuple[str, ...] = ()


def boottime() -> float:
    """Seconds since boot, the time asleep included: readings age while the machine sleeps (C16)."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def wall_clock() -> str:
    """Now, for people: ISO 8601 with the offset of the local zone."""
    return time.strftime("%Y-%m-%dT%H:%M:%S%z")


def serve(start: Start) -> int:
    """Run until told to stop; the exit status."""
    debug = max([start.debug, *(options.debug_min or 0 for _, options in start.upses)])
    logs = Logs(program=start.program, ups=start.upses[0][0], clock=boottime, quiet=start.quiet)
    logs.to_stderr(stamped=debug > 0)
    logs.level(debug)
    try:
        return _serve(start, logs, debug)
    finally:
        logs.close()


def _serve(start: Start, logs: Logs, debug: int) -> int:
    first = start.upses[0][1]
    group = start.group or first.group or ""
    group_number = group_id(group) if group else None
    user = start.user or first.user or DEFAULT_USER
    if user or start.chroot:
        _become(user, start.chroot or first.chroot or "", given=bool(start.user or first.user))
    try:
        os.chdir(start.places.state)
    except OSError as error:
        raise ConfigError(
            f"cannot use the state directory: {error.strerror}; it must exist and belong to {user}",
            where=str(start.places.state),
        ) from error
    for name, _ in start.upses:
        instance.make_room(
            start.places.socket(start.program, name),
            start.places.pid_file(start.program, name),
            program=start.program,
            ups=name,
        )
    pid_files = [PidFile(start.places.pid_file(start.program, name)) for name, _ in start.upses]
    background = Background()
    if not start.foreground:
        background.detach()
    _log.info("usbhidups %s, Python %s", __version__, sys.version.split()[0])
    for note in dict.fromkeys((*start.notes, *(n for _, o in start.upses for n in o.notes))):
        _log.warning("%s", note)
    with selectors.DefaultSelector() as selector:
        loop = _loop(start, selector, logs, debug)
        loop.take_signals()
        try:
            library = Library([start.places.profiles])
            for name, options in start.upses:
                loop.add(_service(start, library, loop, name, options, group_number))
            if start.pid_file or not start.foreground:
                for pid_file in pid_files:
                    pid_file.write(os.getpid())
            if not start.foreground:
                _first_look(loop)
                logs.to_syslog()
                logs.level(debug)
                background.ready()
            return loop.run()
        finally:
            loop.close()
            for pid_file in pid_files:
                pid_file.remove(os.getpid())


def dump(start: Start, passes: int, *, patience: float = 30.0) -> int:
    """``-d``: print all variables once they were read ``passes + 1`` times over; 1 without a device."""
    name, options = start.upses[0]
    logs = Logs(program=start.program, ups=name, clock=boottime, quiet=True)
    logs.to_stderr(stamped=start.debug > 0)
    logs.level(start.debug)
    with selectors.DefaultSelector() as selector:
        loop = _loop(start, selector, logs, start.debug)
        try:
            library = Library([start.places.profiles])
            service = _service(start, library, loop, name, options, None, listen=False)
            loop.add(service)
            until = boottime() + options.pollinterval * (passes + 1)
            latest = until + patience
            while boottime() < (until if service.fresh else latest):
                loop.turn(0.1)
            for variable, text in service.texts():
                print(f"{variable}: {text}")
            return 0 if service.fresh else 1
        finally:
            loop.close()
            logs.close()


def _become(user: str, chroot: str, *, given: bool) -> None:
    try:
        become(user, chroot=chroot)
    except ConfigError:
        if given:
            raise
        _log.warning("there is no user %s: running on as root; set user = in ups.conf", user)


def _loop(start: Start, selector: selectors.BaseSelector, logs: Logs, debug: int) -> Loop:
    listener, why_not = UeventListener.open()
    if listener is None:
        _log.info("plug events are not heard (%s): the bus is looked at now and then", why_not)
    return Loop(
        selector=selector,
        clock=boottime,
        notifier=Notifier(os.environ, pid=os.getpid()),
        reload=lambda service: _reload(service, start.reread),
        debug=debug,
        apply_debug=logs.level,
        plug_events=listener,
    )


def _service(
    start: Start,
    library: Library,
    loop: Loop,
    name: str,
    options: DriverOptions,
    group: int | None,
    *,
    listen: bool = True,
) -> Service:
    connector = Connector.of(options, library, start.places)

    def start_worker(post: Callable[[Notice], None], current: DriverOptions) -> Worker:
        return Worker(name=name, connect=connector, post=post, clock=boottime, options=current)

    service = Service(
        name=name,
        program=start.program,
        options=options,
        control=loop,
        start_worker=start_worker,
        wake=loop.wake,
        clock=boottime,
        wall_clock=wall_clock,
    )
    server = None
    if listen:
        path = str(start.places.socket(start.program, name))
        server = StateServer(path, loop.selector, service.store, service.command, group=group)
    service.start(server)
    return service


def _first_look(loop: Loop) -> None:
    """Give the devices a moment, so that who starts us finds data at once where there are any."""
    until = boottime() + FIRST_LOOK
    while boottime() < until and not loop.all_fresh:
        loop.turn(0.1)


def _reload(service: Service, reread: Callable[[str], DriverOptions]) -> bool:
    try:
        options = reread(service.name)
    except ConfigError as error:
        _log.warning("%s: not reloaded: %s", service.name, error)
        return False
    changed = {
        f.name
        for f in fields(DriverOptions)
        if getattr(options, f.name) != getattr(service.options, f.name)
    }
    fixed = sorted(changed - LIVE)
    if fixed:
        _log.warning("%s: these changes need a restart: %s", service.name, ", ".join(fixed))
    with contextlib.suppress(ConfigError):
        service.reconfigure(options, names=changed & LIVE)
    return not fixed
