"""Who may import whom (docs/architecture.md), read from the source by ``ast``."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "usbhidups"

LEAVES = {"errors", "identity"}
"""Modules that everybody may import; they import nothing of the package but each other."""

TOOL = {
    "attach", "execute", "configuration", "hid", "instance", "nut.upsconf", "nut.words", "ports",
    "stateclient", "ups", "usb",
}  # fmt: skip
"""What programs may use that must work when the daemon does not."""

ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "identity": set(),
    "hid": {"hid"},
    "nut": {"nut"},
    "usb": {"usb"},
    "ups": {"ups", "hid"},
    "profiles": set(),
    "simulator": {"simulator", "usb.fixture"},
    "attach": {"hid", "ups", "usb"},
    "execute": {"hid", "ups", "usb"},
    "configuration": {"nut.upsconf", "ups.options"},
    "ports": {"attach", "nut.upsconf", "ups.loading", "usb"},
    "stateclient": {"nut.words"},
    "instance": {"stateclient"},
    "killpower": TOOL | {"killpower"},
    "driver": TOOL | {"driver", "nut"},
    "tools.probe": TOOL | {"tools.probe", "tools.screen"},
    "tools.screen": {"tools.screen"},
    "tools.live_view": {"simulator", "tools.live_view", "tools.screen"},
    "tools.status": {"configuration", "stateclient", "tools.screen", "tools.status"},
    "tools.doctor": TOOL | {"tools.doctor", "tools.probe", "tools.status"},
}
"""Package or top-level module > what it may import besides the leaves. Others: everything but cli."""

PURE = ("hid", "ups", "nut")
FORBIDDEN_IN_PURE = {
    "os", "socket", "time", "threading", "subprocess", "logging", "select", "selectors", "asyncio",
    "random", "signal", "pathlib", "tempfile", "ctypes", "fcntl",
}  # fmt: skip
PURE_EXCEPTIONS = {"ups/loading/file.py", "ups/loading/library.py"}
"""Loading profiles reads files; that is said in their docstrings and nowhere else allowed."""


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                pytest.fail(f"{path}: relative import")
            if node.module == "usbhidups":
                yield from (f"usbhidups.{alias.name}" for alias in node.names)
            else:
                yield node.module or ""


def owner(path: Path) -> str:
    """The top-level package or module that a file belongs to; of ``tools`` the one below it."""
    parts = [part.removesuffix(".py") for part in path.relative_to(PACKAGE).parts]
    return ".".join(parts[:2]) if parts[0] == "tools" else parts[0]


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_stay_within_their_layer(path: Path) -> None:
    allowed = ALLOWED.get(owner(path))
    for name in imports_of(path):
        if not name.startswith("usbhidups."):
            continue
        inner = name.removeprefix("usbhidups.")
        if inner.startswith("cli") and owner(path) not in {"cli", "__main__"}:
            pytest.fail(f"{path}: nobody imports cli, but it imports {name}")
        if allowed is None or inner.split(".")[0] in LEAVES or inner == "__version__":
            continue
        assert any(inner == place or inner.startswith(place + ".") for place in allowed), (
            f"{path.relative_to(PACKAGE)} may not import {name}"
        )


@pytest.mark.parametrize(
    "path",
    [p for p in modules() if owner(p) in PURE],
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_pure_packages_do_no_io(path: Path) -> None:
    if str(path.relative_to(PACKAGE)) in PURE_EXCEPTIONS:
        return
    roots = {name.split(".")[0] for name in imports_of(path)}
    assert not roots & FORBIDDEN_IN_PURE
