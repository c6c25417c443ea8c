"""The driver as a process: nut-driver-contract.md section 9, items 1 to 25, 75 to 82 and 98, by number.

Each test starts the real program on a simulated or replayed device.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.driver_tools import DEADLINE, FIXTURES, eventually, running_driver
from usbhidups.simulator.simulator import Simulator
from usbhidups.stateclient import StateClient
from usbhidups.usb.fixture import load

CPS = FIXTURES / "0764-0501-cyberpower-cp1500epfclcd.toml"
REPLAY = f"replay:{CPS}"


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator([load(CPS)], speed=0) as running:
        yield running


def run(
    directory: Path, *words: str, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """The driver with these words, to its end."""
    directory.mkdir(exist_ok=True)
    env = {
        **os.environ,
        "NUT_CONFPATH": str(directory),
        "NUT_STATEPATH": str(directory),
        **(environment or {}),
    }
    return subprocess.run(
        [sys.executable, "-m", "usbhidups", *words],
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def as_root(*words: str) -> tuple[str, ...]:
    return (*words, "-u", "root") if os.geteuid() == 0 else words


def conf(directory: Path, text: str) -> Path:
    directory.mkdir(exist_ok=True)
    (directory / "ups.conf").write_text(text)
    return directory


# -- ways to end at once -------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["-V", "-h", "-L"])
def test_15_16_options_that_only_show_something(option: str, tmp_path: Path) -> None:
    done = run(tmp_path / "none", option, environment={"NUT_STATEPATH": "/nonexistent"})
    assert done.returncode == 0
    assert "usbhidups" in done.stdout.splitlines()[0]
    if option == "-L":
        lines = done.stdout.splitlines()[1:]
        assert all(re.fullmatch(r'(VALUE|FLAG) \S+ ".+"', line) for line in lines)
        assert 'VALUE offdelay "seconds before the output is cut"' in lines


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("-s", "x"), "port"),
        (("-D",), "-a NAME"),
        (("-a", "nosuch"), "[nosuch]"),
        (("-a", "noport"), "port"),
        (("-a", "other"), "names another program"),
        (("-a", "typo"), 'did you mean "vendorid"'),
        (("-a", "regex"), "no regular expression"),
        (("-a", "good", "-i", "0"), "pollinterval"),
        (("-a", "good", "extra"), "extra"),
        (("-Z",), "-Z"),
        (("-a", "good", "-s", "x"), "given twice"),
        (("-a", "good", "-c", "nonsense"), "nonsense"),
        (("-s", "x", "-x", "port=replay:/nonexistent.toml", "-d", "0"), "/nonexistent.toml"),
    ],
)
def test_12_13_what_a_person_must_mend_is_one_line_and_status_1(
    words: tuple[str, ...], named: str, tmp_path: Path
) -> None:
    directory = conf(
        tmp_path / "etc",
        f"[good]\n driver = usbhidups\n port = {REPLAY}\n"
        "[noport]\n driver = usbhidups\n"
        "[other]\n driver = nutdrv_qx\n port = auto\n"
        "[typo]\n driver = usbhidups\n port = auto\n vendorld = 0764\n"
        "[regex]\n driver = usbhidups\n port = auto\n serial = (\n",
    )
    done = run(directory, *words)
    assert done.returncode == 1
    assert named in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_10_dump_prints_variables_and_leaves_nothing_behind(tmp_path: Path) -> None:
    done = run(tmp_path, "-s", "x", "-x", f"port={REPLAY}", "-d", "0")
    lines = done.stdout.splitlines()[1:]
    assert done.returncode == 0
    assert "ups.status: OL" in lines
    assert lines == sorted(lines, key=lambda line: line.split(": ")[0].lower())
    assert list(tmp_path.iterdir()) == []


def test_14_a_later_option_overrides_the_file_and_an_earlier_one_does_not(tmp_path: Path) -> None:
    directory = conf(
        tmp_path / "etc", f"[u]\n driver = usbhidups\n port = {REPLAY}\n pollfreq = 17\n"
    )
    after = run(directory, "-a", "u", "-x", "pollfreq=23", "-d", "0")
    before = run(directory, "-x", "pollfreq=23", "-a", "u", "-d", "0")
    assert "driver.parameter.pollfreq: 23" in after.stdout
    assert "driver.parameter.pollfreq: 17" in before.stdout


def test_32_33_override_and_default(tmp_path: Path) -> None:
    done = run(
        tmp_path, "-s", "u", "-d", "0", "-x", f"port={REPLAY}",
        "-x", "override.battery.charge.low=33", "-x", "default.battery.charge=42",
        "-x", "default.ups.contacts=none",
    )  # fmt: skip
    assert "battery.charge.low: 33" in done.stdout
    assert "battery.charge: 100" in done.stdout  # what the device says goes before a default
    assert "ups.contacts: none" in done.stdout


# -- in the background ---------------------------------------------------------------------------


def test_1_to_5_and_17_background(simulator: Simulator, tmp_path: Path) -> None:
    state = tmp_path / "run"
    state.mkdir()
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(state / "usbhidups-u"))
    stale.close()  # a stale socket file is in the way
    started = run(state, *as_root("-s", "u", "-x", f"port={simulator.url()}"))
    assert started.returncode == 0, started
    path = state / "usbhidups-u"
    with StateClient(path) as client:
        assert client.dump().variables["ups.status"] == "OL"  # data were there when the parent left
        pid = client.pid()
    text = (state / "usbhidups-u.pid").read_text()
    assert text == f"{pid}\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    assert stat.S_IMODE((state / "usbhidups-u.pid").stat().st_mode) == 0o644
    assert path.stat().st_uid == os.geteuid()
    os.kill(pid, signal.SIGTERM)
    eventually(lambda: not list(state.iterdir()), "socket, PID and lock files are removed")


def test_6_the_pid_directory_can_be_elsewhere(simulator: Simulator, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    pids.mkdir()
    state = tmp_path / "run"
    words = as_root("-s", "u", "-x", f"port={simulator.url()}")
    assert run(state, *words, environment={"NUT_ALTPIDPATH": str(pids)}).returncode == 0
    with StateClient(state / "usbhidups-u") as client:
        assert (pids / "usbhidups-u.pid").read_text() == f"{client.pid()}\n"
        client.command("driver.exit")
    eventually(lambda: not list(pids.iterdir()), "the PID file is removed")


def test_c07_without_a_device_the_driver_starts_and_waits(tmp_path: Path) -> None:
    """The parent leaves with 0 after a short look: a UPS that is plugged in later is normal."""
    with Simulator([load(CPS)], speed=0) as simulator:
        url = simulator.url("1-1")
        simulator.command("disconnect")
        with running_driver(tmp_path / "run", "u", url) as driver:
            waiting = driver.wait_for(lambda dump: "driver.state" in dump.variables)
            assert not waiting.fresh
            assert waiting.variables["driver.state"] == "init.waiting"
            assert waiting.variables["driver.state.reason"]
            assert "ups.status" not in waiting.variables
            simulator.command("reconnect")
            ready = driver.wait_for(lambda dump: dump.fresh)
            assert ready.variables["ups.status"] == "OL"
            assert ready.variables["driver.state"] == "quiet"


def test_b19_a_driver_in_the_background_follows_the_device(
    simulator: Simulator, tmp_path: Path
) -> None:
    """It opens the device after the fork, once, and goes on reading it."""
    state = tmp_path / "run"
    assert run(state, *as_root("-s", "u", "-x", f"port={simulator.url()}")).returncode == 0
    path = state / "usbhidups-u"

    def status() -> str | None:
        with StateClient(path) as client:
            return client.dump().variables.get("ups.status")

    assert status() == "OL"
    simulator.command("mains off")
    eventually(lambda: status() == "OB DISCHRG", "the outage is shown")
    with StateClient(path) as client:
        assert "driver.disconnects" not in client.dump().variables
        client.command("driver.exit")
    eventually(lambda: not path.exists(), "it ends")


# -- in the foreground ---------------------------------------------------------------------------


def test_7_9_18_foreground_ends_cleanly(simulator: Simulator, tmp_path: Path) -> None:
    with running_driver(tmp_path / "run", "u", simulator.url()) as driver:
        driver.wait_for(lambda dump: dump.fresh)
        assert not (tmp_path / "run" / "usbhidups-u.pid").exists()
        assert driver.stop() == 0
        assert not driver.path.exists()


def test_a_recording_may_be_named_from_where_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The driver changes to its state directory; the path of the recording must not change with it."""
    monkeypatch.chdir(CPS.parent)
    with running_driver(tmp_path / "run", "u", f"replay:{CPS.name}") as driver:
        driver.wait_for(lambda dump: dump.fresh)


def test_8_twice_f_writes_the_pid_file(simulator: Simulator, tmp_path: Path) -> None:
    with running_driver(tmp_path / "run", "u", simulator.url(), "-F") as driver:
        driver.wait_for(lambda dump: dump.fresh)
        text = (tmp_path / "run" / "usbhidups-u.pid").read_text()
        assert text == f"{driver.process.pid}\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_18_signals_that_end_it(
    number: signal.Signals, simulator: Simulator, tmp_path: Path
) -> None:
    with running_driver(tmp_path / "run", "u", simulator.url()) as driver:
        driver.wait_for(lambda dump: dump.fresh)
        driver.process.send_signal(number)
        assert driver.process.wait(DEADLINE) == 0
        assert not driver.path.exists()


def test_19_20_reload(simulator: Simulator, tmp_path: Path) -> None:
    state = tmp_path / "run"
    text = f"[u]\n driver = usbhidups\n port = {simulator.url()}\n"
    conf(state, text)
    words = [sys.executable, "-m", "usbhidups", *as_root("-F", "-a", "u")]
    env = {**os.environ, "NUT_CONFPATH": str(state), "NUT_STATEPATH": str(state)}
    with subprocess.Popen(
        words,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            path = state / "usbhidups-u"
            eventually(path.is_socket, "it listens")

            def parameter(name: str) -> str | None:
                with StateClient(path) as client:
                    return client.dump().variables.get(f"driver.parameter.{name}")

            process.send_signal(signal.SIGUSR1)  # nothing changed: it goes on
            conf(state, text + " pollinterval = 1\n")
            process.send_signal(signal.SIGHUP)
            eventually(lambda: parameter("pollinterval") == "1", "SIGHUP applies pollinterval")
            conf(state, text + " pollinterval = 3\n")
            told = run(state, "-a", "u", "-c", "reload")
            assert told.returncode == 0
            assert parameter("pollinterval") == "3"
            conf(state, text + " pollonly\n")
            assert run(state, "-a", "u", "-c", "reload-or-error").returncode == 2
            process.send_signal(signal.SIGUSR1)
            assert process.wait(DEADLINE) == 128 + signal.SIGUSR1
        finally:
            process.kill()


def test_25_a_second_start_replaces_the_first(simulator: Simulator, tmp_path: Path) -> None:
    state = tmp_path / "run"
    with running_driver(state, "u", REPLAY) as first:
        first.wait_for(lambda dump: dump.fresh)
        with running_driver(state, "u", REPLAY) as second:
            assert first.process.wait(DEADLINE) == 0
            second.wait_for(lambda dump: dump.fresh)
            with StateClient(second.path) as client:
                assert client.pid() == second.process.pid


def test_98_driver_exit_over_the_socket(simulator: Simulator, tmp_path: Path) -> None:
    with running_driver(tmp_path / "run", "u", simulator.url()) as driver:
        driver.wait_for(lambda dump: dump.fresh)
        with StateClient(driver.path) as client:
            assert client.command("driver.exit") == 0
        assert driver.process.wait(DEADLINE) == 0
        assert run(tmp_path / "run", "-s", "u", "-x", "port=auto", "-c", "exit").returncode == 255


def test_24_the_service_manager_is_told(simulator: Simulator, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(DEADLINE)
        environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "600000"}
        with running_driver(
            tmp_path / "run", "u", simulator.url(), environment=environment
        ) as driver:
            messages = [manager.recv(4096).decode()]
            assert messages[0].splitlines()[0] == "READY=1"
            assert f"MAINPID={driver.process.pid}" in messages[0]
            while "WATCHDOG=1" not in messages or "STATUS=u: OL" not in messages:
                messages.append(manager.recv(4096).decode())
            driver.process.terminate()
            while "STOPPING=1" not in messages:
                messages.append(manager.recv(4096).decode())


def test_21_a_client_that_vanishes_does_no_harm(simulator: Simulator, tmp_path: Path) -> None:
    with running_driver(tmp_path / "run", "u", simulator.url()) as driver:
        driver.wait_for(lambda dump: dump.fresh)
        for _ in range(20):
            with socket.socket(socket.AF_UNIX) as rude:
                rude.connect(str(driver.path))
                rude.sendall(b"DUMPALL\n" * 20)
        assert driver.dump().fresh


def test_i5_ping_is_answered_while_a_transfer_hangs(simulator: Simulator, tmp_path: Path) -> None:
    with running_driver(tmp_path / "run", "u", simulator.url()) as driver:
        driver.wait_for(lambda dump: dump.fresh)
        simulator.command("wedge")  # from now on no transfer is answered
        stale = driver.wait_for(lambda dump: not dump.fresh)
        assert stale.variables["ups.status"] == "OL"  # the last that was known, marked as stale
        with StateClient(driver.path, timeout=1.0) as client:
            for _ in range(50):
                client.ping()
        simulator.command("clear")
        driver.wait_for(lambda dump: dump.fresh, seconds=3 * DEADLINE)


def test_82_83_unplugged_and_plugged_in_again(simulator: Simulator, tmp_path: Path) -> None:
    with running_driver(tmp_path / "run", "u", simulator.url()) as driver:
        driver.wait_for(lambda dump: dump.fresh)
        simulator.command("disconnect")
        gone = driver.wait_for(lambda dump: not dump.fresh)
        assert gone.variables["driver.state"] == "reconnect.trying"
        simulator.command("mains off")
        simulator.command("reconnect")
        back = driver.wait_for(lambda dump: dump.fresh)
        assert back.variables["ups.status"] == "OB DISCHRG"


def test_two_upses_in_one_process(tmp_path: Path) -> None:
    state = tmp_path / "run"
    apc = FIXTURES / "051d-0002-apc-back-ups-bk650m2-ch.toml"
    conf(
        state,
        f"[one]\n driver = usbhidups\n port = {REPLAY}\n[two]\n driver = usbhidups\n"
        f" port = replay:{apc}\n[not-ours]\n driver = nutdrv_qx\n port = auto\n",
    )
    env = {**os.environ, "NUT_CONFPATH": str(state), "NUT_STATEPATH": str(state)}
    with subprocess.Popen(
        [sys.executable, "-m", "usbhidups", "run", *as_root()],
        env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        try:
            products = {}
            for name in ("one", "two"):
                path = state / f"usbhidups-{name}"
                eventually(path.is_socket, f"{name} listens")

                def has_status(path: Path = path) -> bool:
                    with StateClient(path) as client:
                        return client.dump().fresh

                eventually(has_status, f"{name} has data")
                with StateClient(path) as client:
                    products[name] = client.dump().variables["ups.vendorid"]
            assert products == {"one": "0764", "two": "051d"}
        finally:
            process.terminate()
            assert process.wait(DEADLINE) == 0
