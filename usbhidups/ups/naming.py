"""Who a UPS says it is: ups.mfr, ups.model, ups.serial, ups.firmware (vendor-quirks.md 0.2).

The bus's strings, put right by the rules of the profile. A text that is blank says nothing.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass

from usbhidups.errors import ProfileError
from usbhidups.identity import Identity
from usbhidups.ups.evidence import Evidence
from usbhidups.ups.loading.library import Library
from usbhidups.ups.mapping import Binding
from usbhidups.ups.profile import Identification

__all__ = ["Models", "Named", "name_device"]

_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Named:
    """What can be said of a device's name now.

    ``variables`` are published where no row gives the same name. ``family`` is the model family of the
    profile's model table. ``wanted`` are string indexes that have to be fetched to know more.
    """

    variables: Mapping[str, str]
    family: str = ""
    wanted: frozenset[int] = frozenset()


class Models:
    """A model table: from product string and model string to the name that people know, and its family."""

    def __init__(self, library: Library, name: str) -> None:
        text, source = library.data(name)
        try:
            content = tomllib.loads(text)
        except tomllib.TOMLDecodeError as problem:
            raise ProfileError(str(problem), where=source) from None
        self._models: dict[tuple[str, str], tuple[str, str]] = {}
        for family, products in content.items():
            for product, models in products.items():
                for model in models:
                    title = models[model] if isinstance(models, dict) else f"{product} {model}"
                    self._models[product, model] = (title, family)

    def find(self, product: str, model: str) -> tuple[str, str] | None:
        """Published name and family; case and trailing blanks count."""
        return self._models.get((product, model))


def name_device(
    binding: Binding,
    evidence: Evidence,
    identity: Identity,
    strings: Mapping[int, str],
    models: Models | None = None,
) -> Named:
    """Apply the profile's rules. ``models`` is the table that the profile names, if it names one."""
    rules = binding.profile.identification
    product = identity.product or ""
    variables = {
        "device.type": "ups",
        "ups.vendorid": f"{identity.vendor_id:04x}",
        "ups.productid": f"{identity.product_id:04x}",
        "ups.mfr": _clean(identity.manufacturer) or rules.manufacturer,
        "ups.model": _clean(product),
        "ups.serial": _clean(identity.serial),
        **_cut(rules, product),
    }
    wanted: set[int] = set()
    family = ""
    if rules.model_path:
        model = _model_text(binding, evidence, strings, wanted)
        found = models.find(product, model) if models is not None else None
        if found is not None:
            variables["ups.model"], family = found
        elif model and models is None:
            variables["ups.model"] = _clean(model)
        elif model:
            variables["ups.model"] = _clean(f"{product or _UNKNOWN} {model}")
    for part in ("mfr", "model", "serial"):
        variables[f"device.{part}"] = variables[f"ups.{part}"]
    return Named(
        {name: text for name, text in variables.items() if text}, family, frozenset(wanted)
    )


def _model_text(
    binding: Binding, evidence: Evidence, strings: Mapping[int, str], wanted: set[int]
) -> str:
    """The device's own word for its model, or the number that stands in for it."""
    rules = binding.profile.identification
    field = binding.field(rules.model_path)
    reading = evidence.reading(field) if field is not None else None
    if reading is not None and reading.logical > 0:
        text = strings.get(reading.logical)
        if text is None:
            wanted.add(reading.logical)
            return ""
        if text:
            return text
    field = binding.field(rules.model_fallback_path) if rules.model_fallback_path else None
    reading = evidence.reading(field) if field is not None else None
    return "" if reading is None else f"{reading.physical:.0f}"


def _cut(rules: Identification, product: str) -> dict[str, str]:
    """The parts of a product string that holds more than the model."""
    match = re.search(rules.product, product) if rules.product else None
    if match is None:
        return {}
    names = {"model": "ups.model", "firmware": "ups.firmware", "aux": "ups.firmware.aux"}
    return {names[key]: _clean(text) for key, text in match.groupdict().items() if text}


def _clean(text: str | None) -> str:
    return (text or "").strip()
