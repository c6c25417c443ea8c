"""Names of devices by the rules of their profiles (vendor-quirks.md 0.2)."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from usbhidups.hid.descriptor import ReportType, parse
from usbhidups.identity import Identity
from usbhidups.ups.evidence import Evidence
from usbhidups.ups.loading.library import Library
from usbhidups.ups.mapping import Binding, bind
from usbhidups.ups.naming import Models, Named, name_device

FIXTURES = Path(__file__).parents[2] / "fixtures" / "hid-descriptors"
LIBRARY = Library()


def attached(profile: str, fixture: str) -> tuple[Binding, Evidence]:
    content = tomllib.loads((FIXTURES / f"{fixture}.toml").read_text(encoding="utf-8"))
    binding = bind(LIBRARY.load(profile), parse(bytes.fromhex(content["report_descriptor"]["hex"])))
    said = Evidence(binding.descriptor)
    for data in content["reports"]["feature"].values():
        said.feed(ReportType.FEATURE, bytes.fromhex(data), 0.0)
    return binding, said


def apc(product: str | None) -> Named:
    identity = Identity(0x051D, 0x0002, product=product, serial="  ")
    return name_device(*attached("apc", "051d-0002-apc-back-ups-cs-750-rs"), identity, {})


@pytest.mark.parametrize(
    ("product", "model", "firmware", "aux"),
    [
        (
            "Back-UPS RS 1000G FW:868.L1 -P.D USB FW:L1 -P",
            "Back-UPS RS 1000G",
            "868.L1 -P.D",
            "L1 -P",
        ),
        ("Back-UPS CS 750-RS FW:936.b1 .I USB FW:b1", "Back-UPS CS 750-RS", "936.b1 .I", "b1"),
        ("Smart-UPS 1500 FW:601.3.D", "Smart-UPS 1500", "601.3.D", None),
        ("BK650M2-CH", "BK650M2-CH", None, None),
        (None, None, None, None),
    ],
)
def test_apc_writes_model_and_firmware_into_one_string(
    product: str | None, model: str | None, firmware: str | None, aux: str | None
) -> None:
    variables = apc(product).variables
    assert variables.get("ups.model") == model
    assert variables.get("ups.firmware") == firmware
    assert variables.get("ups.firmware.aux") == aux


def test_what_is_blank_says_nothing_and_what_is_missing_is_made_up_for() -> None:
    variables = apc("Back-UPS").variables
    assert "ups.serial" not in variables
    assert "device.serial" not in variables
    assert variables["ups.mfr"] == variables["device.mfr"] == "APC"
    assert (variables["ups.vendorid"], variables["ups.productid"]) == ("051d", "0002")
    assert variables["device.type"] == "ups"


def eaton(product: str, strings: dict[int, str]) -> Named:
    identity = Identity(0x0463, 0xFFFF, manufacturer="EATON", product=product)
    models = Models(LIBRARY, "mge-models")
    return name_device(*attached("mge", "0463-ffff-mge-described-low"), identity, strings, models)


@pytest.mark.parametrize(
    ("product", "model", "published", "family"),
    [
        ("Eaton 5P", "1550", "5P 1550", "5p"),
        ("Evolution", "650", "Evolution 650", "evolution-650"),
        ("Protection Station", "650", "Protection Station 650", "pegasus"),
        ("3S", "700", "3S 700", "3s"),
        ("Made up", "17", "Made up 17", ""),
    ],
)
def test_eaton_models_are_looked_up_by_two_strings(
    product: str, model: str, published: str, family: str
) -> None:
    named = eaton(product, {4: model})
    assert (named.variables["ups.model"], named.family) == (published, family)


def test_a_string_that_is_needed_is_asked_for() -> None:
    named = eaton("Eaton 5P", {})
    assert named.wanted == {4}
    assert named.variables["ups.model"] == "Eaton 5P"


def test_power_stands_in_for_a_model_string_that_cannot_be_read() -> None:
    """Eaton 3S 700, recorded without its strings."""
    identity = Identity(0x0463, 0xFFFF, product="Eaton 3S")
    models = Models(LIBRARY, "mge-models")
    device = attached("mge", "0463-ffff-eaton-3s")
    asked = name_device(*device, identity, {}, models)
    assert asked.variables["ups.model"] == "Eaton 3S"
    unreadable = dict.fromkeys(asked.wanted, "")
    named = name_device(*device, identity, unreadable, models)
    assert named.variables["ups.model"] == "Eaton 3S 700"
