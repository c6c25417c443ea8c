"""What the administrator asked of one UPS: the driver options that change its meaning.

nut-driver-contract.md section 2.4. Whoever reads ups.conf fills this in; nothing here reads files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Options"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options with their defaults; times in seconds. None: not given, the profile rules."""

    pollinterval: float = 2.0
    pollfreq: float | None = None
    pollonly: bool = False
    interruptonly: bool = False
    interruptsize: int | None = None
    maxreport: bool = False
    offdelay: int | None = None
    ondelay: int | None = None
    lowbatt: int | None = None
    ignorelb: bool = False
    onlinedischarge_onbattery: bool = False
    onlinedischarge_calibration: bool = False
    lbrb_log_delay_sec: float | None = None
    lbrb_log_delay_without_calibrating: bool = False
    disable_fix_report_desc: bool = False
    interrupt_pipe_no_events_tolerance: int = -1
    powercom_sdcmd_byte_order_fallback: bool = False
    powercom_sdcmd_discrete_delay: bool = False
    sdcommands: tuple[str, ...] = ()
    defaults: Mapping[str, str] = field(default_factory=dict)
    overrides: Mapping[str, str] = field(default_factory=dict)
