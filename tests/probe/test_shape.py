"""The JSON that other programs rely on, against its description in docs/probe-json.md."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from usbhidups.identity import Identity
from usbhidups.tools.probe.finding import Finding
from usbhidups.tools.probe.look import Plan
from usbhidups.tools.probe.problem import Problem, Situation
from usbhidups.tools.probe.replay import look_at_recording
from usbhidups.tools.probe.shape import dumps
from usbhidups.ups.loading.library import Library

ROOT = Path(__file__).parents[2]
PATHS = sorted((ROOT / "fixtures" / "hid-descriptors").glob("*.toml"))
PLAN = Plan(everything=True, patience=60)

PROMISED = {"device", "profile", "variables", "commands", "writable", "fields", "warnings"}
PROMISED_OF_FIELDS = {"path", "type", "report_id", "offset", "size", "raw", "value"}
"""What the issue that ordered the tool names."""

_TYPES: dict[str, tuple[type, ...]] = {
    "number": (int, float),
    "string": (str,),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
    "null": (type(None),),
}
_ROW = re.compile(r"^\| `(\w+)` \| ([\w ]+) \| .+ \|$")


def tables() -> list[dict[str, str]]:
    """The tables of the document: key to type, one dict for each heading."""
    text = (ROOT / "docs" / "probe-json.md").read_text(encoding="utf-8")
    return [
        {row[1]: row[2] for line in part.splitlines() if (row := _ROW.match(line))}
        for part in text.split("\n## ")[1:]
    ]


OBJECT, DEVICE, FIELD = tables()


def conforms(value: object, kind: str) -> bool:
    """Whether a value is of a type as the document writes it."""
    for each in kind.split(" or "):
        head, _, inner = each.partition(" of ")
        if isinstance(value, bool) and head != "boolean":
            continue
        if isinstance(value, _TYPES[head]) and (
            not inner or all(conforms(item, inner) for item in value)  # type: ignore[attr-defined]
        ):
            return True
    return False


def check(value: dict[str, Any], table: dict[str, str]) -> None:
    assert list(value) == list(table)
    for key, kind in table.items():
        assert conforms(value[key], kind), (key, kind, value[key])


def test_the_document_names_what_was_promised() -> None:
    assert set(OBJECT) >= PROMISED
    assert set(FIELD) >= PROMISED_OF_FIELDS


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_every_fixture_has_the_shape(path: Path) -> None:
    (found,) = json.loads(dumps([look_at_recording(path, Library(), PLAN)]))
    check(found, OBJECT)
    check(found["device"], DEVICE)
    assert found["fields"]
    for field in found["fields"]:
        check(field, FIELD)
    assert all(isinstance(text, str) for text in found["variables"].values())
    assert set(found["writable"]) == set(found["settings"]) <= set(found["variables"])
    assert not [name for name in found["variables"] if name.startswith("driver.")]


def test_one_that_cannot_be_read_has_it_too() -> None:
    problem = Problem(Situation.HELD, "held", "let go")
    (found,) = json.loads(dumps([Finding(identity=Identity(1, 2), problem=problem)]))
    check(found, OBJECT)
    check(found["device"], DEVICE)
    assert found["problem"] == {"situation": "held", "reason": "held", "mend": "let go"}
    assert (found["readable"], found["fields"], found["variables"]) == (False, [], {})


def test_nothing_but_ascii_comes_out() -> None:
    strange = Identity(1, 2, product="\x1b]0;owned\x07\u202eé")
    text = dumps([Finding(identity=strange)])
    assert text.isascii()
    assert text.replace("\n", " ").isprintable()
    assert json.loads(text)[0]["device"]["product"] == strange.product
