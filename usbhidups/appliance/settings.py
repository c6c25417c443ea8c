"""The appliance's settings: every variable checked, with one clear line for each that is wrong.

``read_settings`` never raises for what a user wrote: it returns what can be used, the problems (the
generator refuses to go on) and the warnings (it goes on, and says so). Spec: appliance.md sections 2 and 8.4.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from usbhidups.appliance import grammar

__all__ = [
    "DEFAULT_PASSWORD",
    "DEFAULT_PORT",
    "DEFAULT_USER",
    "KNOWN",
    "UPS_NAME",
    "Driver",
    "Mode",
    "Settings",
    "Validation",
    "read_settings",
]

DEFAULT_USER = "monuser"
DEFAULT_PASSWORD = "astlinux"  # noqa: S105 - public and documented; a warning is given where it matters
DEFAULT_PORT = 3493
UPS_NAME = "ups"
KILL_OFF_DELAY = 60
KILL_ON_DELAY = 120
NUT_OFF_DELAY = 20
LONGEST_DELAY = 7200


class Driver(enum.Enum):
    """The closed list of drivers; anything else comes in an override ups.conf."""

    USB = "usbhid-ups"
    SNMP = "snmp-ups"
    XML = "netxml-ups"


class Mode(enum.Enum):
    """What this host is: nothing, the UPS's own host, or upsmon alone, following another host."""

    DISABLED = "disabled"
    PRIMARY = "primary"
    CLIENT = "client"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything the generator needs, valid by construction. ``None`` and "" mean: not given."""

    mode: Mode = Mode.DISABLED
    driver: Driver | None = None
    driver_port: str = "auto"
    snmp_community: str = "public"
    snmp_version: str = "v2c"
    listen_all: bool = False
    listen: tuple[str, ...] = ()
    listen_port: int = DEFAULT_PORT
    ipv6: bool = False
    monitor_host: str = ""
    monitor_user: str = DEFAULT_USER
    monitor_password: str = DEFAULT_PASSWORD
    extra_users: tuple[tuple[str, str], ...] = ()
    aliases: tuple[str, ...] = ()
    notify_to: tuple[str, ...] = ()
    notify_from: str = ""
    hostname: str = ""
    kill_power: bool = False
    off_delay: int | None = None
    on_delay: int | None = None
    poweroff_wait: int | None = None
    run_as_user: str = ""
    show_status: bool = True

    @property
    def serves_others(self) -> bool:
        """Whether upsd is asked to listen beyond loopback."""
        return self.listen_all or any(not _is_loopback(address) for address in self.listen)

    @property
    def default_password(self) -> bool:
        return self.monitor_password == DEFAULT_PASSWORD


@dataclass(frozen=True, slots=True)
class Validation:
    """The outcome of reading: use ``settings`` only if there are no ``problems``."""

    settings: Settings
    problems: tuple[str, ...]
    warnings: tuple[str, ...]


KNOWN = frozenset(
    {
        "UPS_DRIVER",
        "UPS_DRIVER_PORT",
        "UPS_LISTEN_ALL",
        "UPS_LISTEN_PORT",
        "UPS_MONITOR_HOST",
        "UPS_MONITOR_USER",
        "UPS_MONITOR_PASS",
        "UPS_NOTIFY",
        "UPS_NOTIFY_FROM",
        "UPS_KILL_POWER",
        "IPV6",
        "HOSTNAME",
        "SMTP_DOMAIN",
        "status_ups_show_status",
        "UPS_SNMP_COMMUNITY",
        "UPS_SNMP_VERSION",
        "UPS_OFFDELAY",
        "UPS_ONDELAY",
        "UPS_POWEROFF_WAIT",
        "UPS_RUN_AS_USER",
        "UPS_LISTEN",
        "UPS_ALIAS",
        "UPS_EXTRA_USERS",
    }
)
"""Every variable that is read; all others of the file are none of our business."""


def read_settings(
    values: Mapping[str, str],
    *,
    override_ups: bool = False,
    override_upsmon: bool = False,
    extra_users_text: str = "",
    system_hostname: str = "",
) -> Validation:
    """Check ``values``. The two flags say which override files exist, for they switch monitoring on too.

    ``extra_users_text`` is the content of the file that ``UPS_EXTRA_USERS`` names.
    """
    reader = _Checker(values)
    mode = _mode(reader, override_ups=override_ups, override_upsmon=override_upsmon)
    driver, port = _driver(reader, override_ups=override_ups)
    user, password = _account(reader, mode)
    off_delay, on_delay, wait = _delays(reader)
    aliases = _aliases(reader)
    version = reader.text("UPS_SNMP_VERSION") or "v2c"
    if version not in ("v1", "v2c", "v3"):
        reader.problem("UPS_SNMP_VERSION", "must be v1, v2c or v3")
    elif version == "v3" and driver is Driver.SNMP:
        reader.warning("UPS_SNMP_VERSION", "v3 needs accounts: give them in an override ups.conf")
    notify_to, notify_from, hostname = _mail(reader, system_hostname)
    settings = Settings(
        mode=mode,
        driver=driver if mode is Mode.PRIMARY else None,
        driver_port=port,
        snmp_community=reader.checked("UPS_SNMP_COMMUNITY", grammar.word_problem, "public"),
        snmp_version=version,
        listen_all=reader.yes("UPS_LISTEN_ALL") and mode is Mode.PRIMARY,
        listen=reader.words("UPS_LISTEN", grammar.address_problem),
        listen_port=reader.number("UPS_LISTEN_PORT", 1, 65535) or DEFAULT_PORT,
        ipv6=reader.yes("IPV6"),
        monitor_host=reader.text("UPS_MONITOR_HOST") if mode is Mode.CLIENT else "",
        monitor_user=user,
        monitor_password=password,
        extra_users=_extra_users(reader, extra_users_text, user),
        aliases=aliases if mode is Mode.PRIMARY else (),
        notify_to=notify_to,
        notify_from=notify_from,
        hostname=hostname,
        kill_power=reader.yes("UPS_KILL_POWER") and mode is Mode.PRIMARY,
        off_delay=off_delay,
        on_delay=on_delay,
        poweroff_wait=wait,
        run_as_user=reader.checked("UPS_RUN_AS_USER", grammar.user_problem),
        show_status=reader.text("status_ups_show_status") != "no",
    )
    if settings.mode is Mode.PRIMARY and settings.serves_others and settings.default_password:
        reader.warning(
            "UPS_MONITOR_PASS", "other hosts may log in with the default password; choose your own"
        )
    return Validation(settings, tuple(reader.problems), tuple(reader.warnings))


def _is_loopback(address: str) -> bool:
    return address == "::1" or address.startswith("127.")


class _Checker:
    """The values with a list of what is wrong with them."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.problems: list[str] = []
        self.warnings: list[str] = []

    def problem(self, name: str, text: str) -> None:
        self.problems.append(f"{name}: {text}")

    def warning(self, name: str, text: str) -> None:
        self.warnings.append(f"{name}: {text}")

    def text(self, name: str) -> str:
        return self._values.get(name, "")

    def yes(self, name: str) -> bool:
        return self.text(name) == "yes"

    def checked(self, name: str, check: Callable[[str], str], default: str = "") -> str:
        """The value of ``name`` if ``check`` finds nothing wrong with it, else ``default``."""
        value = self.text(name)
        if not value:
            return default
        if text := check(value):
            self.problem(name, text)
            return default
        return value

    def words(self, name: str, check: Callable[[str], str]) -> tuple[str, ...]:
        """The blank-separated words of ``name`` if all are good."""
        words = tuple(word for word in self.text(name).split(" ") if word)
        for word in words:
            if text := check(word):
                self.problem(name, text)
                return ()
        return words

    def number(self, name: str, low: int, high: int) -> int | None:
        value = self.text(name)
        if not value:
            return None
        if value.isascii() and value.isdigit() and len(value) <= 6 and low <= int(value) <= high:
            return int(value)
        self.problem(name, f"must be a whole number from {low} to {high}")
        return None


def _mode(reader: _Checker, *, override_ups: bool, override_upsmon: bool) -> Mode:
    host = reader.text("UPS_MONITOR_HOST")
    if host:
        if text := grammar.monitor_problem(host):
            reader.problem("UPS_MONITOR_HOST", text)
            return Mode.CLIENT
        local = "UPS_DRIVER" if reader.text("UPS_DRIVER") else "ups.conf" if override_ups else ""
        if local:
            reader.warning(
                "UPS_MONITOR_HOST",
                f"this host follows {host}; {local} is ignored, no driver or server is started",
            )
        for name in ("UPS_LISTEN_ALL", "UPS_KILL_POWER"):
            if reader.yes(name):
                reader.warning(name, "ignored, because this host follows another one")
        return Mode.CLIENT
    if reader.text("UPS_DRIVER") or override_ups:
        return Mode.PRIMARY
    return Mode.CLIENT if override_upsmon else Mode.DISABLED


def _driver(reader: _Checker, *, override_ups: bool) -> tuple[Driver | None, str]:
    name = reader.text("UPS_DRIVER")
    port = reader.text("UPS_DRIVER_PORT")
    if not name or override_ups:
        return None, "auto"
    try:
        driver = Driver(name)
    except ValueError:
        drivers = ", ".join(driver.value for driver in Driver)
        reader.problem("UPS_DRIVER", f"must be one of {drivers}; others need an override ups.conf")
        return None, "auto"
    if reader.text("UPS_MONITOR_HOST"):
        return driver, "auto"
    if driver is Driver.USB:
        if port not in ("", "auto"):
            reader.problem("UPS_DRIVER_PORT", "must be empty or auto for a USB UPS")
        return driver, "auto"
    if not port:
        what = "the UPS's address" if driver is Driver.SNMP else "the UPS's http:// address"
        reader.problem("UPS_DRIVER_PORT", f"{driver.value} needs {what}")
        return driver, ""
    check = grammar.host_port_problem if driver is Driver.SNMP else grammar.url_problem
    return driver, reader.checked("UPS_DRIVER_PORT", check)


def _account(reader: _Checker, mode: Mode) -> tuple[str, str]:
    given = reader.text("UPS_MONITOR_USER") and reader.text("UPS_MONITOR_PASS")
    if mode is Mode.CLIENT and reader.text("UPS_MONITOR_HOST") and not given:
        reader.warning(
            "UPS_MONITOR_HOST",
            f"user or password missing, {DEFAULT_USER} and the default password are used",
        )
    user = reader.checked("UPS_MONITOR_USER", grammar.account_problem, DEFAULT_USER)
    return user, reader.checked("UPS_MONITOR_PASS", grammar.password_problem, DEFAULT_PASSWORD)


def _delays(reader: _Checker) -> tuple[int | None, int | None, int | None]:
    """Off-delay, on-delay and wait in seconds, with the rules between them (spec 4.5)."""
    off_delay = reader.number("UPS_OFFDELAY", 1, LONGEST_DELAY)
    on_delay = reader.number("UPS_ONDELAY", 1, LONGEST_DELAY)
    wait = reader.number("UPS_POWEROFF_WAIT", 1, LONGEST_DELAY)
    kill_power = reader.yes("UPS_KILL_POWER")
    off_used = off_delay or (KILL_OFF_DELAY if kill_power else NUT_OFF_DELAY)
    if off_delay is None and (kill_power or on_delay is not None):
        off_delay = off_used
    if on_delay is None and off_delay is not None:
        on_delay = max(KILL_ON_DELAY, off_used + 60)
    if on_delay is not None and on_delay <= off_used:
        reader.problem("UPS_ONDELAY", f"must be longer than the off-delay of {off_used} seconds")
    if wait is not None and wait <= off_used:
        reader.problem(
            "UPS_POWEROFF_WAIT", f"must be longer than the off-delay of {off_used} seconds"
        )
    return off_delay, on_delay, wait


def _aliases(reader: _Checker) -> tuple[str, ...]:
    aliases = reader.words("UPS_ALIAS", grammar.ups_name_problem)
    names = [UPS_NAME, *(alias.lower() for alias in aliases)]
    if len(set(names)) < len(names):
        reader.problem("UPS_ALIAS", f"each name must differ from the others and from {UPS_NAME}")
    return aliases


def _extra_users(reader: _Checker, text: str, user: str) -> tuple[tuple[str, str], ...]:
    """Lines of ``name password``; blank lines and lines that start with # are comments."""
    accounts: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) != 2:
            reader.problem("UPS_EXTRA_USERS", f"line {number}: must be a name and a password")
        elif problem := grammar.account_problem(words[0]) or grammar.password_problem(words[1]):
            reader.problem("UPS_EXTRA_USERS", f"line {number}: {problem}")
        elif words[0] in accounts or words[0] == user:
            reader.problem(
                "UPS_EXTRA_USERS", f"line {number}: the account {words[0]} exists already"
            )
        else:
            accounts[words[0]] = words[1]
    return tuple(accounts.items())


def _mail(reader: _Checker, system_hostname: str) -> tuple[tuple[str, ...], str, str]:
    """Receivers, sender and host name. What is wrong here costs a mail, never the monitoring."""
    receivers: list[str] = []
    for word in reader.text("UPS_NOTIFY").split():
        if problem := grammar.email_problem(word):
            reader.warning("UPS_NOTIFY", f"{problem}; it gets no mail")
        elif word not in receivers:
            receivers.append(word)
    sender = reader.text("UPS_NOTIFY_FROM").strip()
    if sender and (problem := grammar.sender_problem(sender)):
        reader.warning("UPS_NOTIFY_FROM", f"{problem}; it is not used")
        sender = ""
    domain = reader.text("SMTP_DOMAIN")
    if not sender and domain:
        if grammar.host_problem(domain):
            reader.warning("SMTP_DOMAIN", "is no domain name; no sender is set")
        else:
            sender = f"noreply@{domain}"
    hostname = reader.text("HOSTNAME") or system_hostname
    if hostname and grammar.host_problem(hostname):
        reader.warning("HOSTNAME", "is no host name; the system's is used")
        hostname = "" if grammar.host_problem(system_hostname) else system_hostname
    return tuple(receivers), sender, hostname or "localhost"
