"""Descriptors and reports out of what people paste, against the bytes that the text was made from."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from usbhidups.errors import ConfigError
from usbhidups.tools.probe.decode import decode
from usbhidups.tools.probe.look import Plan
from usbhidups.tools.probe.pasted import Paste, read_pasted
from usbhidups.ups.loading.library import Library
from usbhidups.usb import fixture

HERE = Path(__file__).parent / "pasted"
APC = fixture.load(
    Path(__file__).parents[2] / "fixtures/hid-descriptors/051d-0002-apc-back-ups-bk650m2-ch.toml"
)
NUT_LOG = HERE / "usbhid-ups-2.8.0.log"
"""What Debian's usbhid-ups 2.8.0 -DDD logged of that very device (simulated), its first 200 lines."""

PLAN = Plan(everything=True, patience=60)


def only(data: bytes) -> Paste:
    (paste,) = read_pasted(data, where="test")
    return paste


# -- NUT's debug log -----------------------------------------------------------------------------


def test_the_log_of_nuts_driver() -> None:
    paste = only(NUT_LOG.read_bytes())
    assert paste.descriptor == APC.descriptor
    assert (paste.vendor_id, paste.product_id, paste.release) == (0x051D, 0x0002, 0x0106)
    assert (paste.manufacturer, paste.product) == ("American Power Conversion", "BK650M2-CH")
    assert paste.lacks == ""
    assert len(paste.feature) > 20
    for report_id, data in paste.feature.items():
        whole = APC.feature[report_id]
        assert isinstance(whole, bytes)
        assert whole.startswith(data)  # NUT asks for less of reports that repeat a field


@pytest.mark.parametrize(
    "change",
    [
        lambda line: line.replace("[D3] ", "").replace("[D2] ", ""),  # NUT 2.7
        lambda line: f"Jan 01 00:00:00 host usbhid-ups[77]: {line}",  # a journal
        lambda line: line.replace("\t", "     "),  # pasted into an issue
        lambda line: f"{line}\r",
    ],
)
def test_other_ways_in_which_the_log_is_pasted(change: object) -> None:
    assert callable(change)
    text = "\n".join(change(line) for line in NUT_LOG.read_text().split("\n"))
    assert only(text.encode()) == only(NUT_LOG.read_bytes())


def test_a_log_that_was_cut_is_told() -> None:
    lines = NUT_LOG.read_text().splitlines()
    at = next(number for number, line in enumerate(lines) if "Report Descriptor: (" in line)
    del lines[at + 5]
    paste = only("\n".join(lines).encode())
    assert paste.lacks == "25 of 743 bytes are not in the log"


def test_a_driver_that_starts_again_logs_again() -> None:
    text = NUT_LOG.read_text()
    assert only(f"{text}\n{text}".encode()) == only(text.encode())


def test_what_nut_read_is_understood_as_from_the_device() -> None:
    found = decode(only(NUT_LOG.read_bytes()), Library(), PLAN, where="log")
    assert found.text("ups.status") == "OL DISCHRG"
    assert found.text("battery.charge") == "100"
    assert found.transport == "text"
    assert found.identity.port_path == "decode:log"


# -- bytes ---------------------------------------------------------------------------------------

SHORT = bytes.fromhex(
    "05 84 09 04 a1 01 09 24 a1 00 85 0c 05 85 09 66 75 08 95 01 15 00 25 64 b1 02 c0 c0"
)


@pytest.mark.parametrize(
    "text",
    [
        SHORT.hex(),
        SHORT.hex(" "),
        SHORT.hex(" ").upper(),
        "static const unsigned char report[] PROGMEM = { // of a sketch {\n"
        + "".join(f"  0x{byte:02X}, // USAGE_PAGE (0x84)\n" for byte in SHORT[:-1])
        + f"  /* 12 */ 0x{SHORT[-1]:02x}\n}};\nunsigned int report_len = 28;\n",
        SHORT.hex(" ", 2),
        SHORT.hex(" ", 4),
        ", ".join(f"0x{byte:02x}" for byte in SHORT),
        "{ " + ",\n  ".join(f"0x{byte:02X}" for byte in SHORT) + " };\n",
        "\n".join(SHORT[at : at + 16].hex(" ") for at in range(0, len(SHORT), 16)),
        "\n".join(f"{at:08x}  {SHORT[at : at + 8].hex(' ')}" for at in range(0, len(SHORT), 8)),
        "\n".join(
            f"{at:08x}: {SHORT[at : at + 8].hex(' ')}  .ab..c.." for at in range(0, len(SHORT), 8)
        ),
        "\n".join(
            f"{at:08x}  {SHORT[at : at + 8].hex(' ')}  |........|" for at in range(0, len(SHORT), 8)
        )
        + f"\n{len(SHORT):08x}\n",  # hexdump -C
        "\n".join(f"{at:07o} {SHORT[at : at + 16].hex(' ')}" for at in range(0, len(SHORT), 16))
        + f"\n{len(SHORT):07o}\n",  # od -An -tx1 without -An
        "\n".join(
            f"{at:08x}: {SHORT[at : at + 16].hex(' ', 2)}  ................"
            for at in range(0, len(SHORT), 16)
        ),  # xxd
    ],
)
def test_hexadecimal_bytes(text: str) -> None:
    assert only(text.encode()).descriptor == SHORT


def test_the_file_of_sysfs() -> None:
    assert only(SHORT).descriptor == SHORT


def test_usbhid_dump() -> None:
    text = (
        f"001:004:000:DESCRIPTOR 1700000000.123456\n {SHORT[:16].hex(' ').upper()}\n"
        f" {SHORT[16:].hex(' ').upper()}\n\nStarting dumping interrupt transfer stream\n"
        "001:004:000:STREAM             1700000001.000000\n 0C 63\n\n"
    )
    paste = only(text.encode())
    assert paste.descriptor == SHORT
    assert paste.input == {0x0C: b"\x0c\x63"}


def test_hid_recorder() -> None:
    text = (
        f"# comment\nR: {len(SHORT)} {SHORT.hex(' ')}\nN: APC Back-UPS\nI: 3 051d 0002\n"
        "E: 000000.000000 2 0c 64\nE: 000001.000000 2 0c 63\n"
    )
    # hid-recorder writes the descriptor before the name and the ids
    paste = only(text.encode())
    assert paste.descriptor == SHORT
    assert paste.input == {0x0C: b"\x0c\x63"}
    assert (paste.vendor_id, paste.product_id, paste.product) == (0x051D, 2, "APC Back-UPS")


UNNUMBERED = bytes.fromhex(
    "05 84 09 04 a1 01 09 24 a1 00 05 85 09 66 75 08 95 01 15 00 25 64 81 02 c0 c0"
)


@pytest.mark.parametrize(
    "text",
    [
        f"R: {len(UNNUMBERED)} {UNNUMBERED.hex(' ')}\nN: UPS\nI: 3 1209 0001\nE: 0.0 1 63\nE: 1.0 1 62\n",
        f"001:004:000:DESCRIPTOR 1.0\n {UNNUMBERED.hex(' ')}\n\n001:004:000:STREAM 2.0\n 63\n\n"
        "001:004:000:STREAM 3.0\n 62\n",
    ],
)
def test_reports_without_ids(text: str) -> None:
    paste = only(text.encode())
    assert paste.input == {0: b"\x00\x62"}
    found = decode(paste, Library(), PLAN, where="test")
    assert found.text("battery.charge") == "98"


def test_two_devices_of_hid_recorder() -> None:
    one = f"R: {len(SHORT)} {SHORT.hex(' ')}\nN: first\nI: 3 051d 0002\nE: 0.0 2 0c 64\n"
    two = f"R: {len(SHORT)} {SHORT.hex(' ')}\nN: second\nI: 3 0764 0501\n"
    first, second = read_pasted((one + two).encode(), where="test")
    assert (first.product, second.product) == ("first", "second")
    assert (first.input, second.input) == ({0x0C: b"\x0c\x64"}, {})


# -- lsusb ---------------------------------------------------------------------------------------

LSUSB = """\
Bus 001 Device 004: ID 051d:0002 American Power Conversion Uninterruptible Power Supply
Device Descriptor:
  bLength                18
  idVendor           0x051d American Power Conversion
  idProduct          0x0002 Uninterruptible Power Supply
  bcdDevice            1.06
  iManufacturer           1 American Power Conversion
  iProduct                2 Back-UPS RS 900G FW:879.L4 .I USB FW:L4
  iSerial                 3 000000000000
        HID Device Descriptor:
          bLength                 9
          bNumDescriptors         1
          bDescriptorType        34 Report
          wDescriptorLength      28
          Report Descriptor: (length is 28)
            Item(Global): Usage Page, data= [ 0x84 ] 132
                            Power Device
            Item(Local ): Usage, data= [ 0x04 ] 4
                            UPS
            Item(Main  ): Collection, data= [ 0x01 ] 1
                            Application
            Item(Local ): Usage, data= [ 0x24 ] 36
                            Power Summary
            Item(Main  ): Collection, data= [ 0x00 ] 0
                            Physical
            Item(Global): Report ID, data= [ 0x0c ] 12
            Item(Global): Usage Page, data= [ 0x85 ] 133
                            Battery System
            Item(Local ): Usage, data= [ 0x66 ] 102
                            (null)
            Item(Global): Report Size, data= [ 0x08 ] 8
            Item(Global): Report Count, data= [ 0x01 ] 1
            Item(Global): Logical Minimum, data= [ 0x00 ] 0
            Item(Global): Logical Maximum, data= [ 0x64 ] 100
            Item(Main  ): Feature, data= [ 0x02 ] 2
                            Data Variable Absolute No_Wrap Linear
                            Preferred_State No_Null_Position Non_Volatile Bitfield
            Item(Main  ): End Collection, data=none
            Item(Main  ): End Collection, data=none
"""


def test_lsusb() -> None:
    paste = only(LSUSB.encode())
    assert paste.descriptor == SHORT
    assert (paste.vendor_id, paste.product_id, paste.release) == (0x051D, 2, 0x0106)
    assert paste.product == "Back-UPS RS 900G FW:879.L4 .I USB FW:L4"
    assert paste.lacks == ""


def test_lsusb_with_data_of_two_and_four_bytes() -> None:
    text = (
        "          Report Descriptor: (length is 8)\n"
        "            Item(Global): Logical Maximum, data= [ 0xff 0x00 ] 255\n"
        "            Item(Global): Logical Maximum, data= [ 0xff 0xff 0x00 0x00 ] 65535\n"
    )
    assert only(text.encode()).descriptor == bytes.fromhex("26 ff 00 27 ff ff 00 00")


def test_an_lsusb_that_was_cut_is_told() -> None:
    lines = [line for line in LSUSB.splitlines() if "End Collection" not in line]
    assert only("\n".join(lines).encode()).lacks == "28 bytes were announced, 26 are there"


def test_an_lsusb_without_its_tables_is_refused() -> None:
    text = LSUSB.replace("Report Count", "(null)")
    with pytest.raises(ConfigError, match="usbhid-dump"):
        read_pasted(text.encode(), where="test")


# -- the rest ------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "hello", "05 8"])
def test_what_holds_no_descriptor_is_told(text: str) -> None:
    with pytest.raises(ConfigError, match=r"test: no report descriptor in it; understood are"):
        read_pasted(text.encode(), where="test")


@pytest.mark.parametrize(
    ("text", "mend"),
    [
        (
            "".join(
                line for line in NUT_LOG.read_text().splitlines(keepends=True) if "=>" not in line
            ),
            "usbhid-ups logs it with -DDD",
        ),
        (
            "          bInterfaceClass         3 Human Interface Device\n"
            "         Report Descriptors: \n           ** UNAVAILABLE **\n",
            "usbhid-dump -e descriptor, as root",
        ),
        ("Bus 001 Device 003: ID 051d:0002 American Power Conversion\n", "run it as root, with -v"),
        (
            (NUT_LOG.parents[3] / "fixtures/hid-descriptors/0463-ffff-eaton-3s.toml").read_text(),
            "usbhidups probe --replay",
        ),
    ],
)
def test_what_lacks_its_descriptor_is_told_by_its_looks(text: str, mend: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read_pasted(text.encode(), where="test")
    assert mend in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "0.000001 hello\n" * 9
        + "0.000002 Report Descriptor: (28 bytes) => 05 84\n0.000003  09\x1f04\n",
        "R: 2 05 84\nI: 3 zzzz 0002\n",
        "R: " + "9" * 5000 + " 05 84\n",
        LSUSB.replace("length is 28", "length is " + "9" * 5000),
        LSUSB.replace("0x84", "0x484").replace("0x0c", "xx"),
    ],
)
def test_what_only_looks_like_such_a_text(text: str) -> None:
    """Found by fuzzing, and by reading: numbers that are none, or have thousands of digits."""
    with contextlib.suppress(ConfigError):
        assert read_pasted(text.encode(), where="test")


@pytest.mark.parametrize(
    "part", ["0", "Item(a): ", "/* ", "\n", "{ ", "(1 bytes) => ", "  iSerial 3" + " " * 99 + "x "]
)
def test_a_text_made_to_take_long_does_not(part: str) -> None:
    """Megabytes of one thing: where the time grew with the square of the length, this would take hours."""
    with contextlib.suppress(ConfigError):
        read_pasted((part * (2_000_000 // len(part))).encode() + b"!", where="test")


def test_a_dump_of_megabytes() -> None:
    text = "001:004:000:DESCRIPTOR 1.0\n" + f" {SHORT[:16].hex(' ')}\n" * 60_000
    assert len(only(text.encode()).descriptor) == 16 * 60_000


def test_another_kind_of_device_shows_its_fields() -> None:
    keyboard = bytes.fromhex("05 01 09 06 a1 01 75 08 95 08 05 07 19 00 29 ff 81 00 c0")
    found = decode(Paste("bytes", keyboard), Library(), PLAN, where="test")
    assert len(found.fields) > 0
    assert found.warnings == ("its report descriptor describes no Power Device",)
