"""The guest's kernel: the distribution's own package, fetched once and unpacked into a cache.

It is never installed: ``apt-get download`` and ``dpkg-deb -x`` need no root and leave the machine's boot
alone. Debian's ``linux-image-cloud-amd64`` has no USB, so it has to be ``linux-image-amd64``.

Of the 400 MB only the kernel and the modules named here are kept. The kernel is kept unpacked (an ELF
file, which QEMU starts by the PVH entry), since an emulated processor needs seconds to decompress it.

    python -m tests.vm.kernel        fetch it (what ``make test-vm`` does first)
"""

from __future__ import annotations

import lzma
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

__all__ = ["MODULES", "Kernel", "fetch", "find"]

PACKAGE = "linux-image-amd64"

MODULES = (
    "virtio_pci",
    "9p",
    "9pnet_virtio",
    "overlay",
    "usbhid",
    "hid-generic",
    "vhci-hcd",
    "usbmon",
    "dummy_hcd",
    "usb_f_hid",
    "uhid",
)
"""What the guest loads; whatever these depend on comes with them."""

XZ_MAGIC = b"\xfd7zXZ\x00"


@dataclass(frozen=True, slots=True)
class Kernel:
    """An unpacked kernel, and its modules in an order in which they can be loaded."""

    image: Path
    modules: tuple[Path, ...]


def cache() -> Path:
    """Where the unpacked kernel lives between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "usbhidups" / "vm-kernel"


def find() -> Kernel | None:
    """The kernel of an earlier ``fetch``; None where there was none."""
    order = cache() / "order"
    if platform.machine() != "x86_64" or not order.exists():
        return None
    return Kernel(
        image=cache() / "vmlinux",
        modules=tuple(cache() / name for name in order.read_text().split()),
    )


def fetch() -> Kernel:
    """Download and unpack what ``find`` returns, unless it is there already. Errors: CalledProcessError."""
    found = find()
    if found is not None:
        return found
    with tempfile.TemporaryDirectory(prefix="usbhidups-kernel-") as folder:
        work = Path(folder)
        depends = _run("apt-cache", "depends", PACKAGE, cwd=work)
        match = re.search(r"Depends: (linux-image-\S+)", depends)
        if match is None:
            raise SystemExit(f"{PACKAGE} names no kernel:\n{depends}")
        _run("apt-get", "download", match[1], cwd=work)
        (archive,) = work.glob("*.deb")
        _run("dpkg-deb", "-x", str(archive), "tree", cwd=work)
        _keep(work / "tree")
    found = find()
    if found is None:
        raise SystemExit("the kernel was unpacked, but for another kind of processor")
    return found


def _keep(tree: Path) -> None:
    """Move kernel and modules out of the unpacked package; ``order`` comes last and makes it valid."""
    (packed,) = (tree / "boot").glob("vmlinuz-*")
    modules = _load_order({_name(path): path for path in tree.rglob("*.ko")})
    cache().mkdir(parents=True, exist_ok=True)
    (cache() / "vmlinux").write_bytes(_unpacked(packed.read_bytes()))
    for module in modules:
        shutil.copyfile(module, cache() / module.name)
    (cache() / "order").write_text("".join(f"{module.name}\n" for module in modules))


def _unpacked(image: bytes) -> bytes:
    """The ELF kernel inside a compressed boot image."""
    start = image.index(XZ_MAGIC)
    return lzma.LZMADecompressor().decompress(image[start:])


def _load_order(available: dict[str, Path]) -> list[Path]:
    """MODULES and their dependencies (each module's own ``depends=`` line), dependencies first."""
    order: list[Path] = []

    def add(name: str) -> None:
        path = available[name]
        if path in order:
            return
        match = re.search(rb"\x00depends=([^\x00]+)\x00", path.read_bytes())
        for needed in match[1].decode().split(",") if match else ():
            add(needed.replace("-", "_"))
        order.append(path)

    for name in MODULES:
        add(name.replace("-", "_"))
    return order


def _name(path: Path) -> str:
    return path.stem.replace("-", "_")


def _run(*command: str, cwd: Path) -> str:
    return subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    sys.stdout.write(f"{fetch().image}\n")
