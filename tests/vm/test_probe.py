"""``usbhidups probe`` names what really stands in the way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.vm.bus import Plugged, fixture, opened, plugged_in, settle
from tests.vm.host import PATIENCE, driver, no_rules, probe, rules, state
from usbhidups.simulator.simulator import Simulator

UPS = fixture("0764-0501-cyberpower-cp1500epfclcd")


@contextmanager
def one() -> Iterator[tuple[Simulator, Plugged]]:
    with plugged_in(UPS) as (simulator, (device,)):
        settle()
        yield simulator, device


def situation(*, user: str = "root", groups: tuple[str, ...] = ()) -> str | None:
    (found,) = probe(user=user, groups=groups)
    assert found["readable"] is (found["problem"] is None)
    return None if found["problem"] is None else found["problem"]["situation"]


def test_nothing_stands_in_roots_way() -> None:
    with one():
        assert situation() is None


def test_nor_in_the_groups() -> None:
    with rules(), one():
        assert situation(user="nobody", groups=("nut",)) is None


def test_there_is_no_rule() -> None:
    with no_rules(), one():
        assert situation(user="nobody") == "no-rule"


def test_the_rule_was_not_applied() -> None:
    with no_rules(), one(), rules():
        assert situation(user="nobody", groups=("nut",)) == "rule-not-applied"


def test_the_user_is_not_in_the_group() -> None:
    with rules(), one():
        assert situation(user="nobody") == "not-in-group"


def test_another_program_holds_it() -> None:
    with one(), opened("libusb"):
        assert situation() == "held"


def test_our_driver_serves_it() -> None:
    with rules(), one(), driver("transport=libusb"):
        socket = state()
        socket.good(timeout=PATIENCE)
        (found,) = probe(user="root")
        socket.close()
        assert found["transport"] == "driver" or found["problem"]["situation"] == "our-driver"


def test_the_kernel_was_told_not_to_use_it() -> None:
    with one() as (_, device):
        (device.sysfs / "authorized").write_text("0")
        assert situation() == "not-authorized"


def test_its_node_is_missing() -> None:
    with one() as (_, device):
        for node in (device.node, *device.hidraw):
            node.unlink()
        assert situation(user="nobody") == "no-node"


def test_it_answers_nothing() -> None:
    with one() as (simulator, _):
        simulator.command("wedge")
        assert situation() == "silent"


@pytest.mark.parametrize("way", ["hidraw", "libusb"])
def test_its_values_are_right(way: str) -> None:
    with one() as (_, device):
        if way == "libusb":
            (device.sysfs / f"{device.name}:1.0/driver/unbind").write_text(f"{device.name}:1.0")
        (found,) = probe(user="root")
        assert (found["transport"], found["profile"]) == (way, "cps")
        assert found["variables"]["ups.status"] == "OL"
        assert found["variables"]["battery.charge"] == "100"
