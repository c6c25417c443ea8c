"""Whatever a variable holds, the generated files say what was meant, or nothing is generated.

The files are read back with NUT's grammar (``nut.words``, itself tested against NUT) and compared with the
shape that every plan must have: a value that smuggles in a line, a section or a word is noticed.
"""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.appliance.planning import MASTER, plan_for, text_of
from usbhidups.appliance.overrides import doubtful_lines, level_doubts, lines_of, sections
from usbhidups.appliance.settings import KNOWN

TRICKS = [
    "x\nSHUTDOWNCMD /bin/false",
    'x" SHUTDOWNCMD "y',
    "x]\n[master",
    "a#b",
    "$(id)",
    "`id`",
    "a;b",
    "\\",
    '"',
    "a\\\nb",
    "\x00",
    "\r\nBcc: a@example.org",
    "../../etc/passwd",
    "-oQ/tmp",
    "é",
    "\u2028",
    "yes",
    "",
    "3493",
    "ups@host",
    "192.0.2.1",
    "http://192.0.2.1/",
    "usbhid-ups",
    "snmp-ups",
    "netxml-ups",
]
VALUES = st.one_of(
    st.sampled_from(TRICKS),
    st.text(alphabet=st.characters(codec="utf-8"), max_size=40),
    st.text(alphabet="abc\"'\\#=$`;\n[]@:/ .-01", max_size=20),
)
UPS_KEYS = {
    *("driver", "port", "desc", "community", "snmp_version", "pollfreq"),
    *("offdelay", "ondelay", "sdorder"),
}
MONITOR = re.compile(r"[A-Za-z0-9._][A-Za-z0-9._-]*@[A-Za-z0-9.:_\[\]-]+")
SECOND_WORD = {
    "RUN_AS_USER": r"[a-z_][a-z0-9_-]*",
    "MINSUPPLIES": "1",
    "SHUTDOWNCMD": re.escape("/sbin/shutdown -h +0"),
    "NOTIFYCMD": re.escape("/run/usbhidups/notify"),
    "POWERDOWNFLAG": re.escape("/run/usbhidups/flag/killpower"),
    "NOTIFYFLAG": "[A-Z]+",
    **dict.fromkeys(["POLLFREQ", "POLLFREQALERT", "HOSTSYNC", "DEADTIME", "FINALDELAY"], r"\d+"),
    **dict.fromkeys(["RBWARNTIME", "NOCOMMWARNTIME"], r"\d+"),
}


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(KNOWN)), VALUES, max_size=8), VALUES)
def test_no_variable_smuggles_anything_in(values: dict[str, str], extra_users: str) -> None:
    made = plan_for(values, extra_users=extra_users)
    for text in (*made.problems, *made.warnings):
        assert text.isprintable()
    if made.problems:
        assert made.files == ()
        return
    for file in made.files:
        assert file.text.startswith("# Written by usbhidups from ")
        assert all(" " <= c <= "~" or c == "\n" for c in file.text)
    ups = sections(text_of(made, "ups.conf"))
    assert len({section.name.lower() for section in ups}) == len(ups)
    for section in ups:
        assert section.keys.keys() <= UPS_KEYS
        assert section.keys["driver"] in {"usbhid-ups", "snmp-ups", "netxml-ups", "dummy-ups"}
    for words in lines_of(text_of(made, "upsd.conf")):
        assert words[0] in {"LISTEN", "MAXAGE"}
        assert len(words) == (3 if words[0] == "LISTEN" else 2)
    users = sections(text_of(made, "upsd.users"))
    assert len({section.name for section in users}) == len(users)
    for section in users:
        assert section.keys.keys() == {"password", "upsmon"}
        assert (section.keys["upsmon"] == "primary") == (section.name == "master")
    _check_upsmon(text_of(made, "upsmon.conf"))


def _check_upsmon(text: str) -> None:
    for words in lines_of(text):
        if words[0] == "MONITOR":
            assert len(words) == 6
            assert MONITOR.fullmatch(words[1])
            assert words[5] in {"primary", "secondary"}
        else:
            assert re.fullmatch(SECOND_WORD[words[0]], words[1])
            assert len(words) == (3 if words[0] == "NOTIFYFLAG" else 2)


@given(st.dictionaries(st.sampled_from(["ups.conf", "upsd.users", "upsmon.conf"]), VALUES))
def test_any_override_is_planned_or_refused(overrides: dict[str, str]) -> None:
    made = plan_for({"UPS_DRIVER": "usbhid-ups"}, overrides)
    assert bool(made.files) != bool(made.problems)
    assert not made.problems or all(text.startswith("ups.conf: ") for text in made.problems)


@pytest.mark.parametrize(
    ("line", "doubt"),
    [
        ("", "no complete MONITOR line"),
        ("MONITOR ups@h 0 u p primary", "power value 0"),
        ("MONITOR ups@h 1 u p boss", "boss is taken for secondary"),
        ("MONITOR ups$(id)@h 1 u p primary", "hands this name to a shell"),
        ("SHUTDOWNCMD /sbin/shutdown -h now", "only its first word is kept"),
        ("RUN_AS_USER ghost", "no such user"),
    ],
)
def test_what_upsmon_would_accept_in_silence(line: str, doubt: str) -> None:
    assert any(doubt in text for text in doubtful_lines(line + "\n", known_users={"nut"}))


def test_a_primary_with_a_secondary_account_is_doubted() -> None:
    monitor = "MONITOR ups@localhost 1 monuser x primary\n"
    users = "[monuser]\npassword = x\nupsmon secondary\n"
    assert level_doubts(monitor, users) == [
        "MONITOR ups@localhost: the account monuser is no primary in upsd.users"
    ]
    assert level_doubts(monitor, users.replace("secondary", "primary")) == []


def test_a_section_that_occurs_twice_is_told() -> None:
    twice = "[a]\npassword = 1\nupsmon primary\n[a]\npassword = 2\nupsmon secondary\n"
    made = plan_for({"UPS_DRIVER": "usbhid-ups"}, {"upsd.users": twice})
    assert "upsd.users: [a] occurs twice: upsd adds the rights of both" in made.warnings


def test_the_password_is_in_no_message() -> None:
    for values in (
        {"UPS_DRIVER": "usbhid-ups", "UPS_MONITOR_PASS": "tell#nobody"},
        {
            "UPS_MONITOR_HOST": "ups@h",
            "UPS_MONITOR_PASS": "tell-nobody",
            "UPS_DRIVER": "usbhid-ups",
        },
    ):
        made = plan_for(values)
        assert made.problems or made.warnings
        assert not any(
            "tell" in text or MASTER in text for text in (*made.problems, *made.warnings)
        )
