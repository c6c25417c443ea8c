"""The bytes of our plans against those that NUT sent to 723 synthetic devices; differences need a reason.

The evidence lies beside the repository (../shared/corpus/synthetic) and is skipped visibly without it.
"""

from __future__ import annotations

import fnmatch
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.ups.reports import SHARED, ReportDevice, load
from usbhidups.execute import execute
from usbhidups.ups.device import Ups
from usbhidups.ups.options import Options
from usbhidups.ups.plan import Refusal, WritePlan

CORPUS = SHARED / "corpus" / "synthetic"
DIFFERENCES = Path(__file__).with_name("commands_differences.toml")

pytestmark = pytest.mark.skipif(
    not CORPUS.is_dir(), reason="no ../shared/corpus/synthetic beside the repository"
)


@dataclass(frozen=True)
class Comparison:
    """What NUT sent for one thing asked, and what we do."""

    file: str
    section: str
    key: str
    nut: list[str]
    ours: list[str]
    words: str


def compare_file(path: Path) -> Iterator[Comparison]:
    """Everything that was asked of NUT on one device, asked of us."""
    published: dict[str, Any] = tomllib.loads(path.read_text()).get("published", {})
    if not {"commands", "sets", "killpower"} & published.keys():
        return
    device, ups = _started(path, _usual(path))
    original = dict(device.feature)
    planned: WritePlan | Refusal | None
    for key, nut in published.get("commands", {}).items():
        name, _, argument = key.partition(" ")
        device.feature = dict(original)
        planned = ups.instcmd(name, argument or None, now=device.now)
        yield _carried(path, "commands", key, nut, device, planned)
    for name, nut in published.get("sets", {}).items():
        device.feature = dict(original)
        planned = ups.set(name, published["set_value"][name], now=device.now)
        yield _carried(path, "sets", name, nut, device, planned)
    if "commands_after_delays" in published:
        device, ups = _started(path, _usual(path))
        for name, text in (("ups.delay.start", "185"), ("ups.delay.shutdown", "75")):
            planned = ups.set(name, text, now=device.now)
            if isinstance(planned, WritePlan):
                execute(planned, device, sleep=device.sleep, now=device.clock)
        device.run(ups, 2.0)
        original = dict(device.feature)
        for name, nut in published["commands_after_delays"].items():
            device.feature = dict(original)
            planned = ups.instcmd(name, None, now=device.now)
            yield _carried(path, "after", name, nut, device, planned)
    for section, options in (
        ("killpower", _usual(path)),
        ("killpower_delays", Options(offdelay=75, ondelay=185)),
    ):
        if section in published:
            device, ups = _started(path, options)
            nut = published[section].get("reports", [])
            yield _carried(path, section, "", nut, device, ups.killpower(now=device.now))


def _usual(path: Path) -> Options:
    """NUT's default delays, so that bytes can be compared; ours are 60 and 120 (test_commands.py)."""
    if path.name.startswith("cps-"):
        return Options(offdelay=60, ondelay=120)
    return Options(offdelay=20, ondelay=60 if path.name.startswith("powercom-") else 30)


def _started(path: Path, options: Options) -> tuple[ReportDevice, Ups]:
    device, ups, _ = load(path, options)
    device.run(ups, 0.5)
    return device, ups


def _carried(
    path: Path,
    section: str,
    key: str,
    nut: list[str],
    device: ReportDevice,
    planned: WritePlan | Refusal | None,
) -> Comparison:
    device.written.clear()
    words = "kept by the driver"
    if isinstance(planned, WritePlan):
        words = execute(planned, device, sleep=device.sleep, now=device.clock).text
    elif isinstance(planned, Refusal):
        words = planned.reason
    taken = [line for line in nut if "(stall)" not in line]
    return Comparison(path.name, section, key, taken, list(device.written), words)


def test_bytes_are_nuts_or_the_difference_has_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    rules = tomllib.loads(DIFFERENCES.read_text())["difference"]
    used: Counter[int] = Counter()
    score: Counter[str] = Counter()
    unexplained: list[str] = []
    for path in sorted(CORPUS.glob("*.toml")):
        for found in compare_file(path):
            if found.ours == found.nut:
                score["the same"] += 1
                continue
            explained = [number for number, rule in enumerate(rules) if _explains(rule, found)]
            if explained:
                score["different for a reason"] += 1
                used[explained[0]] += 1
            else:
                unexplained.append(
                    f"{found.file} {found.section} {found.key}: NUT {found.nut},"
                    f" we {found.ours} ({found.words})"
                )
    with capsys.disabled():
        print(f"\ncommands against NUT: {dict(score)}, unexplained {len(unexplained)}")
    assert unexplained == []
    assert [rule for number, rule in enumerate(rules) if not used[number]] == []
    assert score["the same"] > 1000


def _explains(rule: dict[str, Any], found: Comparison) -> bool:
    return (
        rule["section"] == found.section
        and fnmatch.fnmatchcase(found.file, rule["files"])
        and any(fnmatch.fnmatchcase(found.key, pattern) for pattern in rule["key"])
    )
