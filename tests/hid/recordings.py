"""Descriptors and reports of recorded and made-up devices, for tests and benchmarks of parsing.

The project's fixtures, and the larger collection beside the project where that is present. Read straight
from TOML, so that what tests ``hid`` depends on nothing but files.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "fixtures" / "hid-descriptors"
CORPUS = ROOT.parent / "shared" / "corpus"


@dataclass(frozen=True, slots=True)
class Recording:
    """One complete descriptor; ``reports`` by type and id as in the file, answered ones only."""

    name: str
    descriptor: bytes
    reports: dict[tuple[str, str], bytes]
    seen: tuple[dict[str, Any], ...]


def load(directory: Path) -> Iterator[Recording]:
    """The recordings below a directory that have a complete descriptor, in order of name."""
    for file in sorted(directory.rglob("*.toml")):
        content = tomllib.loads(file.read_text(encoding="utf-8"))
        descriptor = content.get("report_descriptor", {})
        if descriptor.get("complete"):
            yield Recording(
                name=file.stem,
                descriptor=bytes.fromhex(descriptor["hex"]),
                reports={
                    (kind, report_id): bytes.fromhex(answer)
                    for kind, answers in content.get("reports", {}).items()
                    for report_id, answer in answers.items()
                    if answer.startswith(report_id)
                },
                seen=tuple(content.get("seen", {}).get("paths", ())),
            )
