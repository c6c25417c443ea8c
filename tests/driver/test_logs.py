"""The log is read by people in terminals: what a device says must not steer one, nor forge a line."""

from __future__ import annotations

import logging

import pytest

from usbhidups.driver.logs import Logs


@pytest.mark.parametrize("stamped", [False, True])
def test_what_a_device_says_stays_in_its_line(
    stamped: bool,  # noqa: FBT001
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs = Logs(program="usbhidups", ups="u", clock=lambda: 1.0, quiet=False)
    logs.to_stderr(stamped=stamped)
    logs.level(0)
    try:
        name = "UPS\x1b[31m\x9b2J\r\nusbhidups[1]: forged\u2028\u202e\x00"
        logging.getLogger("usbhidups.test").warning("found %s", name)
    finally:
        logs.close()
    written = capsys.readouterr().err
    assert written.endswith(
        r"found UPS\x1b[31m\x9b2J\x0d\x0ausbhidups[1]: forged\x2028\x202e\x00" + "\n"
    )
    assert written.count("\n") == 1


def test_a_traceback_keeps_its_lines(capsys: pytest.CaptureFixture[str]) -> None:
    logs = Logs(program="usbhidups", ups="u", clock=lambda: 1.0, quiet=False)
    logs.to_stderr(stamped=False)
    try:
        raise ValueError("bad\x1b[2J")
    except ValueError:
        logging.getLogger("usbhidups.test").exception("broken")
    finally:
        logs.close()
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "broken"
    assert lines[1].startswith("Traceback")
    assert lines[-1] == r"ValueError: bad\x1b[2J"
