"""Small devices for tests: a field, a descriptor, what it said."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

from usbhidups.hid.descriptor import Descriptor, Field, ReportType
from usbhidups.hid.usages import Names
from usbhidups.ups.evidence import Evidence, Reading
from usbhidups.ups.options import Options

__all__ = ["BERLIN", "Answers", "descriptor", "evidence", "field", "reading"]

BERLIN = ZoneInfo("Europe/Berlin")


def field(
    path: str,
    *,
    report_id: int = 1,
    offset: int = 0,
    size: int = 16,
    limits: tuple[int, int] = (0, 0xFFFF),
    physical: tuple[int, int] | None = None,
    unit: int = 0,
    exponent: int = 0,
    report_type: ReportType = ReportType.FEATURE,
    flags: int = 2,
    names: Mapping[int, str] | None = None,
) -> Field:
    """One field; the path as profiles write it."""
    return Field(
        report_type=report_type,
        report_id=report_id,
        offset=offset,
        size=size,
        path=Names(names or {}).path(path),
        flags=flags,
        logical_minimum=limits[0],
        logical_maximum=limits[1],
        physical_minimum=None if physical is None else physical[0],
        physical_maximum=None if physical is None else physical[1],
        unit=unit,
        exponent=exponent,
    )


def descriptor(*fields: Field) -> Descriptor:
    """A descriptor of these fields."""
    lengths: dict[tuple[ReportType, int], int] = {}
    for item in fields:
        key = (item.report_type, item.report_id)
        lengths[key] = max(lengths.get(key, 0), (item.offset + item.size + 7) // 8)
    return Descriptor(tuple(fields), lengths, numbered=True, applications=(0x00840004,))


def evidence(declared: Descriptor, *reports: str, at: float = 0.0) -> Evidence:
    """What Feature reports say, given in hexadecimal with their ids."""
    said = Evidence(declared)
    for text in reports:
        said.feed(ReportType.FEATURE, bytes.fromhex(text), at)
    return said


def reading(item: Field, data: str) -> Reading:
    """The reading of a field in one report, given in hexadecimal with its id."""
    found = evidence(descriptor(item), data).reading(item)
    assert found is not None
    return found


class Answers:
    """What a conversion may ask (convert.Access), answered from dictionaries."""

    def __init__(
        self,
        variables: Mapping[str, str] | None = None,
        *,
        strings: Mapping[int, str] | None = None,
        report: bytes = b"",
        siblings: Mapping[int, Reading] | None = None,
        options: Options | None = None,
        zone: tzinfo = UTC,
    ) -> None:
        self.memory: dict[str, float] = {}
        self.notes: list[str] = []
        self.options = options or Options()
        self.zone = zone
        self._variables = dict(variables or {})
        self._strings = dict(strings or {})
        self._report = report
        self._siblings = dict(siblings or {})

    def string(self, index: int) -> str | None:
        return self._strings.get(index)

    def report(self, field: Field) -> bytes | None:
        return self._report or None

    def sibling(self, field: Field, usage: int) -> Reading | None:
        return self._siblings.get(usage)

    def note(self, words: str) -> None:
        self.notes.append(words)

    def text(self, name: str) -> str | None:
        return self._variables.get(name)

    def number(self, name: str) -> float | None:
        text = self._variables.get(name)
        return None if text is None else float(text)
