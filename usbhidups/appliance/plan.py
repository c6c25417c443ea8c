"""What will be written for what was found: settings and overrides in, complete file texts out.

Pure: the only randomness, the primary's password, is an argument. A plan with problems has no files.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from usbhidups.appliance import files, grammar, overrides
from usbhidups.appliance.active import Active
from usbhidups.appliance.files import Host, Timing
from usbhidups.appliance.layout import Layout
from usbhidups.appliance.settings import (
    DEFAULT_PORT,
    UPS_NAME,
    Driver,
    Mode,
    Settings,
    read_settings,
)
from usbhidups.appliance.sources import Sources
from usbhidups.nut.words import quote

__all__ = ["HEADER", "Plan", "PlannedFile", "make_plan"]

HEADER = "# Written by usbhidups from "
"""How every generated file begins: only files that begin so are ever removed or silently replaced."""

PUBLIC_DIRECTORIES = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 - refused, not used
NETWORK_DRIVERS = frozenset({Driver.SNMP.value, Driver.XML.value})


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """A file of NUT's configuration directory."""

    name: str
    text: str
    mode: int = 0o640


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """``files`` is all that NUT's directory shall hold of ours; ``active`` the note beside it."""

    mode: Mode
    files: tuple[PlannedFile, ...] = ()
    active: Active
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def make_plan(
    sources: Sources,
    layout: Layout,
    *,
    master_password: str,
    nut_version: files.NutVersion = (2, 8, 0),
    timing: Timing | None = None,
) -> Plan:
    verdict = read_settings(
        sources.values,
        override_ups="ups.conf" in sources.overrides,
        override_upsmon="upsmon.conf" in sources.overrides,
        extra_users_text=sources.extra_users_text,
        system_hostname=sources.system_hostname,
    )
    maker = _Maker(sources, layout, verdict.settings, nut_version, timing)
    maker.problems += [*sources.problems, *verdict.problems]
    maker.warnings += verdict.warnings
    made: tuple[PlannedFile, ...] = ()
    if not maker.problems:
        made = maker.files(master_password)
    if maker.problems:
        made = ()
    return Plan(
        mode=verdict.settings.mode,
        files=made,
        active=maker.active(),
        problems=tuple(maker.problems),
        warnings=tuple(maker.warnings),
    )


class _Maker:
    """One plan in the making: the settings, corrected by what the overrides say."""

    def __init__(
        self,
        sources: Sources,
        layout: Layout,
        settings: Settings,
        nut_version: files.NutVersion,
        timing: Timing | None,
    ) -> None:
        self._sources = sources
        self._layout = layout
        self._settings = settings
        self._timing = timing
        self._host = Host(
            run_user=settings.run_as_user or layout.run_user,
            shutdown_command=layout.shutdown_command,
            flag_file=str(layout.flag_file),
            notify_command=self._notify_command(),
            driver_path=str(layout.driver_links),
            nut_version=nut_version,
            stock_shutdown_hook=layout.stock_shutdown_hook,
        )
        self._sections: list[overrides.Section] = []
        self._monitored = files.monitor_target(settings)
        self.problems: list[str] = []
        self.warnings: list[str] = []
        if sources.notify_override_ignored:
            self.warnings.append("upsnotify: is not executable, the standard command is used")

    def files(self, master_password: str) -> tuple[PlannedFile, ...]:
        mode = self._settings.mode
        texts: dict[str, str] = {}
        if mode is Mode.PRIMARY:
            texts = self._server_files(master_password)
        if mode is not Mode.DISABLED:
            texts["upsmon.conf"] = self._upsmon_conf(texts, master_password)
            texts["upssched.conf"] = self._upssched_conf()
        if self._layout.nut_conf:
            texts["nut.conf"] = self._from_settings(files.nut_conf(self._settings))
        root_only = self._host.run_user == "root"
        return tuple(
            PlannedFile(name, text, 0o600 if root_only and name == "upsmon.conf" else 0o640)
            for name, text in texts.items()
        )

    def active(self) -> Active:
        settings, layout = self._settings, self._layout
        local = [section for section in self._sections if section.keys.get("driver") != "dummy-ups"]
        names = tuple(section.name for section in local)
        return Active(
            mode=settings.mode.value,
            ups_names=names,
            aliases=tuple(s.name for s in self._sections if s.name not in names),
            network_driver=any(s.keys.get("driver") in NETWORK_DRIVERS for s in local),
            target=self._monitored,
            run_user=self._host.run_user,
            serves_others=settings.serves_others,
            default_password=settings.default_password,
            show_status=settings.show_status,
            kill_power=settings.kill_power,
            poweroff_wait=settings.poweroff_wait or 0,
            notify_to=settings.notify_to,
            notify_from=settings.notify_from,
            hostname=settings.hostname,
            event_log=str(layout.event_log),
            sendmail=str(layout.sendmail),
            upsc=str(layout.upsc),
            upsmon_pid_file=str(layout.upsmon_pid_file),
        )

    def _server_files(self, master_password: str) -> dict[str, str]:
        settings = self._settings
        texts = {}
        own_server = self._override("upsd.conf")
        if own_server is not None:
            self._settings = settings = replace(settings, listen_port=_port_of(own_server))
            self._monitored = files.monitor_target(settings)
        own_ups = self._override("ups.conf")
        if own_ups is None:
            texts["ups.conf"] = self._from_settings(files.ups_conf(settings, self._host))
        else:
            # Global lines come before the first section; a driverpath of the user's own still wins.
            path = f"driverpath = {quote(self._host.driver_path)}\n"
            texts["ups.conf"] = self._from_override("ups.conf", path + own_ups)
        self._sections = [
            s for s in overrides.sections(texts["ups.conf"]) if {"driver", "port"} <= s.keys.keys()
        ]
        if not self._sections:
            self.problems.append("ups.conf: the override has no section with driver and port")
            return {}
        for name in overrides.repeated_sections(texts["ups.conf"]):
            self.warnings.append(f"ups.conf: [{name}] occurs twice")
        if own_ups is not None:
            self._check_own_sections()
            if self.problems:
                return {}
        timing = self._timing or files.PRIMARY_TIMING
        texts["upsd.conf"] = (
            self._from_settings(files.upsd_conf(settings, timing))
            if own_server is None
            else self._from_override("upsd.conf", own_server)
        )
        own_users = self._override("upsd.users")
        if own_users is None:
            texts["upsd.users"] = self._from_settings(files.upsd_users(settings, master_password))
        else:
            text = overrides.with_master_password(own_users, master_password)
            texts["upsd.users"] = self._from_override("upsd.users", text)
            for name in overrides.repeated_sections(text):
                self.warnings.append(
                    f"upsd.users: [{name}] occurs twice: upsd adds the rights of both"
                )
        return texts

    def _check_own_sections(self) -> None:
        for section in self._sections:
            if problem := grammar.ups_name_problem(section.name):
                self.problems.append(f"ups.conf: [{section.name}]: {problem}")
        first = self._sections[0].name
        if first != UPS_NAME:
            self.warnings.append(
                f"ups.conf: the first section is [{first}], it is the one monitored"
            )
        self._monitored = files.monitor_target(self._settings, first)
        if self._host.stock_shutdown_hook and self._settings.kill_power:
            for section in self._sections:
                if section.keys.get("sdorder") != "-1":
                    self.warnings.append(
                        f"ups.conf: [{section.name}] needs sdorder = -1, or NUT's own late hook commands it too"
                    )

    def _upsmon_conf(self, texts: dict[str, str], master_password: str) -> str:
        own = self._override("upsmon.conf")
        users = texts.get("upsd.users")
        if own is not None:
            if users is None and overrides.MASTER_TOKEN in own:
                self.problems.append(
                    f"upsmon.conf: {overrides.MASTER_TOKEN} has no meaning on a host without a UPS"
                )
            text = self._from_override(
                "upsmon.conf", overrides.with_master_password(own, master_password)
            )
            targets = overrides.monitor_targets(text)
            self._monitored = targets[0].system if targets else ""
        else:
            if users is not None:
                master_password = _master_password_in(users) or master_password
            name = self._sections[0].name if self._sections else UPS_NAME
            text = self._from_settings(
                files.upsmon_conf(
                    self._settings,
                    self._host,
                    master_password=master_password,
                    ups_name=name,
                    timing=self._timing,
                )
            )
        doubts = overrides.doubtful_lines(text)
        if users is not None:
            doubts += overrides.level_doubts(text, users)
        self.warnings += [f"upsmon.conf: {doubt}" for doubt in doubts]
        return text

    def _upssched_conf(self) -> str:
        own = self._override("upssched.conf")
        if own is None:
            return self._from_settings(files.upssched_conf())
        given = {words[0]: words[1] for words in overrides.lines_of(own) if len(words) > 1}
        for key in ("CMDSCRIPT", "PIPEFN", "LOCKFN"):
            if key not in given:
                self.warnings.append(f"upssched.conf: {key} is missing, no timer will work")
            elif key != "CMDSCRIPT" and given[key].rpartition("/")[0] in PUBLIC_DIRECTORIES:
                self.warnings.append(
                    f"upssched.conf: {key} is in a directory that everyone may write to"
                )
        return self._from_override("upssched.conf", own)

    def _notify_command(self) -> str:
        if "upssched.conf" in self._sources.overrides:
            return str(self._layout.upssched)
        return self._sources.notify_override or str(self._layout.notify_script)

    def _override(self, name: str) -> str | None:
        return self._sources.overrides.get(name)

    def _from_settings(self, text: str) -> str:
        return f"{HEADER}{self._sources.settings_file}; changes here are lost.\n{text}"

    def _from_override(self, name: str, text: str) -> str:
        ended = text if text.endswith("\n") or not text else text + "\n"
        return f"{HEADER}{self._sources.override_dir}/{name}; changes here are lost.\n{ended}"


def _port_of(upsd_conf: str) -> int:
    """The port of the first LISTEN line of an override, NUT's own if it names none."""
    for words in overrides.lines_of(upsd_conf):
        if words[0] == "LISTEN" and len(words) > 2 and words[2].isdecimal():
            return int(words[2])
    return DEFAULT_PORT


def _master_password_in(upsd_users: str) -> str:
    """The password of [master] in an override: a generated upsmon.conf has to use the same."""
    for section in overrides.sections(upsd_users):
        if section.name == files.MASTER:
            return section.keys.get("password", "")
    return ""
