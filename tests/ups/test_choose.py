"""Which profile is chosen for whom, and why."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from usbhidups.errors import ProfileError
from usbhidups.hid.descriptor import Descriptor, parse
from usbhidups.identity import Identity
from usbhidups.ups.loading.choose import choose, other_driver
from usbhidups.ups.loading.library import Library

FIXTURES = Path(__file__).parents[2] / "fixtures" / "hid-descriptors"
LIBRARY = Library()


def descriptor(fixture: str) -> Descriptor:
    text = (FIXTURES / f"{fixture}.toml").read_text(encoding="utf-8")
    return parse(bytes.fromhex(tomllib.loads(text)["report_descriptor"]["hex"]))


PLAIN = descriptor("2e8a-0005-pico-hid-ups")


@pytest.mark.parametrize(
    ("vendor", "product", "manufacturer", "name", "profile"),
    [
        (0x0764, 0x0501, "CPS", "CP1500EPFCLCD", "cps"),
        (0x0764, 0x0601, None, None, "cps"),
        (0x0764, 0x9999, "CyberPower", "new model", "cps"),
        (0x0764, 0x0601, "1 ", "1000", "generic"),  # Epyc ION, failure A14
        (0x0483, 0xA430, "Cyber Energy", "", "cps"),
        (0x0483, 0xA113, "EVER", "", "ever"),
        (0x0483, 0x5740, "STMicroelectronics", "", "generic"),
        (0x06DA, 0xFFFF, "PPC", "Offline UPS", "liebert"),
        (0x06DA, 0xFFFF, "AEG", "PROTECT", "mge"),
        (0x06DA, 0xFFFF, "x", "AEG PROTECT", "mge"),
        (0x06DA, 0xFFFF, "BMS", "UPS", "idowell"),
        (0x06DA, 0xFFFF, "x", "Smart-Battery", "idowell"),
        (0x03F0, 0x1FE5, "HP", "R/T3000", "mge"),
        (0x03F0, 0x1FE1, "HP", "T750 G2", "tripplite"),
        (0x03F0, 0x9999, "HP", "a printer", "generic"),
        (0x05DD, 0x041B, "Delta", "RT", "delta_ups"),
        (0x05DD, 0xA0A0, "Minuteman", "MINUTEMAN UPS", "tripplite"),
        (0x09D6, 0x0001, "KSTAR", "UPS", "mge"),
        (0x09D6, 0x0001, "somebody", "UPS", "generic"),
        (0x051D, 0x0007, "American Power Conversion", "Smart-UPS", "apc"),
        (0x1234, 0x5678, "Nobody", "UPS", "generic"),
    ],
)
def test_ids_and_strings_choose(
    vendor: int, product: int, manufacturer: str | None, name: str | None, profile: str
) -> None:
    identity = Identity(vendor, product, manufacturer=manufacturer, product=name)
    choice = choose(LIBRARY, identity, PLAIN)
    assert choice.profile.name == profile
    assert choice.why


def test_why_names_the_makers_that_it_is_not() -> None:
    choice = choose(LIBRARY, Identity(0x0764, 0x0601, manufacturer="1 "), PLAIN)
    assert "0764:0601" in choice.why
    assert "CyberPower" in choice.why


@pytest.mark.parametrize(
    ("fixture", "profile"),
    [
        ("050d-0f51-belkin-described-on-line", "belkin"),
        ("0463-ffff-mge-described-rich", "mge"),
        ("0764-0501-cyberpower-cp1500epfclcd", "cps"),
        ("051d-0002-apc-back-ups-cs-750-rs", "apc"),
        ("2341-8036-arduino-hidpowerdevice", "generic"),
    ],
)
def test_usages_tell_a_family_under_ids_that_nobody_knows(fixture: str, profile: str) -> None:
    choice = choose(LIBRARY, Identity(0x1234, 0x5678), descriptor(fixture))
    assert choice.profile.name == profile


def test_a_variant_is_worked_in_by_product() -> None:
    choice = choose(LIBRARY, Identity(0x09AE, 0x1330), PLAIN)
    assert choice.profile.variant == "report 0x54 hangs"
    assert choice.profile.pacing.never_read == (0x54,)


@pytest.mark.parametrize(
    ("wanted", "profile"),
    [
        ("mge", "mge"),
        ("CPS", "cps"),
        ("CyberPower HID 0.8", "cps"),
        ("apc", "apc"),
        ("generic", "generic"),
    ],
)
def test_the_administrators_word_rules(wanted: str, profile: str) -> None:
    choice = choose(LIBRARY, Identity(0x1234, 0x5678), PLAIN, wanted=wanted)
    assert choice.profile.name == profile


def test_a_wish_for_what_is_not_there_names_what_is() -> None:
    with pytest.raises(ProfileError, match="arduino"):
        choose(LIBRARY, Identity(0x1234, 0x5678), PLAIN, wanted="nonsense")


@pytest.mark.parametrize(
    ("identity", "driver"),
    [
        (Identity(0x0665, 0x5161), "nutdrv_qx"),
        (Identity(0x09AE, 0x0001), "tripplite_usb"),
        (Identity(0x04B4, 0x5500), "riello_usb"),
        (Identity(0x0925, 0x1234), "nutdrv_qx"),
        (Identity(0x0D9F, 0x0002), "powercom"),
        (Identity(0x050D, 0x0218), "not-a-ups"),
        (Identity(0x0764, 0x0501), None),
    ],
)
def test_devices_of_other_drivers_are_known(identity: Identity, driver: str | None) -> None:
    found = other_driver(LIBRARY, identity)
    assert (found.name if found else None) == driver


def test_strings_tell_devices_of_one_id_apart() -> None:
    mec = Identity(0x0001, 0x0000, manufacturer="MEC", product="MEC0003")
    found = other_driver(LIBRARY, mec)
    assert found is not None
    assert "LUPUS" in found.note
