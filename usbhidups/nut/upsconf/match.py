"""Is this device the one that ups.conf means? (nut-driver-contract.md 2.4, "Matching")

NUT's criteria are POSIX *extended* regular expressions that must match the whole text. They are translated
to Python's here, because the two differ where it hurts: a backslash in brackets, ``[[:alpha:]]``, ``\\<``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields

from usbhidups.identity import Identity

__all__ = ["DeviceMatch", "compile_extended"]

_CLASSES = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "blank": r" \t",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": r"\x21-\x7e",
    "lower": "a-z",
    "print": r"\x20-\x7e",
    "punct": r"\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e",
    "space": r" \t\n\r\f\v",
    "upper": "A-Z",
    "xdigit": "0-9a-fA-F",
}

_ESCAPES = {
    "w": r"\w", "W": r"\W", "s": r"\s", "S": r"\S", "b": r"\b", "B": r"\B",
    "<": r"\b(?=\w)", ">": r"\b(?<=\w)", "`": r"\A", "'": r"\Z",
}  # fmt: skip
"""GNU's additions to POSIX, which NUT's regcomp() understands. Any other character stands for itself."""

_QUANTIFIER = re.compile(r"[*+?]|\{[0-9]*(,[0-9]*)?\}")
_BRACKET = re.compile(r"\[(\^?)(\]?(?:\[:[a-z]+:\]|[^\]])*)\]")
_CLASS = re.compile(r"\[:([a-z]+):\]")
_LAST_PORT = re.compile(r"[.-]([0-9]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceMatch:
    """The criteria given; None: any. All must agree, each with the whole text, blanks at the ends aside."""

    vendorid: re.Pattern[str] | None = None
    productid: re.Pattern[str] | None = None
    vendor: re.Pattern[str] | None = None
    product: re.Pattern[str] | None = None
    serial: re.Pattern[str] | None = None
    bus: re.Pattern[str] | None = None
    device: re.Pattern[str] | None = None
    busport: re.Pattern[str] | None = None

    def accepts(self, identity: Identity) -> bool:
        """Whether this is a device that is meant."""
        return not self.mismatches(identity)

    def mismatches(self, identity: Identity, *, strings: bool = True) -> tuple[str, ...]:
        """The criteria that speak against a device, as ``serial 'X1' is not 'X2'``, for people.

        What a device does not have (a string, a bus) is compared as the empty text. ``strings`` False:
        its strings are not known yet and are not compared.
        """
        texts = _texts(identity)
        found = []
        for criterion in fields(self):
            if not strings and criterion.name in ("vendor", "product", "serial"):
                continue
            pattern: re.Pattern[str] | None = getattr(self, criterion.name)
            text = texts[criterion.name].strip(" \t\n")
            if pattern is not None and not pattern.fullmatch(text):
                found.append(f"{criterion.name} {text!r} is not {pattern.pattern!r}")
        return tuple(found)


def compile_extended(text: str) -> re.Pattern[str]:
    """Translate and compile an extended regular expression; ValueError says what is wrong with it."""
    parts: list[str] = []
    position = 0
    while position < len(text):
        part, position = _next_part(text, position)
        if _QUANTIFIER.fullmatch(part) and parts and _QUANTIFIER.fullmatch(parts[-1]):
            raise ValueError(f"one repetition upon another at position {position}")
        parts.append(part)
    try:
        return re.compile("".join(parts), re.IGNORECASE | re.ASCII | re.DOTALL)
    except (re.error, OverflowError) as error:
        raise ValueError(str(error)) from error


def _next_part(text: str, position: int) -> tuple[str, int]:
    """The translation of what stands at ``position``, and where it ends."""
    character = text[position]
    if character == "\\":
        if position + 1 == len(text):
            raise ValueError("a backslash at the end")
        escaped = text[position + 1]
        if escaped in "123456789":
            return rf"(?:\{escaped})", position + 2  # in brackets, lest a digit follows
        return _ESCAPES.get(escaped) or re.escape(escaped), position + 2
    if character == "[":
        bracket = _BRACKET.match(text, position)
        if not bracket:
            raise ValueError(f"a bracket without end at position {position}")
        return _set(bracket[1], bracket[2]), bracket.end()
    if text.startswith("(?", position):
        raise ValueError(f"nothing to repeat at position {position + 1}")
    if quantifier := _QUANTIFIER.match(text, position):
        return quantifier.group(), quantifier.end()
    return character, position + 1


def _set(negation: str, inside: str) -> str:
    """A bracket expression; inside it POSIX knows no escapes, Python does."""
    parts = []
    position = 0
    while position < len(inside):
        if found := _CLASS.match(inside, position):
            if found[1] not in _CLASSES:
                raise ValueError(f"unknown character class [:{found[1]}:]")
            parts.append(_CLASSES[found[1]])
            position = found.end()
        else:
            character = inside[position]
            ranged = character == "-" and parts[-1:] != ["-"]  # a second one ends the range
            parts.append("-" if ranged else re.escape(character))
            position += 1
    if parts and parts[-1] == "-":
        parts[-1] = r"\-"
    if parts and parts[0] == "-":
        parts[0] = r"\-"
    return f"[{negation}{''.join(parts)}]"


def _texts(identity: Identity) -> dict[str, str]:
    """What each criterion is compared with."""
    port = _LAST_PORT.findall(identity.port_path) if identity.bus is not None else []
    return {
        "vendorid": f"{identity.vendor_id:04x}",
        "productid": f"{identity.product_id:04x}",
        "vendor": identity.manufacturer or "",
        "product": identity.product or "",
        "serial": identity.serial or "",
        "bus": "" if identity.bus is None else f"{identity.bus:03d}",
        "device": "" if identity.address is None else f"{identity.address:03d}",
        "busport": f"{int(port[-1]):03d}" if port else "",
    }
