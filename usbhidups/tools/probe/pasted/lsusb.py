"""The report descriptor as ``lsusb -v`` writes it: item by item, by name, with the bytes of its data."""

from __future__ import annotations

import re

from usbhidups.errors import ConfigError
from usbhidups.tools.probe.pasted.paste import Paste

__all__ = ["read_lsusb"]

_DEVICE = re.compile(r"^Bus (\d+) Device (\d+): ID ([0-9a-f]{4}):([0-9a-f]{4})")
_BEGIN = re.compile(r"Report Descriptor: \(length is ([0-9]{1,6})\)")
_ITEM = re.compile(
    r"Item\((\w{1,9})\s{0,9}\): (.{0,80}?), data=\s{0,9}(none|\[((?: ?0x[0-9a-fA-F]{2} ?){0,8})\])"
)
_STRING = re.compile(r"^\s+(iManufacturer|iProduct|iSerial|bcdDevice)\s+(\S+)(.*)$")

_TAGS = {
    ("Main", "Input"): 0x80,
    ("Main", "Output"): 0x90,
    ("Main", "Collection"): 0xA0,
    ("Main", "Feature"): 0xB0,
    ("Main", "End Collection"): 0xC0,
    ("Global", "Usage Page"): 0x04,
    ("Global", "Logical Minimum"): 0x14,
    ("Global", "Logical Maximum"): 0x24,
    ("Global", "Physical Minimum"): 0x34,
    ("Global", "Physical Maximum"): 0x44,
    ("Global", "Unit Exponent"): 0x54,
    ("Global", "Unit"): 0x64,
    ("Global", "Report Size"): 0x74,
    ("Global", "Report ID"): 0x84,
    ("Global", "Report Count"): 0x94,
    ("Global", "Push"): 0xA4,
    ("Global", "Pop"): 0xB4,
    ("Local", "Usage"): 0x08,
    ("Local", "Usage Minimum"): 0x18,
    ("Local", "Usage Maximum"): 0x28,
    ("Local", "Designator Index"): 0x38,
    ("Local", "Designator Minimum"): 0x48,
    ("Local", "Designator Maximum"): 0x58,
    ("Local", "String Index"): 0x78,
    ("Local", "String Minimum"): 0x88,
    ("Local", "String Maximum"): 0x98,
    ("Local", "Delimiter"): 0xA8,
}
"""Type and name of an item to its prefix without the size bits (HID 1.11 section 6.2.2)."""

_SIZES = {0: 0, 1: 1, 2: 2, 4: 3}


def read_lsusb(text: str) -> tuple[Paste, ...]:
    """Each descriptor of the listing. ConfigError for items that this lsusb could not name."""
    found: list[Paste] = []
    facts: dict[str, str] = {}
    data: bytearray | None = None
    length = 0

    def finish() -> None:
        if data:
            found.append(_paste(bytes(data), facts, length))

    for number, line in enumerate(text.splitlines(), 1):
        device = _DEVICE.match(line)
        begin = _BEGIN.search(line)
        item = _ITEM.search(line)
        if device or begin:
            finish()
            data = None
        if device:
            facts = {"vendor": device[3], "product": device[4], "place": f"{device[1]}/{device[2]}"}
        elif begin:
            data, length = bytearray(), int(begin[1])
        elif item and data is not None:
            data += _item_bytes(item[1], item[2], item[4] or "", number)
        elif string := _STRING.match(line):
            facts[string[1]] = string[2] if string[1] == "bcdDevice" else string[3].strip()
    finish()
    return tuple(found)


def _item_bytes(kind: str, name: str, data: str, line: int) -> bytes:
    tag = _TAGS.get((kind, name))
    values = bytes(int(part, 16) for part in data.split())
    if tag is None or len(values) not in _SIZES:
        raise ConfigError(
            f"item {name!r} cannot be turned back into bytes; this lsusb lacks its tables: "
            "usbhid-dump -e descriptor works everywhere",
            where="lsusb",
            line=line,
        )
    return bytes((tag | _SIZES[len(values)],)) + values


def _paste(data: bytes, facts: dict[str, str], length: int) -> Paste:
    release = facts.get("bcdDevice", "0").replace(".", "")
    return Paste(
        f"lsusb, device {facts['place']}" if "place" in facts else "lsusb",
        data,
        vendor_id=int(facts.get("vendor", "0"), 16),
        product_id=int(facts.get("product", "0"), 16),
        release=int(release, 16) if re.fullmatch(r"[0-9a-f]{1,4}", release) else 0,
        manufacturer=facts.get("iManufacturer"),
        product=facts.get("iProduct"),
        serial=facts.get("iSerial"),
        lacks=""
        if len(data) == length
        else f"{length} bytes were announced, {len(data)} are there",
    )
