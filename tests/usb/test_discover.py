"""Finding UPSes in a made-up sysfs, without opening anything."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.usb.bytes import KEYBOARD, UPS
from tests.usb.sysfs import Part, Plug, plug
from usbhidups.identity import Identity
from usbhidups.usb.discover import Candidate, candidates, has_usb, keep_awake


def look(root: Path, *, known: bool = False) -> tuple[Candidate, ...]:
    return candidates(lambda vendor, product: known, sysfs=root / "sys", dev=root / "dev")


def test_a_ups(tmp_path: Path) -> None:
    plug(tmp_path, Plug(port="1-1.3"))
    (found,) = look(tmp_path)
    assert found.identity == Identity(
        vendor_id=0x0764,
        product_id=0x0501,
        release=0x1234,
        manufacturer="CPS",
        product="CP1500",
        serial="0000",
        port_path="1-1.3",
        bus=1,
        address=7,
        interface=0,
        endpoint_in=0x81,
    )
    assert found.why_not == ""
    assert found.certain
    assert found.name == "1-1.3 0764:0501 CPS CP1500"
    assert found.strings == {1: "CPS", 2: "CP1500", 3: "0000"}
    assert found.node.path == str(tmp_path / "dev/bus/usb/001/007")
    assert found.power_control == "on"
    (interface,) = found.interfaces
    assert (interface.driver, interface.cached) == ("usbhid", UPS)
    assert interface.hid.report_length == len(UPS)
    assert interface.hidraw is not None
    assert interface.hidraw.path == str(tmp_path / "dev/hidraw0")


def test_whose_a_node_is(tmp_path: Path) -> None:
    plug(tmp_path, Plug())
    node = tmp_path / "dev/hidraw0"
    node.chmod(0o640)
    hidraw = look(tmp_path)[0].chosen.hidraw
    assert hidraw is not None
    assert (hidraw.mode, hidraw.problem) == (0o640, "")
    assert hidraw.owner


def test_why_a_node_may_not_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plug(tmp_path, Plug())
    (tmp_path / "dev/hidraw0").chmod(0o600)
    (tmp_path / "dev/bus/usb/001/007").unlink()

    def denied(path: Path, mode: int, *, effective_ids: bool) -> bool:
        return False  # root may use everything

    monkeypatch.setattr(os, "access", denied)
    (found,) = look(tmp_path)
    assert found.chosen.hidraw is not None
    assert "hidraw0 is " in found.chosen.hidraw.problem
    assert " 0600, not for user " in found.chosen.hidraw.problem
    assert found.node.problem.endswith("007: No such file or directory")


def test_decoys_say_why_they_are_none(tmp_path: Path) -> None:
    plug(tmp_path, Plug(port="1-2", address=2, parts=[Part(descriptor=KEYBOARD)]))
    plug(tmp_path, Plug(port="1-3", address=3, parts=[Part(kind=0xFF, descriptor=None)]))
    (keyboard,) = look(tmp_path, known=True)  # a vendor's interface is not worth a word
    assert keyboard.why_not == "its HID interfaces are no Power Device"
    assert not keyboard.certain


def test_no_driver_bound(tmp_path: Path) -> None:
    plug(tmp_path, Plug(parts=[Part(descriptor=None, driver="")]))  # failure A16
    (stranger,) = look(tmp_path)
    assert (
        stranger.why_not == "no driver shows its report descriptor, and its ids are no known UPS's"
    )
    (known,) = look(tmp_path, known=True)
    assert known.why_not == ""
    assert not known.certain
    assert known.chosen.driver == ""


def test_maybe_is_asked_with_the_ids(tmp_path: Path) -> None:
    plug(tmp_path, Plug(parts=[Part(descriptor=None)]))
    asked: list[tuple[int, int]] = []

    def maybe(vendor_id: int, product_id: int) -> bool:
        asked.append((vendor_id, product_id))
        return True

    candidates(maybe, sysfs=tmp_path / "sys", dev=tmp_path / "dev")
    assert asked == [(0x0764, 0x0501)]


def test_the_power_interface_of_a_composite_device(tmp_path: Path) -> None:
    parts = [
        Part(0, kind=2, descriptor=None, driver="cdc_acm"),
        Part(1, descriptor=KEYBOARD, hidraw="hidraw0"),
        Part(2, descriptor=UPS, hidraw="hidraw1"),
    ]
    plug(tmp_path, Plug(parts=parts))  # failure A05
    (found,) = look(tmp_path)
    assert found.identity.interface == 2
    assert found.identity.endpoint_in == 0x83
    assert found.chosen.hidraw is not None
    assert found.chosen.hidraw.path.endswith("hidraw1")
    assert [each.power for each in found.interfaces] == [False, True]


def test_the_order_is_that_of_the_ports(tmp_path: Path) -> None:
    for number, port in enumerate(["2-1", "1-10", "1-2", "1-2.1"], 1):
        plug(tmp_path, Plug(port=port, address=number))
    assert [found.identity.port_path for found in look(tmp_path)] == ["1-2", "1-2.1", "1-10", "2-1"]


def test_what_is_missing_or_broken_is_borne(tmp_path: Path) -> None:
    assert look(tmp_path) == ()
    assert not has_usb(sysfs=tmp_path / "sys")
    plug(tmp_path, Plug(port="1-1", strings={}))
    assert has_usb(sysfs=tmp_path / "sys")
    devices = tmp_path / "sys/bus/usb/devices"
    (devices / "usb1").mkdir()
    (devices / "1-2").mkdir()  # unplugged between two looks
    (devices / "1-3").symlink_to("gone")
    plug(tmp_path, Plug(port="1-4", address=8))
    (devices / "1-4/busnum").write_text("")
    (devices / "1-4/devnum").unlink()
    (devices / "1-4/1-4:1.0/bInterfaceNumber").write_text("zz")
    plug(tmp_path, Plug(port="1-5", address=9))
    (devices / "1-5/descriptors").write_bytes(b"\x12\x01")
    (found,) = look(tmp_path)
    assert found.identity.manufacturer is None
    assert found.name == "1-1 0764:0501"


def test_a_descriptor_file_without_content_is_not_seen(tmp_path: Path) -> None:
    plug(tmp_path, Plug(parts=[Part(descriptor=b"")]))
    assert look(tmp_path)[0].chosen.power is None


def test_the_port_is_kept_awake(tmp_path: Path) -> None:
    plug(tmp_path, Plug(control="auto"))  # failure C19
    (found,) = look(tmp_path)
    assert found.power_control == "auto"
    assert keep_awake(found)
    assert (tmp_path / "sys/bus/usb/devices/1-1/power/control").read_text() == "on"
    assert keep_awake(look(tmp_path)[0])
    (tmp_path / "sys/bus/usb/devices/1-1/power/control").unlink()
    (tmp_path / "sys/bus/usb/devices/1-1/power").rmdir()
    assert not keep_awake(found)
