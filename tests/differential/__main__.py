"""``python -m tests.differential [FIXTURE…]``: print what differs and is not in the list, and the reverse."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.differential.compare import differences, intents
from tests.differential.drive import FIXTURES, Conduct, observe
from tests.standin.driver import NUT, OURS


def both(fixture: Path) -> tuple[Conduct, Conduct]:
    """NUT's driver and ours on one fixture; ours is given NUT's commands."""
    theirs = observe(NUT, fixture)
    return theirs, observe(OURS, fixture, theirs.published.commands if theirs.driven else ())


def main() -> None:
    """Run the comparison and print it."""
    chosen = sys.argv[1:]
    paths = [path for path in FIXTURES if not chosen or any(word in path.stem for word in chosen)]
    meant = intents()
    over = {intent for intent in meant if not intent.chance}
    with ThreadPoolExecutor(24) as pool:
        for path, (theirs, ours) in zip(paths, pool.map(both, paths), strict=True):
            print(f"== {path.stem}")
            for row in differences(theirs, ours):
                covering = {intent for intent in meant if intent.covers(path.stem, row)}
                over -= covering
                if not covering:
                    print(f"{row.what:9} {row.kind:8} {row.name:32} {row.theirs!r} -> {row.ours!r}")
    if not chosen:
        print("== in the list, and over", *sorted(map(str, over)), sep="\n")


main()
