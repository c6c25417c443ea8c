"""What the page shows, as values: pure, made from upsd's variables. Nothing here is formatted for anyone."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Sample", "Snapshot", "UpsView", "describe", "number", "status_words"]

WORDS = {
    "OL": "on mains",
    "OB": "on battery",
    "LB": "battery low",
    "FSD": "shutting down",
    "CHRG": "charging",
    "DISCHRG": "discharging",
    "RB": "replace battery",
    "BYPASS": "on bypass",
    "CAL": "calibrating",
    "OFF": "output off",
    "OVER": "overloaded",
    "TRIM": "trimming high voltage",
    "BOOST": "boosting low voltage",
    "ALARM": "alarm",
    "COMM": "connected",
    "NOCOMM": "no contact",
    "TEST": "testing",
    "HB": "battery high",
    "ECO": "economy mode",
}
"""NUT's status tokens in words; what is not listed is shown as it is."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One point of the plots: seconds of the epoch; a value that was not there is None."""

    when: int
    charge: float | None
    load: float | None
    voltage: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpsView:
    """One UPS. ``trouble`` says why there are no fresh variables ("" if there are); ``age`` in seconds
    since they were read, None if never; ``logins`` None if upsd did not say."""

    name: str
    target: str
    description: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    trouble: str = ""
    age: float | None = None
    logins: int | None = None
    history: tuple[Sample, ...] = ()

    @property
    def status(self) -> str:
        return self.variables.get("ups.status", "")

    @property
    def model(self) -> str:
        return self.variables.get("ups.model") or self.variables.get("device.model") or "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything at one moment. ``hidden`` says why nothing may be shown, "" if it may."""

    when: float
    hostname: str = ""
    hidden: str = ""
    upses: tuple[UpsView, ...] = ()
    events: tuple[str, ...] = ()
    serves_others: bool | None = None
    default_password: bool = False


def number(text: str | None) -> float | None:
    """A finite decimal number, else None. Never raises."""
    if not text or len(text) > 32:
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) < 1e12 else None


def status_words(status: str) -> str:
    """``OB DISCHRG`` as ``on battery, discharging``."""
    return ", ".join(WORDS.get(token, token) for token in status.split())


def describe(view: UpsView) -> list[tuple[str, str]]:
    """The six values of the page as (heading, text); a value that is missing has no entry."""
    get = view.variables.get
    rows = [("Model", view.model), ("Status", view.status)] if view.variables else []
    if value := get("input.voltage"):
        rows.append(("Utility", f"{value} Volts"))
    if value := get("ups.load"):
        rows.append(("UPS Load", f"{value} %"))
    if value := get("battery.charge"):
        rows.append(("Battery Chg.", f"{value} %"))
    seconds = number(get("battery.runtime"))
    if seconds is not None:
        rows.append(("Batt. Runtime", f"{int((seconds + 30) // 60)} minutes"))
    return [(heading, text) for heading, text in rows if text]
