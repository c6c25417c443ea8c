"""From evidence to the view: variables, status, alarms and the reasons for them, complete at every moment.

It joins ``decode``, ``debounce``, ``supply``, ``status`` and the administrator's options. Beside NUT's
variables it publishes ``experimental.ups.status.reason`` (which item made LB, RB, OFF, OVER or OB) and
``experimental.ups.status.held`` (flags that are set and deliberately not shown, and why).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, tzinfo

from usbhidups.hid.descriptor import Field
from usbhidups.identity import Identity
from usbhidups.ups.decode import Context, Decoded, decode
from usbhidups.ups.evidence import Evidence
from usbhidups.ups.mapping import Binding, BoundVariable
from usbhidups.ups.naming import Models, Named, name_device
from usbhidups.ups.options import Options
from usbhidups.ups.reading.wanted import name_fields
from usbhidups.ups.snapshot import Value
from usbhidups.ups.status.debounce import Debounce
from usbhidups.ups.status.flags import Flag, Mains, gather, mains_of
from usbhidups.ups.status.rules import Settled, Status, StatusRules, decide
from usbhidups.ups.status.supply import Numbers, Supply
from usbhidups.ups.writing.delays import Delays

__all__ = ["HELD", "REASON", "UpsState"]

REASON = "experimental.ups.status.reason"
HELD = "experimental.ups.status.held"

SECOND_LOOK = 1.0
"""Seconds after which a report is read again whose flags are not believed yet."""

_LONGEST = 250  # characters of a reason: the socket carries 255
_EXPLAINED = ("OB", "LB", "OVER", "RB", "OFF")


class UpsState:
    """What is known of one UPS, kept from one look to the next."""

    def __init__(
        self,
        binding: Binding,
        identity: Identity,
        options: Options,
        *,
        delays: Delays,
        models: Models | None = None,
        zone: tzinfo = UTC,
    ) -> None:
        self._binding = binding
        self._identity = identity
        self._options = options
        self._models = models
        self._zone = zone
        self._debounce = Debounce(options.lbrb_log_delay_sec)
        self._name_fields = name_fields(binding)
        self._named = Named({})
        self._named_from: object = None
        self._supply = Supply()
        self._fields = {flag.row.path: flag.field for flag in binding.flags}
        self._decoded: Decoded | None = None
        self.strings: dict[int, str] = {}
        self.settings: dict[str, str] = {
            "ups.delay.shutdown": str(delays.off),
            "ups.delay.start": str(delays.start),
            **options.defaults,
            **options.overrides,
        }
        self._delays = delays
        self.status = Status(None, reason="nothing was read yet")
        self.mains = Mains()
        self.variables: dict[str, Value] = {}
        self.wanted_strings: tuple[int, ...] = ()  # indexes that values ask for
        self.soon: tuple[tuple[Field, ...], float] = ((), 0.0)

    # -- looking -----------------------------------------------------------------------------

    def look(self, evidence: Evidence, *, now: float) -> None:
        """Work everything out anew from the evidence."""
        self._name(evidence)
        charge_pending = self._charge_pending(evidence)
        decoded = decode(self._binding, evidence, self.context())
        self._decoded = decoded
        claims = gather(decoded.opinions)
        self.mains = mains_of(decoded.opinions)
        discharging = Flag.DISCHARGING in claims and claims[Flag.DISCHARGING].value
        on_battery = self.mains.present is False or (self.mains.present is None and discharging)
        numbers = replace(self._numbers(decoded), charge_pending=charge_pending)
        known = self._debounce.settle(
            claims,
            on_battery=on_battery,
            discharging=discharging,
            plausible=discharging or numbers.low_is_plausible,
        )
        battery = self._supply.battery(
            numbers, mains=self.mains.present, discharging=discharging, now=now
        )
        sources = {flag: claim.sources for flag, claim in claims.items()}
        settled = Settled(self.mains, known, sources)
        self.status = decide(settled, battery, self._rules(), free_alarms=decoded.alarms)
        self.variables = self._published(decoded)
        wanted = decoded.wanted | self._named.wanted
        self.wanted_strings = tuple(sorted(wanted - self.strings.keys()))
        self.soon = self._second_looks(decoded, now)

    def delays(self, *, last_resort: bool) -> Delays:
        """ups.delay.* as they are now.

        Where the device itself keeps the start delay, what it says counts; for the ``last_resort`` the
        administrator's ondelay goes before it.
        """
        start = _whole(self.settings["ups.delay.start"], self._delays.start)
        live = None if self._decoded is None else self._decoded.sources.get("ups.delay.start")
        if live is not None and live.reading is not None:
            said = _whole(self.variables["ups.delay.start"].text, -1)
            if said > 0 and not (last_resort and self._options.ondelay is not None):
                start = said
        return Delays(_whole(self.settings["ups.delay.shutdown"], self._delays.off), start)

    @property
    def on_battery(self) -> bool:
        """Whether the status says so."""
        return self.status.words is not None and "OB" in self.status.words

    @property
    def unsettled(self) -> bool:
        """Whether something waits for more reads before it is believed."""
        return bool(self._debounce.pending) or self._supply.wants_input

    @property
    def holds_until(self) -> float:
        """When it has to be looked at anew though no report changes."""
        return self._supply.holds_until

    @property
    def supplied(self) -> Mapping[str, BoundVariable]:
        """The row that gives each variable its value."""
        if self._decoded is None:
            return {}
        return {name: source.bound for name, source in self._decoded.sources.items()}

    @property
    def repairs(self) -> tuple[str, ...]:
        """In words, which values were put right."""
        return self._decoded.repairs if self._decoded is not None else ()

    def context(self) -> Context:
        """What decoding needs beside the reports."""
        return Context(
            identity=self._identity,
            options=self._options,
            strings=self.strings,
            zone=self._zone,
            family=self._named.family,
            settings=self.settings,
            memory=self._decoded.memory if self._decoded is not None else {},
        )

    def use(self, options: Options) -> None:
        """Take over options that may change while running."""
        self._options = options

    # -- inside ------------------------------------------------------------------------------

    def _name(self, evidence: Evidence) -> None:
        """Name the device anew when something came that its name is made from."""
        readings = [evidence.reading(field) for field in self._name_fields]
        known = [reading.logical if reading is not None else None for reading in readings]
        names_from = (known, dict(self.strings))
        if names_from != self._named_from:
            self._named_from = names_from
            self._named = name_device(
                self._binding, evidence, self._identity, self.strings, self._models
            )

    def _charge_pending(self, evidence: Evidence) -> bool:
        """Whether the device has a charge that was neither read nor refused yet."""
        rows = list(self._binding.alternatives("battery.charge"))
        unread = [
            row
            for row in rows
            if evidence.reading(row.field, row.counterpart) is None
            and not evidence.refused(row.field)
        ]
        return bool(rows) and len(unread) == len(rows)

    def _rules(self) -> StatusRules:
        options = self._options
        return StatusRules(
            ignore_low_flags=options.ignorelb,
            online_discharge_is_battery=options.onlinedischarge_onbattery,
            online_discharge_is_calibration=options.onlinedischarge_calibration,
        )

    def _numbers(self, decoded: Decoded) -> Numbers:
        def number(name: str) -> float | None:
            text = self._options.overrides.get(name)
            if text is None:
                value = decoded.variables.get(name)
                text = None if value is None else value.text
            try:
                return None if text is None else float(text)
            except ValueError:
                return None

        voltage = decoded.variables.get("input.voltage")
        lowbatt = self._options.lowbatt
        return Numbers(
            charge=number("battery.charge"),
            charge_low=number("battery.charge.low") if lowbatt is None else float(lowbatt),
            runtime=number("battery.runtime"),
            runtime_low=number("battery.runtime.low"),
            input_voltage=number("input.voltage"),
            input_at=None if voltage is None else voltage.at,
        )

    def _published(self, decoded: Decoded) -> dict[str, Value]:
        variables = {name: Value(text) for name, text in self._named.variables.items()}
        variables.update(decoded.variables)
        for part in ("mfr", "model", "serial"):
            if f"ups.{part}" in variables:
                variables[f"device.{part}"] = variables[f"ups.{part}"]
        if self._options.lowbatt is not None and "battery.charge.low" in variables:
            low = variables["battery.charge.low"]
            variables["battery.charge.low"] = replace(low, text=str(self._options.lowbatt))
        status = self.status
        words: dict[str, str | None] = {
            "ups.status": status.text,
            "ups.alarm": " ".join(status.alarms)[:_LONGEST],
            "input.transfer.reason": status.transfer_reason,
            "experimental.ups.mode.buzzwords": " ".join(status.modes),
            REASON: "; ".join(
                f"{word}: {', '.join(status.reasons[word])}"
                for word in _EXPLAINED
                if word in status.reasons
            )[:_LONGEST],
            HELD: "; ".join(self._held())[:_LONGEST],
        }
        variables.update({name: Value(text) for name, text in words.items() if text})
        for name, text in self._options.defaults.items():
            variables.setdefault(name, Value(text))
        for name, text in self._options.overrides.items():
            variables[name] = Value(text)
        return variables

    def _held(self) -> list[str]:
        unsure = [
            f"{flag.value}: {'set' if held.value else 'cleared'}, not confirmed yet"
            for flag, held in self._debounce.pending.items()
        ]
        return [*(f"{word}: {why}" for word, why in self.status.held.items()), *unsure]

    def _second_looks(self, decoded: Decoded, now: float) -> tuple[tuple[Field, ...], float]:
        """Fields to be read again soon, and when."""
        fields = [
            self._fields[flag_report.source]
            for flag_report in decoded.opinions
            if any(_flag_of(word) in self._debounce.pending for word in flag_report.words)
        ]
        if self._supply.wants_input and "input.voltage" in decoded.sources:
            fields.append(decoded.sources["input.voltage"].bound.field)
        return tuple(fields), now + SECOND_LOOK


def _whole(text: str, otherwise: int) -> int:
    try:
        return int(float(text))
    except ValueError:
        return otherwise


def _flag_of(word: str) -> Flag | None:
    try:
        return Flag(word.removeprefix("!"))
    except ValueError:
        return None
