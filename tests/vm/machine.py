"""One QEMU process, and the line on which the guest is asked and answers.

The guest's second serial port is QEMU's standard input and output: JSON, one value a line. Its first is
the console, kept in a file that a failure shows. Everything has an end: each answer has a deadline, the
process has one too, and it dies with the test run.
"""

from __future__ import annotations

import json
import os
import selectors
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.vm import initramfs
from tests.vm.kernel import Kernel

__all__ = ["GuestSilent", "Machine", "missing_programs"]

REPOSITORY = Path(__file__).resolve().parents[2]
QEMU = "qemu-system-x86_64"
TRIAL_SECONDS = (
    15.0  # a hardware-assisted guest is up in two; one that hangs is given up after this
)
BOOT_SECONDS = 120.0  # emulation on a busy machine; 10 to 20 are usual
LIFETIME_SECONDS = 1200  # whatever happens, QEMU ends then


class GuestSilent(Exception):
    """The guest did not answer in time or has ended; the text holds the end of its console."""


def missing_programs() -> list[str]:
    """Programs of the distribution that the guest needs and this machine does not have."""
    needed = (QEMU, "busybox", "setpriv", "timeout", "usbip", "/lib/systemd/systemd-udevd")
    path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
    return [name for name in needed if shutil.which(name, path=path) is None]


class Machine:
    """A booted guest. ``folder`` receives the archive, the console log; it must outlive the machine."""

    def __init__(self, kernel: Kernel, folder: Path) -> None:
        self._folder = folder
        archive = folder / "initramfs"
        archive.write_bytes(initramfs.build(kernel, boot_script=REPOSITORY / "tests/vm/boot.sh"))
        if os.access("/dev/kvm", os.R_OK | os.W_OK):
            # A /dev/kvm may exist and yet hang or refuse a stock kernel: only a boot tells.
            try:
                self._start(kernel, archive, "kvm", ready_within=TRIAL_SECONDS)
                return
            except GuestSilent:
                self.stop()
        self._start(kernel, archive, "tcg", ready_within=BOOT_SECONDS)

    def _start(
        self, kernel: Kernel, archive: Path, accelerator: str, *, ready_within: float
    ) -> None:
        self.accelerator = accelerator
        self._console = self._folder / f"console-{accelerator}.log"
        arguments = (
            "console=ttyS0 quiet panic=-1 mitigations=off nokaslr no_timer_check "
            f"vm_repo={REPOSITORY} vm_python={sys.executable}"
        )
        self._process = subprocess.Popen(
            [
                *("setpriv", "--pdeathsig", "TERM", "timeout", "-k", "5", str(LIFETIME_SECONDS)),
                *("nice", QEMU, "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"),
                *("-machine", "pc", "-accel", accelerator, "-cpu", "max", "-smp", "2", "-m", "768"),
                *("-kernel", str(kernel.image), "-initrd", str(archive), "-append", arguments),
                *("-fsdev", "local,id=root,path=/,security_model=none,readonly=on,multidevs=remap"),
                *("-device", f"virtio-9p-pci,fsdev=root,mount_tag={initramfs.MOUNT_TAG}"),
                *("-serial", f"file:{self._console}", "-serial", "stdio"),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        self._received = b""
        self.receive(timeout=ready_within)  # the guest says first that it is ready

    def send(self, value: Any) -> None:
        """Send one value. Errors: GuestSilent."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(value).encode() + b"\n")
        except OSError as error:
            raise GuestSilent(self._epitaph("has ended")) from error

    def receive(self, *, timeout: float) -> Any:
        """The next value from the guest within ``timeout`` seconds. Errors: GuestSilent."""
        assert self._process.stdout is not None
        until = time.monotonic() + timeout
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._received:
                if not selector.select(until - time.monotonic()):
                    raise GuestSilent(self._epitaph(f"did not answer within {timeout:.0f} s"))
                block = self._process.stdout.read(65536)
                if not block:
                    raise GuestSilent(self._epitaph("has ended"))
                self._received += block
        line, _, self._received = self._received.partition(b"\n")
        return json.loads(line)

    def stop(self) -> None:
        """End the guest at once; nothing in it is worth keeping."""
        self._process.terminate()
        self._process.communicate()

    def _epitaph(self, what: str) -> str:
        console = self._console.read_text(errors="replace") if self._console.exists() else ""
        return f"the guest ({self.accelerator}) {what}; its console:\n{console[-4000:]}"
