"""The web server over real sockets: what it answers, what it refuses, and that nobody can hold it up."""

from __future__ import annotations

import contextlib
import http.client
import os
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

from tests.appliance.whole_story import BROWSER, picture
from usbhidups.appliance.web import server as module
from usbhidups.appliance.web.server import StatusServer
from usbhidups.appliance.web.snapshot import Sample, Snapshot, UpsView

NOW = 1_800_000_000.0
VARIABLES = {"ups.status": "OL", "ups.model": "Model 700", "battery.charge": "83"}


@contextlib.contextmanager
def serving(snapshot: Snapshot, **options: frozenset[str]) -> Iterator[tuple[str, int]]:
    server = StatusServer(("127.0.0.1", 0), lambda: snapshot, **options)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.place
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def place() -> Iterator[tuple[str, int]]:
    day = tuple(Sample(int(NOW) - 60 * n, 83.0, 17.0, 231.0) for n in range(600, 0, -1))
    ups = UpsView(
        name="ups", target="ups@localhost", variables=VARIABLES, age=1.0, logins=1, history=day
    )
    with serving(Snapshot(when=NOW, hostname="attic", upses=(ups,))) as found:
        yield found


def get(
    place: tuple[str, int], path: str, method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(*place, timeout=20)
    with contextlib.closing(connection):
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()


@pytest.mark.parametrize(
    ("path", "kind", "content"),
    [
        ("/", "text/html; charset=utf-8", b"<!DOCTYPE html>"),
        ("/fragment", "text/html; charset=utf-8", b'<section class="ups good"'),
        ("/status.json", "application/json", b'"battery.charge": "83"'),
        ("/metrics", "text/plain; version=0.0.4", b'nut_up{ups="ups@localhost"} 1.0'),
        ("/style.css", "text/css; charset=utf-8", b":root"),
        ("/live.js", "text/javascript; charset=utf-8", b"fragment"),
        ("/icon.svg", "image/svg+xml", b"<svg"),
        ("/?x=1", "text/html; charset=utf-8", b"<!DOCTYPE html>"),
    ],
)
def test_paths(place: tuple[str, int], path: str, kind: str, content: bytes) -> None:
    status, headers, body = get(place, path)
    assert (status, headers["content-type"]) == (200, kind)
    assert content in body
    assert get(place, path, "HEAD")[2] == b""


def test_every_answer_carries_the_policy(place: tuple[str, int]) -> None:
    for path, method in (("/", "GET"), ("/nothing", "GET"), ("/", "POST"), ("/style.css", "GET")):
        _, headers, _ = get(place, path, method)
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; ")
        assert "unsafe" not in policy
        assert "http" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


def test_nothing_comes_from_elsewhere(place: tuple[str, int]) -> None:
    text = get(place, "/")[2].decode()
    assert re.findall(r'(?:src|href)="([^"]*)"', text) == [
        *("icon.svg", "style.css", "live.js"),
        *("status.json", "metrics", "fragment"),
    ]
    assert "://" not in text
    assert "://" not in get(place, "/style.css")[2].decode()
    assert "style=" not in text
    assert "<style" not in text


@pytest.mark.parametrize(
    "path", ["/nothing", "/../etc/passwd", "/static/style.css", "/%2e%2e/x", "//x"]
)
def test_other_paths(place: tuple[str, int], path: str) -> None:
    assert get(place, path)[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
def test_other_methods(place: tuple[str, int], method: str) -> None:
    assert get(place, "/", method)[0] == 501


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8493", 200),
        ("localhost", 200),
        ("LOCALHOST:80", 200),
        ("[::1]:8493", 200),
        ("192.0.2.1", 200),
        (socket.gethostname(), 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("", 421),
    ],
)
def test_the_host_that_was_asked_for(place: tuple[str, int], host: str, status: int) -> None:
    assert get(place, "/", Host=host)[0] == status


def test_a_name_may_be_allowed() -> None:
    with serving(Snapshot(when=NOW), names=frozenset({"ups.example"})) as place:
        assert get(place, "/", Host="ups.example:80")[0] == 200


def test_silent_slow_and_rude_clients_do_not_hold_it_up(
    place: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CONNECTION_SECONDS", 1.0)
    with contextlib.ExitStack() as stack:
        for start in (b"", b"GET / HT", b"GET / HTTP/1.1\r\nX: ") * 3:
            client = stack.enter_context(socket.create_connection(place, timeout=20))
            client.sendall(start)
        # every worker is taken; the deadline frees them
        assert get(place, "/")[0] == 200


def test_a_full_house_is_told_at_once(place: tuple[str, int]) -> None:
    with contextlib.ExitStack() as stack:
        clients = [
            stack.enter_context(socket.create_connection(place, timeout=20))
            for _ in range(module.WORKERS + module.WAITING + 20)
        ]
        refused = 0
        for client in clients:
            client.settimeout(0.05)
            with contextlib.suppress(TimeoutError, ConnectionResetError):
                refused += client.recv(1) == b""
        assert refused >= 1


@pytest.mark.parametrize(
    "head", [b"x" * 70000, b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 5000, b"\0\r\n\r\n"]
)
def test_oversized_and_broken_requests(place: tuple[str, int], head: bytes) -> None:
    with (
        socket.create_connection(place, timeout=20) as client,
        contextlib.suppress(OSError),
    ):
        client.sendall(head)
        client.shutdown(socket.SHUT_WR)
        while client.recv(65536):
            pass
    assert get(place, "/")[0] == 200


def test_the_command_serves_and_ends(tmp_path: Path) -> None:
    environment = {**os.environ, "USBHIDUPS_RUNDIR": str(tmp_path), "USBHIDUPS_LAYOUT": "debian"}
    environment["USBHIDUPS_WEB_STATE"] = str(tmp_path)
    words = [sys.executable, "-m", "usbhidups", "web", "--listen", "127.0.0.1:0"]
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True) as web:
        assert web.stdout is not None
        match = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/\n", web.stdout.readline())
        assert match
        assert b"not configured" in get(("127.0.0.1", int(match[1])), "/")[2]
        web.send_signal(signal.SIGTERM)
        assert web.wait(20) == 0
    assert (tmp_path / "history.json").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--fragment"], "UPS monitoring is not configured"),
        (["--json"], '"ups": []'),
        (["--upsd", "nas.invalid", "--fragment"], "No UPS Status available"),
    ],
)
def test_once_for_cgi(tmp_path: Path, words: list[str], said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "usbhidups", "web", *words],
        env={**os.environ, "USBHIDUPS_RUNDIR": str(tmp_path), "USBHIDUPS_LAYOUT": "debian"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert said in done.stdout


@pytest.mark.parametrize(
    "words",
    [["--listen", "x"], ["--listen", "127.0.0.1:99999"], ["--upsd", "a b"], ["--interval", "0"]],
)
def test_wrong_arguments_are_one_line(words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "usbhidups", "web", *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1


needs_chromium = pytest.mark.skipif(not shutil.which("chromium"), reason="needs Debian's chromium")


@needs_chromium
@pytest.mark.parametrize("size", ["1200,900", "500,1200"])
def test_a_real_browser_shows_it(place: tuple[str, int], tmp_path: Path, size: str) -> None:
    picture(f"http://{place[0]}:{place[1]}/", tmp_path / "page.png", size)
    data = (tmp_path / "page.png").read_bytes()
    width, height = int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    assert f"{width},{height}" == size
    assert len(data) > 15_000  # a blank page of this size has fewer


@needs_chromium
def test_a_real_browser_has_nothing_to_complain_about(
    place: tuple[str, int], tmp_path: Path
) -> None:
    words = ["chromium", *BROWSER, f"--user-data-dir={tmp_path}/profile", "--enable-logging=stderr"]
    done = subprocess.run(
        [*words, "--virtual-time-budget=7000", "--dump-dom", f"http://{place[0]}:{place[1]}/"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "CONSOLE" not in done.stderr  # no violation of the policy, no error of the script
    assert '<p class="state">On mains</p>' in done.stdout
    assert 'id="live" class="live">live<' in done.stdout  # it was refreshed by the script
