"""The settings given for one UPS, read by name and kind; every refusal names the place.

This is the border where text becomes typed. It knows which options there are (``keys``), not what they do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import overload

from usbhidups.errors import ConfigError
from usbhidups.nut.store import NAME
from usbhidups.nut.upsconf.keys import GLOBAL_KEYS, SECTION_KEYS, Key, Kind, Reader, suggestion
from usbhidups.nut.upsconf.match import compile_extended
from usbhidups.nut.upsconf.sections import COMMAND_LINE, Setting

__all__ = ["OptionReader"]

LBRB_FALLBACK = 3.0
"""Seconds that NUT takes for a delay it cannot read (contract 2.4, lbrb_log_delay_sec)."""

_PRESETS = ("default.", "override.")
_NUMBER = re.compile(r"[+-]?[0-9]{1,9}(\.[0-9]{1,9})?")
_WHOLE = re.compile(r"[+-]?[0-9]{1,9}")
_HEXADECIMAL = re.compile(r"(0[xX])?[0-9A-Fa-f]{1,2}")
_AGREEING = {"yes", "true", "on", "1", "enable", "enabled"}


class OptionReader:
    """Settings by name, the last of a name counting. ConfigError: a name that is none of ours.

    ``notes`` collects what is odd but no error; each begins with its place.
    """

    def __init__(self, settings: Iterable[Setting]) -> None:
        self.notes: list[str] = []
        self.where = COMMAND_LINE
        self._settings: dict[str, Setting] = {}
        self._presets: dict[str, dict[str, str]] = {prefix: {} for prefix in _PRESETS}
        self._published: dict[str, str] = {}
        for setting in settings:
            self._take(setting)

    def error(self, key: str, problem: str) -> ConfigError:
        """The error that says what is wrong with a setting that was given."""
        return _error(self._settings[key], problem)

    def has(self, key: str) -> bool:
        """Whether a flag was given, or an option with a value."""
        if key not in self._settings:
            return False
        return SECTION_KEYS[key].kind is Kind.FLAG or self._settings[key].value is not None

    def text(self, key: str) -> str | None:
        """The value as it stands."""
        setting = self._settings.get(key)
        return setting.value if setting else None

    def pattern(self, key: str) -> re.Pattern[str] | None:
        """An extended regular expression."""
        text = self.text(key)
        if text is None:
            return None
        try:
            return compile_extended(text)
        except ValueError as error:
            raise self.error(key, f"{text!r} is no regular expression: {error}") from error

    def hexadecimal(self, key: str) -> int | None:
        """A byte in hex, with or without 0x."""
        text = self.text(key)
        if text is None:
            return None
        if not _HEXADECIMAL.fullmatch(text):
            raise self.error(key, f"{text!r} is no hexadecimal number from 0 to ff")
        return int(text, 16)

    @overload
    def whole(self, key: str, *, low: int | None = None, default: int) -> int: ...

    @overload
    def whole(self, key: str, *, low: int | None = None, high: int | None = None) -> int | None: ...

    def whole(
        self,
        key: str,
        *,
        low: int | None = None,
        high: int | None = None,
        default: int | None = None,
    ) -> int | None:
        """A whole number from ``low`` to ``high``."""
        text = self.text(key)
        if text is None:
            return default
        if not _WHOLE.fullmatch(text):
            raise self.error(key, f"{text!r} is no whole number")
        return int(self._bounded(key, int(text), low, high))

    @overload
    def number(self, key: str, *, low: float | None = None, default: float) -> float: ...

    @overload
    def number(self, key: str, *, low: float | None = None) -> float | None: ...

    def number(
        self, key: str, *, low: float | None = None, default: float | None = None
    ) -> float | None:
        """A number, with a decimal point where wanted."""
        text = self.text(key)
        if text is None:
            return default
        if not _NUMBER.fullmatch(text):
            raise self.error(key, f"{text!r} is no number")
        return self._bounded(key, float(text), low, None)

    def forgiving_delay(self, key: str) -> float | None:
        """Seconds; what is no number or negative becomes NUT's 3 s, and a note."""
        text = self.text(key)
        if text is None or (_NUMBER.fullmatch(text) and float(text) >= 0):
            return None if text is None else float(text)
        self._note(self._settings[key], f"{text!r} is no delay, {LBRB_FALLBACK:.0f} s is taken")
        return LBRB_FALLBACK

    def names(self, key: str) -> tuple[str, ...]:
        """Names of commands with commas between."""
        words = [word.strip() for word in (self.text(key) or "").split(",")]
        for word in filter(None, words):
            if not NAME.fullmatch(word):
                raise self.error(key, f"{word!r} cannot be the name of a command")
        return tuple(word for word in words if word)

    def presets(self, prefix: str) -> dict[str, str]:
        """What stands after ``default.`` or ``override.``: NUT name to text."""
        return dict(self._presets[prefix])

    def published(self) -> dict[str, str]:
        """The variables that show clients what was given (contract 6.1)."""
        return dict(self._published)

    def odd(self, key: str, problem: str) -> None:
        """Note something about a setting that was given."""
        self._note(self._settings[key], problem)

    def _take(self, setting: Setting) -> None:
        self.where = setting.where
        name = setting.key.lower()
        prefix = next((prefix for prefix in _PRESETS if name.startswith(prefix)), None)
        if prefix and not setting.shared:
            self._take_preset(setting, prefix)
            return
        key = (GLOBAL_KEYS if setting.shared else SECTION_KEYS).get(name)
        if key is None and setting.shared:
            self._note(setting, "not known here, ignored")
        elif key is None:
            raise _error(setting, f"unknown option{suggestion(setting.key)}")
        elif key.reader is not Reader.OTHERS:
            self._take_option(setting, key)

    def _take_option(self, setting: Setting, key: Key) -> None:
        value = setting.value
        if key.reader is Reader.NOBODY:
            self._note(setting, "has no effect in this driver")
        if key.meant:
            self._note(setting, f"is taken as {key.meant}")
        if key.kind is Kind.FLAG and value is not None and value.lower() not in _AGREEING:
            self._note(setting, f"is a flag: it is set, {value!r} has no meaning")
        if key.kind is Kind.VALUE and value is None and not key.bare:
            self._note(setting, "needs a value, ignored")
        if key.bare and value is None:
            setting = Setting(setting.key, key.bare, setting.where, setting.line)
        self._settings[(key.meant or key.name).lower()] = setting
        if key.exported and key.kind is Kind.FLAG:
            self._published[f"driver.flag.{key.name}"] = "enabled"
        elif key.exported and setting.value is not None:
            self._published[f"driver.parameter.{key.name}"] = setting.value

    def _take_preset(self, setting: Setting, prefix: str) -> None:
        name = setting.key[len(prefix) :]
        if not NAME.fullmatch(name):
            raise _error(setting, f"{name!r} cannot be the name of a variable")
        if setting.value is None:
            self._note(setting, "needs a value, ignored")
            return
        self._presets[prefix][name] = setting.value
        self._published[f"driver.parameter.{prefix}{name}"] = setting.value

    def _bounded(self, key: str, value: float, low: float | None, high: float | None) -> float:
        if low is not None and value < low:
            raise self.error(key, f"must be at least {low:g}")
        if high is not None and value > high:
            raise self.error(key, f"must be at most {high:g}")
        return value

    def _note(self, setting: Setting, problem: str) -> None:
        self.notes.append(f"{setting.place}: {setting.key}: {problem}")


def _error(setting: Setting, problem: str) -> ConfigError:
    return ConfigError(problem, where=setting.where, line=setting.line, key=setting.key)
