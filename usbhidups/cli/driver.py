"""The command line of a NUT driver: ``usbhid-ups -a NAME …``, as upsdrvctl and systemd start it.

Options are those of nut-driver-contract.md 1.1, read in order: ``-a`` reads the section at its place, so an
``-x`` after it overrides the file. What the options mean for the process is ``daemon.start``'s business.
"""

from __future__ import annotations

import getopt
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from usbhidups import __version__, instance
from usbhidups.configuration import Paths, anchored, read_upsconf
from usbhidups.driver.start import Start, dump, serve
from usbhidups.errors import ConfigError
from usbhidups.nut.upsconf import DriverOptions, driver_options, option_table
from usbhidups.nut.upsconf.sections import Setting

__all__ = ["OPTIONS", "CommandLine", "parse", "run", "usage"]

OPTIONS = (
    ("-a", "NAME", "use section [NAME] of ups.conf"),
    ("-s", "NAME", "use no section, only -x"),
    ("-x", "VAR=VAL", "set an option of ups.conf, or a flag"),
    ("-i", "SECONDS", "poll interval"),
    ("-F", "", "stay in the foreground; -FF: with a PID file"),
    ("-B", "", "go to the background even with -D"),
    ("-D", "", "one debug level more, in the foreground"),
    ("-d", "N", "print all variables after N+1 updates and exit"),
    ("-q", "", "log less"),
    ("-k", "", "cut the power (after a shutdown)"),
    ("-c", "COMMAND", "tell the driver: reload, reload-or-error, reload-or-exit, exit"),
    ("-P", "PID", "send the signal for -c to that process"),
    ("-u", "USER", "user to become"),
    ("-g", "GROUP", "group of the state socket"),
    ("-r", "DIR", "change root"),
    ("-L", "", "list the options of ups.conf"),
    ("-V", "", "version"),
    ("-h", "", "this help"),
)
"""Option, its argument, what it does: the help, the man page and the completion are made of it."""

COMMANDS = ("reload-or-error", "exit", "reload", "reload-or-exit")
"""In NUT's order: an abbreviation means the first that it fits (nut-driver-contract.md 1.1)."""


@dataclass(slots=True)
class CommandLine:
    """What was asked for. ``settings`` in the order in which they take effect."""

    program: str
    words: tuple[str, ...]
    ups: str = ""
    settings: list[Setting] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    debug: int = 0
    dump: int | None = None
    foreground: int = 0
    background: bool = False
    quiet: bool = False
    killpower: bool = False
    chroot: str = ""
    user: str = ""
    group: str = ""
    command: str = ""
    pid: int | None = None
    show: str = ""  # "V", "h" or "L"


def run(program: str, words: Sequence[str]) -> int:
    """Be the driver called ``program``; return the exit status."""
    asked = parse(program, words)
    if not _truth(os.environ.get("NUT_QUIET_INIT_BANNER")) or asked.show:
        print(f"usbhidups - USB HID UPS driver {__version__} for Network UPS Tools", flush=True)
    if asked.show:
        if asked.show == "h":
            print(usage(program))
        if asked.show == "L":
            print("\n".join(option_table()))
        return 0
    options = driver_options(asked.settings, program=program)
    places = Paths.of(os.environ, statepath=options.statepath)
    if asked.command:
        return instance.tell(
            asked.command,
            places.socket(program, asked.ups),
            places.pid_file(program, asked.ups),
            pid=asked.pid,
            program=program,
            ups=asked.ups,
        )
    if asked.killpower:
        from usbhidups import killpower  # the daemon does without it

        return killpower.as_driver(program, asked.ups, options, places)
    return _start(asked, options, places)


def usage(program: str) -> str:
    """The help, for a terminal of 80 columns."""
    options = [f"  {' '.join(each[:2]):11} {each[2]}" for each in OPTIONS]
    return "\n".join([f"usage: {program} -a NAME [OPTION...]", "", *options])


def _start(asked: CommandLine, options: DriverOptions, places: Paths) -> int:
    here = Path.cwd()

    def reread(_ups: str) -> DriverOptions:
        again = parse(asked.program, asked.words)
        return anchored(driver_options(again.settings, program=asked.program), here)

    start = Start(
        program=asked.program,
        upses=((asked.ups, anchored(options, here)),),
        places=places,
        reread=reread,
        debug=asked.debug or _level(os.environ.get("NUT_DEBUG_LEVEL")),
        foreground=not asked.background and bool(asked.foreground or asked.debug),
        pid_file=asked.foreground > 1,
        quiet=asked.quiet,
        chroot=asked.chroot,
        user=asked.user,
        group=asked.group,
        notes=tuple(asked.notes),
    )
    return serve(start) if asked.dump is None else dump(start, asked.dump)


def parse(program: str, words: Sequence[str]) -> CommandLine:
    """Read the options; ConfigError names what is wrong."""
    asked = CommandLine(program, tuple(words))
    try:
        options, rest = getopt.getopt(list(words), "a:s:x:i:Dd:FBqku:g:r:LVhc:P:")
    except getopt.GetoptError as error:
        raise ConfigError(f"{error.msg}; -h lists the options", where="command line") from None
    for option, value in options:
        _take(asked, option, value)
    if asked.show:
        return asked
    if rest:
        raise ConfigError(
            "what is this for? -h lists the options", where="command line", key=rest[0]
        )
    if not asked.ups:
        raise ConfigError("-a NAME (or -s NAME) is needed", where="command line")
    return asked


def _take(asked: CommandLine, option: str, value: str) -> None:
    match option:
        case "-a" | "-s" if asked.ups:
            raise ConfigError("given twice", where="command line", key=option)
        case "-a":
            conf = read_upsconf(Paths.of(os.environ).conf)
            asked.ups = conf.section(value).name
            asked.settings.extend(conf.settings(value))
            asked.notes.extend(conf.notes_for(value))
        case "-s":
            asked.ups = value
        case "-x":
            asked.settings.append(Setting.from_argument(value))
        case "-i":
            asked.settings.append(Setting("pollinterval", value))
        case "-D":
            asked.debug += 1
        case "-d":
            asked.dump = _number(option, value)
        case "-F":
            asked.foreground += 1
        case "-B":
            asked.background = True
        case "-q":
            asked.quiet = True
        case "-k":
            asked.killpower = True
        case "-r":
            asked.chroot = value
        case "-u":
            asked.user = value
        case "-g":
            asked.group = value
        case "-c":
            asked.command = _command(value)
        case "-P":
            asked.pid = _number(option, value)
        case "-V" | "-h" | "-L":
            asked.show = asked.show or option[1]


def _command(value: str) -> str:
    found = [command for command in COMMANDS if value and command.startswith(value)]
    if not found:
        raise ConfigError(
            f"is none of {', '.join(COMMANDS)}", where="command line", key=f"-c {value}"
        )
    return found[0]


def _number(option: str, value: str) -> int:
    if not value.isdigit():
        raise ConfigError(f"{value!r} is no number", where="command line", key=option)
    return int(value)


def _level(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0


def _truth(text: str | None) -> bool:
    return text is not None and text.lower() in {"", "true", "yes", "on", "1"}
