"""Status words, timers and triggers that are no standard usages (bits as in the vendors' mapping tables)."""

from __future__ import annotations

from tests.simulator.devices import Host, bench
from usbhidups.simulator.output import Cause

UPS = "0584 0904 a101"


def host(body: str, **reports: str) -> Host:
    """A device with this report descriptor inside the UPS collection; ``r01="…"`` is report 01's bytes."""
    answers = {
        int(name[1:], 16): bytes.fromhex(f"{name[1:]} {data}") for name, data in reports.items()
    }
    return Host(bench(descriptor=bytes.fromhex(f"{UPS} {body} c0"), feature=answers))


def test_belkin_words() -> None:
    bus = host(
        "0686 00 0928 a100 1500 8501 0921 7510 9501 27ffff0000 b102 8502 0922 7508 26ff00 b102 c0",
        r01="00 00",
        r02="00",
    )
    bus.do("runtime 1000")
    bus.do("mains off")
    assert bus.read(1) == "01 01 00"
    assert bus.read(2) == "02 20"
    bus.do("charge 10")
    bus.do("load 120")
    assert bus.read(1) == "01 11 00"
    assert bus.read(2) == "02 24"
    bus.wait(1000)
    assert bus.read(1) == "01 31 20"  # load off, awaiting power
    assert bus.read(2) == "02 44"
    bus.do("mains on")
    bus.do("flag replace on")
    assert bus.read(1) == "01 10 00"
    assert bus.read(2) == "02 d4"  # low, charging, empty still, replace


def test_belkin_counts_its_start_in_minutes() -> None:
    bus = host(
        "0686 00 0927 a100 7510 9501 15ff 26ff7f 8501 0957 b102 8502 0956 b102 c0",
        r01="ff ff",
        r02="ff ff",
    )
    bus.write("02 02 00")
    bus.write("01 0a 00")
    assert bus.read(2) == "02 02 00"
    bus.wait(61)
    assert not bus.load_on
    assert bus.read(2) == "02 01 00"
    bus.wait(59)
    assert bus.load_on


def test_old_powercom_words() -> None:
    bus = host(
        "0602 00 0916 a100 091c a100 1500 26ff00 7508 9501 8501 0981 0982 9502 b102 c0 c0",
        r01="00 00",
    )
    bus.do("test quick")
    assert bus.read(1) == "01 04 00"
    bus.do("test stop")
    bus.do("mains off")
    bus.do("charge 10")
    bus.do("flag replace on")
    assert bus.read(1) == "01 02 03"
    bus.do("mains 0.85")
    assert bus.read(1) == "01 02 1a"  # low, boost
    bus.do("mains 1.12")
    bus.do("load 130")
    assert bus.read(1) == "01 02 2a"  # low, trim, overload


def test_back_ups_reboot_trigger() -> None:
    bus = host("091c a100 0686ff 097c 7508 9501 1500 26ff00 8501 b102 c0", r01="00")
    bus.write("01 0a")
    assert bus.load_on  # ten is acknowledged and ignored
    bus.write("01 01")
    bus.wait(59)
    assert bus.load_on  # about a minute of its own
    bus.wait(1)
    assert not bus.load_on
    bus.wait(5)
    assert [s.cause for s in bus.device.history] == [Cause.REBOOT, Cause.STARTUP]


def test_a_reboot_delay_of_its_own() -> None:
    bus = host("091c a100 0686ff 097c 7508 9501 1500 26ff00 8501 b102 c0", r01="00")
    bus.do("quirk reboot-delay 120")
    bus.write("01 01")
    bus.wait(119)
    assert bus.load_on
    bus.wait(1)
    assert not bus.load_on


def test_back_ups_status_byte() -> None:
    bus = host("0924 a100 0686ff 0960 7508 9501 1500 26ff00 8501 b102 c0", r01="10")
    assert bus.read(1) == "01 10"
    bus.do("output off")
    assert bus.read(1) == "01 00"
    bus.do("output on")
    assert bus.read(1) == "01 08"


def test_tripp_lite_watchdog_and_minutes() -> None:
    bus = host(
        "0918 a100 0920 a100 06ffff 7510 9501 1500 27ffff0000 8501 0992 b102 8502 15ff 26ff7f 0956 b102 c0 c0",
        r01="00 00",
        r02="ff ff",
    )
    bus.write("01 3c 00")
    bus.wait(30)
    bus.write("01 3c 00")  # fed
    bus.wait(59)
    assert bus.load_on
    bus.wait(1)
    assert not bus.load_on
    bus.wait(5)
    assert bus.load_on
    bus.write("01 00 00")
    bus.wait(1000)
    assert bus.load_on
    bus.do("output off")
    bus.write("02 01 00")
    bus.wait(59)
    assert not bus.load_on
    bus.wait(1)
    assert bus.load_on


def test_tripp_lite_flags_on_the_power_page() -> None:
    bus = host(
        "0924 a102 0902 a102 1500 2501 7501 9501 8501 09d0 b102 0945 b102 0944 b102 094b b102 c0 c0",
        r01="01",
    )
    bus.do("mains off")
    assert bus.read(1) == "01 02"
    bus.do("charge 50")
    bus.do("mains on")
    assert bus.read(1) == "01 05"
    bus.do("flag replace on")
    assert bus.read(1) == "01 0d"


def test_eaton_inputs_restart_and_battery_management() -> None:
    bus = host(
        "0916 a100 091a a181 0902 a102 1500 2501 7508 9501 8501 096d b102 c0 06ffff 8504 0943 b102 c0"
        "0584 091a a183 0902 a102 8502 096d b102 c0 c0 c0"
        "0584 0910 a100 0914 a100 06ffff 26ff00 8503 09e9 b102 c0 c0",
        r01="01",
        r02="00",
        r03="03",
        r04="01",
    )
    bus.do("mains off")
    assert [bus.read(n) for n in (1, 2, 3)] == ["01 00", "02 01", "03 04"]
    bus.do("charge 40")
    bus.do("mains on")
    assert [bus.read(n) for n in (1, 2, 3)] == ["01 01", "02 00", "03 01"]
    bus.write("04 00")  # no automatic restart
    assert bus.read(4) == "04 00"
    bus.do("mains off")
    bus.do("charge 0")
    bus.do("mains on")
    assert not bus.load_on


def test_switch_controls() -> None:
    bus = host(
        "0918 a100 0920 a100 7508 9501 1500 2503 8501 0951 b102 8502 0950 b102 8503 0952 b102 c0 c0",
        r01="00",
        r02="00",
        r03="00",
    )
    for report, on in (
        ("01 01", False),
        ("02 01", True),
        ("03 01", False),
        ("03 01", True),
        ("01 00", True),
    ):
        bus.write(report)
        assert bus.load_on is on, report
    assert {s.cause for s in bus.device.history} == {Cause.SWITCH}
