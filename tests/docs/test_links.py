"""Links between documents lead somewhere, and every document can be reached from the README."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.blocks import DOCUMENTS, ROOT
from usbhidups.driver.messages import State
from usbhidups.tools.probe.problem import Situation
from usbhidups.ups.reading.freshness import Freshness

_LINK = re.compile(r"\]\(([^)#\s]*)(#[^)\s]*)?\)")
TROUBLE = ROOT / "docs" / "troubleshooting.md"


def anchors(document: Path) -> set[str]:
    """As the usual renderers make them of headings."""
    found = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    kept = (re.sub(r"[^\w\- ]", "", title.lower()) for title in found)
    return {f"#{title.replace(' ', '-')}" for title in kept}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_links_lead_somewhere(document: Path) -> None:
    text = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target, anchor in _LINK.findall(text):
        if target.startswith(("http:", "https:")):
            continue
        there = (document.parent / target).resolve() if target else document
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target + anchor


def test_the_readme_leads_to_every_document() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    missing = [
        page.name for page in (ROOT / "docs").glob("*.md") if f"](docs/{page.name})" not in text
    ]
    assert missing == []


def test_every_situation_of_probe_has_its_row() -> None:
    text = TROUBLE.read_text(encoding="utf-8")
    assert [each for each in Situation if f"`{each.value}`" not in text] == []


def test_every_state_of_the_driver_has_its_row() -> None:
    text = TROUBLE.read_text(encoding="utf-8")
    assert [each for each in State if f"\n| `{each.value}` |" not in text] == []


def test_every_reason_for_doubt_has_its_row() -> None:
    """The sentences are looked for in the code that says them."""
    names = ("failures.py", "freshness.py", "freeze.py", "reader.py")
    folder = ROOT / "usbhidups/ups/reading"
    code = "".join((folder / name).read_text(encoding="utf-8") for name in names)
    said = re.findall(r'(?:return|stale =|\() *\n? *f?"([a-z][^"{]{9,}?)[ (]*(?:\{[^"]*)?"', code)
    said = [each for each in said if " " in each and "day" not in each]
    assert len(said) >= 7, said
    table = TROUBLE.read_text(encoding="utf-8").partition("<!-- states -->")[2]
    assert [each for each in said if each.rstrip() not in table] == []
    assert Freshness.__name__ in code
