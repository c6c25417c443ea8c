"""Flags that some firmwares raise for a moment: believed once they last (invariant I2, failures D01, D03, D04).

Low and replace flags are believed at once on battery; on mains they must be seen by several reads over some
seconds. OFF must last longer than the blink of a self-test's start. Battery presence is settled in both
directions. Whatever is held back is named, and asks for reads soon (``pending``). Time is an argument.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from usbhidups.ups.status.flags import Flag, FlagState

__all__ = ["CONFIRM", "CONFIRM_IMPLAUSIBLE", "CONFIRM_OFF", "CONFIRM_READS", "Debounce", "Held"]

CONFIRM = 3.0
"""Seconds that LB, RB and battery presence must last while mains are on: above I2's 2.5 s."""

CONFIRM_OFF = 10.0
"""Seconds that OFF must last: a self-test's start looks like OFF for 8 to 9 s (D03)."""

CONFIRM_IMPLAUSIBLE = 30.0
"""Seconds that a low flag must last on mains when charge and runtime say the opposite (D01)."""

CONFIRM_READS = 3
"""Reads that must agree, however long they took."""

_LOW = frozenset({Flag.LOW_BATTERY, Flag.TIME_LIMIT, Flag.SHUTDOWN_IMMINENT})
_WATCHED = (*_LOW, Flag.REPLACE_BATTERY, Flag.NO_BATTERY, Flag.OFF)


@dataclass(frozen=True, slots=True)
class Held:
    """A change of a flag that is not believed yet: its new value, since when, by how many reads."""

    value: bool
    since: float
    last: float
    reads: int


class Debounce:
    """The settled value of each watched flag of one connection.

    ``low_delay`` is the administrator's lbrb_log_delay_sec, None: the default; 0 switches the delay of
    LB and RB off.
    """

    def __init__(self, low_delay: float | None = None) -> None:
        self._low_delay = CONFIRM if low_delay is None else low_delay
        self._settled: dict[Flag, bool] = {}
        self._held: dict[Flag, Held] = {}

    @property
    def pending(self) -> Mapping[Flag, Held]:
        """Changes that wait for more reads."""
        return self._held

    def settle(
        self,
        claims: Mapping[Flag, FlagState],
        *,
        on_battery: bool,
        discharging: bool,
        plausible: bool,
    ) -> dict[Flag, bool]:
        """Take in the newest claims; return every flag's believed value.

        ``plausible`` tells that a low battery would fit charge and runtime, or that neither is known.
        """
        believed = {flag: claim.value for flag, claim in claims.items()}
        for flag in _WATCHED:
            claim = claims.get(flag)
            if claim is None:
                self._held.pop(flag, None)
                continue
            if flag is Flag.NO_BATTERY and claim.value and on_battery and discharging:
                # a battery that feeds the load is there, whatever the bit says (EcoFlow, D04)
                claim = replace(claim, value=False)
            delay = self._delay(flag, claim, on_battery=on_battery, plausible=plausible)
            self._observe(flag, claim, delay)
            believed[flag] = self._settled.get(flag, False)
        return believed

    def _delay(self, flag: Flag, claim: FlagState, *, on_battery: bool, plausible: bool) -> float:
        if flag is Flag.OFF:
            return CONFIRM_OFF if claim.value else 0.0
        if flag is Flag.NO_BATTERY:
            return CONFIRM
        if on_battery or not claim.value or self._low_delay <= 0:
            return 0.0
        if flag in _LOW and not plausible:
            return max(CONFIRM_IMPLAUSIBLE, self._low_delay)
        return self._low_delay

    def _observe(self, flag: Flag, claim: FlagState, delay: float) -> None:
        if claim.value == self._settled.get(flag, False):
            self._settled[flag] = claim.value
            self._held.pop(flag, None)
            return
        held = self._held.get(flag)
        if held is None or held.value != claim.value:
            held = Held(claim.value, claim.at, claim.at, 1)
        elif claim.at > held.last:
            held = Held(held.value, held.since, claim.at, held.reads + 1)
        enough = delay <= 0 or (held.last - held.since >= delay and held.reads >= CONFIRM_READS)
        if enough:
            self._settled[flag] = claim.value
            self._held.pop(flag, None)
        else:
            self._held[flag] = held
