"""``make pictures``: those in docs/pictures show what this tree shows, are small, and need nothing else."""

from __future__ import annotations

import html
import re
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tools.pictures import PICTURES, pictures

ROOT = Path(__file__).parent.parent
NAMES = ("probe.svg", "simulate.svg", "status.svg", "web.svg")
LARGEST = 40 * 1024


@cache
def made() -> dict[str, str]:
    return pictures()


def words(svg: str) -> list[str]:
    """What is to be read; how often the driver asked is its reading policy's matter, not the picture's."""
    texts = re.findall(r">([^<]+)<", re.sub(r"<style>.*?</style>", "", svg, flags=re.DOTALL))
    joined = " ".join(" ".join(html.unescape(text) for text in texts).split())
    told, count = re.subn(r"\b\d+ requests so far", "N requests so far", joined)
    assert count == ("so far" in joined)
    return told.split()


def test_the_same_tree_gives_the_same_pictures() -> None:
    assert pictures() == made()


@pytest.mark.parametrize("name", NAMES)
def test_it_is_what_the_tools_show(name: str) -> None:
    """By their words: other versions of rich draw the same in other strokes."""
    assert words((PICTURES / name).read_text(encoding="utf-8")) == words(made()[name])


def test_each_is_there_and_used() -> None:
    assert tuple(sorted(path.name for path in PICTURES.iterdir())) == NAMES == tuple(sorted(made()))
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md")]
    for name in NAMES:
        assert any(f"](pictures/{name})" in text for text in texts), name


@pytest.mark.parametrize("name", NAMES)
def test_it_is_small_and_asks_nobody_for_anything(name: str) -> None:
    text = made()[name]
    assert len(text.encode()) <= LARGEST
    assert ElementTree.fromstring(text).tag.endswith("svg")  # noqa: S314 (our own)
    addresses = set(re.findall(r"https?://[^\s\"'<>)]+", text))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xhtml"}
    assert str(ROOT) not in text
