"""Assignments are read, nothing is run."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usbhidups.appliance.variables import parse_assignments

KNOWN = {"A", "B"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("A=b\n", "b"),
        ("A=b", "b"),
        ('A="b c"\n', "b c"),
        ("A='b $c `d`'\n", "b $c `d`"),
        ("A=b'c'\"d\"\\ e\n", "bcd e"),
        (r'A="a\"b\\c\$d\`e\f"' + "\n", r'a"b\c$d`e\f'),
        ("A=one\nA=two\n", "two"),
        ("export A=b\n", "b"),
        ("  A=b # text\n", "b"),
        ("A=a#b\n", "a#b"),
        ("#A=c\nA=b\n", "b"),
        ("A=\n", ""),
        ("A=b;B=c\n", "b"),
        ("A=b B=c\n", "b"),
        ("A='x\ny'\n", "x\ny"),
        ("A=b\\\nc\n", "bc"),
        ("A=b\r\n", "b"),
        ("HOSTS='\nA=wrong\n'\nA=b\n", "b"),
        ('echo "\nA=wrong"\nA=b\n', "b"),
    ],
)
def test_a_value_is_what_a_shell_would_assign(text: str, value: str) -> None:
    found = parse_assignments(text, KNOWN)
    assert found.problems == ()
    assert found.values["A"] == value
    shell = subprocess.run(
        ["sh", "-c", text.replace("\r", "") + '\nprintf "%s" "$A"'], capture_output=True, check=True
    )
    assert shell.stdout.decode().endswith(value)


@pytest.mark.parametrize(
    "text",
    ["A=$B\n", 'A="$(id)"\n', "A=`id`\n", 'A="open\n', "A='open\n", "A=b command\n", "A=(1 2)\n"],
)
def test_what_would_need_a_shell_is_refused(text: str) -> None:
    found = parse_assignments(text, KNOWN, where="rc.conf")
    assert "A" not in found.values
    assert len(found.problems) == 1
    assert found.problems[0].startswith("rc.conf:1: A: ")
    assert "\n" not in found.problems[0]


def test_other_variables_may_hold_anything() -> None:
    found = parse_assignments("PATH=$PATH:/x\nif true; then X=`y`; fi\nA=b\n", KNOWN)
    assert (found.values, found.problems) == ({"A": "b"}, ())


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=80))
def test_any_text_is_read_without_error(text: str) -> None:
    parse_assignments(text, KNOWN)
    parse_assignments(f"A={text}", KNOWN)


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="'\r"), max_size=80))
def test_a_single_quoted_value_comes_back_unchanged(value: str) -> None:
    assert parse_assignments(f"A='{value}'\n", KNOWN).values == {"A": value}


def test_nothing_is_run(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    for text in (
        f'A="$(touch {mark})"',
        f"A=`touch {mark}`",
        f"A=b; touch {mark}",
        f"touch {mark}",
    ):
        parse_assignments(text + "\n", KNOWN)
    assert not mark.exists()
