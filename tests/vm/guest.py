"""The pytest plugin of the guest: runs the tests that the host names, one after the other.

Loaded by ``boot.sh`` only. The host's half is ``conftest.py``; between them goes one JSON value a line:
``{"item": ID, "next": ID or null}`` one way, ``{"reports": [...]}`` the other.
"""

from __future__ import annotations

import json
import os
import tty

import pytest
from _pytest.runner import runtestprotocol

PORT = "/dev/ttyS1"


class _Line:
    """The serial line to the host."""

    def __init__(self) -> None:
        self._port = os.open(PORT, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
        tty.setraw(self._port)
        self._received = b""

    def send(self, value: object) -> None:
        data = json.dumps(value).encode() + b"\n"
        while data:
            data = data[os.write(self._port, data) :]

    def receive(self) -> dict[str, str | None]:
        while b"\n" not in self._received:
            self._received += os.read(self._port, 4096)
        line, _, self._received = self._received.partition(b"\n")
        value: dict[str, str | None] = json.loads(line)
        return value


def pytest_runtestloop(session: pytest.Session) -> bool:
    """Run what the host asks for until it asks for nothing."""
    items = {item.nodeid: item for item in session.items}
    line = _Line()
    line.send("ready")
    while (request := line.receive())["item"] is not None:
        item = items[request["item"]]
        following = items[request["next"]] if request["next"] is not None else None
        reports = runtestprotocol(item, log=False, nextitem=following)
        to_data = session.config.hook.pytest_report_to_serializable
        line.send({"reports": [to_data(config=session.config, report=one) for one in reports]})
    return True
