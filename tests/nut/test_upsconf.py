"""ups.conf: sections, options, matching. (nut-driver-contract.md section 2, checklist 12 to 15 and 22 to 33)"""

from __future__ import annotations

import ctypes
import platform
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usbhidups.errors import ConfigError
from usbhidups.identity import Identity
from usbhidups.nut.upsconf import (
    DeviceMatch,
    DriverOptions,
    LocalUsb,
    Replay,
    Setting,
    Transport,
    UsbIp,
    driver_options,
    option_table,
    parse_upsconf,
)
from usbhidups.nut.upsconf.match import compile_extended
from usbhidups.nut.upsconf.port import parse_port

HEAD = "[ups]\n driver = usbhid-ups\n port = auto\n"


def options(section: str = "", *arguments: str, head: str = HEAD) -> DriverOptions:
    """The options of a section with these lines, then ``-x`` with these arguments."""
    conf = parse_upsconf(head + section, where="ups.conf")
    extra = [Setting.from_argument(argument) for argument in arguments]
    return driver_options([*conf.settings("ups"), *extra], program="usbhid-ups")


def refusal(section: str = "", *arguments: str, head: str = HEAD) -> str:
    with pytest.raises(ConfigError) as caught:
        options(section, *arguments, head=head)
    return str(caught.value)


# -- the file ---------------------------------------------------------------------------------------

TEXT = """\
# global part
maxretry = 3
pollinterval=5

[one]
	driver = usbhid-ups
	port = auto
	desc = "UPS \\# 1"
	pollonly
[two]
	driver = dummy-ups
[one]
	port = replay:x
	serial = "A#1"
	strange thing
	vendor = Two Words
	lonely =
[three]
driver="usbhid-ups"
"""


def test_sections_settings_and_their_places() -> None:
    conf = parse_upsconf(TEXT, where="etc/ups.conf")
    assert list(conf.sections) == ["one", "two", "three"]
    assert [(s.key, s.value, s.line, s.shared) for s in conf.globals] == [
        ("maxretry", "3", 2, True),
        ("pollinterval", "5", 3, True),
    ]
    one = conf.section("one")
    assert [(s.key, s.value, s.line, s.shared) for s in one.settings] == [
        ("driver", "usbhid-ups", 6, False),
        ("port", "auto", 7, False),
        ("desc", "UPS # 1", 8, False),
        ("pollonly", None, 9, False),
        ("port", "replay:x", 13, False),
        ("vendor", "Two", 16, False),
    ]
    assert (one.driver, one.value("PORT"), one.value("nosuch")) == ("usbhid-ups", "replay:x", None)
    assert one.settings[0].place == "etc/ups.conf:6"
    assert conf.settings("one") == (*conf.globals, *one.settings)
    assert [s.name for s in conf.sections_for({"usbhid-ups"})] == ["one", "three"]


def test_what_is_skipped_leaves_a_note_with_its_place() -> None:
    conf = parse_upsconf(TEXT, where="etc/ups.conf")
    assert [note.split(": ")[0] for note in conf.notes_for("one")] == [
        "etc/ups.conf:14",
        "etc/ups.conf:15",
        "etc/ups.conf:16",
        "etc/ups.conf:17",
    ]
    assert conf.notes_for("two") == ()


def test_characters_that_nut_drops_leave_a_note() -> None:
    conf = parse_upsconf('vendor = "Käse"\n', where="f")
    assert conf.globals[0].value == "Kse"
    assert len(conf.notes) == 1


def test_a_missing_section_is_refused_with_a_hint() -> None:
    conf = parse_upsconf(TEXT, where="etc/ups.conf")
    with pytest.raises(ConfigError, match=r"etc/ups.conf: \[tow\]: .*did you mean \[two\]"):
        conf.section("tow")
    with pytest.raises(ConfigError, match=r"no such section$"):
        conf.settings("ONE")


@given(st.text(st.sampled_from('[]ab= "\\#\n')))
def test_any_text_is_a_file(text: str) -> None:
    conf = parse_upsconf(text, where="f")
    for name in conf.sections:
        for setting in conf.settings(name):
            assert setting.line is not None


# -- one option at a time -----------------------------------------------------------------------------

FLAGS = [
    "allow_duplicates", "allow_killpower", "disable_fix_report_desc", "ignorelb", "interruptonly",
    "lbrb_log_delay_without_calibrating", "maxreport", "nolock", "onlinedischarge_calibration",
    "onlinedischarge_onbattery", "pollonly", "powercom_sdcmd_byte_order_fallback",
    "powercom_sdcmd_discrete_delay", "winhid",
]  # fmt: skip


@pytest.mark.parametrize("flag", FLAGS)
@pytest.mark.parametrize("written", ["{}", "{} = yes", "{} = no", "{}=0"])
def test_a_flag_is_set_whatever_it_is_set_to(flag: str, written: str) -> None:
    assert getattr(options(), flag) is False
    assert getattr(options(written.format(flag) + "\n"), flag) is True
    assert getattr(options(written.format(flag.upper()) + "\n"), flag) is True
    assert getattr(options("", flag), flag) is True


VALUES: list[tuple[str, str, Any]] = [
    ("port", "auto", LocalUsb("auto")),
    ("port", "/dev/usb/hiddev0", LocalUsb("/dev/usb/hiddev0")),
    ("port", "replay:/x/y.toml", Replay("/x/y.toml")),
    ("port", "usbip://10.0.0.1/1-1", UsbIp("10.0.0.1", 3240, "1-1")),
    ("port", "usbip://host.lan:3241/1-1.4", UsbIp("host.lan", 3241, "1-1.4")),
    ("port", "usbip://[::1]:40000/2-1", UsbIp("::1", 40000, "2-1")),
    ("transport", "auto", Transport.AUTO),
    ("transport", "libusb", Transport.LIBUSB),
    ("transport", "hidraw", Transport.HIDRAW),
    ("usb_set_altinterface", "1", 1),
    ("usb_config_index", "0", 0),
    ("usb_hid_rep_index", "0x1", 1),
    ("usb_hid_desc_index", "1", 1),
    ("usb_hid_ep_in", "81", 0x81),
    ("usb_hid_ep_out", "0X02", 2),
    ("pollinterval", "1", 1.0),
    ("pollinterval", "0.5", 0.5),
    ("pollfreq", "12", 12.0),
    ("interruptsize", "8", 8),
    ("interrupt_pipe_no_events_tolerance", "-1", -1),
    ("waitbeforereconnect", "3", 3.0),
    ("reconnect_max_tries", "0", 0),
    ("reconnect_report_freq", "10", 10),
    ("offdelay", "0", 0),
    ("offdelay", "120", 120),
    ("ondelay", "-1", -1),
    ("lowbatt", "100", 100),
    ("onlinedischarge_log_throttle_sec", "-1", -1.0),
    ("onlinedischarge_log_throttle_hovercharge", "99", 99.0),
    ("lbrb_log_delay_sec", "2", 2.0),
    ("lbrb_log_delay_sec", "-2", 3.0),
    ("lbrb_log_delay_sec", "soon", 3.0),
    ("sdcommands", '"load.off, beeper.mute,"', ("load.off", "beeper.mute")),
    ("user", "nut", "nut"),
    ("group", "nut", "nut"),
    ("debug_min", "3", 3),
    ("synchronous", "YES", "yes"),
    ("libusb_debug", "4", "4"),
]


@pytest.mark.parametrize(("key", "written", "expected"), VALUES)
def test_a_value(key: str, written: str, expected: object) -> None:
    assert getattr(options(f"{key} = {written}\n"), key) == expected
    argument = f"{key}={written.strip(chr(34))}"
    assert getattr(options("", argument), key) == expected


BAD: list[tuple[str, str]] = [
    ("port", "replay:"),
    ("port", "usbip://host"),
    ("port", "usbip:host/1-1"),
    ("port", "usbip://host:0/1-1"),
    ("port", "usbip://host:65536/1-1"),
    ("port", "usbip://host/1-1/2"),
    ("port", f"usbip://host/{'1' * 32}"),
    ("transport", "usb"),
    ("vendorid", "("),
    ("serial", "*x"),
    ("usb_set_altinterface", "256"),
    ("usb_hid_ep_in", "xyz"),
    ("usb_hid_ep_in", "100"),
    ("pollinterval", "0"),
    ("pollinterval", "-1"),
    ("pollinterval", "nan"),
    ("pollinterval", "2s"),
    ("pollfreq", "-1"),
    ("interruptsize", "0"),
    ("offdelay", "-1"),
    ("offdelay", "20.5"),
    ("offdelay", "9999999999"),
    ("ondelay", "-2"),
    ("lowbatt", "101"),
    ("debug_min", "many"),
    ("sdcommands", "load off"),
    ("override.", "1"),
    ("default.a b", "1"),
]


@pytest.mark.parametrize(("key", "written"), BAD)
def test_a_bad_value_is_refused_by_file_line_and_name(key: str, written: str) -> None:
    escaped = key.replace(" ", "\\ ")
    assert refusal(f'# x\n {escaped} = "{written}"\n').startswith(f"ups.conf:5: {key}: ")
    assert refusal("", f"{key}={written}").startswith(f"command line: {key}: ")


def test_defaults_are_nuts() -> None:
    plain = options()
    assert (plain.pollinterval, plain.pollfreq) == (2.0, None)
    assert (plain.offdelay, plain.ondelay, plain.lowbatt) == (None, None, None)
    assert (plain.synchronous, plain.interrupt_pipe_no_events_tolerance) == ("auto", -1)
    assert plain.match == DeviceMatch()
    assert plain.sdcommands == ()
    assert (plain.defaults, plain.overrides, plain.notes) == ({}, {}, ())


# -- rules between settings ---------------------------------------------------------------------------


def test_global_then_section_then_argument_the_last_counts() -> None:
    head = "pollinterval = 5\nuser = a\nstatepath = /s\nchroot=/c\n" + HEAD
    assert options(head=head).pollinterval == 5.0
    assert options(head=head).statepath == "/s"
    assert options(head=head).chroot == "/c"
    assert options("pollinterval = 4\nPollInterval = 3\n", head=head).pollinterval == 3.0
    changed = options("pollinterval = 4\n", "pollinterval=7", "user=b", head=head)
    assert (changed.pollinterval, changed.user) == (7.0, "b")
    # an -x before -a: the file overrules it
    conf = parse_upsconf(HEAD + "offdelay = 10\n", where="f")
    early = [Setting.from_argument("offdelay=50"), *conf.settings("ups")]
    assert driver_options(early, program="usbhid-ups").offdelay == 10


def test_without_a_section_everything_comes_by_x() -> None:
    given = [Setting.from_argument("port=auto"), Setting.from_argument("serial=a=b")]
    found = driver_options(given, program="usbhidups")
    assert found.match.serial is not None
    assert found.match.serial.fullmatch("A=B")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("polfreq = 3", 'ups.conf:4: polfreq: unknown option; did you mean "pollfreq"?'),
        ("zork", "ups.conf:4: zork: unknown option"),
        (
            "statepath = /x",
            "ups.conf:4: statepath: unknown option; statepath belongs before the first section",
        ),
    ],
)
def test_an_unknown_option_is_refused_by_file_line_and_name(line: str, message: str) -> None:
    assert refusal(line + "\n") == message
    key, _, value = line.partition(" = ")
    assert refusal("", f"{key}={value}").startswith(f"command line: {key}: unknown option")


def test_the_options_of_other_programs_are_accepted() -> None:
    head = (
        "maxstartdelay=90\nmaxretry = 3\nretrydelay=1\nnowait\ndriverpath=/x\nfuture = 1\n" + HEAD
    )
    section = 'desc = "x"\nsdorder=0\nmaxstartdelay = 90\nmaxretry=1\nretrydelay=1\n'
    assert options(section, head=head).notes == ("ups.conf:6: future: not known here, ignored",)


@pytest.mark.parametrize(
    ("section", "note"),
    [
        ("sddelay = 3\n", "ups.conf:4: sddelay: has no effect in this driver"),
        ("nolock\n", "ups.conf:4: nolock: has no effect in this driver"),
        ("synchronous = yes\n", "ups.conf:4: synchronous: has no effect in this driver"),
        (
            "onlinedischarge\n",
            "ups.conf:4: onlinedischarge: is taken as onlinedischarge_onbattery",
        ),
        ("pollonly = no\n", "ups.conf:4: pollonly: is a flag: it is set, 'no' has no meaning"),
        ("vendorid\n", "ups.conf:4: vendorid: needs a value, ignored"),
        ("override.x\n", "ups.conf:4: override.x: needs a value, ignored"),
        (
            "port = hiddev0\n",
            "ups.conf:4: port: the device is looked for on USB, whatever this says; write auto",
        ),
        (
            "lbrb_log_delay_sec = x\n",
            "ups.conf:4: lbrb_log_delay_sec: 'x' is no delay, 3 s is taken",
        ),
    ],
)
def test_what_is_odd_is_noted_once(section: str, note: str) -> None:
    assert options(section).notes == (note,)


@pytest.mark.parametrize("alias", ["onlinedischarge", "onlinedischarge_battery"])
def test_other_names_of_onlinedischarge_onbattery(alias: str) -> None:
    found = options(f"{alias}\n")
    assert found.onlinedischarge_onbattery
    assert found.published[f"driver.flag.{alias}"] == "enabled"


def test_an_option_that_may_stand_bare() -> None:
    assert options("usb_set_altinterface\n").usb_set_altinterface == 0
    assert options().usb_set_altinterface is None


def test_the_driver_must_be_this_program() -> None:
    head = "[ups]\ndriver = usbhidups\nport = auto\n"
    assert refusal(head=head) == (
        "ups.conf:2: driver: names another program: this is usbhid-ups, not usbhidups"
    )
    conf = parse_upsconf(head, where="f")
    assert driver_options(conf.settings("ups"), program="usbhidups").port == LocalUsb()


def test_a_port_is_needed() -> None:
    assert refusal(head="[ups]\ndriver=usbhid-ups\n") == "ups.conf: port: no port is given"
    assert refusal("port\n") == "ups.conf: port: no port is given"


def test_what_needs_ids() -> None:
    ids = "vendorid = 051d\nproductid = 0002\n"
    assert options(f'subdriver = "APC HID 0.98"\n{ids}').subdriver == "APC HID 0.98"
    assert "needs vendorid" in refusal("subdriver = APC\nproductid = 0002\n")
    assert "needs productid" in refusal("subdriver = APC\nvendorid = 051d\n")
    assert "needs vendorid" in refusal("explore\n")
    assert options(f"explore\n{ids}").explore


def test_presets() -> None:
    found = options(
        "default.battery.charge = 42\noverride.ups.Mfr = x\nOverride.a=1\n", "override.a=2"
    )
    assert found.defaults == {"battery.charge": "42"}
    assert found.overrides == {"ups.Mfr": "x", "a": "2"}


def test_what_clients_see_of_the_options() -> None:
    found = options(
        "pollonly = no\noffdelay = 45\ndefault.x.y = 1\nuser = root\ndesc = d\nallow_killpower\n",
        "offdelay=50",
    )
    assert found.published == {
        "driver.parameter.port": "auto",
        "driver.flag.pollonly": "enabled",
        "driver.parameter.offdelay": "50",
        "driver.parameter.default.x.y": "1",
    }


def test_option_table_has_nuts_form_and_every_option_is_accepted() -> None:
    form = re.compile(r'(VALUE|FLAG) ([A-Za-z_]+) "[^"]+"')
    rows = [form.fullmatch(line) for line in option_table()]
    assert all(rows)
    names = [row[2] for row in rows if row]
    assert len(names) == len(set(names))
    assert {"pollonly", "vendorid", "transport", "lbrb_log_delay_sec", *FLAGS} <= set(names)
    assert not {"desc", "sdorder", "maxretry"} & set(names)


# -- matching -----------------------------------------------------------------------------------------

APC = Identity(
    vendor_id=0x051D,
    product_id=0x0002,
    manufacturer="American Power Conversion ",
    product="Back-UPS RS 1000G FW:868.L1 .D USB FW:L1",
    serial="  4B1620P12345\t\n",
    port_path="1-1.3",
    bus=3,
    address=7,
)

MATCHES: list[tuple[str, str, bool]] = [
    ("vendorid", "051d", True),
    ("vendorid", "051D", True),
    ("vendorid", "51d", False),
    ("vendorid", "0x051d", False),
    ("productid", "000[2-3]", True),
    ("productid", "0003|0002", True),
    ("vendor", "American Power Conversion", True),
    ("vendor", "american.*", True),
    ("vendor", "American", False),
    ("product", "Back-UPS RS [[:digit:]]{4}G .*", True),
    ("product", "RS", False),
    ("serial", "4B1620P12345", True),
    ("serial", "4b1620p.....", True),
    ("serial", "", False),
    ("bus", "003", True),
    ("bus", "3", False),
    ("device", "007", True),
    ("device", "008", False),
    ("busport", "003", True),
    ("busport", "001", False),
]


@pytest.mark.parametrize(("key", "pattern", "accepted"), MATCHES)
def test_matching_is_anchored_and_blind_to_case(key: str, pattern: str, *, accepted: bool) -> None:
    match = options(f'{key} = "{pattern}"\n').match
    assert match.accepts(APC) is accepted
    assert bool(match.mismatches(APC)) is not accepted
    assert all(text.startswith(f"{key} ") for text in match.mismatches(APC))


def test_all_criteria_must_agree_and_none_means_any() -> None:
    assert options().match.accepts(APC)
    match = options("vendorid = 051d\nserial = x\nbus = 003\n").match
    assert match.mismatches(APC) == ("serial '4B1620P12345' is not 'x'",)


def test_what_a_device_lacks_is_the_empty_text() -> None:
    bare = Identity(vendor_id=1, product_id=2, port_path="usbip://h:3240/1-1")
    for key in ("vendor", "product", "serial", "bus", "device", "busport"):
        assert options("", f"{key}=").match.accepts(bare)
        assert not options("", f"{key}=.+").match.accepts(bare)


EXTENDED: list[tuple[str, str, bool]] = [
    ("a.c", "abc", True),
    ("a.c", "a\nc", True),
    ("(ab|cd)+", "abcdab", True),
    ("a{2,3}", "aaaa", False),
    ("a{2,}", "aaaa", True),
    ("^abc$", "abc", True),
    ("[[:alpha:]]+[[:space:]][[:digit:]]*", "Ups 12", True),
    ("[^[:digit:]]", "1", False),
    ("[]x]+", "]x]", True),
    ("[^]x]", "]", False),
    (r"[\d]", "d", True),
    (r"[\d]", "\\", True),
    (r"[\d]", "5", False),
    ("[a-c]", "b", True),
    ("[-a]", "-", True),
    ("[a-]", "-", True),
    ("[[]", "[", True),
    ("[a&&b]", "&", True),
    (r"\w+", "a_1", True),
    (r"\d", "d", True),
    (r"\d", "5", False),
    (r"\.", "x", False),
    (r"\.\(\)\[\{\|\*\+\?", ".()[{|*+?", True),
    (r"(a)\1", "aa", True),
    (r"(a)\10", "aa0", True),
    (r"\<a\> b", "a b", True),
    ("é", "x", False),
]


@pytest.mark.parametrize(("pattern", "text", "accepted"), EXTENDED)
def test_extended_regular_expressions(pattern: str, text: str, *, accepted: bool) -> None:
    assert bool(compile_extended(pattern).fullmatch(text)) is accepted


@pytest.mark.parametrize(
    "pattern",
    ["(", "[a", "a\\", "(?i)a", "*a", "a**", "a+?", "a*+", "[[:what:]]", "a{3,2}", "[z-a]"],
)
def test_what_is_no_extended_regular_expression(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        compile_extended(pattern)


ATOMS = st.sampled_from(
    (
        *("a", "B", "1", "-", ".", " ", "&", r"\.", r"\[", r"\\", r"\w"),
        *("[ab1]", "[^a]", "[]a]", "[^]-]", "[a-c-]", r"[\w]", "[[:digit:]x]", "[^[:space:]]"),
    )
)
PATTERNS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=1, max_size=2).map(lambda parts: f"({'|'.join(parts)})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,}", "{0,2}"])).map(
            lambda pair: f"({pair[0]}){pair[1]}"
        ),
    ),
    max_leaves=6,
)


class _RegMatch(ctypes.Structure):
    _fields_ = (("start", ctypes.c_int), ("end", ctypes.c_int))


def libc_matches(pattern: str, text: str) -> bool:
    """What NUT does: regcomp(REG_EXTENDED | REG_ICASE), regexec, and the match must be the whole text."""
    libc = ctypes.CDLL(None)
    compiled = ctypes.create_string_buffer(256)
    assert libc.regcomp(compiled, pattern.encode(), 1 | 2) == 0
    match = _RegMatch()
    failed = libc.regexec(compiled, text.encode(), 1, ctypes.byref(match), 0)
    libc.regfree(compiled)
    return not failed and (match.start, match.end) == (0, len(text))


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc's regcomp")
@given(PATTERNS, st.text(st.sampled_from("aAbBxX1-. &[]\\_"), max_size=4))
def test_extended_regular_expressions_match_what_libc_matches(pattern: str, text: str) -> None:
    assert bool(compile_extended(pattern).fullmatch(text)) is libc_matches(pattern, text)


@given(st.text(st.sampled_from("ab01()[]{}*+?.|^$\\-:,d&~"), max_size=20))
def test_a_pattern_compiles_or_is_a_value_error(pattern: str) -> None:
    try:
        compile_extended(pattern)
    except ValueError:
        return


@given(st.text(max_size=60))
def test_a_port_is_something_or_a_config_error(text: str) -> None:
    for form in ("", "usbip://", "usbip://[", "replay:"):
        try:
            parse_port(form + text)
        except ConfigError:
            continue
