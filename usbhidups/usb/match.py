"""The matching keys of ups.conf: which of several devices is meant.

All given keys must agree: extended regular expressions that match the whole value, blanks at its ends
apart, ignoring case; a string that a device does not have counts as empty. (nut-driver-contract.md 2.4)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from usbhidups.errors import ConfigError
from usbhidups.identity import Identity

__all__ = ["KEYS", "Match"]

KEYS = ("vendorid", "productid", "vendor", "product", "serial", "bus", "device", "busport")
STRING_KEYS = ("vendor", "product", "serial")

_CLASSES = {
    "alpha": "a-zA-Z",
    "digit": "0-9",
    "alnum": "a-zA-Z0-9",
    "upper": "A-Z",
    "lower": "a-z",
    "space": r"\s",
    "blank": r" \t",
    "punct": r"!-/:-@\[-`{-~",
    "print": r"\x20-\x7e",
    "graph": r"\x21-\x7e",
    "cntrl": r"\x00-\x1f\x7f",
    "xdigit": "0-9a-fA-F",
}


@dataclass(frozen=True, slots=True)
class Match:
    """What ups.conf asks for; without keys every device agrees."""

    patterns: Mapping[str, re.Pattern[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, keys: Mapping[str, str], *, where: str = "") -> Match:
        """Take the matching keys out of a driver section; others are not looked at.

        Raises ConfigError naming ``where`` and the key whose value is no regular expression.
        """
        return cls({key: _compiled(keys[key], key, where) for key in KEYS if key in keys})

    def refusal(self, identity: Identity, *, strings: bool = True) -> str:
        """Why ``identity`` is not meant, "" when it is; ``strings`` False: its strings are not known yet."""
        for key, pattern in self.patterns.items():
            if not strings and key in STRING_KEYS:
                continue
            value = _value(key, identity).strip(" \t\n")
            if not pattern.fullmatch(value):
                return f"{key} is {value!r}"
        return ""


def _value(key: str, identity: Identity) -> str:
    match key:
        case "vendorid":
            return f"{identity.vendor_id:04x}"
        case "productid":
            return f"{identity.product_id:04x}"
        case "vendor":
            return identity.manufacturer or ""
        case "product":
            return identity.product or ""
        case "serial":
            return identity.serial or ""
        case "bus":
            return "" if identity.bus is None else f"{identity.bus:03d}"
        case "device":
            return "" if identity.address is None else f"{identity.address:03d}"
    port = re.fullmatch(r"\d+-(?:\d+\.)*(\d+)", identity.port_path)
    return f"{int(port[1]):03d}" if port else ""


def _compiled(text: str, key: str, where: str) -> re.Pattern[str]:
    try:
        return re.compile(_translated(text), re.IGNORECASE | re.DOTALL)
    except (re.error, OverflowError, RecursionError) as error:
        raise ConfigError(
            f"{text!r} is no regular expression: {error}", where=where, key=key
        ) from None


def _translated(text: str) -> str:
    """An extended regular expression of POSIX in Python's words."""
    out: list[str] = []
    at = 0
    while at < len(text):
        char = text[at]
        if char == "\\" and at + 1 < len(text):
            following = text[at + 1]
            out.append(char + following if following in "wWsSbB" else re.escape(following))
            at += 2
        elif char == "[":
            bracket, at = _bracket(text, at)
            out.append(bracket)
        elif char == "(" and text[at + 1 : at + 2] == "?":
            raise re.error("'(?' means nothing here", text, at)
        elif char in "*+?" and out and out[-1] in ("*", "+", "?"):
            out[-1] = char if out[-1] == char else "*"  # a repetition of a repetition
            at += 1
        else:
            out.append(char)
            at += 1
    return "".join(out)


def _bracket(text: str, start: int) -> tuple[str, int]:
    """A bracket expression that begins at ``start``, and where it ends; backslashes are themselves."""
    at = start + 1
    negated = text.startswith("^", at)
    at += negated
    inside = ""
    first = at
    while at < len(text) and (text[at] != "]" or at == first):
        if text.startswith("[:", at):
            end = text.find(":]", at)
            name = text[at + 2 : end]
            if end < 0 or name not in _CLASSES:
                raise re.error("unknown character class", text, at)
            inside += _CLASSES[name]
            at = end + 2
        else:
            inside += text[at] if text[at] == "-" else re.escape(text[at])
            at += 1
    if at >= len(text):
        raise re.error("'[' is never closed", text, start)
    return f"[{'^' if negated else ''}{inside}]", at + 1
