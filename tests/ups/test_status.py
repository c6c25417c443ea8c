"""ups.status by the tables of nut-driver-contract.md 4.3 to 4.5 and its measured combinations (master's)."""

from __future__ import annotations

import pytest

from tests.ups.made import announce, made, say
from usbhidups.ups.device import Ups
from usbhidups.ups.options import Options
from usbhidups.ups.state import HELD, REASON
from usbhidups.ups.status.flags import Flag, FlagReport, Mains, gather, mains_of
from usbhidups.ups.status.rules import Battery, Settled, StatusRules, Trend, decide

ON = Mains(present=True, source="UPS.PowerSummary.PresentStatus.ACPresent", at=1.0)
OFF = Mains(present=False, source="UPS.PowerSummary.PresentStatus.ACPresent", at=1.0)

D, C, B = Flag.DISCHARGING, Flag.CHARGING, Flag.LOW_BATTERY


def status(
    mains: Mains, *flags: Flag, charge: float | None = 50, rules: StatusRules | None = None
) -> str | None:
    known: dict[Flag, bool] = {
        flag: flag in flags for flag in Flag if flag is not Flag.FULLY_CHARGED
    }
    known.update(dict.fromkeys(flags, True))
    settled = Settled(mains, known, {flag: (flag.value,) for flag in flags})
    return decide(settled, Battery(charge=charge), rules or StatusRules()).text


BATTERY = StatusRules(online_discharge_is_battery=True)
CALIBRATION = StatusRules(online_discharge_is_calibration=True)
BOTH = StatusRules(online_discharge_is_battery=True, online_discharge_is_calibration=True)


@pytest.mark.parametrize(
    ("mains", "flags", "rules", "expected"),
    [
        (ON, (), None, "OL"),
        (ON, (C,), None, "OL CHRG"),
        (ON, (D,), None, "OL DISCHRG"),
        (ON, (D,), BATTERY, "OB DISCHRG"),
        (ON, (D,), CALIBRATION, "CAL DISCHRG"),
        (ON, (D,), BOTH, "CAL OB DISCHRG"),
        (OFF, (D,), None, "OB DISCHRG"),
        (OFF, (D, B), None, "OB DISCHRG LB"),
        (OFF, (D, Flag.TIME_LIMIT), None, "OB DISCHRG LB"),
        (OFF, (D, Flag.SHUTDOWN_IMMINENT), None, "ALARM OB DISCHRG LB"),
        (OFF, (), None, "OB"),
        (ON, (Flag.NO_BATTERY,), None, "ALARM OL RB"),
        (ON, (B,), None, "OL LB"),
        (
            ON,
            (D, C, B, Flag.OVERLOAD, Flag.REPLACE_BATTERY),
            None,
            "ALARM OL DISCHRG CHRG LB OVER RB",
        ),
        (OFF, (D, Flag.DEPLETED, B), None, "OB LB"),
        (ON, (Flag.CALIBRATING,), None, "CAL OL"),
        (ON, (Flag.TRIM,), None, "OL TRIM"),
        (ON, (Flag.BOOST,), None, "OL BOOST"),
        (ON, (Flag.BYPASS_MANUAL,), None, "ALARM OL BYPASS"),
        (ON, (Flag.OFF,), None, "OL OFF"),
        (OFF, (D, Flag.OFF), None, "OB DISCHRG OFF"),
        (Mains(), (D,), None, "OB DISCHRG"),
        (Mains(), (), None, None),
        (Mains(), (B,), None, None),
    ],
)
def test_measured_combinations(
    mains: Mains, flags: tuple[Flag, ...], rules: StatusRules | None, expected: str | None
) -> None:
    assert status(mains, *flags, rules=rules) == expected


def test_charging_at_full_charge_is_not_shown() -> None:
    assert status(ON, C, charge=100) == "OL"
    settled = Settled(ON, {C: True, Flag.FULLY_CHARGED: True})
    assert decide(settled, Battery(charge=97), StatusRules()).text == "OL"


def test_charging_on_battery_is_held_back_and_named() -> None:
    settled = Settled(OFF, {C: True}, {C: ("UPS.BatterySystem.Charger.Status",)})
    found = decide(settled, Battery(charge=46), StatusRules())
    assert found.text == "OB"
    assert "CHRG" in found.held


def test_low_while_recharging_on_mains_is_held_back_and_named() -> None:
    settled = Settled(ON, {B: True, C: True}, {B: ("UPS…BelowRemainingCapacityLimit",)})
    found = decide(settled, Battery(charge=3), StatusRules())
    assert found.text == "OL CHRG"
    assert "BelowRemainingCapacityLimit" in found.held["LB"]


@pytest.mark.parametrize(
    ("trend", "mains", "expected"),
    [
        (Trend.RISING, ON, "OL CHRG"),
        (Trend.FALLING, ON, "OL"),
        (Trend.FALLING, OFF, "OB DISCHRG"),
        (Trend.RISING, OFF, "OB"),
    ],
)
def test_trend_speaks_only_where_the_device_has_no_flag(
    trend: Trend, mains: Mains, expected: str
) -> None:
    battery = Battery(charge=60, trend=trend)
    assert decide(Settled(mains), battery, StatusRules()).text == expected
    silent = Settled(mains, {C: False, D: False})
    assert decide(silent, battery, StatusRules()).text == ("OL" if mains is ON else "OB")


@pytest.mark.parametrize(
    ("battery", "low"),
    [
        (Battery(charge=19.9, charge_low=20), True),
        (Battery(charge=20.9, charge_low=20), False),
        (Battery(runtime=100, runtime_low=120), True),
        (Battery(charge=50, charge_low=20, runtime=100, runtime_low=120), True),
        (Battery(charge=50), False),
    ],
)
def test_ignorelb_compares_whole_numbers(battery: Battery, *, low: bool) -> None:
    rules = StatusRules(ignore_low_flags=True)
    found = decide(Settled(ON, {B: True}, {B: ("x",)}), battery, rules)
    assert found.text == ("OL LB" if low else "OL")


def test_alarm_texts_come_in_nuts_order_and_alarm_is_the_first_word() -> None:
    settled = Settled(ON, {Flag.OVERHEAT: True, Flag.REPLACE_BATTERY: True, Flag.FAULT: True})
    found = decide(settled, Battery(), StatusRules(), free_alarms=("Wiring fault!",))
    assert found.alarms == (
        "Replace battery!",
        "Temperature too high!",
        "Internal UPS fault!",
        "Wiring fault!",
    )
    assert found.text is not None
    assert found.text.startswith("ALARM OL")


# -- flags of several rows -------------------------------------------------------------------


def test_two_rows_of_one_flag_are_joined_and_the_last_does_not_win() -> None:
    claims = gather(
        [
            FlagReport("UPS…CommunicationLost", ("commfault",), 1.0),
            FlagReport("UPS…InternalFailure", ("!commfault",), 2.0),
        ]
    )
    assert claims[Flag.FAULT].value
    assert claims[Flag.FAULT].sources == ("UPS…CommunicationLost",)


def test_ac_present_rules_over_later_rows() -> None:
    mains = mains_of(
        [
            FlagReport("UPS.PowerConverter.Input.[3].PresentStatus.Used", ("!online",), 3.0),
            FlagReport("UPS.PowerSummary.PresentStatus.ACPresent", ("online",), 1.0),
        ]
    )
    assert mains.present is True
    assert mains.source.endswith("ACPresent")


def test_not_online_of_a_real_report_is_on_battery() -> None:
    mains = mains_of([FlagReport("UPS.BELKINStatus.BELKINPowerStatus", ("!online",), 1.0)])
    assert mains.present is False


def test_words_that_are_no_flags_say_nothing() -> None:
    opinions = [FlagReport("UPS…InternalFailure", ("yes",), 1.0)]
    assert gather(opinions) == {}
    assert mains_of(opinions).present is None


# -- through the facade ----------------------------------------------------------------------


def text(ups: Ups, now: float, name: str = "ups.status") -> str | None:
    value = ups.view(now).variables.get(name)
    return None if value is None else value.text


def test_nothing_is_said_before_the_mains_were_read() -> None:
    device, ups = made()
    view = ups.view(0.0)
    assert not view.fresh
    assert "ups.status" not in view.variables
    device.read_what_is_due(ups)
    assert ups.view(device.now).fresh
    assert text(ups, device.now) == "OL"


def test_the_item_behind_lb_is_published() -> None:
    device, ups = made()
    device.run(ups, 2.0)
    announce(device, ups, "discharging", "imminent", "present", "good")
    assert text(ups, device.now) == "ALARM OB DISCHRG LB"
    reason = text(ups, device.now, REASON)
    assert reason is not None
    assert "LB: UPS.PowerSummary.PresentStatus.ShutdownImminent" in reason


def test_alarms_come_with_the_first_view() -> None:
    device, ups = made()
    say(device, "present", "good", "discharging", "imminent")
    device.read_what_is_due(ups)
    assert text(ups, device.now, "ups.alarm") == "Shutdown imminent!"
    assert text(ups, device.now) == "ALARM OB DISCHRG LB"


def test_discharging_on_mains_with_a_dead_input_is_an_outage() -> None:
    device, ups = made()
    device.run(ups, 60.0)
    device.feature[6] = b"\x06\x00\x00"
    say(device, "ac", "discharging", "present", "good")
    device.run(ups, 5.0)
    assert text(ups, device.now) == "OB DISCHRG"
    say(device, "ac", "present", "good")
    device.feature[6] = b"\x06\xe6\x00"
    device.run(ups, 5.0)
    assert text(ups, device.now) == "OL"


def test_discharging_on_mains_with_a_live_input_stays_on_line() -> None:
    device, ups = made()
    device.run(ups, 60.0)
    say(device, "ac", "discharging", "present", "good")
    device.run(ups, 30.0)
    assert text(ups, device.now) == "OL DISCHRG"


def test_an_input_that_never_was_filled_proves_no_outage() -> None:
    device, ups = made()
    device.feature[6] = b"\x06\x00\x00"
    device.run(ups, 60.0)
    say(device, "ac", "discharging", "present", "good")
    device.run(ups, 30.0)
    assert text(ups, device.now) == "OL DISCHRG"


def test_held_flags_are_named_while_they_are_not_believed() -> None:
    device, ups = made()
    device.run(ups, 5.0)
    announce(device, ups, "ac", "present", "good", "below")
    assert text(ups, device.now) == "OL"
    held = text(ups, device.now, HELD)
    assert held is not None
    assert "lowbatt" in held


def test_overrides_and_defaults() -> None:
    device, ups = made(
        Options(
            overrides={"battery.charge": "42"},
            defaults={"battery.charge.low": "33", "ups.id": "cellar"},
        )
    )
    device.run(ups, 2.0)
    assert text(ups, device.now, "battery.charge") == "42"
    assert text(ups, device.now, "battery.charge.low") == "20"
    assert text(ups, device.now, "ups.id") == "cellar"


def test_lowbatt_changes_only_what_is_published() -> None:
    device, ups = made(Options(lowbatt=35))
    device.run(ups, 700.0)
    assert text(ups, device.now, "battery.charge.low") == "35"
    assert device.written == []
