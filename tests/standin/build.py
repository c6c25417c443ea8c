"""Builds the stand-in for libusb, and says how a program is started on it.

The library is kept in the cache under the hash of its source, so that only a change compiles it again.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

__all__ = ["Unavailable", "environment", "library"]

SOURCE = Path(__file__).with_name("libusb_standin.c")
HEADER = Path("/usr/include/libusb-1.0/libusb.h")
NAME = "libusb-1.0.so.0"


class Unavailable(Exception):
    """The stand-in cannot be built here: skip what needs it; the text says what to install."""


def library() -> Path:
    """The built library. Raises Unavailable where compiler or header are missing."""
    source = SOURCE.read_bytes()
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = base / "usbhidups" / f"standin-{hashlib.sha256(source).hexdigest()[:12]}"
    built = folder / NAME
    if built.exists():
        return built
    compiler = shutil.which("cc")
    if compiler is None or not HEADER.exists():
        raise Unavailable("a C compiler and libusb-1.0-0-dev are needed to build libusb's stand-in")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as work:
        options = ("-O2", "-Wall", "-Wextra", "-fPIC", "-shared", "-fvisibility=hidden")
        linking = ("-pthread", f"-Wl,-soname,{NAME}", "-Wl,-z,now")
        output = Path(work) / NAME
        subprocess.run([compiler, *options, *linking, "-o", str(output), str(SOURCE)], check=True)
        folder.mkdir(exist_ok=True)
        output.rename(built)
    return built


def environment(
    devices: Iterable[str], *, cache: Path | None = None, base: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The environment of a program that shall see ``devices`` (``HOST:PORT/BUSID``) as its USB bus.

    ``cache`` is a folder that keeps descriptors between programs, as a kernel would. ``base`` is what the
    environment is built from, by default this process's. Raises Unavailable.
    """
    made = dict(os.environ if base is None else base)
    made["LD_LIBRARY_PATH"] = str(library().parent)
    made["STANDIN_DEVICES"] = ",".join(devices)
    if cache is not None:
        made["STANDIN_CACHE"] = str(cache)
    return made
