"""What is to be seen of a simulated UPS at one moment, for the live view. Nothing changes by looking."""

from __future__ import annotations

from dataclasses import dataclass

from usbhidups.simulator.device import SimulatedDevice
from usbhidups.simulator.event_log import Entry

__all__ = ["SimulatorSetup", "look"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorSetup:
    """Times are the UPS's own seconds, charge and load percent, ``voltage`` a share of the nominal one.

    ``low_runtime``: seconds left below which it calls its battery low, 0 for one that does not tell.
    ``cut_in`` and ``back_in``: the timers of its output that run, None for none. ``next``: the step of its
    scenario that comes next (seconds from now, command). ``holder``: who has it open, "" for nobody.
    """

    busid: str
    model: str
    present: bool
    time: float
    speed: float
    mains: bool
    voltage: float
    charge: float
    low_charge: float
    low_runtime: float
    charging: bool
    draining: bool
    load: float
    runtime: float
    testing: bool
    output: bool
    cut_in: float | None
    back_in: float | None
    waits_for_mains: bool
    flags: tuple[str, ...]
    faults: tuple[str, ...]
    next: tuple[float, str] | None
    steps_left: int
    holder: str
    requests: int
    event_log: tuple[Entry, ...]


_TIME_LIMIT_EXPIRED = 0x850043


def _tells_of_time(device: SimulatedDevice) -> bool:
    return any(slot.usage == _TIME_LIMIT_EXPIRED for slot in device.gadget.unit.layout.slots)


def look(device: SimulatedDevice, now: float, *, holder: str = "") -> SimulatorSetup:
    """The scene at ``now`` (the host's time)."""
    device.advance(now)
    ups, gadget, steps = device.ups, device.gadget, device.steps
    output = ups.main
    cuts = [at for at in (output.shutdown_at, output.reboot_at) if at is not None]
    back = output.reboot_until if output.startup_at is None else output.startup_at
    who = device.fixture.device
    names = [name.strip() for name in (who.manufacturer, who.product) if name]
    return SimulatorSetup(
        busid=gadget.record.busid,
        model=" ".join(names) or f"{who.vendor_id:04x}:{who.product_id:04x}",
        present=gadget.present,
        time=ups.now,
        speed=device.speed,
        mains=ups.mains_good,
        voltage=ups.voltage if ups.mains else 0.0,
        charge=ups.charge,
        low_charge=ups.low_charge,
        low_runtime=ups.low_runtime if _tells_of_time(device) else 0.0,
        charging=ups.charging,
        draining=ups.draining,
        load=ups.load,
        runtime=ups.runtime,
        testing=ups.testing,
        output=output.on,
        cut_in=min(cuts) - ups.now if cuts else None,
        back_in=None if back is None else back - ups.now,
        waits_for_mains=output.waiting and not output.on,
        flags=tuple(sorted(name for name in ups.forced if ups.flag(name))),
        faults=tuple(
            fault.as_text()
            for fault in gadget.faults.active
            if fault.until is None or now < fault.until
        ),
        next=(steps[0][0] - ups.now, steps[0][1]) if steps else None,
        steps_left=len(steps),
        holder=holder,
        requests=gadget.log.total,
        event_log=tuple(device.event_log.entries),
    )
