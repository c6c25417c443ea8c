"""ups.status and ups.alarm of 723 synthetic devices against NUT's; every difference needs a reason.

The evidence lies beside the repository (../shared/corpus/synthetic) and is skipped visibly without it.
"""

from __future__ import annotations

import fnmatch
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.ups.reports import SHARED, load
from usbhidups.hid.descriptor import ReportType

CORPUS = SHARED / "corpus" / "synthetic"
DIFFERENCES = Path(__file__).with_name("status_differences.toml")
NAMES = ("ups.status", "ups.alarm", "input.transfer.reason", "experimental.ups.mode.buzzwords")

pytestmark = pytest.mark.skipif(
    not CORPUS.is_dir(), reason="no ../shared/corpus/synthetic beside the repository"
)


def published(path: Path) -> dict[str, str | None]:
    """What we publish after a minute on a device that does not change."""
    device, ups, _ = load(path)
    for _ in range(12):
        device.run(ups, 5.0)
        if not ups.profile.pacing.use_feature:
            for data in device.events.values():
                ups.got_report(ReportType.INPUT, data, now=device.now)
    variables = ups.view(device.now).variables
    return {name: variables[name].text if name in variables else None for name in NAMES}


def test_status_is_nuts_or_the_difference_has_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    rules = tomllib.loads(DIFFERENCES.read_text())["difference"]
    used: Counter[int] = Counter()
    score: Counter[str] = Counter()
    unexplained: list[str] = []
    for path in sorted(CORPUS.glob("*.toml")):
        nut: dict[str, Any] = tomllib.loads(path.read_text()).get("published", {})
        if "variables" not in nut:
            continue
        ours = published(path)
        for name in NAMES:
            said = nut["variables"].get(name)
            if said == ours[name] or name in nut.get("unstable", {}):
                score["the same"] += 1
                continue
            explained = [
                number
                for number, rule in enumerate(rules)
                if _explains(rule, path.name, name, said, ours[name])
            ]
            if explained:
                score["different for a reason"] += 1
                used[explained[0]] += 1
            else:
                unexplained.append(f"{path.name} {name}: NUT {said!r}, we {ours[name]!r}")
    with capsys.disabled():
        print(f"\nstatus against NUT: {dict(score)}, unexplained {len(unexplained)}")
    assert unexplained == []
    assert [rule for number, rule in enumerate(rules) if not used[number]] == []


def _explains(
    rule: dict[str, Any], file: str, name: str, nut: str | None, ours: str | None
) -> bool:
    if rule["name"] != name or not fnmatch.fnmatchcase(file, rule["files"]):
        return False
    if rule.get("absent"):
        return nut == "" and ours is None
    return (nut or "", ours or "") in set(zip(rule["nut"], rule["ours"], strict=True))
