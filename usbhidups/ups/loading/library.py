"""Where profiles are: the ones that come with the program, and directories of the administrator.

The one place of ups/ that reads files. A file of a user's directory with the name of a built-in one
replaces it; later directories go before earlier ones. Loading reads only the profile that is needed and
those it extends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from usbhidups.errors import ProfileError
from usbhidups.ups.loading.build import build
from usbhidups.ups.loading.file import Body, Head, body_of, head_of
from usbhidups.ups.profile import Match, Profile

__all__ = ["DATA", "GENERIC", "Library"]

GENERIC = "generic"
"""The profile of every standard Power Device."""

DATA = ("mge-models", "other-drivers")
"""Files beside the profiles that are tables of their own."""


_Choice = tuple[int | None, ...]
"""For each file of a profile, the most general first: which of its variants is worked in."""


class Library:
    """All profiles that may be used; one serves all UPSes of a process.

    Heads and finished profiles are kept, the files' texts and tables are not: they are many times as large.
    """

    def __init__(self, directories: Sequence[Path] = ()) -> None:
        self._files: dict[str, Path] = {}
        for directory in (_built_in(), *directories):
            self._files.update(_profiles(directory))
        self._heads: dict[str, Head] = {}
        self._variants: dict[str, list[list[Match]]] = {}
        self._built: dict[tuple[str, _Choice], Profile] = {}

    def names(self) -> tuple[str, ...]:
        """The names of all profiles."""
        return tuple(sorted(name for name in self._files if name not in DATA))

    def heads(self) -> tuple[Head, ...]:
        """Titles and match tables of all profiles, without their rows."""
        return tuple([self.head(name) for name in self.names()])

    def head(self, name: str) -> Head:
        """Title and match tables of one profile; ProfileError where there is no such profile."""
        if name not in self._heads:
            text = self._text(name)
            self._heads[name] = head_of(text, name=name, source=self._source(name))
        return self._heads[name]

    def data(self, name: str) -> tuple[str, str]:
        """Text and source of a table file beside the profiles."""
        return self._text(name), self._source(name)

    def load(self, name: str, fits: Callable[[Match], bool] | None = None) -> Profile:
        """A complete profile. ``fits`` says which [[variant]] is the device's; without it none is worked in."""
        if name in self._variants:
            built = self._built.get((name, _choice(self._variants[name], fits)))
            if built is not None:
                return built
        head, bodies = self._chain(name)
        variants = [[match for _, match, _ in body.variants] for body in bodies]
        choice = _choice(variants, fits)
        special = [
            body.variants[number]
            for body, number in zip(bodies, choice, strict=True)
            if number is not None
        ]
        title = special[-1][0] if special else ""
        profile = build(head, [*bodies, *(body for _, _, body in special)], title)
        self._variants[name] = variants
        return self._built.setdefault((name, choice), profile)  # another thread may have been first

    def _chain(self, name: str) -> tuple[Head, list[Body]]:
        """The head of a profile, and its bodies from the most general of those it extends to its own."""
        chain: list[Head] = []
        bodies: list[Body] = []
        wanted = name
        while wanted:
            if any(head.name == wanted for head in chain):
                raise ProfileError(
                    f"extends itself by way of {wanted}",
                    where=chain[0].source,
                    key="profile.extends",
                )
            head = self.head(wanted)
            chain.append(head)
            bodies.insert(0, body_of(self._text(wanted), source=head.source))
            wanted = head.extends
        return chain[0], bodies

    def _text(self, name: str) -> str:
        file = self._files.get(name)
        if file is None:
            raise ProfileError(f"no profile {name!r}; there are {', '.join(self.names())}")
        try:
            return file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as problem:
            raise ProfileError(f"cannot be read: {problem}", where=str(file)) from None

    def _source(self, name: str) -> str:
        return str(self._files[name])


def _choice(variants: Sequence[Sequence[Match]], fits: Callable[[Match], bool] | None) -> _Choice:
    """The first variant of each file that fits."""
    if fits is None:
        return (None,) * len(variants)
    return tuple(
        [next((n for n, match in enumerate(own) if fits(match)), None) for own in variants]
    )


def _built_in() -> Path:
    # Not importlib.resources: it brings a megabyte of archive modules into the daemon for this one path.
    return Path(__file__).parents[2] / "profiles"


def _profiles(directory: Path) -> dict[str, Path]:
    if not directory.is_dir():
        return {}
    return {
        file.name.removesuffix(".toml"): file
        for file in directory.iterdir()
        if file.name.endswith(".toml")
    }
