"""NUT's own driver as a second opinion: on the same device the same words and the same bytes.

What is meant to differ stands in ``differences.toml`` with its reason; ``python -m tests.differential``
prints what is not in there.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.differential.compare import Difference, differences, intents
from tests.differential.drive import FIXTURES, Conduct, observe
from tests.standin import build
from tests.standin.driver import NUT, OURS

NAMES = [path.stem for path in FIXTURES]
VERSION = "2.8.0"  # the list of differences is about this one

Both = tuple[Conduct, Conduct]


def _both(fixture: Path) -> Both:
    theirs = observe(NUT, fixture)
    return theirs, observe(OURS, fixture, theirs.published.commands if theirs.driven else ())


@pytest.fixture(scope="module")
def conduct(request: pytest.FixtureRequest) -> Iterator[dict[str, Future[Both]]]:
    """Both drivers on every fixture that is asked for; they wait most of the time, so several at once."""
    try:
        build.library()
    except build.Unavailable as reason:
        pytest.skip(str(reason))
    if not NUT.exists():
        pytest.skip("nut-server is not installed")
    mine = [item.name for item in request.session.items if item.path == request.path]
    chosen = {name for name in NAMES if any(each.endswith(f"[{name}]") for each in mine)}
    if test_the_list_holds_nothing_that_is_over.__name__ in mine:
        chosen = {*NAMES}
    with ThreadPoolExecutor(16) as pool:
        yield {path.stem: pool.submit(_both, path) for path in FIXTURES if path.stem in chosen}


def _found(conduct: dict[str, Future[Both]], name: str) -> list[Difference]:
    theirs, ours = conduct[name].result()
    version = theirs.published.variables.get("driver.version", VERSION)
    if version != VERSION:
        pytest.skip(f"the differences are listed for NUT {VERSION}, this is {version}")
    return differences(theirs, ours)


@pytest.mark.nut
@pytest.mark.parametrize("name", NAMES)
def test_no_difference_that_is_not_meant(name: str, conduct: dict[str, Future[Both]]) -> None:
    meant = intents()
    found = _found(conduct, name)
    assert [row for row in found if not any(intent.covers(name, row) for intent in meant)] == []


@pytest.mark.nut
@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_asked_that_nut_would_not_ask(
    name: str, conduct: dict[str, Future[Both]]
) -> None:
    theirs, ours = conduct[name].result()
    if not theirs.driven:
        pytest.skip("NUT does not drive it")
    assert ours.unknown <= theirs.unknown


@pytest.mark.nut
def test_the_list_holds_nothing_that_is_over(conduct: dict[str, Future[Both]]) -> None:
    found = [(name, row) for name in NAMES for row in _found(conduct, name)]
    assert [
        intent
        for intent in intents()
        if not intent.chance and not any(intent.covers(name, row) for name, row in found)
    ] == []
