"""The last step of a powerfail shutdown: decide, command the UPS, and guard against a cut that never comes.

Called by the SysV stop script while the system still runs, or by systemd's late hook when everything is gone.
It needs no network, no writable disk and no state directory. Whether mains are back does not matter: a host
that halted can only start again if its power goes and returns (spec 4.5).
"""

from __future__ import annotations

import contextlib
import enum
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from usbhidups.appliance import processes
from usbhidups.appliance.active import Active
from usbhidups.appliance.layout import Layout
from usbhidups.appliance.overrides import lines_of
from usbhidups.appliance.services import Direct
from usbhidups.appliance.settings import Mode
from usbhidups.appliance.upsd import UpsdClient, split_target
from usbhidups.errors import UsbHidUpsError

__all__ = ["Stage", "Step", "kill_power", "why_not"]

GRACE_SECONDS = 15
SETTLE_SECONDS = 1.0
COMMAND_SECONDS = 45.0
LATE_LIMIT_SECONDS = 80
"""systemd gives its late hooks 90 s in all, then it powers off."""

FLAG_CONTENT = "upsmon-shutdown-file"
"""What upsmon writes into the file that POWERDOWNFLAG names."""

NO_KILL_ACTIONS = frozenset({"reboot", "kexec"})


class Stage(enum.Enum):
    """What to do of it: a stop script commands, and the very last script waits; a late hook does both."""

    ALL = "all"
    COMMAND = "command"
    WAIT = "wait"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One call. ``action`` is systemd's argument (``poweroff``), "" elsewhere; ``late``: a late hook."""

    stage: Stage = Stage.ALL
    action: str = ""
    late: bool = False


def why_not(layout: Layout, active: Active, step: Step) -> str:
    """Why no UPS may be commanded now, "" if one must be."""
    if active.mode != Mode.PRIMARY.value or not active.ups_names:
        return "no UPS is connected to this host"
    if not active.kill_power:
        return "UPS_KILL_POWER is not set"
    if step.action in NO_KILL_ACTIONS:
        return f"the system does a {step.action}"
    if step.late and active.network_driver:
        return "a network UPS cannot be reached any more"
    if _distribution_mode(layout) == "none":
        return "nut.conf says MODE=none"
    if _flag(layout) != FLAG_CONTENT:
        return "no powerfail shutdown"
    return ""


def kill_power(
    layout: Layout,
    active: Active,
    step: Step,
    *,
    say: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Carry out ``step``; 0 if there was nothing to do or all UPSes accepted, 1 if one did not."""
    if reason := why_not(layout, active, step):
        say(f"kill power: nothing to do: {reason}")
        return 0
    direct = Direct(layout, active)
    direct.stop_upsmon()
    if not _upsmon_agrees(layout):
        say("kill power: nothing to do: upsmon does not know the flag")
        return 0
    failed = False
    if step.stage is not Stage.WAIT:
        _wait_for_others(active, say, sleep)
        direct.stop_server()
        sleep(SETTLE_SECONDS)
        for name in active.ups_names:
            failed |= not _command(layout, name, say)
    if step.stage is not Stage.COMMAND and active.poweroff_wait:
        _wait_and_reboot(layout, active, step, say, sleep)
    return 1 if failed else 0


def _command(layout: Layout, name: str, say: Callable[[str], None]) -> bool:
    """``upsdrvctl shutdown NAME``: by name, for without one some versions skip sections (spec 4.5)."""
    say(f"kill power: commanding {name}")
    environment = {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "PYTHONDONTWRITEBYTECODE": "1",
        **layout.nut_environment,
    }
    command: list[str | Path] = [layout.upsdrvctl, "shutdown", name]
    status, said = processes.run_bounded(command, environment, seconds=COMMAND_SECONDS)
    if status == 0:
        say(f"kill power: {name} accepted the command")
        return True
    last = said.splitlines()[-1] if said else ""
    say(f"kill power: {name} FAILED (status {status}): {last}")
    return False


def _wait_for_others(
    active: Active, say: Callable[[str], None], sleep: Callable[[float], None]
) -> None:
    """While other hosts are still logged in they learn of FSD from upsd; give them some seconds."""
    if not active.target:
        return
    name, host, port = split_target(active.target)
    for second in range(GRACE_SECONDS):
        try:
            with UpsdClient(host, port, seconds=2) as client:
                others = len(client.other_hosts(name))
        except UsbHidUpsError:
            return
        if not others:
            return
        if second == 0:
            say(f"kill power: waiting for {others} other host(s)")
        sleep(1)


def _wait_and_reboot(
    layout: Layout,
    active: Active,
    step: Step,
    say: Callable[[str], None],
    sleep: Callable[[float], None],
) -> None:
    """Still powered long after the command: mains came back and the UPS gave up its cut. Start again."""
    seconds = min(active.poweroff_wait, LATE_LIMIT_SECONDS) if step.late else active.poweroff_wait
    say(f"kill power: rebooting if there is still power in {seconds} s")
    sleep(seconds)
    status, said = processes.run_bounded(layout.reboot_command, os.environ, seconds=COMMAND_SECONDS)
    if status != 0:
        say(f"kill power: reboot FAILED (status {status}): {said}")


def _distribution_mode(layout: Layout) -> str:
    """MODE of nut.conf where the distribution has one: an administrator may have switched NUT off."""
    try:
        text = (layout.conf_dir / "nut.conf").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    mode = ""
    for words in lines_of(text):
        if words[0] == "MODE" and len(words) > 2:
            mode = words[2]
    return mode


def _flag(layout: Layout) -> str:
    """The content of the file that POWERDOWNFLAG names, "" if there is none."""
    try:
        text = (layout.conf_dir / "upsmon.conf").read_text(encoding="utf-8", errors="replace")
        names = [
            words[1] for words in lines_of(text) if words[0] == "POWERDOWNFLAG" and len(words) > 1
        ]
        return (
            Path(names[-1]).read_text(encoding="ascii", errors="replace").strip() if names else ""
        )
    except OSError:
        return ""


def _upsmon_agrees(layout: Layout) -> bool:
    """The real upsmon's opinion of the flag (``-K``). It gives none while its pid file names any living
    process, even one that merely got the number of an upsmon that has ended: such a file is removed."""
    if processes.find(layout.upsmon_pid_file, "upsmon") is None:
        with contextlib.suppress(OSError):
            layout.upsmon_pid_file.unlink(missing_ok=True)
    status, _ = processes.run_bounded([layout.upsmon, "-K"], layout.nut_environment, seconds=10)
    return status == 0
