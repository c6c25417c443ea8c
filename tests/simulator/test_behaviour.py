"""A UPS's behaviour, seen in its reports and at its output. Seconds are the UPS's own unless said."""

from __future__ import annotations

import pytest

from tests.simulator.devices import Host, bench
from usbhidups.simulator.output import Cause
from usbhidups.usb.fixture import Moment

AC, CHARGING, DISCHARGING, LOW, FULL, IMMINENT, REPLACE, BATTERY = (1 << n for n in range(8))


def flags(host: Host) -> int:
    return int(host.read(0x01).split()[1], 16)


def charge_and_runtime(host: Host) -> tuple[int, int]:
    data = bytes.fromhex(host.read(0x02))
    return data[1], int.from_bytes(data[2:4], "little")


def timer(host: Host, report_id: int) -> int:
    return int.from_bytes(bytes.fromhex(host.read(report_id))[1:3], "little", signed=True)


def test_outage_and_return() -> None:
    host = Host()
    host.do("mains off")
    assert flags(host) == DISCHARGING | FULL | BATTERY
    assert host.read(0x0A) == "0a 00 00"
    assert host.read(0x0B) == "0b d8 59"
    host.wait(900)  # half of the recorded run time
    assert flags(host) == DISCHARGING | BATTERY
    assert charge_and_runtime(host) == (50, 900)
    host.do("mains on")
    assert flags(host) == AC | CHARGING | BATTERY
    host.wait(2 * 3600)  # four hours from empty to full
    assert flags(host) == AC | FULL | BATTERY
    assert charge_and_runtime(host) == (100, 1800)
    assert host.load_on
    assert host.device.history == []


def test_low_battery_then_empty_then_mains_again() -> None:
    host = Host()
    host.do("mains off")
    host.wait(1445)  # 19.7 %
    assert flags(host) == DISCHARGING | LOW | BATTERY
    host.wait(315)  # 2.2 %
    assert flags(host) == DISCHARGING | LOW | IMMINENT | BATTERY
    host.wait(60)
    assert not host.load_on
    assert host.read(0x0B) == "0b 00 00"
    assert host.read(0x0C) == "0c 00"
    host.do("mains on")
    assert host.load_on
    assert flags(host) == AC | CHARGING | LOW | BATTERY
    assert [(s.at, s.on, s.cause, s.mains) for s in host.device.history] == [
        (pytest.approx(1800.0), False, Cause.EMPTY, False),
        (1820.0, True, Cause.MAINS, True),
    ]
    assert host.device.cuts_on_mains() == []


def test_more_load_less_time() -> None:
    host = Host()
    host.do("load 40")
    assert host.read(0x0C) == "0c 28"
    assert charge_and_runtime(host) == (100, 900)
    host.do("load 110")
    host.do("mains off")
    assert charge_and_runtime(host)[1] == 327


def test_speed() -> None:
    host = Host(speed=60.0)
    host.do("mains off")
    host.wait(15)  # host's seconds
    assert charge_and_runtime(host) == (50, 900)
    host.do("speed 0")
    host.wait(3600)
    assert charge_and_runtime(host) == (50, 900)


@pytest.mark.parametrize(
    ("mains", "input_volts", "output_volts", "status"),
    [
        ("mains 0.88", 20240, 23000, AC | FULL | BATTERY),  # boosted
        ("mains 0.95", 21850, 21850, AC | FULL | BATTERY),  # passed through
        ("mains 1.12", 25760, 23000, AC | FULL | BATTERY),
        ("mains 0.70", 16100, 23000, DISCHARGING | FULL | BATTERY),
    ],
)
def test_brownout(mains: str, input_volts: int, output_volts: int, status: int) -> None:
    host = Host()
    host.do(mains)
    assert host.read(0x0A) == "0a " + input_volts.to_bytes(2, "little").hex(" ")
    assert host.read(0x0B) == "0b " + output_volts.to_bytes(2, "little").hex(" ")
    assert flags(host) == status


class TestTimers:
    """DelayBeforeShutdown, DelayBeforeStartup, DelayBeforeReboot (reports 03, 04, 05; 07 has two)."""

    def test_shutdown_counts_and_cuts(self) -> None:
        host = Host()
        host.do("mains off")
        host.write("03 14 00")
        assert timer(host, 3) == 20
        host.wait(19.5)
        assert timer(host, 3) == 1
        assert host.load_on
        assert flags(host) & IMMINENT
        host.wait(0.5)
        assert not host.load_on
        assert timer(host, 3) == -1
        assert [(s.at, s.cause) for s in host.device.history] == [(20.0, Cause.SHUTDOWN)]

    def test_return_with_mains(self) -> None:
        host = Host()
        host.do("mains off")
        host.write("04 1e 00")
        host.write("03 14 00")
        host.wait(100)
        assert not host.load_on  # the start has come and waits for mains
        host.do("mains on")
        assert host.load_on
        assert [(s.at, s.on, s.cause) for s in host.device.history] == [
            (20.0, False, Cause.SHUTDOWN),
            (100.0, True, Cause.STARTUP),
        ]

    def test_mains_back_before_the_cut(self) -> None:
        host = Host()
        host.do("mains off")
        host.write("04 1e 00")
        host.write("03 14 00")
        host.wait(10)
        host.do("mains on")
        host.wait(15)
        assert not host.load_on
        assert timer(host, 4) == 5
        host.wait(5)
        assert host.load_on
        assert [s.at for s in host.device.cuts_on_mains()] == [20.0]

    def test_start_before_stop_is_lost(self) -> None:
        host = Host()
        host.write("04 0a 00")
        host.write("03 14 00")
        host.wait(10_000)
        assert not host.load_on

    def test_cut_without_start_order_returns_with_the_next_mains(self) -> None:
        host = Host()
        host.do("mains off")
        host.write("03 14 00")
        host.wait(60)
        assert not host.load_on
        host.do("mains on")
        assert host.load_on
        assert host.device.history[-1].cause is Cause.MAINS

    def test_stay_off(self) -> None:
        host = Host()
        host.do("mains off")
        host.write("04 ff ff")
        host.write("03 14 00")
        host.wait(60)
        host.do("mains on")
        host.wait(10_000)
        assert not host.load_on

    def test_cancel(self) -> None:
        host = Host()
        host.write("03 14 00")
        host.wait(10)
        host.write("03 ff ff")
        host.wait(100)
        assert host.load_on
        assert timer(host, 3) == -1

    def test_zero_is_now(self) -> None:
        host = Host()
        host.write("03 00 00")
        assert not host.load_on
        host.write("04 00 00")
        host.wait(5)
        assert host.load_on

    def test_reboot(self) -> None:
        host = Host()
        host.write("05 0a 00")
        assert not host.load_on
        host.wait(4)
        assert timer(host, 5) == 6
        host.wait(6)
        assert host.load_on
        assert [s.cause for s in host.device.history] == [Cause.REBOOT, Cause.STARTUP]

    def test_two_timers_in_a_report(self) -> None:
        host = Host()
        host.do("mains off")
        host.write("07 ff ff 1e 00")  # start in 30; the other field says what it showed
        host.write("07 14 00 1e 00")
        assert host.read(0x07) == "07 14 00 1e 00"
        host.wait(40)
        host.do("mains on")
        assert [s.on for s in host.device.history] == [False, True]

    def test_writing_back_what_was_read_orders_nothing(self) -> None:
        host = Host()
        host.write("07 ff ff ff ff")
        host.wait(1000)
        assert host.load_on
        host.do("mains off")
        host.write("03 14 00")
        host.wait(60)
        host.do("mains on")
        assert host.load_on  # not "stay off": -1 was no order


class TestQuirks:
    def test_start_without_mains(self) -> None:
        host = Host()
        host.do("quirk start-without-mains on")
        host.do("mains off")
        host.write("04 1e 00")
        host.write("03 14 00")
        host.wait(30)
        assert host.load_on
        assert not host.device.history[-1].mains

    def test_deaf_on_mains(self) -> None:
        host = Host()
        host.do("quirk deaf-on-mains on")
        host.write("03 14 00")
        assert timer(host, 3) == -1
        host.write("05 0a 00")
        assert host.load_on
        host.do("mains off")
        host.write("03 14 00")
        assert timer(host, 3) == 20

    def test_no_cancel(self) -> None:
        host = Host()
        host.do("quirk no-cancel on")
        host.write("03 14 00")
        host.write("03 ff ff")
        assert timer(host, 3) == 20
        host.wait(20)
        assert not host.load_on

    def test_no_startup_timer(self) -> None:
        host = Host()
        host.do("quirk no-startup-timer on")
        host.write("04 1e 00")
        assert timer(host, 4) == -1

    def test_minute_grain(self) -> None:
        host = Host()
        host.do("quirk minute-grain on")
        host.write("03 14 00")  # 20 s is no minute: now
        assert not host.load_on

    def test_fixed_shutdown_delay(self) -> None:
        host = Host()
        host.do("quirk fixed-shutdown-delay 60")
        host.write("03 14 00")
        assert timer(host, 3) == 60

    def test_fixed_off_time(self) -> None:
        host = Host()
        host.do("quirk fixed-off-time 2")
        host.write("03 0a 00")
        host.wait(12)
        assert [(s.at, s.on) for s in host.device.history] == [(10.0, False), (12.0, True)]

    def test_restart_charge(self) -> None:
        host = Host()
        host.do("quirk restart-charge 10")
        host.do("runtime 100")
        host.do("mains off")
        host.wait(200)
        host.do("mains on")
        assert not host.load_on
        host.wait(1439)  # ten percent take 1440 s
        assert not host.load_on
        host.wait(1)
        assert host.load_on

    def test_minute_second_timers(self) -> None:
        """Minutes in the high byte, seconds in the low one; bit 6 returns, bit 7 stays off (Powercom)."""
        host = Host()
        host.do("quirk minute-second-timers on")
        host.do("mains off")
        host.write("03 4f 01")  # 1 min 15 s, return
        assert host.read(0x03) == "03 0f 01"
        host.wait(75)
        assert not host.load_on
        host.do("mains on")
        host.wait(5)
        assert host.load_on
        host.write("03 94 00")  # 20 s, stay off
        host.wait(20)
        host.do("mains off")
        host.do("mains on")
        host.wait(10_000)
        assert not host.load_on
        host.write("04 00 02")  # two minutes, bytes swapped
        host.wait(119)
        assert not host.load_on
        host.wait(1)
        assert host.load_on

    def test_hovering_and_floating_are_learnt_from_the_fixture(self) -> None:
        reports = {
            0x01: b"\x01\x87",
            0x02: b"\x02\x64\x08\x07",
        }  # on mains, charging and discharging, full
        host = Host(bench(feature=reports))
        assert flags(host) == AC | CHARGING | DISCHARGING | BATTERY
        host.do("mains off")
        assert flags(host) & (AC | CHARGING | DISCHARGING) == DISCHARGING
        host.wait(60)
        host.do("mains on")
        host.wait(4 * 3600)
        assert flags(host) == AC | CHARGING | DISCHARGING | FULL | BATTERY

    def test_blind_to_mains(self) -> None:
        host = Host()
        host.do("quirk blind-to-mains on")
        host.do("mains off")
        assert flags(host) == AC | DISCHARGING | FULL | BATTERY
        assert host.read(0x0A) == "0a 00 00"

    def test_off_at_test(self) -> None:
        """PresentStatus.Good is 0 for the first eight seconds of a self-test (D03)."""
        descriptor = bytes.fromhex(
            "0584 0904 a101 0924 a102 0902 a102 8501 7501 9501 2501 0961 b102 c0 c0 c0"
        )
        host = Host(bench(descriptor=descriptor, feature={1: b"\x01\x01"}))
        host.do("quirk off-at-test on")
        host.do("test quick")
        assert host.read(0x01) == "01 00"
        host.wait(8)
        assert host.read(0x01) == "01 01"
        assert host.load_on

    def test_nervous(self) -> None:
        host = Host()
        host.do("quirk nervous on")
        host.do("mains off")
        assert flags(host) & IMMINENT
        host.do("quirk nervous off")
        assert not flags(host) & IMMINENT

    def test_names_and_values_are_checked(self) -> None:
        host = Host()
        for line in ("quirk haste on", "quirk no-cancel 5", "quirk fixed-off-time soon", "quirk"):
            with pytest.raises(ValueError, match=r"quirk|float"):
                host.do(line)


class TestSelfTest:
    def test_quick(self) -> None:
        host = Host()
        host.write("08 01 02 14")
        assert host.read(0x08) == "08 05 02 14"
        assert flags(host) == AC | DISCHARGING | FULL | BATTERY
        host.wait(10)
        assert host.read(0x08) == "08 01 02 14"
        assert flags(host) & (AC | DISCHARGING) == AC

    def test_deep_goes_down_to_a_quarter(self) -> None:
        host = Host()
        host.write("08 02 02 14")
        host.wait(0.75 * 1800 - 1)
        assert host.read(0x08).split()[1] == "05"
        host.wait(1)
        assert host.read(0x08).split()[1] == "01"
        assert charge_and_runtime(host)[0] == 25
        assert flags(host) & (CHARGING | DISCHARGING) == CHARGING

    def test_abort(self) -> None:
        host = Host()
        host.do("test deep")
        host.write("08 03 02 14")
        assert host.read(0x08).split()[1] == "04"

    def test_mains_failure_ends_it(self) -> None:
        host = Host()
        host.do("test quick")
        host.do("mains off")
        assert host.read(0x08).split()[1] == "04"

    def test_not_on_battery(self) -> None:
        host = Host()
        host.do("mains off")
        host.do("test quick")
        assert host.read(0x08).split()[1] == "04"

    def test_bad_battery_is_a_warning(self) -> None:
        host = Host()
        host.do("flag replace on")
        host.do("test quick")
        host.wait(10)
        assert host.read(0x08).split()[1] == "02"


def test_flags_and_glitches() -> None:
    host = Host()
    host.do("flag replace on")
    assert flags(host) & REPLACE
    host.do("flag replace off")
    host.do("glitch low")
    host.do("glitch no-battery 5")
    assert flags(host) == AC | LOW | FULL
    host.wait(2)
    assert flags(host) == AC | FULL
    host.wait(3)
    assert flags(host) == AC | FULL | BATTERY


def test_by_hand() -> None:
    host = Host()
    host.do("output off")
    assert not host.load_on
    host.do("output on")
    assert host.load_on
    assert [s.cause for s in host.device.history] == [Cause.PERSON, Cause.PERSON]
    host.do("charge 42")
    assert charge_and_runtime(host)[0] == 42
    host.do("set PowerSummary.RemainingCapacity 7")
    assert charge_and_runtime(host)[0] == 7


def test_empty_battery_cannot_carry() -> None:
    host = Host()
    host.do("charge 0")
    host.do("mains off")
    assert not host.load_on


def test_the_fixtures_timeline() -> None:
    timeline = (
        Moment(at=5.0, feature={0x0C: b"\x0c\x63"}),
        Moment(at=5.0, input=b"\x01\x91"),
        Moment(at=6.0, event="stall:0c"),
        Moment(at=7.0, event="mains:off"),
        Moment(at=8.0, event="disconnect:3"),
    )
    host = Host(bench(timeline=timeline))
    host.wait(5)
    assert host.read(0x0C) == "0c 63"
    assert host.input() is not None  # sent although it says nothing new
    host.wait(1)
    assert host.feature(0x0C).status.name == "STALL"
    host.wait(1)
    assert flags(host) & DISCHARGING
    host.wait(1)
    assert host.feature(0x01).status.name == "GONE"
    host.wait(3)
    assert flags(host) & DISCHARGING


def test_outlets_of_their_own() -> None:
    """Eaton: OutletSystem.Outlet.[2] is switched alone; the main output goes on."""
    descriptor = bytes.fromhex(
        "0584 0904 a101 0918 a100 0920 a182 7510 9501 15ff 26ff7f 660110 8501 0957 b102 8502 0956 b102"
        "7508 1500 2501 6500 8503 096b b102 c0 c0 c0"
    )
    reports = {1: b"\x01\xff\xff", 2: b"\x02\xff\xff", 3: b"\x03\x01"}
    host = Host(bench(descriptor=descriptor, feature=reports))
    host.write("01 00 00")
    assert host.load_on
    assert host.read(0x03) == "03 00"
    assert not host.device.ups.outputs[2].on
    host.write("02 00 00")
    host.wait(5)
    assert host.read(0x03) == "03 01"
    histories = host.do("history")
    assert isinstance(histories, dict)
    assert histories["main"] == []
    assert [entry["on"] for entry in histories["outlet 2"]] == [False, True]
