"""Conversions, one by one; expected texts are recorded ones, NUT's, or the standard's."""

from __future__ import annotations

import pytest

from tests.ups.build import BERLIN, Answers, field, reading
from usbhidups.ups.convert import COMMANDS, choices, physical, text
from usbhidups.ups.evidence import Reading
from usbhidups.ups.options import Options
from usbhidups.ups.profile import VariableRow

VOLT = 0x00F0D121
AMPERE_SECOND = 0x00101001


def row(name: str = "some.thing", **how: object) -> VariableRow:
    return VariableRow(name=name, path="UPS.Input.Voltage", **how)  # type: ignore[arg-type]


def number(
    value: int,
    *,
    size: int = 32,
    unit: int = 0,
    exponent: int = 0,
    limits: tuple[int, int] | None = None,
) -> Reading:
    least, most = limits or (0, (1 << size) - 1)
    item = field("UPS.Input.Voltage", size=size, unit=unit, exponent=exponent, limits=(least, most))
    return reading(item, "01" + (value & ((1 << size) - 1)).to_bytes(size // 8, "little").hex())


@pytest.mark.parametrize(
    ("form", "value", "exponent", "expected"),
    [
        ("%.0f", 230, 0, "230"),
        ("%.1f", 3715, -2, "37.2"),  # a tie for people, not for binary numbers
        ("%.1f", 5325, -2, "53.3"),  # NUT prints this too
        ("%.0f", 45, -1, "5"),
        ("%.2f", 1376, -2, "13.76"),
        ("%.0f%%", 100, 0, "100%"),
        ("%.1f", 0, 0, "0.0"),
    ],
)
def test_numbers_are_printed_as_people_round(
    form: str, value: int, exponent: int, expected: str
) -> None:
    assert text(row(format=form), number(value, exponent=exponent), Answers()) == expected


@pytest.mark.parametrize(
    ("name", "value", "size", "expected"),
    [
        ("battery.runtime", 0xFFFF, 16, None),  # E01
        ("battery.runtime", 0xFFFFFF, 24, None),
        ("battery.runtime", 0, 16, "0"),  # zero is a value
        ("ups.load", 0xFF, 8, "255"),  # too few values to spare one
        ("ups.timer.shutdown", 0xFFFF, 16, "-1"),  # Minuteman shows 65535 in NUT
        ("battery.voltage.nominal", 0, 16, None),  # E06
    ],
)
def test_sentinels_are_no_values(name: str, value: int, size: int, expected: str | None) -> None:
    assert text(row(name), number(value, size=size), Answers()) == expected


def test_minus_one_is_a_countdown_that_does_not_run_and_no_other_value() -> None:
    minus_one = number(-1, limits=(-1, 32767))
    assert text(row("ups.timer.start"), minus_one, Answers()) == "-1"
    assert text(row("battery.runtime"), minus_one, Answers()) is None
    assert text(row("battery.current"), minus_one, Answers()) == "-1"


def test_a_table_takes_the_integer_and_knows_what_it_does_not_know() -> None:
    table = {1: "disabled", 2: "enabled"}
    assert text(row(table=table), number(2), Answers()) == "enabled"
    assert text(row(table=table), number(9), Answers()) is None
    assert text(row(table=table, otherwise="other"), number(9), Answers()) == "other"
    assert text(row(table=table, mask=0x30), number(0x20), Answers()) == "enabled"
    assert physical(row(table=table), "enabled", Answers()) == 2
    with pytest.raises(ValueError, match="disabled, enabled"):
        physical(row(table=table), "loud", Answers())


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (
            "20 4d 2a",
            "2001/02/13",
        ),  # from no device: the packing of the Smart Battery specification
        ("20 00 00", "not set"),
        ("20 0f 00", None),  # month 0 (E: dates are validated)
        ("20 e8 51", None),  # month 15
    ],
)
def test_packed_dates(raw: str, expected: str | None) -> None:
    item = field("UPS.Battery.ManufacturerDate", report_id=0x20)
    assert text(row(convert="date"), reading(item, raw), Answers()) == expected


@pytest.mark.parametrize(
    ("fixture", "expected"),
    [
        (("20", "21 2a"), "2001/01/01"),  # Back-UPS BK650M2-CH, report 0x20
        (("7b", "a8 50"), "2020/05/08"),  # the same, report 0x7b
    ],
)
def test_packed_dates_of_recorded_devices(fixture: tuple[str, str], expected: str) -> None:
    report_id, data = fixture
    item = field("UPS.Battery.ManufacturerDate", report_id=int(report_id, 16))
    got = reading(item, report_id + data)
    assert text(row(convert="date"), got, Answers()) == expected
    assert physical(row(convert="date"), expected, Answers()) == got.logical


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("1c 01 25 09", "2001/09/25"),  # Back-UPS CS 750-RS, report 0x1c
        ("1c 99 31 12", "1999/12/31"),
        ("1c 00 00 00", "not set"),
        ("1c 1a 31 12", None),  # no decimal digit
        ("1c 24 31 02", None),  # no such day
    ],
)
def test_dates_as_decimal_digits(raw: str, expected: str | None) -> None:
    item = field("UPS.Battery.ManufacturerDate", report_id=0x1C, size=24, limits=(0, 0xFFFFFF))
    assert text(row(convert="bcd-date"), reading(item, raw), Answers()) == expected


def test_dates_as_decimal_digits_are_written_back() -> None:
    assert physical(row(convert="bcd-date"), "2002/10/22", Answers()) == 0x102202


@pytest.mark.parametrize(
    "words", ["tomorrow", "2024/13/01", "2024/02/30", "1979/01/01", "2200/01/01"]
)
@pytest.mark.parametrize("convert", ["date", "bcd-date"])
def test_what_is_no_date_is_refused(words: str, convert: str) -> None:
    if (words, convert) == ("1979/01/01", "bcd-date"):
        assert physical(row(convert=convert), words, Answers()) == 0x010179
        return
    with pytest.raises(ValueError, match=r".+"):
        physical(row(convert=convert), words, Answers())


def test_a_clock_is_shown_in_local_time_and_set_by_halves() -> None:
    moment = number(1559749096)  # 2019-06-05 15:38:16 UTC, mge-rich-s1
    utc, berlin = Answers(), Answers(zone=BERLIN)
    assert text(row(convert="unix-date"), moment, utc) == "2019/06/05"
    assert text(row(convert="unix-time"), moment, utc) == "15:38:16"
    assert text(row(convert="unix-time"), moment, berlin) == "17:38:16"
    known = Answers({"ups.date": "2019/06/05", "ups.time": "15:38:16"})
    assert physical(row(convert="unix-time"), "15:38:17", known) == 1559749097
    assert physical(row(convert="unix-date"), "2019/06/06", known) == 1559749096 + 86400
    with pytest.raises(ValueError, match="not known"):
        physical(row(convert="unix-date"), "2019/06/06", Answers())


@pytest.mark.parametrize(
    ("value", "exponent", "expected"),
    [(2981, -1, "25.0"), (25, 0, "25.0"), (273, 0, "-0.2"), (-5, 0, "-5.0")],
)
def test_kelvin_or_celsius_by_range(value: int, exponent: int, expected: str) -> None:
    got = number(value, exponent=exponent, limits=(-100, 10000))
    assert text(row("ups.temperature", convert="celsius"), got, Answers()) == expected


def test_capacity_in_ampere_seconds_becomes_percent() -> None:
    """5131:2007: RemainingCapacity 400 of FullChargeCapacity 400 As."""
    full = number(400, unit=AMPERE_SECOND)
    left = number(100, unit=AMPERE_SECOND)
    asked = Answers(siblings={0x00850067: full})
    assert text(row("battery.charge", convert="percent-of-full"), left, asked) == "25"
    assert text(row("battery.charge", convert="percent-of-full"), number(97, size=8), asked) == "97"


def test_capacity_in_ampere_hours_only_where_it_is_one() -> None:
    assert (
        text(
            row(convert="ampere-hours", format="%.2f"), number(43200, unit=AMPERE_SECOND), Answers()
        )
        == "12.00"
    )
    assert text(row(convert="ampere-hours"), number(100, unit=AMPERE_SECOND), Answers()) is None
    assert text(row(convert="ampere-hours"), number(100), Answers()) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [(970, "123.33"), (969, "122.50"), (275, "0"), (40, "-40"), (990, "125"), (49, "-40")],
)
def test_thermistor(value: int, expected: str) -> None:
    """Points of the table are whole; NUT prints 123.33 for 9.70 V (openups-plain-s1001)."""
    assert text(row(convert="thermistor"), number(value, exponent=-2), Answers()) == expected


@pytest.mark.parametrize(
    ("convert", "value", "exponent", "expected"),
    [
        ("tiny-volts", 139, -8, "13.9"),  # Liebert PSA: 1.39e-06 V
        ("tiny-volts", 2201, -8, "220.1"),
        ("tiny-volts", 273, -6, "27.3"),
        ("tiny-volts", 1212, -6, "121.2"),
        ("tiny-volts", 0, -8, "0.0"),
        ("tiny-volts", 230, 0, "230.0"),
        ("tiny-line-volts", 1200, -6, "120.0"),
        ("tiny-line-volts", 20, -6, "2.0"),
    ],
)
def test_voltages_with_a_wrong_exponent(
    convert: str, value: int, exponent: int, expected: str
) -> None:
    asked = Answers()
    got = text(
        row("input.voltage", convert=convert, format="%.1f"),
        number(value, exponent=exponent),
        asked,
    )
    assert got == expected
    assert bool(asked.notes) is (value not in (0, 230))


def test_repairs_can_be_switched_off() -> None:
    asked = Answers(options=Options(disable_fix_report_desc=True))
    got = text(
        row("input.voltage", convert="tiny-volts", format="%.4f"), number(1212, exponent=-6), asked
    )
    assert got == "0.0012"
    assert asked.notes == []


def test_a_battery_voltage_too_high_by_half_is_repaired_for_good() -> None:
    how = row("battery.voltage", convert="battery-two-thirds", format="%.1f")
    asked = Answers({"battery.voltage.nominal": "24"})
    assert text(how, number(315, exponent=-1), asked) == "31.5"
    assert text(how, number(405, exponent=-1), asked) == "27.0"
    assert text(how, number(315, exponent=-1), asked) == "21.0"


@pytest.mark.parametrize(
    ("value", "expected"), [(499, "49.9"), (4990, "49.9"), (50, "50.0"), (0, "0.0")]
)
def test_frequencies_too_high_by_powers_of_ten(value: int, expected: str) -> None:
    how = row("input.frequency", convert="frequency-tenfold", format="%.1f")
    assert text(how, number(value), Answers()) == expected


def test_a_frequency_is_judged_by_its_nominal() -> None:
    how = row("output.frequency", convert="frequency-tenfold", format="%.1f")
    assert text(how, number(600), Answers({"output.frequency.nominal": "60"})) == "60.0"
    assert text(how, number(600), Answers({"output.frequency.nominal": "50"})) == "600.0"


def test_an_output_that_is_a_tenth_of_the_mains() -> None:
    """Epyc ION: 22.6 V while the mains have 227 V."""
    how = row("output.voltage", convert="output-tenth", format="%.1f")
    asked = Answers({"input.voltage": "227.0"})
    assert text(how, number(226, exponent=-1), asked) == "226.0"
    assert text(how, number(0), asked) == "0.0"
    assert text(how, number(230), Answers({"input.voltage": "227.0"})) == "230.0"
    assert text(how, number(24), Answers({"output.voltage.nominal": "24"})) == "24.0"
    assert text(how, number(23), Answers()) == "23.0"


def test_a_nominal_battery_voltage_is_that_of_a_cell_at_least() -> None:
    how = row("battery.voltage.nominal", convert="nominal-battery", format="%.1f")
    assert text(how, number(22, exponent=-1), Answers()) is None
    assert text(how, number(12), Answers()) == "12.0"


def test_strings_by_index() -> None:
    asked = Answers(strings={4: " PbAcid\n", 5: "  "})
    assert text(row(convert="string"), number(4, size=8), asked) == "PbAcid"
    assert text(row(convert="string"), number(5, size=8), asked) is None
    assert text(row(convert="string"), number(0, size=8), asked) is None


@pytest.mark.parametrize(
    ("words", "expected"), [("2018/03/05", "2018/03/05"), ("CPS", None), ("1", None)]
)
def test_a_date_that_is_a_text(words: str, expected: str | None) -> None:
    asked = Answers(strings={4: words})
    assert text(row(convert="date-string"), number(4, size=8), asked) == expected


@pytest.mark.parametrize(
    ("convert", "payload", "expected"),
    [
        ("payload-hex", "c2 9c 06 88 ee 0e", "c2:9c:06:88:ee:0e"),  # ever-rich-s1
        ("payload-dotted", "a6 05 ad 27", "166.5.173.39"),
        ("payload-integer", "21 00 00 00", "33"),
        ("payload-integer", "ff ff ff ff", "-1"),
        ("payload-integer", "21 00", None),
        ("payload-ascii-number", "20 31 33 2e 35 20 32", "13.5"),  # Powercom report 0xa4
        ("payload-ascii-number", "20 31 33 20 20 20 32", None),
        ("payload-ascii-number", "ff fe 00 00 00 00 00", None),
    ],
)
def test_payloads(convert: str, payload: str, expected: str | None) -> None:
    asked = Answers(report=bytes.fromhex("a4" + payload))
    assert text(row(convert=convert), number(0), asked) == expected


def test_payloads_by_table() -> None:
    bits = row(convert="payload-bits", table={0x04: "BOOST", 0x400: "OVERHEAT", 0x800: "OVERHEAT"})
    assert text(bits, number(0), Answers(report=bytes.fromhex("4b 04 0c"))) == "BOOST OVERHEAT"
    assert text(bits, number(0), Answers(report=bytes.fromhex("4b 00 00"))) == ""
    word = row(convert="payload-word", table={4: "ONLINE"}, otherwise="UNKNOWN")
    assert text(word, number(0), Answers(report=bytes.fromhex("4a 04"))) == "ONLINE"
    assert text(word, number(0), Answers(report=bytes.fromhex("4a 05"))) == "UNKNOWN"
    assert text(word, number(0), Answers()) is None


def test_versions() -> None:
    assert text(row(convert="version-nibbles"), number(0x600B), Answers()) == "v6.0b11"
    assert text(row(convert="revision-letter"), number(0x055C), Answers()) == "rev.Ev92"
    assert text(row(convert="revision-letter"), number(0x0001), Answers()) == "rev.0v01"


def test_real_power_is_worked_out_where_it_is_not_measured() -> None:
    how = row("ups.realpower", convert="computed-realpower")
    asked = {"ups.load": "5", "ups.power.nominal": "700"}
    assert text(how, number(700), Answers(asked)) == "28"
    assert text(how, number(700), Answers({**asked, "output.powerfactor": "0.9"})) == "32"
    assert text(how, number(700), Answers({"ups.load": "5"})) is None


def test_nominal_voltages_of_the_other_kind_of_mains_are_not_offered() -> None:
    how = row(
        convert="nominal-voltage",
        enum=("200", "208", "220", "230", "240", "100", "110", "120", "127"),
    )
    assert choices(how, "230") == ("200", "208", "220", "230", "240")
    assert choices(how, "120") == ("100", "110", "120", "127")
    assert choices(how, "250") == how.enum
    assert physical(how, "240", Answers()) == 240


BYPASS = {
    "input.bypass.voltage": "236.8",
    "input.bypass.frequency": "49.7",
    "output.voltage.nominal": "230",
    "output.frequency.nominal": "50",
}


def test_eco_mode_counts_while_the_bypass_is_good_enough() -> None:
    how = row("input.eco.switchable", convert="eco-mode")
    assert text(how, number(0), Answers(BYPASS)) == "normal"
    assert text(how, number(1), Answers(BYPASS)) == "ECO"
    assert text(how, number(1), Answers({**BYPASS, "input.bypass.voltage": "250"})) == "normal"
    assert text(how, number(1), Answers({**BYPASS, "input.transfer.eco.high": "230"})) == "normal"
    assert text(how, number(1), Answers()) == "normal"
    assert text(how, number(2), Answers()) == "ESS"
    assert text(how, number(3), Answers()) is None
    assert physical(how, "vendor:mge-hid:ECO", Answers()) == 1
    with pytest.raises(ValueError, match="normal, ECO, ESS"):
        physical(how, "eco", Answers())
    words = row(convert="eco-buzzword")
    assert text(words, number(2), Answers()) == "vendor:mge-hid:ESS"
    assert text(words, number(0), Answers()) is None


def test_the_bypass_switch_is_on_while_it_can_feed_the_load() -> None:
    how = row("input.bypass.switch.on", convert="bypass-on")
    assert text(how, number(1), Answers(BYPASS)) == "on"
    assert text(how, number(1), Answers({**BYPASS, "input.bypass.frequency": "60"})) is None
    assert text(how, number(0), Answers()) == "disabled"
    assert physical(how, "on", Answers()) == 1


def test_a_percentage_stops_at_100() -> None:
    assert (
        text(row("battery.charge", convert="at-most-100"), number(101, size=8), Answers()) == "100"
    )


@pytest.mark.parametrize(
    ("name", "seconds", "options", "value"),
    [
        ("minutes-and-seconds", 60, Options(), 0x0140),
        ("minutes-and-seconds", 75, Options(), 0x014F),
        ("minutes-and-seconds", 0, Options(), 0x0041),
        ("minutes-and-seconds-stay-off", 60, Options(), 0x0180),
        ("minutes-and-seconds", 60, Options(powercom_sdcmd_byte_order_fallback=True), 0x4001),
        ("minutes-and-seconds", 13, Options(powercom_sdcmd_discrete_delay=True), 2),
        ("minutes-and-seconds", 6000, Options(powercom_sdcmd_discrete_delay=True), 18),
        ("minutes-swapped", 120, Options(), 0x0200),
        ("minutes-swapped", 120, Options(powercom_sdcmd_discrete_delay=True), 2),
    ],
)
def test_timers_of_minutes_and_seconds(
    name: str, seconds: int, options: Options, value: int
) -> None:
    assert COMMANDS[name](seconds, options) == value


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("minutes-and-seconds", 256 * 60),
        ("minutes-and-seconds-stay-off", 99999),
        ("minutes-swapped", 99999999),
    ],
)
def test_a_timer_refuses_what_it_cannot_count(name: str, seconds: int) -> None:
    with pytest.raises(ValueError, match="more than"):
        COMMANDS[name](seconds, Options())


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "minutes"])
def test_these_timers_have_no_value_for_never(name: str) -> None:
    with pytest.raises(ValueError, match="no countdown"):
        COMMANDS[name](-1, Options())


def test_timers_are_read_back_as_seconds() -> None:
    assert (
        text(row("ups.timer.start", convert="minutes-swapped"), number(0x0200, size=16), Answers())
        == "120"
    )
    shutdown = row("ups.timer.shutdown", convert="minutes-and-seconds")
    assert text(shutdown, number(0x010F, size=16), Answers()) == "75"
    swapped = Answers(options=Options(powercom_sdcmd_byte_order_fallback=True))
    assert text(shutdown, number(0x0F01, size=16), swapped) == "75"


def test_what_has_no_way_back_cannot_be_set() -> None:
    with pytest.raises(ValueError, match="cannot be set"):
        physical(row(convert="celsius"), "20", Answers())
    assert physical(row(scale=0.1), "23", Answers()) == pytest.approx(230)
