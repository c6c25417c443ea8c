"""The text of NUT's files for given settings: pure, nothing is read or written.

Every value has passed ``grammar`` before; ``_quoted`` refuses, as a second lock, whatever could end a
quoted word. What each line is for: spec appliance.md 3.3 to 3.8.
"""

from __future__ import annotations

from dataclasses import dataclass

from usbhidups.appliance.settings import DEFAULT_PORT, UPS_NAME, Driver, Mode, Settings
from usbhidups.errors import ConfigError

__all__ = [
    "CLIENT_TIMING",
    "PRIMARY_TIMING",
    "Host",
    "NotifyEvent",
    "Timing",
    "monitor_target",
    "nut_conf",
    "ups_conf",
    "upsd_conf",
    "upsd_users",
    "upsmon_conf",
    "upssched_conf",
]

MASTER = "master"

NutVersion = tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """upsmon's clock, in seconds (spec 3.6)."""

    poll: int = 5
    poll_on_battery: int = 5
    host_sync: int = 15
    dead_time: int = 25
    final_delay: int = 5
    replace_battery_warning: int = 43200
    no_contact_warning: int = 300
    max_age: int = 15


PRIMARY_TIMING = Timing()
"""``dead_time`` leaves a driver that fails on battery time to be started again (spec 4.4)."""

CLIENT_TIMING = Timing(poll=10, dead_time=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What the files need to know of the host: names and versions, no secrets."""

    run_user: str
    shutdown_command: str
    flag_file: str
    notify_command: str
    driver_path: str
    nut_version: NutVersion = (2, 8, 0)
    stock_shutdown_hook: bool = False


@dataclass(frozen=True, slots=True)
class NotifyEvent:
    """One notify type of upsmon: what is done, and since which NUT it exists."""

    name: str
    runs_command: bool = True
    since: NutVersion = (0, 0, 0)


NOTIFY_EVENTS = (
    NotifyEvent("ONLINE"),
    NotifyEvent("ONBATT"),
    NotifyEvent("LOWBATT"),
    NotifyEvent("FSD"),
    NotifyEvent("COMMOK"),
    NotifyEvent("COMMBAD"),
    NotifyEvent("SHUTDOWN"),
    NotifyEvent("REPLBATT"),
    NotifyEvent("NOCOMM"),
    NotifyEvent("NOPARENT"),
    NotifyEvent("CAL", since=(2, 8, 1)),
    NotifyEvent("NOTCAL", since=(2, 8, 1)),
    NotifyEvent("OFF", since=(2, 8, 1)),
    NotifyEvent("NOTOFF", since=(2, 8, 1)),
    NotifyEvent("BYPASS", since=(2, 8, 1)),
    NotifyEvent("NOTBYPASS", since=(2, 8, 1)),
    # The text of these comes from the device and, up to NUT 2.8.5, passes through a shell: log only.
    NotifyEvent("ALARM", runs_command=False, since=(2, 8, 3)),
    NotifyEvent("NOTALARM", runs_command=False, since=(2, 8, 3)),
    NotifyEvent("OTHER", runs_command=False, since=(2, 8, 3)),
    NotifyEvent("NOTOTHER", runs_command=False, since=(2, 8, 3)),
)


def monitor_target(settings: Settings, name: str = UPS_NAME) -> str:
    """What upsmon and the status page follow: ``ups@localhost``, with the port if it is not NUT's; "" for
    nothing."""
    if settings.mode is not Mode.PRIMARY:
        return settings.monitor_host
    port = "" if settings.listen_port == DEFAULT_PORT else f":{settings.listen_port}"
    return f"{name}@localhost{port}"


def ups_conf(settings: Settings, host: Host) -> str:
    """Sections for the UPS and its aliases; ``driverpath`` puts our driver in NUT's place."""
    driver = settings.driver or Driver.USB
    lines = [
        f"driverpath = {_quoted(host.driver_path)}",
        "maxretry = 3",
        "retrydelay = 2",
        # A USB device answers at once or not at all; a walk over SNMP takes its time.
        f"maxstartdelay = {20 if driver is Driver.USB else 45}",
    ]
    if driver is not Driver.USB:
        lines.append("nowait")
    lines += ["", f"[{UPS_NAME}]", f"  driver = {driver.value}"]
    lines.append(f"  port = {_quoted(settings.driver_port)}")
    lines.append(f"  desc = {_quoted(f'UPS of {settings.hostname}')}")
    if driver is Driver.SNMP:
        lines.append(f"  community = {_quoted(settings.snmp_community)}")
        lines.append(f"  snmp_version = {settings.snmp_version}")
        lines.append("  pollfreq = 15")
    if driver is not Driver.XML:
        if settings.off_delay is not None:
            lines.append(f"  offdelay = {settings.off_delay}")
        if settings.on_delay is not None:
            lines.append(f"  ondelay = {settings.on_delay}")
    if host.stock_shutdown_hook:
        # NUT's own late hook passes such a section by; ours names it, so it is commanded once.
        lines.append("  sdorder = -1")
    for alias in settings.aliases:
        lines += ["", f"[{alias}]", "  driver = dummy-ups", f"  port = {monitor_target(settings)}"]
        lines += [f"  desc = {_quoted(f'{UPS_NAME}, by another name')}", "  sdorder = -1"]
    return _text(lines)


def upsd_conf(settings: Settings, timing: Timing = PRIMARY_TIMING) -> str:
    lines = [f"LISTEN {address} {settings.listen_port}" for address in listen_addresses(settings)]
    return _text([*lines, f"MAXAGE {timing.max_age}"])


def listen_addresses(settings: Settings) -> tuple[str, ...]:
    """Where upsd listens; loopback is always reachable, for upsmon and the page need it."""
    if settings.listen:
        if "::" in settings.listen:
            return ("::",)  # dual stack; an IPv4 line beside it only logs an error
        if "0.0.0.0" in settings.listen:  # noqa: S104 - asked for by name
            return tuple(a for a in settings.listen if ":" in a or a == "0.0.0.0")  # noqa: S104
        return tuple(dict.fromkeys((*settings.listen, "127.0.0.1")))
    first = "0.0.0.0" if settings.listen_all else "127.0.0.1"  # noqa: S104 - UPS_LISTEN_ALL asks for it
    return (first, "::1") if settings.ipv6 else (first,)


def upsd_users(settings: Settings, master_password: str) -> str:
    """The primary's account and those of other hosts; none may SET or run commands."""
    accounts = [(MASTER, master_password, "primary")]
    accounts.append((settings.monitor_user, settings.monitor_password, "secondary"))
    accounts += [(name, password, "secondary") for name, password in settings.extra_users]
    lines: list[str] = []
    for name, password, level in accounts:
        lines += [f"[{name}]", f"  password = {_quoted(password)}", f"  upsmon {level}", ""]
    return _text(lines[:-1])


def upsmon_conf(
    settings: Settings,
    host: Host,
    *,
    master_password: str,
    ups_name: str = UPS_NAME,
    timing: Timing | None = None,
) -> str:
    """Exactly one MONITOR line: the local UPS ``ups_name`` as its primary, or the server to follow."""
    client = settings.mode is Mode.CLIENT
    clock = timing or (CLIENT_TIMING if client else PRIMARY_TIMING)
    lines = [f"RUN_AS_USER {host.run_user}"]
    if client:
        user, password = settings.monitor_user, _quoted(settings.monitor_password)
        lines.append(f"MONITOR {settings.monitor_host} 1 {user} {password} secondary")
    else:
        target, password = monitor_target(settings, ups_name), _quoted(master_password)
        lines.append(f"MONITOR {target} 1 {MASTER} {password} primary")
    lines += [
        "MINSUPPLIES 1",
        f"SHUTDOWNCMD {_quoted(host.shutdown_command)}",
        f"NOTIFYCMD {_quoted(host.notify_command)}",
        f"POLLFREQ {clock.poll}",
        f"POLLFREQALERT {clock.poll_on_battery}",
        f"HOSTSYNC {clock.host_sync}",
        f"DEADTIME {clock.dead_time}",
        f"FINALDELAY {clock.final_delay}",
        f"RBWARNTIME {clock.replace_battery_warning}",
        f"NOCOMMWARNTIME {clock.no_contact_warning}",
    ]
    if not client:
        lines.append(f"POWERDOWNFLAG {_quoted(host.flag_file)}")
    if host.nut_version >= (2, 8, 1):
        lines.append("OFFDURATION -1")  # an outlet that is off is no reason to stop a running host
    if host.nut_version >= (2, 8, 3):
        lines.append("ALARMCRITICAL 0")  # nor is an alarm, followed by a lost contact
    lines += [
        f"NOTIFYFLAG {event.name} {'SYSLOG+EXEC' if event.runs_command else 'SYSLOG'}"
        for event in NOTIFY_EVENTS
        if host.nut_version >= event.since
    ]
    return _text(lines)


def upssched_conf() -> str:
    return _text(
        ["# Timers are used only with an upssched.conf of your own; see docs/appliance.md."]
    )


def nut_conf(settings: Settings) -> str:
    """MODE, for distributions whose start scripts ask for it."""
    mode = "netclient"
    if settings.mode is Mode.DISABLED:
        mode = "none"
    elif settings.mode is Mode.PRIMARY:
        mode = "netserver" if settings.serves_others else "standalone"
    return _text([f"MODE={mode}"])


def _quoted(value: str) -> str:
    """``value`` as one quoted word. Raises ConfigError for what the grammar should have refused."""
    if any(character in '"\\#' or not " " <= character <= "~" for character in value):
        raise ConfigError("a value holds a character that NUT's files cannot carry")
    return f'"{value}"'


def _text(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"
