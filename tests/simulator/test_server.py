"""The simulator on real sockets: USB/IP clients, the control socket, the program, the distribution's usbip."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulator.devices import DESCRIPTOR, bench
from tests.simulator.test_session import GET_LOAD, import_, replies, submit
from usbhidups.cli.main import main
from usbhidups.cli.simulate import EXAMPLE
from usbhidups.errors import ConfigError
from usbhidups.simulator.scenarios import SCENARIOS
from usbhidups.simulator.simulator import Simulator
from usbhidups.tools.probe.look import Plan
from usbhidups.tools.probe.replay import look_at_recording
from usbhidups.ups.loading.library import Library
from usbhidups.usb import fixture

PATIENCE = 10.0
"""Seconds after which a socket that stays silent fails its test."""


@pytest.fixture(autouse=True)
def _no_threads_left() -> Iterator[None]:
    before = threading.active_count()
    yield
    assert threading.active_count() == before


class Client:
    def __init__(self, simulator: Simulator) -> None:
        self.socket = socket.create_connection(simulator.address, timeout=PATIENCE)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def take(self, count: int) -> bytes:
        data = b""
        while len(data) < count and (block := self.socket.recv(count - len(data))):
            data += block
        return data

    def import_(self, busid: bytes = b"1-1") -> bytes:
        self.socket.sendall(import_(busid))
        head = self.take(8)
        return head + (self.take(312) if head[4:] == bytes(4) else b"")


def control(path: Path, *lines: str) -> list[dict[str, object]]:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE)
        client.connect(os.fspath(path))
        client.sendall("".join(line + "\n" for line in lines).encode())
        with client.makefile("rb") as file:
            return [json.loads(file.readline()) for _ in lines]


def test_transfers_and_interrupts() -> None:
    with Simulator([bench()], speed=0) as simulator, Client(simulator) as client:
        assert client.import_()[4:8] == bytes(4)
        client.socket.sendall(submit(1, GET_LOAD) + submit(2, endpoint=1, length=8))
        assert replies(client.take(50)) == [(3, 1, 0, b"\x0c\x14")]
        simulator.command("mains off")
        assert replies(client.take(50)) == [(3, 2, 0, b"\x01\x94")]


def test_a_lost_device_hangs_up_and_comes_back() -> None:
    with Simulator([bench()]) as simulator, Client(simulator) as client:
        assert client.import_()[8 + 292 : 8 + 296] == bytes((0, 0, 0, 2))
        simulator.command("disconnect")
        assert client.take(1) == b""
        simulator.command("reconnect")
        with Client(simulator) as again:
            assert again.import_()[8 + 292 : 8 + 296] == bytes((0, 0, 0, 3))


def test_one_at_a_time_until_it_leaves() -> None:
    with Simulator([bench()]) as simulator:
        with Client(simulator) as first, Client(simulator) as second:
            assert first.import_()[4:8] == bytes(4)
            assert second.import_()[4:8] == bytes((0, 0, 0, 2))
        with Client(simulator) as third:
            assert third.import_()[4:8] == bytes(4)


def test_nonsense_loses_only_its_own_connection() -> None:
    with Simulator([bench()]) as simulator, Client(simulator) as bad, Client(simulator) as good:
        assert good.import_()[4:8] == bytes(4)
        bad.socket.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert bad.take(1) == b""
        good.socket.sendall(submit(1, GET_LOAD))
        assert replies(good.take(50)) == [(3, 1, 0, b"\x0c\x14")]


def test_many_clients_leave_nothing_behind() -> None:
    with Simulator([bench()]) as simulator:
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(200):
            with Client(simulator) as client:
                client.import_()
        assert simulator.command("state") is not None
        assert len(os.listdir("/proc/self/fd")) <= before + 1


def test_in_process_commands() -> None:
    with Simulator([bench(), bench()], speed=60) as simulator:
        assert list(simulator.devices) == ["1-1", "1-2"]
        assert simulator.url("1-2") == f"usbip://127.0.0.1:{simulator.address[1]}/1-2"
        simulator.command("1-2 mains off")
        states = simulator.command("state")
        assert isinstance(states, dict)
        assert [states[busid]["mains"] for busid in ("1-1", "1-2")] == [True, False]
        with pytest.raises(ValueError, match="no device 1-9"):
            simulator.command("1-9 mains off")
        with pytest.raises(ValueError, match="unknown command 'dance'"):
            simulator.command("dance")


def test_control_socket(tmp_path: Path) -> None:
    path = tmp_path / "c"
    with Simulator([bench()], control=path):
        first, second, third, state = control(path, "mains off", "nonsense", "load 50", "state")
        assert first == {"ok": True, "result": None}
        assert second == {"ok": False, "error": "unknown command 'nonsense'"}
        assert third == {"ok": True, "result": None}
        result = state["result"]
        assert isinstance(result, dict)
        assert (result["mains"], result["load"]) == (False, 50.0)
    assert not path.exists()


def test_control_socket_of_several(tmp_path: Path) -> None:
    path = tmp_path / "c"
    with Simulator([bench(), bench()], control=path):
        (answer,) = control(path, "1-2 state")
        assert isinstance(answer["result"], dict)
        assert answer["result"]["busid"] == "1-2"
        (answer,) = control(path, "history")
        assert answer["result"] == {"1-1": {"main": []}, "1-2": {"main": []}}


def test_a_stale_control_socket_is_replaced_and_a_file_is_not(tmp_path: Path) -> None:
    stale = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as left_over:
        left_over.bind(os.fspath(stale))
    with Simulator([bench()], control=stale):
        assert control(stale, "state")[0]["ok"] is True
    precious = tmp_path / "f"
    precious.write_text("mine")
    with pytest.raises(ConfigError, match="cannot listen"):
        Simulator([bench()], control=precious)
    assert precious.read_text() == "mine"


def test_the_control_socket_of_another_is_left_to_it(tmp_path: Path) -> None:
    path = tmp_path / "c"
    with Simulator([bench()], control=path):
        with pytest.raises(ConfigError, match=r"c: cannot listen: another simulator"):
            Simulator([bench()], control=path)
        assert control(path, "state")[0]["ok"] is True


def test_a_taken_port_is_said() -> None:
    with Simulator([bench()]) as simulator, pytest.raises(ConfigError, match="cannot listen"):
        Simulator([bench()], port=simulator.address[1])


def test_the_program(tmp_path: Path) -> None:
    device = tmp_path / "bench.toml"
    device.write_text(fixture.dumps(bench()))
    path = tmp_path / "c"
    arguments = ["simulate", os.fspath(device), os.fspath(device), "--listen", "127.0.0.1:0"]
    options = [
        "--control",
        os.fspath(path),
        "--scenario",
        "outage",
        "--speed",
        "30",
        "--delay-ms",
        "5",
    ]
    with subprocess.Popen(
        [sys.executable, "-m", "usbhidups", *arguments, *options], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert re.fullmatch(r"listening on 127\.0\.0\.1:\d+ busids 1-1 1-2\n", line)
        (answer,) = control(path, "1-1 state")
        assert isinstance(answer["result"], dict)
        assert answer["result"]["speed"] == 30.0
        assert answer["result"]["faults"] == ["delay 5"]
        assert control(path, "quit") == [{"ok": True, "result": None}]
        assert process.wait(timeout=PATIENCE) == 0
    assert not path.exists()


def test_without_a_recording_it_is_an_example() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "usbhidups", "simulate", "--listen", "127.0.0.1:0"],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.terminate()
        assert process.wait(timeout=PATIENCE) == 0
    assert re.fullmatch(r"listening on 127\.0\.0\.1:\d+ busids 1-1\n", line)


def test_the_example_has_what_a_shutdown_needs() -> None:
    example = look_at_recording(EXAMPLE, Library(), Plan(everything=True))
    assert {
        name: example.text(name) for name in ("ups.status", "battery.charge", "input.voltage")
    } == {
        "ups.status": "OL",
        "battery.charge": "100",
        "input.voltage": "230.0",
    }
    assert {"shutdown.return", "shutdown.stop", "load.off.delay"} <= set(example.commands)
    assert example.warnings == ()


def test_the_program_ends_on_a_signal(tmp_path: Path) -> None:
    device = tmp_path / "bench.toml"
    device.write_text(fixture.dumps(bench()))
    with subprocess.Popen(
        [
            sys.executable,
            "-m",
            "usbhidups",
            "simulate",
            os.fspath(device),
            "--listen",
            "127.0.0.1:0",
        ],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=PATIENCE) == 0


def test_the_program_tells_what_happens(tmp_path: Path) -> None:
    device = tmp_path / "bench.toml"
    device.write_text(fixture.dumps(bench()))
    arguments = ["simulate", os.fspath(device), "--listen", "127.0.0.1:0"]
    with subprocess.Popen(
        [sys.executable, "-m", "usbhidups", *arguments, "--scenario", "outage", "--speed", "1000"],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        told = [process.stdout.readline()]
        while told[-1] != "01:05 mains on\n":
            told.append(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=PATIENCE) == 0
    assert told[0].startswith("listening on ")
    assert "00:05 mains off\n" in told


def test_the_program_goes_on_when_nobody_reads(tmp_path: Path) -> None:
    device, path = tmp_path / "bench.toml", tmp_path / "c"
    device.write_text(fixture.dumps(bench()))
    arguments = ["simulate", os.fspath(device), "--listen", "127.0.0.1:0", "--control", str(path)]
    with subprocess.Popen(
        [sys.executable, "-m", "usbhidups", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        for _ in range(3):
            control(path, "mains off")
            control(path, "mains on")
        control(path, "quit")
        assert process.wait(timeout=PATIENCE) == 0
        assert process.stderr.read() == ""


def test_the_program_on_a_terminal(tmp_path: Path) -> None:
    """A live view, left with an orderly screen."""
    device, path = tmp_path / "bench.toml", tmp_path / "c"
    device.write_text(fixture.dumps(bench()))
    arguments = ["simulate", os.fspath(device), "--listen", "127.0.0.1:0", "--control", str(path)]
    ours, theirs = pty.openpty()
    with (
        open(ours, "rb", buffering=0) as screen,
        open(theirs, "wb", buffering=0) as terminal,
        subprocess.Popen(
            [sys.executable, "-m", "usbhidups", *arguments],
            stdout=terminal,
            env={**os.environ, "TERM": "xterm", "NO_COLOR": "1"},
        ) as process,
    ):
        seen = b""
        while b"Ctrl-C ends" not in seen:
            seen += screen.read(65536)
        control(path, "quit")
        while b"\x1b[?1049l" not in seen:  # back to the screen that was there before
            seen += screen.read(65536)
        assert process.wait(timeout=PATIENCE) == 0
    assert b"none yet; port = usbip://127.0.0.1:" in seen
    assert b"\x1b[3" not in seen  # no colours


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (["--listen", "3240"], 1, "is not HOST:PORT"),
        (["--listen", "127.0.0.1:99999"], 1, "is not HOST:PORT"),
        (["--speed", "-1"], 2, "'-1' is no number from 0"),
    ],
)
def test_the_program_refuses(tmp_path: Path, options: list[str], status: int, words: str) -> None:
    device = tmp_path / "bench.toml"
    device.write_text(fixture.dumps(bench()))
    done = subprocess.run(
        [sys.executable, "-m", "usbhidups", "simulate", os.fspath(device), *options],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == status
    assert words in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--tell", "mains off"], "needs --control SOCKET"),
        (["--control", "/nonexistent/c", "--tell", "mains off"], "no simulator there"),
        (["--listen", "127.0.0.1:0", "/nonexistent.toml"], "No such file"),
    ],
)
def test_the_program_without_what_it_needs(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["simulate", *words]) == 1
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1


def test_the_program_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(tmp_path / "c")
    with Simulator([bench()], control=Path(path)) as simulator:
        assert main(["simulate", "--control", path, "--tell", "mains off"]) == 0
        assert capsys.readouterr().out == ""
        assert main(["simulate", "--control", path, "--tell", "state"]) == 0
        assert json.loads(capsys.readouterr().out)["mains"] is False
        assert main(["simulate", "--control", path, "--tell", "dance"]) == 1
        assert "unknown command 'dance'" in capsys.readouterr().err
        state = simulator.command("state")
    assert isinstance(state, dict)
    assert state["mains"] is False


def test_several_that_did_it_answer_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(tmp_path / "c")
    with Simulator([bench(), bench()], control=Path(path)):
        assert main(["simulate", "--control", path, "--tell", "mains off"]) == 0
        assert capsys.readouterr().out == ""
        assert main(["simulate", "--control", path, "--tell", "history"]) == 0
        assert json.loads(capsys.readouterr().out).keys() == {"1-1", "1-2"}


USBIP = shutil.which("usbip", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


@pytest.mark.skipif(USBIP is None, reason="needs the distribution's usbip")
def test_the_distributions_usbip_lists_it() -> None:
    assert USBIP is not None
    with Simulator([bench(), bench(interface=1)]) as simulator:
        done = subprocess.run(
            [USBIP, "--tcp-port", str(simulator.address[1]), "list", "-r", "127.0.0.1"],
            capture_output=True,
            text=True,
            check=True,
            timeout=PATIENCE,
        )
    listed = re.findall(r"^\s+(1-\d): .*\((\w{4}:\w{4})\)$", done.stdout, re.MULTILINE)
    assert listed == [("1-1", "1209:0001"), ("1-2", "1209:0001")]
    assert done.stdout.count("Human Interface Device") == 3


def test_report_descriptor_over_the_wire() -> None:
    with Simulator([bench()]) as simulator, Client(simulator) as client:
        client.import_()
        client.socket.sendall(submit(1, "81 06 0022 0000 0010", length=4096))
        (reply,) = replies(client.take(48 + len(DESCRIPTOR)))
        assert reply[3] == DESCRIPTOR


def test_scenarios_are_offered() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "usbhidups", "simulate", "--help"],
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    assert all(name in done.stdout for name in SCENARIOS)
