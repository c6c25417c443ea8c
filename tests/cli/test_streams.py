"""Every tool with standard output closed or full, and in a locale of ASCII: one line at most, no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.driver_tools import FIXTURES
from usbhidups.simulator.simulator import Simulator
from usbhidups.usb.fixture import load

RECORDING = str(FIXTURES / "0764-0501-cyberpower-cp1500epfclcd.toml")

TOOLS = {
    "probe": ["probe", "--all", "--replay", RECORDING],
    "probe for programs": ["probe", "--json", "--replay", RECORDING],
    "doctor": ["doctor"],
    "doctor for programs": ["doctor", "--json"],
    "list": ["list-supported"],
    "status": ["status"],
    "status of one": ["status", "office"],
    "killpower": ["killpower", "--dry-run", "office"],
    "options": ["-L"],
    "help": ["--help"],
}


Outcome = tuple[int, str]
"""The exit status, and what stood on stderr."""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which one UPS is configured and nothing runs."""
    tmp_path = tmp_path_factory.mktemp("host")
    (tmp_path / "st").mkdir()
    (tmp_path / "ups.conf").write_text(
        f"[office]\n driver = usbhidups\n port = replay:{RECORDING}\n user = root\n"
    )
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("NUT_", "LC_"))
    }
    return {**kept, "NUT_CONFPATH": str(tmp_path), "NUT_STATEPATH": str(tmp_path / "st")}


@pytest.fixture(scope="module")
def usual(host: dict[str, str]) -> Callable[[str], Outcome]:
    """What comes of a tool when nothing is in its way."""
    return cache(lambda tool: call(">/dev/null", TOOLS[tool], {**host, "LC_ALL": "C.UTF-8"}))


def call(shell: str, words: list[str], environment: dict[str, str]) -> Outcome:
    """Run it with ``shell`` behind it."""
    done = subprocess.run(
        ["sh", "-c", f'"$@" {shell}', "sh", sys.executable, "-m", "usbhidups", *words],
        env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stderr.decode()


@pytest.mark.parametrize("tool", TOOLS)
def test_closed(tool: str, host: dict[str, str], usual: Callable[[str], Outcome]) -> None:
    """Its result is the exit status, as if it had been written to /dev/null."""
    assert call(">&-", TOOLS[tool], host) == usual(tool)


@pytest.mark.parametrize("tool", TOOLS)
def test_everything_closed(
    tool: str, host: dict[str, str], usual: Callable[[str], Outcome]
) -> None:
    status, _ = usual(tool)
    assert call("<&- >&- 2>&-", TOOLS[tool], host) == (status, "")


DEEDS = ("killpower", "options")
"""What is done, or was asked by a program, whether or not it can be told."""


@pytest.mark.parametrize("tool", [tool for tool in TOOLS if tool not in (*DEEDS, "help")])
def test_full(tool: str, host: dict[str, str], usual: Callable[[str], Outcome]) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    status, said = call(">/dev/full", TOOLS[tool], host)
    _, problem = usual(tool)
    if problem:
        assert (status, said) == usual(tool)  # it had nothing for standard output
    else:
        assert said == "usbhidups: standard output: No space left on device\n"
        assert status == (3 if tool.startswith("status") else 1)


@pytest.mark.parametrize("streams", [">/dev/full 2>/dev/full", ">&- 2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("words", [["killpower", "office"], ["-a", "office", "-k"]])
def test_the_power_is_cut_though_nobody_can_be_told(
    words: list[str], streams: str, host: dict[str, str], tmp_path: Path
) -> None:
    """At the end of a shutdown the console may be gone."""
    with Simulator([load(Path(RECORDING))]) as simulator:
        (tmp_path / "ups.conf").write_text(
            f"[office]\n driver = usbhidups\n port = {simulator.url()}\n user = root\n"
        )
        status, _ = call(streams, words, {**host, "NUT_CONFPATH": str(tmp_path)})
        device = next(iter(simulator.devices.values()))
        assert device.command("wrote", 0.0) == ["16 02 00", "15 01 00"]
    assert status == 0


def test_a_status_that_could_not_be_told_is_no_state_of_a_ups(host: dict[str, str]) -> None:
    status, said = call(">/dev/full", ["status", "--json", "office"], host)
    assert (status, said) == (3, "usbhidups: standard output: No space left on device\n")


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("locale", ["C", "POSIX", "en_US.ISO-8859-1"])
def test_other_locales(
    tool: str, locale: str, host: dict[str, str], usual: Callable[[str], Outcome]
) -> None:
    environment = {**host, "LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    assert call(">/dev/null", TOOLS[tool], environment) == usual(tool)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["status", "--interval", "x"], "'x' is no number from 0.1 to 3600"),
        (["record", "new.toml", "--minutes", "nan"], "'nan' is no number from 0 to 1440"),
        (["simulate", RECORDING, "--speed", "inf"], "'inf' is no number from 0 to 1e+06"),
        (["simulate", "--tell", "state"], "--tell: needs --control SOCKET"),
        (
            ["simulate", RECORDING, "--listen", "127.0.0.1:0", "--control", "/none/such"],
            "/none/such: cannot listen: No such file or directory",
        ),
        (["probe", "--profiles", "/none/such"], "/none/such is no directory"),
        (["list-supported", "--profiles", RECORDING], f"{RECORDING} is no directory"),
        (["probe", "--replay", "/"], "/: Is a directory"),
        (["probe", "--decode", "/"], "/: cannot be read: Is a directory"),
        (["simulate", "/"], "/: Is a directory"),
        (["record", "/none/such"], "/none: there is no such directory"),
    ],
)
def test_wrong_words_are_answered_in_one_line(
    words: list[str], said: str, host: dict[str, str]
) -> None:
    status, text = call("", words, host)
    assert status != 0
    assert said in text
    assert len(text.splitlines()) == 1
