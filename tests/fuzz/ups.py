"""Profiles from administrators, and reports of a hostile device all the way to the lines for upsd."""

from __future__ import annotations

import contextlib
from pathlib import Path

from usbhidups.errors import ConfigError, DescriptorError, ProfileError, TransferKind, UnknownUsage
from usbhidups.hid.descriptor import ReportType, parse
from usbhidups.identity import Identity
from usbhidups.nut.store import Published, VariableStore
from usbhidups.ups.device import attach
from usbhidups.ups.fixes import FIXES, repaired
from usbhidups.ups.loading.build import build
from usbhidups.ups.loading.file import body_of, head_of
from usbhidups.ups.loading.library import Library
from usbhidups.ups.options import Options
from usbhidups.usb import fixture

__all__ = ["profile", "profile_seeds", "reports", "reports_seeds"]

_LIBRARY = Library()
_ROOT = Path(__file__).parents[2]
_FIXTURES = _ROOT / "fixtures" / "hid-descriptors"
_PROFILES = _ROOT / "usbhidups" / "profiles"
_DEVICES = [
    (fixture.load(path).descriptor, name)
    for path, name in (
        (_FIXTURES / "0764-0501-cyberpower-cp1500epfclcd.toml", "cps"),
        (_FIXTURES / "0463-ffff-eaton-3s.toml", "mge"),
        (_FIXTURES / "051d-0002-apc-back-ups-bk650m2-ch.toml", "apc"),
        (_FIXTURES / "09ae-3012-tripplite-described-rich.toml", "tripplite"),
        (_FIXTURES / "0d9f-00a4-powercom-described-rich.toml", "powercom"),
        (_FIXTURES / "3746-ffff-ecoflow-described-rich.toml", "ecoflow"),
    )
]
_STANDARD = body_of((_PROFILES / "generic.toml").read_text(encoding="utf-8"), source="generic.toml")
_JOINED = [(repaired(parse(raw), FIXES)[0], _LIBRARY.load(name), name) for raw, name in _DEVICES]


def profile(data: bytes) -> None:
    """Any text is a profile of its own, and one that extends the standard's, or a ProfileError."""
    text = data.decode("utf-8", "replace")
    with contextlib.suppress(ProfileError):
        head = head_of(text, name="fuzz", source="fuzz.toml")
        body = body_of(text, source="fuzz.toml")
        variants = [variant for _, _, variant in body.variants]
        build(head, [*([_STANDARD] if head.extends else []), body, *variants])


def profile_seeds() -> list[bytes]:
    """Built-in ones, whole: what is cut is no TOML and goes nowhere."""
    return [
        (_PROFILES / f"{name}.toml").read_bytes()
        for name in ("generic", "cps", "ecoflow", "legrand", "openups", "powercom", "salicru")
    ]


def reports(data: bytes) -> None:
    """A device that answers and announces anything: views, commands and lines come of it, never an exception.

    The first byte chooses a device; then pieces: type and id, length, bytes.
    """
    if not data:
        return
    descriptor, chosen, _ = _JOINED[data[0] % len(_JOINED)]
    identity = Identity(vendor_id=1, product_id=2, manufacturer="M", product="P")
    ups = attach(identity, descriptor, chosen, Options(), now=0.0)
    store = VariableStore()
    now, at = 0.0, 1
    while at + 1 < len(data) and now < 40.0:
        now += 1.0
        due = {request.report_id: request for request in ups.reads_due(now)}
        head, length = data[at], data[at + 1] % 64
        kind = ReportType.INPUT if head & 1 else ReportType.FEATURE
        payload = data[at + 2 : at + 2 + length]
        at += 2 + length
        keys = sorted((k[1] for k in descriptor.report_bytes if k[0] is kind), key=int)
        number = keys[head % len(keys)] if keys else 0
        if number in due and head & 2:
            ups.read_failed(due[number], list(TransferKind)[head % 5], now=now)
        else:
            ups.got_report(kind, bytes([number]) + payload, now=now)
        for index in ups.strings_wanted():
            ups.got_string(index, payload.decode("latin-1"))
        view = ups.view(now)
        shown = {name: Published(value.text) for name, value in view.variables.items()}
        store.apply(shown, view.commands, fresh=view.fresh)
        ups.reopen(now)
        assert ups.next_due(now) >= 0.0
    for command in sorted(ups.view(now).commands)[:3]:
        ups.instcmd(command, None, now=now)
    with contextlib.suppress(ConfigError, DescriptorError, UnknownUsage):
        ups.killpower(now=now)


def reports_seeds() -> list[bytes]:
    """The recorded answers, in order."""
    seeds = []
    for place, (_, _, name) in enumerate(_JOINED):
        path = next(
            path for path in _FIXTURES.glob("*.toml") if name[:3] in path.name or name == "mge"
        )
        answers = [a for a in fixture.load(path).feature.values() if isinstance(a, bytes)]
        pieces = b"".join(bytes([2 * n, len(a) - 1]) + a[1:] for n, a in enumerate(answers[:20]))
        seeds.append((bytes([place]) + pieces)[:500])
    return seeds
