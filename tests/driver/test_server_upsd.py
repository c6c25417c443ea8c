"""The state socket's server with the distribution's upsd, upsc, upsrw and upscmd at the other end."""

from __future__ import annotations

import selectors
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.nut_tools import Upsd, needs_nut, running_upsd
from usbhidups.driver.server import ClientId, Command, StateServer
from usbhidups.nut.session import Instcmd, Set, tracking_line
from usbhidups.nut.store import Published, VariableStore

pytestmark = [pytest.mark.nut, needs_nut]

UPS = "ups"

VARIABLES = {
    "battery.charge": Published("100"),
    "battery.charge.low": Published(
        "10", writable=True, string=True, length=10, ranges=((5, 50), (60, 70))
    ),
    "device.model": Published('Back "UPS" #1 \\ two'),
    "input.sensitivity": Published(
        "high", writable=True, string=True, length=10, enum=("low", "medium", "very high")
    ),
    "ups.delay.shutdown": Published("20", writable=True, string=True, length=5),
    "ups.mfr": Published("Käse & Söhne"),
    "ups.status": Published("OL CHRG"),
}
PRINTED = {
    "battery.charge": "100",
    "battery.charge.low": "10",
    "device.model": 'Back "UPS" #1 \\ two',
    "input.sensitivity": "high",
    "ups.delay.shutdown": "20",
    "ups.mfr": "K?se & S?hne",
    "ups.status": "OL CHRG",
}
COMMANDS = {"beeper.mute", "load.off.delay"}


class Driver:
    """A store and a server, and answers to commands as the test wishes; turned by hand."""

    def __init__(self, path: Path) -> None:
        self.selector = selectors.DefaultSelector()
        self.store = VariableStore(overrides={"battery.voltage.nominal": "12"})
        self.heard: list[Command] = []
        self.code = 0
        self.server = StateServer(str(path), self.selector, self.store, self._on_command)

    def _on_command(self, client: ClientId, command: Command) -> None:
        self.heard.append(command)
        if command.tracking is not None:
            self.server.reply(client, tracking_line(command.tracking, self.code))

    def publish(self, variables: dict[str, Published], *, fresh: bool = True) -> None:
        self.server.broadcast(self.store.apply(variables, COMMANDS, fresh=fresh))

    def turn(self) -> None:
        for key, mask in self.selector.select(0):
            key.data(mask)

    def close(self) -> None:
        self.server.close()
        self.selector.close()


@pytest.fixture(scope="module")
def upsd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upsd]:
    with running_upsd(tmp_path_factory.mktemp("nut"), [UPS]) as running:
        yield running


@pytest.fixture
def driver(upsd: Upsd) -> Iterator[Driver]:
    made = Driver(upsd.state / f"usbhidups-{UPS}")
    made.publish(VARIABLES)
    upsd.wait_for(lambda: bool(upsd.upsc(UPS, turn=made.turn)), turn=made.turn)
    yield made
    made.close()


def test_upsc_prints_every_variable(upsd: Upsd, driver: Driver) -> None:
    shown = upsd.upsc(UPS, turn=driver.turn)
    assert shown == {**PRINTED, "battery.voltage.nominal": "12"}


def test_a_change_a_withdrawal_and_a_new_variable_arrive(upsd: Upsd, driver: Driver) -> None:
    changed = dict(VARIABLES)
    del changed["battery.charge"]
    changed["ups.status"] = Published('OB # "DISCHRG"')
    changed["battery.runtime"] = Published("300", writable=True, string=True, length=4)
    driver.publish(changed)
    expected = {
        **PRINTED,
        "battery.voltage.nominal": "12",
        "ups.status": 'OB # "DISCHRG"',
        "battery.runtime": "300",
    }
    del expected["battery.charge"]
    upsd.wait_for(lambda: upsd.upsc(UPS, turn=driver.turn) == expected, turn=driver.turn)
    listed = upsd.upsrw(UPS, "-l", turn=driver.turn).stdout
    assert "[battery.runtime]" in listed


def test_a_change_of_case_alone_arrives(upsd: Upsd, driver: Driver) -> None:
    """upsd takes "High" for "high" unless the variable is made anew; see nut.store."""
    sensitivity = replace(VARIABLES["input.sensitivity"], text="High")
    driver.publish({**VARIABLES, "input.sensitivity": sensitivity})
    upsd.wait_for(
        lambda: upsd.upsc(UPS, turn=driver.turn).get("input.sensitivity") == "High",
        turn=driver.turn,
    )
    listed = upsd.upsrw(UPS, "-l", turn=driver.turn).stdout
    assert 'Option: "very high"' in listed


def options(text: str) -> dict[str, list[str]]:
    """What ``upsrw -l`` lists: per variable its type, length and options."""
    found: dict[str, list[str]] = {}
    for paragraph in text.split("\n\n"):
        lines = paragraph.strip().splitlines()
        if lines and lines[0].startswith("["):
            about = [line.strip().removesuffix(" SELECTED") for line in lines[2:]]
            found[lines[0].strip("[]")] = about
    return found


def test_upsrw_lists_enum_range_and_string(upsd: Upsd, driver: Driver) -> None:
    assert options(upsd.upsrw(UPS, "-l", turn=driver.turn).stdout) == {
        "battery.charge.low": ["Type: RANGE NUMBER", 'Option: "5-50"', 'Option: "60-70"'],
        "input.sensitivity": [
            "Type: ENUM STRING",
            "Maximum length: 10",
            'Option: "low"',
            'Option: "medium"',
            'Option: "very high"',
        ],
        "ups.delay.shutdown": ["Type: STRING", "Maximum length: 5", "Value: 20"],
    }


def test_a_changed_enum_range_and_flag_arrive(upsd: Upsd, driver: Driver) -> None:
    changed = {
        **VARIABLES,
        "battery.charge.low": replace(VARIABLES["battery.charge.low"], ranges=((5, 60),)),
        "input.sensitivity": replace(VARIABLES["input.sensitivity"], enum=("off", "very high")),
        "ups.delay.shutdown": Published("20"),
    }
    driver.publish(changed)

    expected = {
        "battery.charge.low": ["Type: RANGE NUMBER", 'Option: "5-60"'],
        "input.sensitivity": [
            "Type: ENUM STRING",
            "Maximum length: 10",
            'Option: "off"',
            'Option: "very high"',
        ],
    }
    upsd.wait_for(
        lambda: options(upsd.upsrw(UPS, "-l", turn=driver.turn).stdout) == expected,
        turn=driver.turn,
    )
    assert upsd.upsc(UPS, turn=driver.turn)["ups.delay.shutdown"] == "20"


def test_upsrw_sets_and_hears_the_outcome(upsd: Upsd, driver: Driver) -> None:
    done = upsd.upsrw(UPS, "-w", "-s", 'ups.delay.shutdown=4"0#', turn=driver.turn)
    assert (done.stderr, done.returncode) == ("SUCCESS\n", 0)
    [heard] = driver.heard
    assert isinstance(heard, Set)
    assert (heard.name, heard.value) == ("ups.delay.shutdown", '4"0#')
    assert heard.tracking


def test_upscmd_forwards_the_command_and_hears_the_outcome(upsd: Upsd, driver: Driver) -> None:
    done = upsd.upscmd(UPS, "load.off.delay", "12", turn=driver.turn)
    assert (done.stderr, done.returncode) == ("SUCCESS\n", 0)
    [heard] = driver.heard
    assert isinstance(heard, Instcmd)
    assert (heard.command, heard.parameter) == ("load.off.delay", "12")
    assert heard.tracking


def test_a_failed_command_is_said_to_have_failed(upsd: Upsd, driver: Driver) -> None:
    driver.code = 3
    done = upsd.upscmd(UPS, "beeper.mute", turn=driver.turn)
    assert done.stderr == "ERR FAILED\n"  # NUT 2.8.0 exits with 0 all the same


def test_without_tracking_nothing_is_answered(upsd: Upsd, driver: Driver) -> None:
    done = upsd.upscmd(UPS, "beeper.mute", wait=False, turn=driver.turn)
    assert done.returncode == 0, done.stderr
    upsd.wait_for(lambda: driver.heard == [Instcmd("beeper.mute")], turn=driver.turn)


def test_stale_and_fresh_again(upsd: Upsd, driver: Driver) -> None:
    driver.publish(VARIABLES, fresh=False)

    def stale() -> bool:
        asked = upsd.run("upsc", upsd.address(UPS), turn=driver.turn)
        return "Data stale" in asked.stderr

    upsd.wait_for(stale, turn=driver.turn)
    driver.publish(VARIABLES)
    upsd.wait_for(lambda: bool(upsd.upsc(UPS, turn=driver.turn)), turn=driver.turn)


def test_upsd_comes_back_to_a_restarted_driver(upsd: Upsd, driver: Driver) -> None:
    driver.close()
    upsd.wait_for(lambda: not upsd.upsc(UPS))
    again = Driver(upsd.state / f"usbhidups-{UPS}")
    again.publish({"ups.status": Published("OB")})
    upsd.wait_for(
        lambda: upsd.upsc(UPS, turn=again.turn).get("ups.status") == "OB", turn=again.turn
    )
    again.close()
