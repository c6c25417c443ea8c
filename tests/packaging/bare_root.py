"""A small root file system: BusyBox, a Python without its optional parts, the wheel unpacked; no pip, no NUT.

What is left out of Python is what docs/installation.md says may be left out. The wheel is put in by the very
lines of that document.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterable
from pathlib import Path

from tests.docs.blocks import ROOT, blocks

__all__ = ["BUSYBOX", "furnish", "lines"]

BUSYBOX = shutil.which("busybox")

PACKAGES_LEFT_OUT = frozenset(
    {
        "asyncio", "curses", "sqlite3", "idlelib", "lib2to3", "test", "tkinter", "turtledemo",
        "ensurepip", "distutils", "unittest", "pydoc_data", "multiprocessing", "venv", "xml",
        "xmlrpc", "wsgiref", "dbm", "site-packages", "dist-packages", "__pycache__",
    }
)  # fmt: skip
EXTENSIONS_LEFT_OUT = frozenset(
    {
        "_ssl", "_hashlib", "_bz2", "_lzma", "zlib", "_sqlite3", "_curses", "_curses_panel",
        "readline", "_tkinter", "pyexpat", "_elementtree", "_decimal", "_dbm", "_gdbm", "_uuid",
        "_crypt", "nis", "ossaudiodev", "audioop", "_multiprocessing", "_posixshmem", "_asyncio",
        "_codecs_cn", "_codecs_hk", "_codecs_iso2022", "_codecs_jp", "_codecs_kr", "_codecs_tw",
        "_testcapi", "_ctypes_test",
    }
)  # fmt: skip
APPLETS = "sh mount umount mkdir cat grep sed sort tail tr date sleep kill chgrp chmod mknod mdev init poweroff"
DOCUMENT = ROOT / "docs/installation.md"


def lines(*words: str) -> str:
    """The block of docs/installation.md with these words in its fence."""
    (block,) = [each for each in blocks(DOCUMENT) if each.words == words]
    return block.text


def furnish(root: Path, wheel: Path, rich: Path) -> None:
    """Fill ``root``; ``rich`` is the folder of that package."""
    for name in ("proc", "sys", "dev", "etc/init.d", "etc/nut", "tmp", "run", "bin", "sbin", "var"):
        (root / name).mkdir(parents=True)
    (root / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\nnut:x:100:100::/:/bin/false\n")
    (root / "etc/group").write_text("root:x:0:\nnut:x:100:\n")
    _python(root)
    _programs(root, [Path(BUSYBOX or "")])
    busybox = root / (BUSYBOX or "")[1:]
    for applet in APPLETS.split():
        (root / "bin" / applet).symlink_to(f"/{busybox.relative_to(root)}")
    downloads = root.parent / "wheels"
    downloads.mkdir()
    shutil.copy(wheel, downloads)
    with zipfile.ZipFile(downloads / "rich-1-py3-none-any.whl", "w") as packed:
        for file in rich.rglob("*.py"):
            packed.write(file, Path("rich") / file.relative_to(rich))
    done = subprocess.run(
        [BUSYBOX or "", "sh", "-e", "-c", f"unzip() {{ {BUSYBOX} unzip \"$@\"; }}\n{lines('bare-root')}"],
        cwd=downloads, env={"ROOT": str(root), "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def _python(root: Path) -> None:
    library = Path(sysconfig.get_path("stdlib"))

    def left_out(folder: str, names: list[str]) -> Iterable[str]:
        extensions = folder.endswith("lib-dynload")
        for name in names:
            if (
                name in PACKAGES_LEFT_OUT
                or name.startswith("config-")
                or name.endswith(".pyc")
                or (extensions and name.split(".")[0] in EXTENSIONS_LEFT_OUT)
            ):
                yield name

    shutil.copytree(
        library, root / str(library)[1:], ignore=lambda folder, names: [*left_out(folder, names)]
    )
    program = Path(sys.executable).resolve()
    extensions = [*(root / str(library)[1:] / "lib-dynload").glob("*.so")]
    _programs(root, [program], libraries_of=extensions)
    (root / "usr/bin").mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        (root / "usr/bin/python3").symlink_to(program)


def _programs(root: Path, programs: list[Path], *, libraries_of: Iterable[Path] = ()) -> None:
    wanted = {*programs}
    for each in (*programs, *libraries_of):
        told = subprocess.run(["ldd", each], capture_output=True, text=True, check=False).stdout
        wanted |= {Path(name) for name in re.findall(r"(/\S+) \(0x", told)}
    for path in wanted:
        target = root / str(path)[1:]
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
