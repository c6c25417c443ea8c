"""A profile from its head and its bodies: names, rows and plain settings put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from usbhidups.errors import ProfileError, UnknownUsage
from usbhidups.hid.usages import Names
from usbhidups.ups.fixes import FIXES
from usbhidups.ups.loading.file import Body, Head
from usbhidups.ups.loading.join import Joined
from usbhidups.ups.loading.rows import Rows
from usbhidups.ups.profile import Identification, Pacing, Profile

__all__ = ["build"]

_OFF_DELAY, _ON_DELAY = 20, 30  # seconds: NUT's, where a family says nothing


def build(head: Head, bodies: Sequence[Body], variant: str = "") -> Profile:
    """Join bodies (the most general first) into a profile; ProfileError names what is wrong."""
    joined = Joined(bodies, head.source)
    usages = joined.usages()
    names = Names(usages)
    delays = joined.settings("delays", ("shutdown", "start", "step"))
    off, start = delays.whole("shutdown", _OFF_DELAY), delays.whole("start", _ON_DELAY)
    rows = Rows(joined, names, {"shutdown": off, "start": start})
    return Profile(
        name=head.name,
        title=head.title,
        version=head.version,
        matches=head.matches,
        usages=usages,
        identification=_identification(joined, names),
        variables=tuple(rows.variables()),
        flags=tuple(rows.flags()),
        commands=tuple(rows.commands()),
        pacing=_pacing(joined),
        fixes=_fixes(joined),
        offdelay=off,
        ondelay=start,
        delay_step=delays.whole("step", 1),
        notes=head.notes,
        variant=variant,
        source=head.source,
    )


def _identification(joined: Joined, names: Names) -> Identification:
    table = joined.settings(
        "identity", ("manufacturer", "product", "model_path", "model_fallback_path", "models")
    )
    for key in ("model_path", "model_fallback_path"):
        if table.text(key):
            try:
                names.path(table.text(key))
            except UnknownUsage as problem:
                raise table.error(key, str(problem)) from None
    return Identification(
        manufacturer=table.text("manufacturer"),
        product=table.pattern("product"),
        model_path=table.text("model_path"),
        model_fallback_path=table.text("model_fallback_path"),
        models=table.text("models"),
    )


def _pacing(joined: Joined) -> Pacing:
    table = joined.settings("pacing", tuple(item.name for item in fields(Pacing)))
    usual = Pacing()
    return Pacing(
        use_interrupt=table.flag("use_interrupt", default=usual.use_interrupt),
        use_feature=table.flag("use_feature", default=usual.use_feature),
        never_read=table.wholes("never_read"),
        full_interval=table.number("full_interval", usual.full_interval),
        write_gap=table.number("write_gap", usual.write_gap),
        reopen_gap=table.number("reopen_gap", usual.reopen_gap),
        request_gap=table.number("request_gap", usual.request_gap),
        oversize=table.wholes("oversize"),
        interrupt_size=table.whole("interrupt_size", 0) or None,
    )


def _fixes(joined: Joined) -> tuple[str, ...]:
    table = joined.settings("descriptor", ("fixes",))
    for name in table.texts("fixes"):
        if name not in FIXES:
            raise ProfileError(
                f"no fix {name!r}; there are {', '.join(FIXES)}",
                where=table.source,
                key="descriptor.fixes",
            )
    return table.texts("fixes")
