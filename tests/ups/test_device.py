"""The facade: names, strings, options, delays, reloading, and a device that comes back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.ups.made import DESCRIPTOR, IDENTITY, made
from tests.ups.reports import library, load
from usbhidups.errors import ConfigError
from usbhidups.hid.descriptor import ReportType, parse
from usbhidups.ups.device import attach
from usbhidups.ups.options import Options
from usbhidups.ups.plan import WritePlan
from usbhidups.usb import fixture

FIXTURES = Path(__file__).parents[2] / "fixtures" / "hid-descriptors"


def recorded() -> list[Path]:
    """Fixtures whose reports were recorded."""
    return [path for path in sorted(FIXTURES.glob("*.toml")) if len(fixture.load(path).feature) > 3]


@pytest.mark.parametrize("path", recorded(), ids=lambda path: path.stem)
def test_recorded_devices_become_fresh_and_stay_so(path: Path) -> None:
    device, ups, _ = load(path)
    transfers = device.run(ups, 0.9)
    assert transfers <= len(set(device.reads)) + 2  # each once; a first status of zeros again
    for _ in range(30):
        device.run(ups, 2.0)
        view = ups.view(device.now)
        assert view.fresh, view.reason
    status = view.variables["ups.status"].text.split()
    assert ("OL" in status) is not ("OB" in status)


@pytest.mark.parametrize("path", recorded(), ids=lambda path: path.stem)
def test_every_offered_command_has_a_plan(path: Path) -> None:
    device, ups, _ = load(path)
    device.run(ups, 1.0)
    for name in ups.view(device.now).commands:
        assert isinstance(ups.instcmd(name, None, now=device.now), WritePlan), name


def test_names_come_from_the_bus_and_the_profile() -> None:
    device, ups, _ = load(FIXTURES / "051d-0002-apc-back-ups-bk650m2-ch.toml")
    device.run(ups, 2.0)
    variables = ups.view(device.now).variables
    assert variables["device.type"].text == "ups"
    assert variables["ups.vendorid"].text == "051d"
    assert variables["ups.productid"].text == "0002"
    assert variables["device.model"].text == variables["ups.model"].text


def test_strings_are_asked_once_and_survive_a_device_that_loses_them() -> None:
    device, ups, _ = load(FIXTURES / "051d-0002-apc-back-ups-bk650m2-ch.toml")
    for _ in range(20):
        for request in ups.reads_due(device.now):
            data = device.feature.get(request.report_id)
            if data is not None:
                ups.got_report(request.report_type, data, now=device.now)
        device.now += 0.01
        ups.view(device.now)
    asked = ups.strings_wanted()
    assert asked
    for index in asked:
        ups.got_string(index, "PbAcid")
    ups.view(device.now)
    assert ups.strings_wanted() == ()
    assert "PbAcid" in {value.text for value in ups.view(device.now).variables.values()}
    ups.disconnected(now=device.now)
    ups.reconnected(replace(ups.identity, address=9), now=device.now)
    for index in asked:
        ups.got_string(index, None)
    assert "PbAcid" in {value.text for value in ups.view(device.now).variables.values()}
    assert ups.identity.address == 9


def test_default_delays_are_sixty_and_a_hundred_and_twenty_seconds() -> None:
    device, ups = made()
    device.run(ups, 1.0)
    variables = ups.view(device.now).variables
    assert variables["ups.delay.shutdown"].text == "60"
    assert variables["ups.delay.start"].text == "120"
    assert variables["ups.delay.start"].writable


def test_ignorelb_needs_limits() -> None:
    profile = library().load("generic")
    descriptor = parse(DESCRIPTOR)
    without = replace(
        descriptor, fields=tuple(field for field in descriptor.fields if field.report_id != 9)
    )
    attach(IDENTITY, descriptor, profile, Options(ignorelb=True))
    attach(IDENTITY, without, profile, Options(ignorelb=True, lowbatt=20))
    attach(
        IDENTITY, without, profile, Options(ignorelb=True, overrides={"battery.charge.low": "20"})
    )
    with pytest.raises(ConfigError, match="ignorelb"):
        attach(IDENTITY, without, profile, Options(ignorelb=True))


def test_options_that_change_while_running() -> None:
    device, ups = made()
    device.run(ups, 10.0)
    ups.use(replace(ups.options, pollinterval=20.0, sdcommands=("beeper.mute",)))
    device.run(ups, 5.0)
    device.reads.clear()
    device.run(ups, 100.0)
    assert device.reads.count((ReportType.FEATURE, 1)) <= 11
    assert ups.view(device.now).fresh


def test_input_reports_answered_to_a_request_are_not_taken_for_announcements() -> None:
    path = FIXTURES / "5131-2007-unknown-5131-2007.toml"
    device, ups, _ = load(path)
    device.run(ups, 5.0)
    assert ups.view(device.now).fresh


def test_a_read_counts_that_repeats_itself_after_an_announcement_said_something_else() -> None:
    """The bytes are those of a CyberPower CP1500EPFCLCD: on mains, mains lost (announced), on mains."""
    device, ups, _ = load(FIXTURES / "0764-0501-cyberpower-cp1500epfclcd.toml")
    device.run(ups, 1.5)
    assert ups.view(device.now).variables["ups.status"].text == "OL"
    ups.got_report(ReportType.INPUT, b"\x0b\x04", now=device.now)
    assert ups.view(device.now).variables["ups.status"].text == "OB DISCHRG"
    ups.disconnected(now=device.now + 1.0)
    ups.reconnected(ups.identity, now=device.now + 2.0)
    ups.got_report(ReportType.FEATURE, b"\x0b\x11", now=device.now + 2.0)
    assert ups.view(device.now + 2.0).variables["ups.status"].text == "OL"
