"""Every synthetic device beside what the real NUT says of it (skipped where the corpus is not there)."""

from __future__ import annotations

import pytest

from tests.replay.drive import load, read
from tests.replay.parity import CORPUS, Finding, compare, differences
from usbhidups.ups.loading.library import Library

DEVICES = sorted(CORPUS.glob("*.toml"))

pytestmark = pytest.mark.skipif(not DEVICES, reason=f"no corpus at {CORPUS}")


@pytest.fixture(scope="module")
def findings() -> dict[str, tuple[Finding, ...]]:
    library = Library()
    found = {}
    for path in DEVICES:
        recording = load(path)
        found[path.stem] = compare(recording, read(recording, library))[1]
    return found


def families() -> list[str]:
    return sorted({path.stem.split("-")[0] for path in DEVICES})


@pytest.mark.parametrize("family", families())
def test_every_difference_from_nut_is_one_that_is_meant(
    family: str, findings: dict[str, tuple[Finding, ...]]
) -> None:
    entries = differences()
    unexplained = [
        finding
        for device, of_device in findings.items()
        if device.split("-")[0] == family
        for finding in of_device
        if not any(entry.explains(finding) for entry in entries)
    ]
    assert unexplained == []


def test_every_difference_that_is_meant_is_seen(
    findings: dict[str, tuple[Finding, ...]],
) -> None:
    seen = [finding for of_device in findings.values() for finding in of_device]
    idle = [
        f"{entry.title}: {entry.kind.value} {entry.names}"
        for entry in differences()
        if not any(entry.explains(finding) for finding in seen)
    ]
    assert idle == []


def test_the_corpus_is_whole() -> None:
    assert len(DEVICES) == 723
