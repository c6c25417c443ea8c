"""One or more simulated UPSes in a process of their own, told what to do over their control socket."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.standin import build

__all__ = ["REPOSITORY", "Simulation"]

REPOSITORY = Path(__file__).resolve().parents[1]


class Simulation:
    """``count`` simulated devices of one fixture; their own time stands still, only what is told happens.

    The stand-in's cache is filled when the context is entered: as on a machine where the kernel has long
    enumerated the device, a driver's figures hold none of that.
    """

    def __init__(self, fixture: str, folder: Path, *, count: int = 1) -> None:
        self.cache = folder / "enumerated"
        self.cache.mkdir()
        self._control = folder / "control"
        path = REPOSITORY / "fixtures/hid-descriptors" / f"{fixture}.toml"
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "usbhidups", "simulate", *[str(path)] * count),
                *("--listen", "127.0.0.1:0", "--speed", "0", "--control", str(self._control)),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        # "listening on HOST:PORT busids 1-1 1-2 …"
        _, _, address, _, *bus_ids = self._process.stdout.readline().split()
        self.devices = [f"{address}/{bus_id}" for bus_id in bus_ids]

    def __enter__(self) -> Self:
        subprocess.run(
            [sys.executable, "-c", "import usb.core; list(usb.core.find(find_all=True))"],
            env=build.environment(self.devices, cache=self.cache),
            check=True,
        )
        self.tell("forget")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.communicate(timeout=15)

    def tell(self, command: str) -> Any:
        """Give one command; what it answers."""
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(str(self._control))
            control.sendall(command.encode() + b"\n")
            with control.makefile() as answers:
                answer = json.loads(answers.readline())
        if not answer["ok"]:
            raise ValueError(f"{command}: {answer['error']}")
        return answer["result"]

    def control_transfers(self) -> int:
        """Control transfers since ``forget``; at most some thousands are remembered."""
        return sum(request["what"] != "input" for request in self.tell("requests"))

    def at(self, command: str) -> float:
        """Give one command; when it was given (CLOCK_MONOTONIC)."""
        now = time.monotonic()
        self.tell(command)
        return now
