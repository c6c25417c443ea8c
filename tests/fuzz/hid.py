"""Report descriptors, reports and usage paths from strangers."""

from __future__ import annotations

import contextlib
import math

from tests.hid.recordings import FIXTURES, load
from usbhidups.errors import DescriptorError, UnknownUsage
from usbhidups.hid import report, units
from usbhidups.hid.descriptor import Descriptor, parse
from usbhidups.hid.usages import Names

__all__ = [
    "descriptor",
    "descriptor_seeds",
    "reports",
    "reports_seeds",
    "usage_path",
    "usage_path_seeds",
]

_NAMES = Names()


def descriptor(data: bytes) -> None:
    """Any bytes are a descriptor within bounds, or a DescriptorError."""
    with contextlib.suppress(DescriptorError):
        parsed = parse(data)
        assert 0 < len(parsed.fields) <= 4096
        assert len(parsed.oddities) <= 100
        for key, length in parsed.report_bytes.items():
            assert 0 <= key[1] <= 255
            assert length < 65536
        for field in parsed.fields:
            assert field.size > 0
            length = parsed.report_bytes[field.report_type, field.report_id]
            assert field.offset + field.size <= 8 * length
            assert len(_NAMES.path(_NAMES.text(field.path))) == len(field.path)


def descriptor_seeds() -> list[bytes]:
    """The descriptors of the project's fixtures."""
    return [recording.descriptor for recording in load(FIXTURES)]


# Descriptors with everything that matters to values: signs, units, limits, fields across bytes, Input and
# Feature that differ. The first byte of an input chooses one, the rest is the report.
_RECORDED: list[Descriptor] = [parse(recording.descriptor) for recording in load(FIXTURES)]


def reports(data: bytes) -> None:
    """Whatever a report holds, however short: values come of it, and writing one changes nothing else."""
    if not data:
        return
    chosen = _RECORDED[data[0] % len(_RECORDED)]
    answer = data[1:]
    for field in chosen.fields:
        raw = report.extract(field, answer)
        if raw is None:
            assert 8 * len(answer) < 8 + field.offset + field.size
            continue
        value = report.logical(field, raw)
        report.folded(field, raw)
        assert math.isfinite(units.to_physical(field, value))
        assert report.insert(field, answer, value) == answer
        changed = report.insert(field, answer, ~raw)
        assert report.extract(field, changed) == ~raw & ((1 << field.size) - 1)
        assert report.insert(field, changed, raw) == answer


def reports_seeds() -> list[bytes]:
    """The recorded reports, each with the descriptor it belongs to."""
    return [
        bytes([place]) + answer
        for place, recording in enumerate(load(FIXTURES))
        for answer in recording.reports.values()
    ]


def usage_path(data: bytes) -> None:
    """Any text is a path that survives being written out again, or an UnknownUsage."""
    with contextlib.suppress(UnknownUsage):
        path = _NAMES.path(data.decode("utf-8", "replace"))
        assert all(0 <= node < 0x100000080 for node in path)
        assert len(_NAMES.path(_NAMES.text(path))) == len(path)


def usage_path_seeds() -> list[bytes]:
    """Paths as profiles write them."""
    return [
        b"UPS.PowerConverter.Input.[1].Voltage",
        b"UPS.0xff010043",
        b"ups.flow.[127].SwitchOn/Off",
    ]
