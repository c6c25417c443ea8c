"""docs/reference.md: every option of ups.conf, from nut/upsconf/keys.py and tools/words/keys.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

from usbhidups.nut.upsconf.keys import GLOBAL_KEYS, SECTION_KEYS, Key, Kind, Reader

__all__ = ["reference"]

WORDS = Path(__file__).parent / "words" / "keys.toml"

HEAD = """\
# Options of ups.conf

<!-- Made by tools/generate.py from usbhidups/nut/upsconf/keys.py and tools/words/keys.toml; do not edit. -->

A section of `ups.conf` is a UPS; its name is what clients call it. `driver` and `port` are enough:

```ini
[office]
    driver = usbhidups
    port = auto
    desc = "behind the desk"
```

The same options can be given on the command line with `-x`. An option is a value (`offdelay = 90`) or a flag
(`pollonly`; writing `= no` behind it does not switch it off). Names are compared without regard to case. An
unknown name in a section is an error that says what was perhaps meant; an option without effect is a note in
the log. `usbhidups -L` prints the list for programs. [variables.md](variables.md) has what is published.
"""

PRESETS = """\
## Values of your own

| option | meaning |
|---|---|
| `default.NAME` | value of the variable NAME while the device has none |
| `override.NAME` | value of the variable NAME, whatever the device says; also what is sent and compared |

```ini
[office]
    driver = usbhidups
    port = auto
    default.battery.date = 2024-05
    override.battery.charge.low = 25
```
"""


def reference() -> str:
    """The document. Raises ValueError where an option has no words, or words have no option."""
    groups = tomllib.loads(WORDS.read_text(encoding="utf-8"))["group"]
    told = [name.lower() for group in groups for name in group["keys"]]
    keys = {**GLOBAL_KEYS, **SECTION_KEYS}
    obeyed = [name for name, key in keys.items() if key.reader is Reader.DRIVER and not key.meant]
    if sorted(told) != sorted(obeyed):
        raise ValueError(
            f"tools/words/keys.toml does not fit the options: {sorted({*told} ^ {*obeyed})}"
        )
    lines = [HEAD]
    for group in groups:
        lines += _group(group, keys)
    lines += [PRESETS, *_others(keys.values())]
    return "\n".join(lines)


def _group(group: dict[str, object], keys: dict[str, Key]) -> Iterator[str]:
    words = group["keys"]
    if not isinstance(words, dict):
        raise TypeError("tools/words/keys.toml: keys are a table")
    yield f"## {group['title']}\n"
    if "text" in group:
        yield f"{str(group['text']).strip()}\n"
    yield "| option | default | meaning |\n|---|---|---|"
    for name, word in words.items():
        key = keys[name.lower()]
        meaning = _cell(". ".join(filter(None, [key.text, word.get("more", "")])))
        yield f"| {_name(key)} | {word.get('default', 'must be given')} | {meaning} |"
    yield ""


def _others(keys: Iterable[Key]) -> Iterator[str]:
    found = list(keys)
    yield "## Accepted for NUT's sake\n"
    yield "They may stay in ups.conf, and have no effect in this driver; the log says so once.\n"
    yield "| option | meaning in NUT |\n|---|---|"
    for key in found:
        if key.reader is Reader.NOBODY:
            yield f"| {_name(key)} | {_cell(key.text)} |"
    yield "\nOther names of the same option:\n"
    yield "| option | is taken as |\n|---|---|"
    for key in found:
        if key.meant:
            yield f"| {_name(key)} | `{key.meant}` |"
    yield "\n## Options for other programs\n"
    yield "upsd and upsdrvctl read them; ups.conf(5) describes them.\n"
    yield "| option | meaning |\n|---|---|"
    for key in found:
        if key.reader is Reader.OTHERS:
            yield f"| {_name(key)} | {_cell(key.text)} |"
    yield ""


def _name(key: Key) -> str:
    return f"`{key.name}`" if key.kind is Kind.VALUE else f"`{key.name}` (flag)"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
