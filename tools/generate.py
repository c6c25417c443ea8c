"""Write the files that are made from others; ``--check`` only says which are stale (exit status 1).

udev/99-ups.rules and docs/supported-devices.md come from the profiles, docs/differences-from-nut.md from
tests/replay/differences.toml and recorded.toml, manual pages and completions from the parsers of the commands,
docs/reference.md from the table of options, docs/variables.md and the table in docs/kill-power.md from the
profiles. Run it as ``python -m tools.generate`` (``make generate``).
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from itertools import groupby
from pathlib import Path

from tools.completion import completions
from tools.killpower_table import killpower_document
from tools.manpages import manual_pages
from tools.published import published
from tools.recorded import recorded
from tools.reference import reference
from usbhidups.supported import Supported, supported
from usbhidups.ups.loading.library import GENERIC, Library

ROOT = Path(__file__).parent.parent
KILL_POWER = ROOT / "docs" / "kill-power.md"

RULES_HEAD = """\
# Rights for USB UPSes: the group nut may open them, and they are not put to sleep.
#
# Made by tools/generate.py from the profiles; do not edit. Put rules of your own into a file of your own.
#
# A maker that no profile knows: a rule cannot see the usages of a device, so there is none for all UPSes. The
# driver works with such a UPS all the same; it only needs the rights. `usbhidups probe` names the device and
# shows its ids, which go in the place of 1234 and 5678 here:
#
EXAMPLE
ACTION=="remove", GOTO="ups_end"
SUBSYSTEM=="usb", ENV{DEVTYPE}!="usb_device", GOTO="ups_end"
SUBSYSTEM!="usb|hidraw", GOTO="ups_end"
"""

SUPPORTED_HEAD = """\
# Supported devices

<!-- Made by tools/generate.py from the profiles; do not edit. -->

**Every UPS that keeps to the USB HID Power Device class works, whoever made it**: what no profile knows is
read by the standard usages. This table lists the {count} USB ids that a profile knows, with what is peculiar to
their devices. `usbhidups list-supported --json` gives the same list to programs;
[adding-a-device.md](adding-a-device.md) tells how to add one.
"""

DIFFERENCES_HEAD = """\
# Differences from NUT's usbhid-ups

<!-- Made by tools/generate.py from tests/replay/differences.toml and recorded.toml; do not edit. -->

NUT's own driver (master of 2026-08) and this one were given the same 723 simulated devices. Their answers
agree, but for what is listed here. A test fails for any other difference, and for an entry that no device
shows any more. `python -m tests.replay.parity` prints the score. Recorded devices are at the end of this page.

What these devices do not show, in short:

* Paths are matched exactly; NUT takes the first field whose path begins with the row's. No row needs that.
* Numbers with all bits set (`ffff`) and -1 where nothing is negative mean "unknown" and are left out, and so is
  a nominal value of 0. Countdowns keep -1: none runs. In NUT they show as 65535 or -1.
* Dates that do not exist are left out.
* A value outside the declared limits is shown as it is; NUT clamps it. Junk above the bits that the limits
  need is dropped as in NUT.
* Set points go to the nearest step; NUT cuts, and loses a step with most fractions.
* Delays are rounded up to what the device can count; 45 seconds on a CyberPower are 60, not "at once".
* `load.off.delay` and `load.on.delay` without a number use `ups.delay.*`; NUT sends a number of its table.
* `experimental.bypass.ecomode.start` starts and `.stop` stops, in whatever state the UPS is.
"""

KINDS = {
    "value": "another value",
    "missing": "only in NUT",
    "extra": "only here",
    "settable": "settable in another way",
    "words": "other words are offered",
    "command-missing": "a command of NUT's only",
    "command-extra": "a command here only",
}


def udev_rules(library: Library) -> str:
    """The rules for every id that a profile knows."""
    example = "".join(f"#   {line}\n" for line in _rules(0x1234, 0x5678))
    lines = [RULES_HEAD.replace("EXAMPLE\n", f"{example}\n")]
    devices = supported(library)
    for title, group in groupby(
        sorted(devices, key=lambda device: device.title), lambda device: device.title
    ):
        lines.append(f"# {title}")
        ids = {(device.vendor_id, device.product_id) for device in group}
        for vendor, product in sorted(
            ids, key=lambda pair: (pair[0], -1 if pair[1] is None else pair[1])
        ):
            lines += _rules(vendor, product)
        lines.append("")
    lines.append('LABEL="ups_end"\n')
    return "\n".join(lines)


def _rules(vendor: int, product: int | None) -> list[str]:
    def match(attribute: str) -> str:
        text = f'{attribute}{{idVendor}}=="{vendor:04x}"'
        return text if product is None else f'{text}, {attribute}{{idProduct}}=="{product:04x}"'

    return [
        f'SUBSYSTEM=="usb", {match("ATTR")}, MODE="0660", GROUP="nut", ATTR{{power/control}}="on"',
        f'SUBSYSTEM=="hidraw", {match("ATTRS")}, MODE="0660", GROUP="nut"',
    ]


def supported_devices(library: Library) -> str:
    """The table of devices, by family, with the notes of their profiles."""
    devices = supported(library)
    count = len({device.ids for device in devices if device.product_id is not None})
    lines = [SUPPORTED_HEAD.format(count=count)]
    for head in sorted(library.heads(), key=lambda head: head.title.lower()):
        if head.name == GENERIC:
            continue
        lines += [f"## {head.title}", ""]
        lines += [f"* {note}" for note in head.notes]
        if head.notes:
            lines.append("")
        lines += ["| USB id | device |", "|---|---|"]
        lines += [_row(device) for device in devices if device.profile == head.name]
        lines.append("")
    return "\n".join(lines)


def _row(device: Supported) -> str:
    condition = f" (where {device.condition})" if device.condition else ""
    text = f"{device.name or 'model not known'}{condition}".replace("|", "\\|")
    return f"| `{device.ids}` | {text} |"


def differences_from_nut() -> str:
    """The list of intended differences, entries of one title together."""
    source = ROOT / "tests" / "replay" / "differences.toml"
    entries = tomllib.loads(source.read_text(encoding="utf-8"))["difference"]
    lines = [DIFFERENCES_HEAD]
    for title in dict.fromkeys(entry["title"] for entry in entries):
        lines += [f"## {title}", ""]
        lines += [_difference(entry) for entry in entries if entry["title"] == title]
        lines.append("")
    lines.append(recorded(source.with_name("recorded.toml")))
    return "\n".join(lines)


def _difference(entry: dict[str, str]) -> str:
    names = ", ".join(f"`{name}`" for name in entry["name"].split(", "))
    texts = [
        f"{who} `{entry[key]}`"
        for who, key in (("NUT", "nut"), ("here", "ours"))
        if re.fullmatch(r"[\w .!-]+", entry.get(key, ""))
    ]
    what = "; ".join([KINDS[entry["kind"]], *texts])
    where = "all devices" if entry["device"] == "*" else entry["device"].replace("*", "…")
    return f"* {names if names != '`*`' else 'Any variable'} ({what}). {entry['reason']} *{where}*"


def files() -> dict[Path, str]:
    """Every generated file and what it should hold."""
    library = Library()
    return {
        ROOT / "udev" / "99-ups.rules": udev_rules(library),
        ROOT / "docs" / "supported-devices.md": supported_devices(library),
        ROOT / "docs" / "differences-from-nut.md": differences_from_nut(),
        ROOT / "docs" / "reference.md": reference(),
        ROOT / "docs" / "variables.md": published(library),
        KILL_POWER: killpower_document(library, KILL_POWER),
        **{ROOT / "man" / name: text for name, text in manual_pages().items()},
        **{ROOT / "completion" / name: text for name, text in completions().items()},
    }


def main() -> int:
    """Write what is stale, or only name it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, name stale files")
    check = parser.parse_args().check
    wanted = files()
    stale = [
        path
        for path, text in wanted.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    for path in stale:
        print(f"{path.relative_to(ROOT)}: {'stale' if check else 'written'}")
        if not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(wanted[path], encoding="utf-8")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
