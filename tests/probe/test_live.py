"""Probe on simulated devices over USB/IP: what it says, what it sends (nothing), and what it says to faults."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from tests.simulator.devices import bench
from usbhidups.errors import UsbHidUpsError
from usbhidups.hid.descriptor import ReportType
from usbhidups.simulator.simulator import Simulator
from usbhidups.tools.probe.clock import RealClock
from usbhidups.tools.probe.finding import Finding
from usbhidups.tools.probe.look import Plan
from usbhidups.tools.probe.prober import Prober
from usbhidups.tools.probe.problem import Problem, Situation, judge
from usbhidups.tools.probe.recording import Recorder
from usbhidups.tools.probe.subject import Opened
from usbhidups.tools.probe.watch import Watch
from usbhidups.ups.loading.library import Library
from usbhidups.usb.fixture import Failure, dumps, load, parse
from usbhidups.usb.ports import open_port

FIXTURES = Path(__file__).parents[2] / "fixtures" / "hid-descriptors"
EATON = FIXTURES / "0463-ffff-eaton-3s.toml"
RICH = sorted(FIXTURES.glob("*-described-rich.toml"))


def explain(error: UsbHidUpsError) -> Problem:
    return judge(error, None)


def opened(simulator: Simulator) -> Opened:
    transport = open_port(simulator.url(), maybe=lambda _vendor, _product: True)
    return Opened(transport.identity, transport, "usbip", "a test", (), explain)


def prober(**plan: bool | float) -> Prober:
    return Prober(Library(), Plan(**plan), RealClock())  # type: ignore[arg-type]


def probed(simulator: Simulator, **plan: bool | float) -> Finding:
    (found,) = prober(**plan).findings([opened(simulator)])
    return found


@pytest.fixture
def eaton() -> Iterator[Simulator]:
    with Simulator([load(EATON)], speed=0) as running:
        yield running


def set_reports(simulator: Simulator) -> object:
    """What the simulator says was written to it, at any time."""
    return simulator.command("wrote")


@pytest.mark.parametrize("path", [EATON, *RICH], ids=lambda path: path.stem)
def test_nothing_is_written(path: Path) -> None:
    with Simulator([load(path)], speed=0) as simulator:
        found = probed(simulator, everything=True, patience=0)
        assert found.readable
        assert found.cut.plan or found.cut.refusal
        assert set_reports(simulator) == []
        state = simulator.command("state")
        assert isinstance(state, dict)
        assert all(each.startswith(("get ", "string ")) for each in state["unknown requests"])


def test_what_is_expected_of_the_fixture_comes_over_usb(eaton: Simulator) -> None:
    found = probed(eaton)
    expected = load(EATON).expected
    assert expected is not None
    for name in ("ups.status", "battery.charge", "battery.runtime", "ups.load", "ups.model"):
        assert found.text(name) == expected[name]
    assert found.identity.port_path == eaton.url()
    assert found.cut.plan[0] == "shutdown.return:"


def test_reports_that_fail_are_told_with_the_reason(eaton: Simulator) -> None:
    eaton.command("fault stall 09")
    found = probed(eaton, everything=True)
    assert found.readable
    assert "stall" in {each.failure for each in found.link.failed if each.report_id == 9}
    assert all(row.raw is None for row in found.fields if row.field.report_id == 9)


def test_a_device_that_refuses_everything(eaton: Simulator) -> None:
    eaton.command("fault stall all")
    found = probed(eaton, patience=0)
    assert found.problem is not None
    assert found.problem.situation is Situation.SILENT
    assert "refuses all of its reports" in found.problem.reason


def test_a_device_that_answers_nothing_is_given_up_soon(
    eaton: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("usbhidups.tools.probe.look.TIMEOUT", 0.05)
    subject = opened(eaton)
    eaton.command("fault timeout all")
    (found,) = prober().findings([subject])
    assert found.problem is not None
    assert "answers none of its reports in time" in found.problem.reason
    assert len(found.link.transfers) == 3


def test_a_device_that_leaves_meanwhile(eaton: Simulator) -> None:
    subject = opened(eaton)
    eaton.command("disconnect")
    (found,) = prober().findings([subject])
    assert found.problem is not None
    assert found.problem.situation is Situation.GONE


def test_a_short_report_fills_the_fields_that_it_holds() -> None:
    fixture = bench()
    with Simulator([fixture], speed=0) as simulator:
        simulator.command("fault short 02 2")
        found = probed(simulator, everything=True)
    raws = [row.raw for row in found.fields if row.field.report_id == 2]
    assert raws == [100, None]


# -- watching ------------------------------------------------------------------------------------


def said(found: Finding) -> str:
    problem = found.problem
    return found.text("ups.status") if problem is None else problem.situation.value


def test_watching_follows_an_outage_and_a_lost_device(eaton: Simulator) -> None:
    statuses: list[str] = []
    waits: list[float] = []

    clock = Ticking()

    def happen(seconds: float) -> None:
        clock.sleep(seconds)
        waits.append(seconds)
        if len(waits) == 1:
            eaton.command("mains off")
        if len(waits) == 5:
            eaton.command("disconnect")

    watch = Watch(Prober(Library(), Plan(), clock), lambda: [opened(eaton)], rounds=9, sleep=happen)
    try:
        watch.objects(lambda found: statuses.extend(map(said, found)))
    finally:
        watch.close()
    assert statuses[0].startswith("OL")
    assert any(status.startswith("OB") for status in statuses)
    assert statuses[-1] == "gone"


def test_elsewhere_than_on_a_terminal_changes_are_lines(eaton: Simulator) -> None:
    told: list[str] = []
    clock = Ticking()

    def happen(seconds: float) -> None:
        clock.sleep(seconds)
        if clock.now() == 2:
            eaton.command("mains off")
        if clock.now() == 6:
            eaton.command("disconnect")

    watch = Watch(Prober(Library(), Plan(), clock), lambda: [opened(eaton)], rounds=9, sleep=happen)
    try:
        watch.lines(told.append)
    finally:
        watch.close()
    texts = [line.partition(": ")[2] for line in told]
    assert texts[0] == "on line"
    assert "on battery, discharging" in texts
    assert texts[-1].startswith("it left the bus")
    assert len(set(texts)) == len(texts)
    assert all("EATON Eaton 3S" in line for line in told)


def test_the_live_picture_has_every_card(eaton: Simulator) -> None:
    console = Console(file=io.StringIO(), width=80)
    watch = Watch(prober(), lambda: [opened(eaton)], rounds=1, sleep=lambda _seconds: None)
    try:
        watch.live(console)
        console.print(watch.picture(console))
    finally:
        watch.close()
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "EATON Eaton 3S" in text
    assert "Ctrl-C ends" in text


def test_many_ups_are_a_line_each_where_the_terminal_is_low() -> None:
    console = Console(file=io.StringIO(), width=80, height=10, force_terminal=True)
    with Simulator([load(EATON), load(EATON)], speed=0) as simulator:
        places = [simulator.url(busid) for busid in simulator.devices]

        def subjects() -> list[Opened]:
            transports = [open_port(place, maybe=lambda _v, _p: True) for place in places]
            return [
                Opened(transport.identity, transport, "usbip", "a test", (), explain)
                for transport in transports
            ]

        watch = Watch(prober(), subjects, rounds=1, sleep=lambda _seconds: None)
        try:
            for _ in watch.turns():
                pass
            console.print(watch.picture(console))
            console.height = 40
            assert len(console.render_lines(watch.picture(console))) > 10
        finally:
            watch.close()
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert len(lines) == 3
    assert all("100 %, 56 min, load 5 %" in line for line in lines[:2])


# -- recording -----------------------------------------------------------------------------------


class Ticking:
    """A real clock whose waits cost nothing, and a counter of what was waited for."""

    def __init__(self, step: float = 0.0) -> None:
        self._now = 0.0
        self._step = step

    def now(self) -> float:
        self._now += self._step
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += seconds


def recorded(simulator: Simulator) -> str:
    subject = opened(simulator)
    clock = Ticking(step=0.02)
    session = Prober(Library(), Plan(everything=True), clock).session(subject)
    try:
        assert session.look is not None
        recording = Recorder(session.look, subject.transport, clock).record(source="test")
        return dumps(recording.fixture)
    finally:
        session.close()


@pytest.mark.parametrize("path", [EATON, *RICH], ids=lambda path: path.stem)
def test_a_recording_gives_what_the_device_gave(path: Path, tmp_path: Path) -> None:
    from usbhidups.tools.probe.replay import look_at_recording

    with Simulator([load(path)], speed=0) as simulator:
        file = tmp_path / "recorded.toml"
        file.write_text(recorded(simulator), encoding="utf-8")
        live = probed(simulator, everything=True)
        assert set_reports(simulator) == []
    replayed = look_at_recording(file, Library(), Plan(everything=True, patience=60))
    hidden = {"ups.serial", "device.serial", "battery.serial"}
    assert {
        name: value.text for name, value in replayed.variables.items() if name not in hidden
    } == {name: value.text for name, value in live.variables.items() if name not in hidden}
    assert replayed.commands == live.commands
    assert [row.raw for row in replayed.fields] == [row.raw for row in live.fields]


def test_serials_are_replaced_and_told(tmp_path: Path) -> None:
    original = load(FIXTURES / "051d-0002-apc-back-ups-bk650m2-ch.toml")
    secret = "SECRET123456"
    strings = {**original.device.strings, 3: secret}
    fixture = replace(original, device=replace(original.device, serial=secret, strings=strings))
    with Simulator([fixture], speed=0) as simulator:
        text = recorded(simulator)
    assert secret not in text
    assert parse(text, where="test").device.serial == "0" * len(secret)


def test_a_serial_that_is_the_name_is_no_secret() -> None:
    """Some firmware's iSerialNumber points to its name, and the name is what chooses a profile."""
    original = load(FIXTURES / "051d-0002-apc-back-ups-bk650m2-ch.toml")
    strings = {**original.device.strings, 3: "BK650M2-CH"}
    fixture = replace(original, device=replace(original.device, serial=None, strings=strings))
    with Simulator([fixture], speed=0) as simulator:
        device = parse(recorded(simulator), where="test").device
    assert device.product == "BK650M2-CH"
    assert device.strings[3] == "BK650M2-CH"


def test_failures_are_part_of_the_record(eaton: Simulator) -> None:
    eaton.command("fault stall 09")
    assert parse(recorded(eaton), where="test").feature[9] is Failure.STALL


def test_an_outage_is_recorded_as_it_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("usbhidups.tools.probe.recording.LONGEST_WAIT", 0.05)
    fixture = bench()
    with Simulator([fixture], speed=0) as simulator:
        subject = opened(simulator)
        clock = Ticking(step=0.02)
        session = Prober(Library(), Plan(everything=True), clock).session(subject)
        try:
            assert session.look is not None
            told: list[str] = []

            def progress(text: str) -> None:
                told.append(text)
                if "events" in text and len(told) > 40:
                    simulator.command("mains off")

            recording = Recorder(session.look, subject.transport, clock).record(
                source="test", seconds=12, progress=progress
            )
        finally:
            session.close()
    moments = parse(dumps(recording.fixture), where="test").timeline
    assert moments
    changed = [
        moment for moment in moments if 1 in moment.feature or (moment.input or b"\0")[0] == 1
    ]
    assert changed
    newest = changed[-1].feature.get(1) or changed[-1].input
    assert isinstance(newest, bytes)
    assert newest[1] & 1 == 0  # ACPresent
    assert list(moments) == sorted(moments, key=lambda moment: moment.at)


def test_an_interrupted_recording_keeps_what_it_has(eaton: Simulator) -> None:
    subject = opened(eaton)
    clock = Ticking(step=0.02)
    session = Prober(Library(), Plan(everything=True), clock).session(subject)

    def interrupted(text: str) -> None:
        if "events" in text:
            raise KeyboardInterrupt

    try:
        assert session.look is not None
        recording = Recorder(session.look, subject.transport, clock).record(
            source="test", seconds=60, progress=interrupted
        )
    finally:
        session.close()
    assert recording.fixture.feature
    assert recording.fixture.timeline == ()


def test_a_device_that_leaves_while_it_is_recorded(eaton: Simulator) -> None:
    subject = opened(eaton)
    clock = Ticking(step=0.02)
    session = Prober(Library(), Plan(everything=True), clock).session(subject)

    def leaving(text: str) -> None:
        if "events" in text:
            eaton.command("disconnect")

    try:
        assert session.look is not None
        recording = Recorder(session.look, subject.transport, clock).record(
            source="test", seconds=60, progress=leaving
        )
    finally:
        session.close()
    assert recording.fixture.feature
    assert recording.fixture.timeline[-1].event == "disconnect"


def test_reports_are_kept_with_their_type(eaton: Simulator) -> None:
    session = prober(everything=True).session(opened(eaton))
    try:
        assert session.look is not None
        kinds = {kind for kind, _ in session.look.reports}
    finally:
        session.close()
    assert ReportType.FEATURE in kinds
    assert ReportType.OUTPUT not in kinds
