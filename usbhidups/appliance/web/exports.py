"""The same snapshot for programs: JSON, and Prometheus' text format. Pure."""

from __future__ import annotations

import json

from usbhidups.appliance.web.snapshot import Snapshot, UpsView, describe, number

__all__ = ["as_json", "as_prometheus"]

TOKENS = ("OL", "OB", "LB", "FSD", "CHRG", "DISCHRG", "RB", "OVER", "BYPASS", "CAL", "OFF", "ALARM")

GAUGES = (
    ("battery.charge", "nut_battery_charge_percent", "battery charge in percent"),
    ("battery.runtime", "nut_battery_runtime_seconds", "estimated runtime on battery in seconds"),
    ("battery.voltage", "nut_battery_voltage_volts", "battery voltage"),
    ("input.voltage", "nut_input_voltage_volts", "mains voltage"),
    ("input.frequency", "nut_input_frequency_hertz", "mains frequency"),
    ("output.voltage", "nut_output_voltage_volts", "output voltage"),
    ("ups.load", "nut_ups_load_percent", "load in percent of the nominal power"),
    ("ups.realpower", "nut_ups_realpower_watts", "real power drawn"),
    ("ups.temperature", "nut_ups_temperature_celsius", "temperature of the UPS"),
)


def as_json(snapshot: Snapshot) -> str:
    """Everything but the plots' points; ages in seconds, ``when`` in seconds of the epoch."""
    values = {
        "when": snapshot.when,
        "hostname": snapshot.hostname,
        "hidden": snapshot.hidden,
        "serves_others": snapshot.serves_others,
        "default_password": snapshot.default_password,
        "events": snapshot.events,
        "ups": [_as_dict(view) for view in snapshot.upses],
    }
    return json.dumps(values, indent=1) + "\n"


def _as_dict(view: UpsView) -> dict[str, object]:
    return {
        "name": view.name,
        "target": view.target,
        "description": view.description,
        "trouble": view.trouble,
        "age": view.age,
        "logins": view.logins,
        "shown": dict(describe(view)),
        "variables": view.variables,
    }


def as_prometheus(snapshot: Snapshot) -> str:
    """Text format 0.0.4. A value that is not there is left out, never zero."""
    lines: list[str] = []

    def family(name: str, text: str, rows: list[tuple[str, float]]) -> None:
        if rows:
            lines.append(f"# HELP {name} {text}")
            lines.append(f"# TYPE {name} gauge")
            lines.extend(f"{name}{{{labels}}} {value!r}" for labels, value in rows)

    upses = snapshot.upses
    family(
        "nut_up",
        "whether upsd gives fresh data",
        [(_labels(v), float(not v.trouble)) for v in upses],
    )
    family(
        "nut_ups_info",
        "what the UPS says it is",
        [
            (_labels(v, model=v.model, maker=v.variables.get("ups.mfr", "")), 1.0)
            for v in upses
            if v.variables
        ],
    )
    family(
        "nut_ups_status",
        "1 for each status token that is set",
        [
            (_labels(v, status=token), float(token in v.status.split()))
            for v in upses
            if v.status
            for token in TOKENS
        ],
    )
    for variable, name, text in GAUGES:
        values = [(v, number(v.variables.get(variable))) for v in upses]
        family(name, text, [(_labels(v), value) for v, value in values if value is not None])
    logins = [(_labels(v), float(v.logins)) for v in upses if v.logins is not None]
    family("nut_clients", "clients logged in to upsd", logins)
    ages = [(_labels(v), round(v.age, 3)) for v in upses if v.age is not None]
    family("nut_data_age_seconds", "since the data were read", ages)
    return "\n".join(lines) + "\n" if lines else ""


def _labels(view: UpsView, **more: str) -> str:
    pairs = {"ups": view.target, **more}
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in pairs.items())


def _escaped(value: str) -> str:
    clean = "".join(c if c.isprintable() else " " for c in value)
    return clean.replace("\\", "\\\\").replace('"', '\\"')
