"""One UPS: the only thing of ups/ that the daemon, kill-power and probe talk to.

Reports go in, views and plans come out; nothing here touches a device, and ``now`` is always given (seconds
of one monotonic clock). A facade: the work is done by ``reader``, ``picture``, ``commands`` and ``settings``.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, tzinfo
from typing import Protocol

from usbhidups.errors import ConfigError, TransferKind
from usbhidups.hid.descriptor import Descriptor, ReportType
from usbhidups.identity import Identity
from usbhidups.ups.mapping import Binding, bind
from usbhidups.ups.naming import Models
from usbhidups.ups.options import Options
from usbhidups.ups.plan import ReadBack, ReadRequest, Refusal, Write, WritePlan
from usbhidups.ups.profile import Profile
from usbhidups.ups.reading.freshness import Trust
from usbhidups.ups.reading.reader import Reader
from usbhidups.ups.snapshot import Snapshot
from usbhidups.ups.state import UpsState
from usbhidups.ups.writing.commands import Commands
from usbhidups.ups.writing.delays import conflict, delays, effective
from usbhidups.ups.writing.settings import Local, Settings

__all__ = ["Done", "Ups", "attach"]


class Done(Protocol):
    """What carrying out a plan came to, as far as this package cares."""

    @property
    def done(self) -> bool:
        """Whether the device took it."""


def attach(
    identity: Identity,
    descriptor: Descriptor,
    profile: Profile,
    options: Options,
    *,
    now: float = 0.0,
    models: Models | None = None,
    zone: tzinfo = UTC,
) -> Ups:
    """Join a device with its profile.

    ``models`` is the model table that the profile names, if any; ``zone`` is for devices that keep a clock.

    ConfigError when ``ignorelb`` is asked for and the device has neither charge nor runtime with a limit.
    """
    binding = bind(profile, descriptor)
    if options.ignorelb and not _has_limits(binding, options):
        raise ConfigError(
            "needs battery.charge and battery.charge.low, or battery.runtime and battery.runtime.low",
            key="ignorelb",
        )
    picture = UpsState(
        binding,
        identity,
        options,
        delays=effective(delays(profile, options)),
        models=models,
        zone=zone,
    )
    return Ups(binding, identity, options, picture, now=now)


class Ups:
    """One UPS of one connection, or of several: it outlives a replug of the same device."""

    def __init__(
        self,
        binding: Binding,
        identity: Identity,
        options: Options,
        picture: UpsState,
        *,
        now: float,
    ) -> None:
        self.binding = binding
        self.identity = identity
        self.options = options
        self.notices: tuple[str, ...] = tuple(
            filter(None, (conflict(delays(binding.profile, options)),))
        )
        self._reader = Reader(
            binding, options, has_endpoint=identity.endpoint_in is not None, now=now
        )
        self._picture = picture
        self._view = Snapshot(reason="nothing was read yet")
        self._strings_asked: set[int] = set()

    @property
    def profile(self) -> Profile:
        """The profile in use."""
        return self.binding.profile

    @property
    def descriptor(self) -> Descriptor:
        """The report descriptor in use."""
        return self.binding.descriptor

    @property
    def repairs(self) -> tuple[str, ...]:
        """In words, which values were put right by plausibility (failure E03)."""
        return self._picture.repairs

    @property
    def listens(self) -> bool:
        """Whether to wait on the interrupt endpoint; otherwise just sleep until something is due."""
        return self._reader.listens

    # -- reading -----------------------------------------------------------------------------

    def reads_due(self, now: float) -> tuple[ReadRequest, ...]:
        """Reports to fetch now, in this order; status first. Few at a time: ask again afterwards."""
        return self._reader.reads_due(now)

    def next_due(self, now: float) -> float:
        """Seconds until something is due: a report to fetch, or a look at the view."""
        return self._reader.next_due(now)

    def got_report(self, report_type: ReportType, data: bytes, *, now: float) -> None:
        """A report came (id byte first), as an answer or by itself."""
        self._reader.got(report_type, data, now=now)

    def read_failed(self, request: ReadRequest, kind: TransferKind, *, now: float) -> None:
        """A report that was due could not be had."""
        self._reader.failed(request, kind, now=now)

    def input_failed(self, kind: TransferKind, *, now: float) -> None:
        """Waiting on the interrupt endpoint failed."""
        self._reader.input_failed(kind, now=now)

    def no_input(self) -> None:
        """A wait on the interrupt endpoint ended without a report."""
        self._reader.no_input()

    def strings_wanted(self) -> tuple[int, ...]:
        """String indexes to fetch, each once per connection."""
        return tuple(
            index for index in self._picture.wanted_strings if index not in self._strings_asked
        )

    def got_string(self, index: int, text: str | None) -> None:
        """A string came; None: there is none (an earlier text stays)."""
        self._strings_asked.add(index)
        if text is not None or index not in self._picture.strings:
            self._picture.strings[index] = text or ""
            self._reader.changed = True

    def disconnected(self, *, now: float) -> None:
        """The device is gone; the view holds for a few seconds, then it is stale."""
        self._reader.disconnected(now=now)

    def reconnected(self, identity: Identity, *, now: float) -> None:
        """The same device is back, perhaps with another address."""
        self.identity = identity
        self._strings_asked.clear()
        self._reader.reconnected(now=now)

    def use(self, options: Options) -> None:
        """Take over options that may change while running: intervals, sdcommands, the rules of status."""
        self.options = options
        self._reader.use(options)
        self._picture.use(options)
        self._reader.changed = True

    # -- what is known -----------------------------------------------------------------------

    def view(self, now: float) -> Snapshot:
        """Everything to publish. The same object as before where nothing changed."""
        return self.look(now)[0]

    def look(self, now: float) -> tuple[Snapshot, Trust]:
        """The view, and how much it may be trusted."""
        picture = self._picture
        if self._reader.changed or picture.unsettled or now > picture.holds_until:
            self._work_out(now)
        trust, mode = self._reader.trust(now), self._reader.mode
        fresh, reason = not trust.stale, trust.stale or trust.reason or picture.status.reason
        view = self._view
        if (fresh, reason, mode) != (view.fresh, view.reason, view.mode):
            self._view = replace(view, fresh=fresh, reason=reason, mode=mode)
        return self._view, trust

    def lapsed(self) -> None:
        """Somebody called the data stale because nothing was heard in time: do well for a while first."""
        self._reader.freshness.lapsed()

    @property
    def on_battery(self) -> bool:
        """Whether the status says that the mains are away."""
        return self._picture.on_battery

    @property
    def unsettled(self) -> bool:
        """Whether flags wait for more reads before they are believed."""
        return self._picture.unsettled

    def reopen(self, now: float) -> bool:
        """Whether the device is to be closed and opened again."""
        return bool(self._reader.reopen(now))

    # -- doing -------------------------------------------------------------------------------

    def instcmd(self, name: str, argument: str | None, *, now: float) -> WritePlan | Refusal:
        """Plan an instant command."""
        self._work_out(now)
        return self._commands().plan(name, argument)

    def set(self, name: str, value: str, *, now: float) -> WritePlan | Refusal | None:
        """Plan a setting; None: it was a value of the driver's own and is done."""
        self._work_out(now)
        picture = self._picture
        wanted = picture.delays(last_resort=False)
        settings = Settings(self.binding, self._reader.evidence, picture.context(), wanted)
        planned = settings.plan(name, value, row=picture.supplied.get(name))
        if not isinstance(planned, Local):
            return planned
        picture.settings[planned.name] = planned.text
        self._work_out(now)
        return None

    def killpower(self, *, now: float) -> WritePlan | Refusal:
        """Plan the cut: sdcommands, or the built-in chain, each step the fallback of the one before."""
        self._work_out(now)
        on_mains = self._picture.mains.present is True
        commands = self._commands(last_resort=True)
        return commands.killpower(self.options.sdcommands, on_mains=on_mains)

    def wrote(self, plan: WritePlan, outcome: Done, *, now: float) -> None:
        """A plan was carried out: read again what it touched, and the status with it."""
        steps = (*plan.steps, *(plan.undo if not outcome.done else ()))
        fields = tuple(step.field for step in steps if isinstance(step, Write | ReadBack))
        self._reader.ask(fields, at=now)
        self._reader.ask(tuple(flag.field for flag in self.binding.flags), at=now)

    # -- inside ------------------------------------------------------------------------------

    def _work_out(self, now: float) -> None:
        picture, reader = self._picture, self._reader
        reader.changed = False
        picture.look(reader.evidence, now=now)
        reader.on_battery(yes=picture.on_battery, now=now)
        reader.supplied(picture.supplied, now=now)
        fields, at = picture.soon
        reader.ask(fields, at=at)
        self._view = replace(
            self._view,
            variables=picture.variables,
            commands=self._commands().available(),
        )

    def _commands(self, *, last_resort: bool = False) -> Commands:
        picture = self._picture
        wanted = picture.delays(last_resort=last_resort)
        return Commands(self.binding, self._reader.evidence, picture.context(), wanted)


def _has_limits(binding: Binding, options: Options) -> bool:
    names = {bound.row.name for bound in binding.variables}
    names |= {*options.overrides, *options.defaults}
    if options.lowbatt is not None:
        names.add("battery.charge.low")
    return any({name, f"{name}.low"} <= names for name in ("battery.charge", "battery.runtime"))
