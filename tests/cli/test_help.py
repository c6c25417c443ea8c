"""What every command says of itself fits a screen; a wrong line is answered by one, with the way on."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from usbhidups.cli.main import VERBS, main
from usbhidups.simulator.scenarios import SCENARIOS

ROOT = Path(__file__).parents[2]
COLUMNS, LINES = 80, 24

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr("sys.argv", ["usbhidups"])
    monkeypatch.setenv("COLUMNS", str(COLUMNS))

    def called(*words: str) -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            try:
                status = main(words)
            except SystemExit as end:
                status = int(end.code or 0)
        return status, out.getvalue(), err.getvalue()

    return called


@pytest.mark.parametrize("words", [("--help",), ("-h",), *((verb, "--help") for verb in VERBS)])
def test_a_help_fits_a_screen(words: tuple[str, ...], run: Run) -> None:
    status, text, problem = run(*words)
    assert (status, problem) == (0, "")
    lines = text.splitlines()
    assert len(lines) < LINES  # and the prompt
    assert [line for line in lines if len(line) > COLUMNS] == []


@pytest.mark.parametrize("columns", ["40", "200", "nonsense"])
@pytest.mark.parametrize("verb", VERBS)
def test_a_help_knows_the_width(
    columns: str, verb: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    status, text, _ = run(verb, "--help")
    assert status == 0
    assert max(map(len, text.splitlines())) <= COLUMNS


def test_the_actions_of_the_appliance_too(run: Run) -> None:
    _, text, _ = run("appliance", "--help")
    actions = re.findall(r"^    (\w+) ", text, re.MULTILINE)
    assert {"check", "start", "stop"} <= set(actions)
    for action in actions:
        status, text, _ = run("appliance", action, "--help")
        assert status == 0
        assert len(text.splitlines()) < LINES


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("nonsense",),
        *((verb, "--nonsense") for verb in VERBS if verb not in ("notify", "record", "appliance")),
        ("record",),
        ("record", "x.toml", "--minutes", "soon"),
        ("notify",),
        ("status", "--interval", "soon"),
        ("status", "--json", "--quiet"),
        ("simulate", "--scenario", "doom", "x.toml"),
        ("simulate", "--speed", "fast", "x.toml"),
    ],
)
def test_a_wrong_line_is_answered_by_one(words: tuple[str, ...], run: Run) -> None:
    status, text, problem = run(*words)
    wrong = 3 if words[:1] == ("status",) else 2  # 1 and 2 are states of a UPS there
    assert (status, text) == (wrong, "")
    assert problem.startswith("usbhidups")
    assert problem.count("\n") == 1
    assert "--help tells more" in problem


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("prob",), "VERB: 'prob' is unknown; did you mean probe?"),
        (("zzz",), "VERB: 'zzz' is unknown; there are run, probe, record, "),
        (
            ("simulate", "--scenario", "outag"),
            "--scenario: 'outag' is unknown; did you mean outage?",
        ),
    ],
)
def test_what_was_perhaps_meant(words: tuple[str, ...], said: str, run: Run) -> None:
    _, _, problem = run(*words)
    assert said in problem


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("probe", "--port", "nonsense"), "is none: usbip://HOST/BUSID"),
        (("probe", "--replay", "/nonexistent.toml"), "No such file"),
        (("probe", "--replay", "a", "--decode", "b"), "one of them at a time"),
        (("probe", "--decode", "/nonexistent"), "neither a file"),
        (("probe", "--decode", "05"), ""),
        (("probe", "nobody"), ""),
        (("record", "/nonexistent/x.toml"), ""),
        (("status", "--format", "{"), ""),
        (("simulate", "/nonexistent.toml"), "No such file"),
        (("simulate", "--listen", "nowhere", "x"), "HOST:PORT"),
    ],
)
def test_an_error_is_one_line(
    words: tuple[str, ...], said: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUT_CONFPATH", str(tmp_path))
    monkeypatch.setenv("NUT_STATEPATH", str(tmp_path))
    status, text, problem = run(*words)
    assert status == 3 if words[0] == "status" else status in (1, 2)
    assert text == ""
    assert problem.count("\n") == 1
    assert said in problem
    assert "Traceback" not in problem


def test_completions_know_the_scenarios() -> None:
    words = " ".join(SCENARIOS)
    for name in ("usbhidups.bash", "_usbhidups", "usbhidups.fish"):
        assert words in (ROOT / "completion" / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("verb", VERBS)
def test_each_command_has_its_page(verb: str) -> None:
    page = (ROOT / "man" / f"usbhidups-{verb}.8").read_text(encoding="utf-8")
    for title in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "SEE ALSO"):
        assert f"\n.SH {title}" in page
