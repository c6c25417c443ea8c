"""Plain hexadecimal bytes, and usbhid-dump's dumps."""

from __future__ import annotations

import re
from collections.abc import Iterator

from usbhidups.tools.probe.pasted.paste import Paste, keyed

__all__ = ["read_hex", "read_usbhid_dump"]

_RUN = re.compile(r"[0-9a-fA-F]+")
_OFFSET = re.compile(r"^\s*[0-9a-fA-F]{4,8}:?\s+(?=(?:[0-9a-fA-F]{2}){1,2}\b)")
_ARRAY = re.compile(r"\{([^{}]*)\}")
_COMMENT = re.compile(r"//[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_FIRST = re.compile(r"^\s*0{4,8}:?\s")
_END = re.compile(r"^\s*[0-9a-fA-F]{6,8}\s*$")
"""hexdump and od end with the offset of the end."""
_DUMP = re.compile(r"^(\d{3}):(\d{3}):(\d{3}):(DESCRIPTOR|STREAM)\b")


def read_hex(text: str) -> tuple[Paste, ...]:
    """All of the text is bytes: with blanks, commas, ``0x``, offsets before each line; or a C array."""
    array = _ARRAY.search(_COMMENT.sub(" ", text))
    lines = (array[1] if array else text).strip().splitlines()
    if lines and _FIRST.match(lines[0]):
        lines = [_without_offset(line) for line in lines if not _END.match(line)]
    data = _bytes("\n".join(lines))
    return () if not data else (Paste("hexadecimal bytes", data),)


def read_usbhid_dump(text: str) -> tuple[Paste, ...]:
    """``BUS:DEV:IF:DESCRIPTOR TIME`` and lines of bytes; a STREAM's bytes are Input reports."""
    descriptors: dict[str, bytes] = {}
    streams: dict[str, list[bytes]] = {}
    for place, kind, data in _dumps(text):
        if kind == "DESCRIPTOR":
            descriptors[place] = data
        elif data:
            streams.setdefault(place, []).append(data)
    return tuple(
        Paste(
            f"usbhid-dump, device {place}",
            descriptor,
            input=keyed(descriptor, streams.get(place, [])),
        )
        for place, descriptor in descriptors.items()
    )


def _dumps(text: str) -> Iterator[tuple[str, str, bytes]]:
    place, kind, data = "", "", bytearray()
    for line in text.splitlines():
        head = _DUMP.match(line)
        if head:
            if kind:
                yield place, kind, bytes(data)
            place, kind, data = ":".join(head.group(1, 2, 3)), head[4], bytearray()
        elif kind:
            data += _bytes(line) or b""
    if kind:
        yield place, kind, bytes(data)


def _without_offset(line: str) -> str:
    """hexdump and xxd begin lines with an offset, and xxd ends them with the characters."""
    bare = _OFFSET.sub("", line)
    return bare if bare == line else bare.split("  ")[0] if "|" not in bare else bare.split("|")[0]


def _bytes(text: str) -> bytes | None:
    """The bytes of a text that holds nothing else; None when it does."""
    cleaned = re.sub(r"[{}()\[\],;]", " ", text).replace("0x", " ").replace("\\x", " ")
    parts = cleaned.split()
    if not parts or not all(_RUN.fullmatch(part) and len(part) % 2 == 0 for part in parts):
        return None
    return bytes.fromhex("".join(parts))
