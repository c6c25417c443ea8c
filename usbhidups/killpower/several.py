"""Several UPSes, in NUT's order, each in a process of its own that is left behind when its time is up.

A transfer that hangs in the kernel cannot be interrupted, only abandoned; the process that waits here never
touches a device. UPSes of one ``sdorder`` are cut at the same time, the next order follows when all of them
are done. (nut-driver-contract.md 1.7)
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from usbhidups.configuration import Paths
from usbhidups.errors import UsbHidUpsError
from usbhidups.killpower.flag import Mode, PowerdownFlag
from usbhidups.killpower.result import PoweroffResult, PoweroffStatus
from usbhidups.killpower.run_lock import parsed, written
from usbhidups.killpower.single import TIME_LIMIT, Killpower
from usbhidups.nut.upsconf import DriverOptions

__all__ = ["Wanted", "as_driver", "cut_all"]

PATIENCE = TIME_LIMIT + 0.5
"""Seconds after which a process is left behind."""

LARGEST_RESULT = 65_536
STOCK_HOOK = "nutshutdown"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A UPS whose power is to be cut. ``order``: lower ones go first."""

    program: str
    ups: str
    options: DriverOptions
    order: int = 0


@dataclass(slots=True)
class _Child:
    wanted: Wanted
    pid: int
    fd: int
    heard: bytes = b""


def cut_all(
    upses: Iterable[Wanted], places: Paths, *, dry_run: bool = False
) -> list[PoweroffResult]:
    """Power all of them off; the results in the order in which they were done. Prints what happens."""
    wanted = list(upses)
    cuts: list[PoweroffResult] = []
    for order in sorted({each.order for each in wanted}):
        children = [_begin(each, places, dry_run=dry_run) for each in wanted if each.order == order]
        cuts += _await(children)
    for cut in cuts:
        rehearsed = dry_run and cut.result is PoweroffStatus.NOTHING
        print(f"{cut.ups}: nothing was written ({cut.text})" if rehearsed else cut, flush=True)
    return cuts


def as_driver(program: str, ups: str, options: DriverOptions, places: Paths) -> int:
    """``-k``: 0 when the device took a command, as NUT's callers want it; else the PoweroffStatus's number.

    Debian's late hook takes ``MODE=none`` for the word of upsmon, and would cut the power at every halt: called
    by it, the flag is looked at here.
    """
    wish = PowerdownFlag.of(places.conf)
    if wish.mode is Mode.NONE and not wish.wanted and _called_by(STOCK_HOOK):
        print(f"{ups}: {PoweroffStatus.NOTHING.words} ({wish.why_not})", flush=True)
        return int(PoweroffStatus.NOTHING)
    [cut] = cut_all([Wanted(program, ups, options)], places)
    return 0 if cut.result is PoweroffStatus.ACCEPTED else int(cut.result)


def _begin(wanted: Wanted, places: Paths, *, dry_run: bool) -> _Child:
    """Start the process of one UPS. It has no thread and no device yet, so that forking is safe."""
    sys.stdout.flush()
    sys.stderr.flush()
    reader, writer = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writer)
        return _Child(wanted, pid, reader)
    os.close(reader)
    os.write(writer, written(_work(wanted, places, dry_run=dry_run)))
    os._exit(0)


def _work(wanted: Wanted, places: Paths, *, dry_run: bool) -> PoweroffResult:
    def say(text: str) -> None:
        print(f"{wanted.ups}: {text}", flush=True)

    killpower = Killpower(
        program=wanted.program, ups=wanted.ups, options=wanted.options, places=places, say=say
    )
    try:
        return killpower.rehearse() if dry_run else killpower.cut()
    except UsbHidUpsError as error:
        return PoweroffResult(wanted.ups, PoweroffStatus.NOT_FOUND, str(error))


def _await(
    children: list[_Child], clock: Callable[[], float] = time.monotonic
) -> list[PoweroffResult]:
    """The results of all, at the latest when their time is up."""
    deadline = clock() + PATIENCE
    running = {child.fd: child for child in children}
    while running and (left := deadline - clock()) > 0:
        ready, _, _ = select.select(list(running), [], [], left)
        for fd in ready:
            data = os.read(fd, LARGEST_RESULT)
            running[fd].heard += data
            if not data:
                del running[fd]
    return [_result(child, late=child.fd in running) for child in children]


def _result(child: _Child, *, late: bool) -> PoweroffResult:
    os.close(child.fd)
    name = child.wanted.ups
    cut = parsed(name, child.heard.decode(errors="replace"))
    if late:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child.pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(child.pid, os.WNOHANG if late else 0)
    if cut is not None:
        return cut
    why = "a USB transfer hangs in the kernel" if late else "the attempt ended without a result"
    return PoweroffResult(name, PoweroffStatus.NOT_FOUND, why)


def _called_by(name: str) -> bool:
    """Whether a process above this one is a script of that name."""
    pid = os.getppid()
    while pid > 1:
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read().split(b"\0")
            with open(f"/proc/{pid}/stat", "rb") as file:
                pid = int(file.read().rpartition(b")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            return False
        if any(os.path.basename(word) == name.encode() for word in words[:3]):
            return True
    return False
