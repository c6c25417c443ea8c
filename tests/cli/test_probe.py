"""``usbhidups probe`` as it is called: what it prints and how it exits."""

from __future__ import annotations

import functools
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.driver_tools import FIXTURES, running_driver
from tests.usb.bytes import KEYBOARD
from tests.usb.sysfs import Part, Plug, plug
from usbhidups.cli import target
from usbhidups.cli.main import main
from usbhidups.simulator.simulator import Simulator
from usbhidups.stateclient import NoAnswer
from usbhidups.tools.probe import watch as probe_watch
from usbhidups.tools.probe.local import Surroundings
from usbhidups.tools.probe.ticker import Ticker
from usbhidups.usb.fixture import load
from usbhidups.usb.local import Host

APC = FIXTURES / "051d-0002-apc-back-ups-bk650m2-ch.toml"
LOG = Path(__file__).parents[1] / "probe" / "pasted" / "usbhid-ups-2.8.0.log"


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator([load(APC)], speed=0) as running:
        yield running


@pytest.fixture(autouse=True)
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host with no USB devices, and no NUT."""
    (tmp_path / "sys/bus/usb/devices").mkdir(parents=True)
    (tmp_path / "st").mkdir()
    monkeypatch.setenv("NUT_STATEPATH", str(tmp_path / "st"))
    monkeypatch.setenv("NUT_CONFPATH", str(tmp_path / "st"))
    made = Host(sysfs=tmp_path / "sys", dev=tmp_path / "dev")
    monkeypatch.setattr(target, "Surroundings", functools.partial(Surroundings, host=made))
    return tmp_path


def objects(text: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(text)
    return found


# -- exit status ---------------------------------------------------------------------------------


def test_found_and_read(simulator: Simulator, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["probe", "--port", simulator.url()]) == 0
    said = capsys.readouterr()
    assert "BK650M2-CH" in said.out
    assert "OL DISCHRG" in said.out
    assert said.err == ""


def test_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["probe"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("usbhidups: no UPS on this host's USB")
    assert len(said.err.splitlines()) == 1


def test_a_host_without_usb(host: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (host / "sys/bus/usb/devices").rmdir()
    assert main(["probe", "-v"]) == 1
    said = capsys.readouterr().err.splitlines()
    assert said[-1].startswith(f"usbhidups: this host shows no USB ({host}/sys/bus/usb/devices")
    assert not any("passed over" in line for line in said)


def test_none_as_json_is_an_empty_array(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["probe", "--json"]) == 1
    assert objects(capsys.readouterr().out) == []


def test_found_and_not_readable(simulator: Simulator, capsys: pytest.CaptureFixture[str]) -> None:
    simulator.command("fault stall all")
    assert main(["probe", "--port", simulator.url()]) == 2
    said = capsys.readouterr().out
    assert "not readable" in said
    assert "it is open, but refuses all of its reports" in said


def test_nobody_at_that_address(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["probe", "--port", "usbip://127.0.0.1:1/1-1"]) == 1
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert "127.0.0.1" in said
    assert "is usbhidups simulate, or usbipd, running there?" in said


def test_a_local_device_that_is_not_readable(
    host: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plug(host, Plug(port="1-4", parts=[Part(hidraw="")]))
    (host / "dev/bus/usb/001/007").unlink()
    assert main(["probe", "--json"]) == 2
    (found,) = objects(capsys.readouterr().out)
    assert found["readable"] is False
    assert found["problem"]["situation"] in ("no-node", "no-library", "gone")  # type: ignore[index]


def test_devices_that_are_none_are_counted_and_named(
    host: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plug(host, Plug(vendor=0x046D, product=0xC31C, parts=[Part(descriptor=KEYBOARD)]))
    assert main(["probe"]) == 1
    assert "1 HID device is none" in capsys.readouterr().err
    assert main(["probe", "--verbose"]) == 1
    assert "passed over: 1-1 046d:c31c CPS CP1500: its HID" in capsys.readouterr().err


# -- recordings and text -------------------------------------------------------------------------


def test_a_recording(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["probe", "--json", "--replay", str(APC)]) == 0
    (found,) = objects(capsys.readouterr().out)
    assert found["transport"] == "replay"


def test_every_field_in_lines_that_can_be_searched(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["probe", "--all", "--replay", str(APC)]) == 0
    lines = capsys.readouterr().out.splitlines()
    (line,) = [line for line in lines if "RemainingTimeLimit " in line and "PowerSummary" in line]
    assert line.split() == ["ft", "17", "0+16", "UPS.PowerSummary.RemainingTimeLimit", "12c", "300", "s",
                            "battery.runtime.low"]  # fmt: skip


@pytest.mark.parametrize(
    "argument", [str(LOG), "05 84 09 04 a1 01 85 01 09 02 75 08 95 01 b1 02 c0"]
)
def test_text(argument: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["probe", "--decode", argument]) == 0
    assert "UPS.PresentStatus" in capsys.readouterr().out


def test_text_from_standard_input(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(LOG.read_bytes())))
    assert main(["probe", "--decode", "-", "--json"]) == 0
    (found,) = objects(capsys.readouterr().out)
    assert found["device"]["port"] == "decode:standard input"  # type: ignore[index]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--decode", "/nonexistent/file"], "neither a file"),
        (["--decode", "/"], "cannot be read"),
        (["--decode", "00", "--replay", "x"], "one of them at a time"),
        (["--decode", "05 84"], "command line: no whole report descriptor"),
        (["--decode", str(APC)], "usbhidups probe --replay"),
        (["--replay", str(LOG)], "a debug log of NUT's usbhid-ups: usbhidups probe --decode"),
        (["--watch", "--replay", str(APC)], "usbhidups simulate plays one"),
        (["--watch", "--decode", str(LOG)], "usbhidups simulate plays one"),
        (["--replay", "/nonexistent/file"], "/nonexistent/file"),
        (["--port", "usbip://"], "port"),
        (["-x", "no_such_option=1"], "no_such_option"),
        (["nobody"], "nobody"),
    ],
)
def test_mistakes_are_one_line(
    words: list[str], said: str, host: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (host / "st/ups.conf").write_text("[office]\ndriver = usbhidups\nport = auto\n")
    assert main(["probe", *words]) == 1
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 1
    assert said in errors[0]


def test_options_as_in_ups_conf(simulator: Simulator, capsys: pytest.CaptureFixture[str]) -> None:
    """The repair of a limit can be left out, and a section of ups.conf says which device is meant."""
    conf = Path(os.environ["NUT_CONFPATH"]) / "ups.conf"
    conf.write_text(f"[office]\ndriver = usbhidups\nport = {simulator.url()}\n")
    assert main(["probe", "office", "--json"]) == 0
    assert objects(capsys.readouterr().out)[0]["repairs"]
    assert main(["probe", "office", "--json", "-x", "disable_fix_report_desc"]) == 0
    assert objects(capsys.readouterr().out)[0]["repairs"] == []


def test_watching_for_programs_is_an_array_a_line(
    simulator: Simulator, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(_seconds: float) -> None:
        if capsys.readouterr().out.count("\n") == 1:
            raise KeyboardInterrupt
        pytest.fail("a round is no line")

    real = probe_watch.Watch
    monkeypatch.setattr(
        probe_watch, "Watch", lambda *arguments: real(*arguments, sleep=ended, rounds=2)
    )
    assert main(["probe", "--watch", "--json", "--port", simulator.url()]) == 0


# -- beside a running driver ---------------------------------------------------------------------


def test_a_device_that_our_driver_serves_is_asked_for_there(
    host: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plug(host, replace(Plug(), port="1-4"))
    options = ("-x", "override.driver.version.usb=1-4")
    with running_driver(host / "st", "office", f"replay:{APC}", *options) as driver:
        driver.wait_for(lambda dump: dump.fresh)
        assert main(["probe", "--json"]) == 0
        (found,) = objects(capsys.readouterr().out)
        assert main(["probe"]) == 0
    assert found["transport"] == "driver"
    assert not [name for name in found["variables"] if name.startswith("driver.")]  # type: ignore[attr-defined]
    assert found["variables"]["ups.status"] == "OL DISCHRG"  # type: ignore[index]
    assert found["transport_reason"] == (
        "usbhidups-office serves it; stop that driver to read every field"
    )
    assert "usbhidups-office serves it" in capsys.readouterr().out


def test_a_port_that_only_one_can_have_is_asked_for_at_its_driver(
    simulator: Simulator, host: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (host / "st/ups.conf").write_text(f"[office]\ndriver = usbhidups\nport = {simulator.url()}\n")
    with running_driver(host / "st", "office", simulator.url()) as driver:
        driver.wait_for(lambda dump: dump.fresh)
        assert main(["probe", "office", "--json"]) == 0
        (found,) = objects(capsys.readouterr().out)
        assert main(["probe", "--port", simulator.url()]) == 1
        assert "in use" in capsys.readouterr().err
    assert found["transport"] == "driver"
    assert found["device"]["vendor_id"] == "051d"  # type: ignore[index]
    assert found["device"]["product"] == "BK650M2-CH"  # type: ignore[index]
    assert found["variables"]["ups.status"] == "OL DISCHRG"  # type: ignore[index]


def test_a_section_whose_driver_is_not_for_us(
    simulator: Simulator,
    host: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Closed:
        def __init__(self, path: Path, **_settings: float) -> None:
            raise NoAnswer(f"no driver answers at {path}: Permission denied")

    (host / "st/ups.conf").write_text(f"[office]\ndriver = usbhidups\nport = {simulator.url()}\n")
    with running_driver(host / "st", "office", simulator.url()) as driver:
        driver.wait_for(lambda dump: dump.fresh)
        monkeypatch.setattr(target, "StateClient", Closed)
        assert main(["probe", "office"]) == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert "in use by another client" in said


def test_a_driver_that_has_no_good_data_counts_as_unreadable(
    host: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plug(host, replace(Plug(), port="1-4"))
    bare = host / "bare.toml"
    text = APC.read_text(encoding="utf-8")
    bare.write_text(text.split("[reports.feature]")[0] + "[expected.variables]\n", encoding="utf-8")
    options = ("-x", "override.driver.version.usb=1-4")
    with running_driver(host / "st", "office", f"replay:{bare}", *options) as driver:
        driver.wait_for(lambda dump: "driver.state" in dump.variables)
        assert main(["probe", "--json"]) == 2
    (found,) = objects(capsys.readouterr().out)
    assert found["problem"]["situation"] == "our-driver"  # type: ignore[index]
    assert "stale" in found["problem"]["reason"]  # type: ignore[index]


# -- what it needs -------------------------------------------------------------------------------


def test_neither_the_daemon_nor_its_sessions_are_loaded() -> None:
    script = (
        "import sys; from usbhidups.cli.main import main; sys.argv = ['usbhidups'];"
        f"main(['probe', '--replay', {str(APC)!r}]); main(['probe', '--json']);"
        "print(*[name for name in sys.modules if name.startswith('usbhidups')], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = done.stderr.split()
    assert "usbhidups.tools.probe.look" in loaded
    assert not [name for name in loaded if name.startswith("usbhidups.driver")]
    assert "usbhidups.nut.session" not in loaded


def test_json_needs_no_rich() -> None:
    script = (
        "import sys; sys.modules['rich'] = None; from usbhidups.cli.main import main;"
        f"sys.argv = ['usbhidups']; sys.exit(main(['probe', '--json', '--replay', {str(APC)!r}]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, timeout=60, check=True
    )
    assert objects(done.stdout.decode())


class Terminal(io.StringIO):
    """A file that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_progress_is_written_over_and_gone_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    file = Terminal()
    with Ticker(file) as ticker:
        ticker("1-4", "feature 0c (1 of 2)" + "x" * 100)
        ticker("1-4", "feature 0d (2 of 2)")
    first, second, last = file.getvalue().split("\r\x1b[K")[1:]
    assert first.startswith("1-4: feature 0c")
    assert len(first) < 80
    assert second == "1-4: feature 0d (2 of 2)"
    assert last == ""


@pytest.mark.parametrize(("term", "file"), [("xterm", io.StringIO()), ("dumb", Terminal())])
def test_no_progress_where_it_would_disturb(
    term: str, file: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", term)
    with Ticker(file) as ticker:
        ticker("1-4", "feature 0c")
    assert file.getvalue() == ""
