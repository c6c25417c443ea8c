"""The little archive that the guest's kernel starts from: busybox, the modules, one script.

It mounts this machine's own file system read-only, lays a memory file system over it so that nothing
the tests write comes back, and goes on there with ``sh tests/vm/boot.sh``.
"""

from __future__ import annotations

import re
import stat
import subprocess
from pathlib import Path

from tests.vm.kernel import Kernel

__all__ = ["MOUNT_TAG", "build"]

MOUNT_TAG = "hostroot"

INIT = f"""#!/bin/busybox sh
b=/bin/busybox
fail() {{ echo "initramfs: $1 failed"; $b poweroff -f; }}
$b mount -t devtmpfs dev /dev
for module in $($b cat /order); do $b insmod /modules/$module || fail "insmod $module"; done
$b mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=512000 {MOUNT_TAG} /lower ||
    fail "the mount of the host's files"
$b mount -t tmpfs upper /upper
$b mkdir /upper/data /upper/work
$b mount -t overlay -o lowerdir=/lower,upperdir=/upper/data,workdir=/upper/work root /newroot ||
    fail "the overlay"
$b mount --move /dev /newroot/dev
exec $b switch_root /newroot /bin/sh $0.next
"""


class _Archive:
    """A cpio archive of the kernel's "newc" kind (Documentation/driver-api/early-userspace)."""

    def __init__(self) -> None:
        self.data = bytearray()
        self._count = 0
        self._folders: set[str] = set()

    def folder(self, name: str) -> None:
        if name in self._folders or name == ".":
            return
        self.folder(str(Path(name).parent))
        self._folders.add(name)
        self._entry(name, stat.S_IFDIR | 0o755, b"")

    def file(self, name: str, content: bytes) -> None:
        self.folder(str(Path(name).parent))
        self._entry(name, stat.S_IFREG | 0o755, content)

    def finish(self) -> bytes:
        self._entry("TRAILER!!!", 0, b"")
        return bytes(self.data)

    def _entry(self, name: str, mode: int, content: bytes) -> None:
        self._count += 1
        path = name.encode() + b"\0"
        fields = (self._count, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(path), 0)
        self.data += b"070701" + b"".join(b"%08X" % field for field in fields) + path
        self._pad()
        self.data += content
        self._pad()

    def _pad(self) -> None:
        self.data += bytes(-len(self.data) % 4)


def build(kernel: Kernel, *, boot_script: Path) -> bytes:
    """The archive for this kernel; ``boot_script`` (a path of this machine) runs in the mounted root."""
    archive = _Archive()
    for folder in ("dev", "lower", "upper", "newroot"):
        archive.folder(folder)
    busybox = Path("/bin/busybox")
    archive.file("bin/busybox", busybox.read_bytes())
    for library in _libraries(busybox):
        archive.file(library.lstrip("/"), Path(library).read_bytes())
    for module in kernel.modules:
        archive.file(f"modules/{module.name}", module.read_bytes())
    archive.file("order", "".join(f"{module.name}\n" for module in kernel.modules).encode())
    archive.file("init", INIT.replace("$0.next", str(boot_script)).encode())
    return archive.finish()


def _libraries(program: Path) -> list[str]:
    """The shared libraries of a program, the loader among them (none for a static one)."""
    listed = subprocess.run(["ldd", str(program)], check=False, capture_output=True, text=True)
    return re.findall(r"(/\S+) \(0x", listed.stdout)
