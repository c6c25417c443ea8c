"""Acceptance checks 1 to 24: what is generated, from what, and what is refused (spec section 9)."""

from __future__ import annotations

import os
import pwd
import re
import stat
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.appliance.passwords import ALLOWED
from tests.appliance.planning import MASTER, layout_below, plan, plan_for, text_of, write_settings
from tests.nut_tools import find_program
from usbhidups.appliance.generate import check, generate, master_password
from usbhidups.appliance.overrides import MASTER_TOKEN, monitor_targets, sections

Facts = dict[str, Any]
ANY = "0.0.0.0"  # noqa: S104
USB = {"UPS_DRIVER": "usbhid-ups"}
CLIENT = {"UPS_MONITOR_HOST": "ups@nas", "UPS_MONITOR_USER": "u", "UPS_MONITOR_PASS": "p"}


@pytest.fixture
def user() -> str:
    return "nut" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name


def test_01_nothing_set_is_disabled_and_cleans_up(tmp_path: Path, user: str) -> None:
    layout = layout_below(tmp_path)
    write_settings(layout, UPS_DRIVER="usbhid-ups", UPS_RUN_AS_USER=user)
    assert (layout.conf_dir / "ups.conf").exists() or generate(layout).written
    (layout.conf_dir / "hosts.conf").write_text("not ours\n")
    write_settings(layout)
    outcome = generate(layout)
    assert outcome.plan.mode.value == "disabled"
    assert not outcome.plan.problems
    assert sorted(p.name for p in layout.conf_dir.iterdir()) == ["hosts.conf", "nut.conf"]
    assert "MODE=none" in (layout.conf_dir / "nut.conf").read_text()


def test_01_a_file_of_somebody_else_is_kept(tmp_path: Path, user: str) -> None:
    layout = layout_below(tmp_path)
    layout.conf_dir.mkdir()
    (layout.conf_dir / "ups.conf").write_text("# by hand\n")
    generate(layout)
    assert (layout.conf_dir / "ups.conf").read_text() == "# by hand\n"
    write_settings(layout, **USB, UPS_RUN_AS_USER=user)
    generate(layout)
    assert (layout.conf_dir / "ups.conf.before-usbhidups").read_text() == "# by hand\n"


@pytest.mark.skipif(not find_program("upsdrvctl"), reason="needs NUT's upsdrvctl")
def test_02_usb_driver(tmp_path: Path, user: str) -> None:
    layout = layout_below(tmp_path)
    write_settings(layout, **USB, UPS_RUN_AS_USER=user)
    generate(layout)
    (ups,) = sections((layout.conf_dir / "ups.conf").read_text())
    assert (ups.name, ups.keys["driver"], ups.keys["port"]) == ("ups", "usbhid-ups", "auto")
    done = subprocess.run(
        [str(find_program("upsdrvctl")), "-t", "-D", "-D", "start"],
        env={**os.environ, **layout.nut_environment},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in (done.stdout + done.stderr).splitlines() if "exec: " in line]
    assert [line.partition("exec:  ")[2] for line in lines] == [
        f"{layout.driver_links}/usbhid-ups -a ups"
    ]


def test_03_snmp_driver() -> None:
    made = plan(UPS_DRIVER="snmp-ups", UPS_DRIVER_PORT="192.0.2.5")
    (ups,) = sections(text_of(made, "ups.conf"))
    assert ups.keys["port"] == "192.0.2.5"
    assert (ups.keys["community"], ups.keys["snmp_version"]) == ("public", "v2c")
    assert ups.keys["pollfreq"] == "15"
    refused = plan(UPS_DRIVER="snmp-ups")
    assert refused.files == ()
    assert refused.problems == ("UPS_DRIVER_PORT: snmp-ups needs the UPS's address",)


def test_04_xml_driver() -> None:
    made = plan(UPS_DRIVER="netxml-ups", UPS_DRIVER_PORT="http://192.0.2.6/")
    assert sections(text_of(made, "ups.conf"))[0].keys["port"] == "http://192.0.2.6/"
    for bad in ("192.0.2.6", "ftp://192.0.2.6/", "http://user:pass@192.0.2.6/", "http://a b/"):
        assert plan(UPS_DRIVER="netxml-ups", UPS_DRIVER_PORT=bad).files == ()


@pytest.mark.parametrize("name", ["apcsmart", "usbhid-ups -x", "../x", "USBHID-UPS"])
def test_05_unknown_driver(name: str) -> None:
    refused = plan(UPS_DRIVER=name)
    assert refused.files == ()
    assert refused.problems[0].startswith("UPS_DRIVER: must be one of usbhid-ups,")


@pytest.mark.parametrize(
    ("variables", "lines"),
    [
        ({}, ["127.0.0.1"]),
        ({"UPS_LISTEN_ALL": "yes"}, [ANY]),
        ({"IPV6": "yes"}, ["127.0.0.1", "::1"]),
        ({"UPS_LISTEN_ALL": "yes", "IPV6": "yes"}, [ANY, "::1"]),
        ({"UPS_LISTEN_ALL": "no"}, ["127.0.0.1"]),
        ({"UPS_LISTEN": "192.0.2.1"}, ["192.0.2.1", "127.0.0.1"]),
        ({"UPS_LISTEN": "::"}, ["::"]),
        ({"UPS_LISTEN": f"{ANY} 192.0.2.1"}, [ANY]),
    ],
)
def test_06_listen_lines(variables: dict[str, str], lines: list[str]) -> None:
    text = text_of(plan(**USB, **variables), "upsd.conf")
    assert re.findall(r"^LISTEN (\S+) 3493$", text, re.M) == lines
    assert text.count("LISTEN") == len(lines)


@pytest.mark.scene("loopback_only")
def test_07_another_port_everywhere(facts: Facts) -> None:
    # upsmon logged in on 13493, or the scene would have failed
    assert facts["target"] == "ups@localhost:13493"
    assert not facts["old_port"]


@pytest.mark.scene("accounts")
def test_08_default_accounts(facts: Facts) -> None:
    names = [section.name for section in sections(text_of(plan(**USB), "upsd.users"))]
    assert names == ["master", "monuser"]
    assert sections(text_of(plan(**USB), "upsd.users"))[1].keys["password"] == "astlinux"
    assert facts["master"]["LOGIN"] == facts["monuser"]["LOGIN"] == "OK"
    assert facts["nobody"]["LOGIN"] == "ERR ACCESS-DENIED"


@pytest.mark.scene("many_passwords")
def test_09_master_password(facts: Facts) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{22,}", master_password())
    made = plan(**USB)
    assert f'"{MASTER}"' in text_of(made, "upsd.users")
    assert f'"{MASTER}"' in text_of(made, "upsmon.conf")
    assert facts["shape"]
    assert facts["different"] == 1000
    assert facts["fresh"] == ["OK"]  # the answers to 1000 logins


@pytest.mark.scene("many_passwords")
def test_10_every_allowed_password_works_to_the_end(facts: Facts) -> None:
    assert len(ALLOWED) == 90
    assert facts["accounts"] == 270  # all of them logged in through one real upsmon
    assert facts["complaints"] == []
    assert facts["shortened"] == ["ERR ACCESS-DENIED"]


@pytest.mark.parametrize("character", [" ", "#", "=", '"', "\\", "ü", "\n", "\x7f", "\t", "\0"])
@pytest.mark.parametrize("place", ["{}secret", "sec{}ret", "secret{}"])
def test_10_other_passwords_are_refused(character: str, place: str) -> None:
    refused = plan(**USB, UPS_MONITOR_PASS=place.format(character))
    assert refused.files == ()
    assert refused.problems[0].startswith("UPS_MONITOR_PASS: a password may not contain")


def test_10_long_passwords() -> None:
    assert not plan(**USB, UPS_MONITOR_PASS="x" * 64).problems
    assert plan(**USB, UPS_MONITOR_PASS="x" * 65).problems


@pytest.mark.parametrize("name", ["master", "Master", "a b", "a]", "[a", "a\nb", "", "ü", "a;b"])
def test_11_account_names(name: str) -> None:
    made = plan(**USB, UPS_MONITOR_USER=name)
    assert bool(made.problems) == bool(name)


def test_12_client_mode() -> None:
    made = plan(**CLIENT)
    assert [file.name for file in made.files] == ["upsmon.conf", "upssched.conf", "nut.conf"]
    text = text_of(made, "upsmon.conf")
    (target,) = monitor_targets(text)
    assert (target.system, target.user, target.level) == ("ups@nas", "u", "secondary")
    assert "POLLFREQ 10\n" in text
    assert "DEADTIME 30\n" in text
    assert "POWERDOWNFLAG" not in text
    assert "MODE=netclient" in text_of(made, "nut.conf")


def test_13_client_without_account() -> None:
    made = plan(UPS_MONITOR_HOST="ups@nas")
    assert 'MONITOR ups@nas 1 monuser "astlinux" secondary' in text_of(made, "upsmon.conf")
    assert len(made.warnings) == 1
    assert "astlinux" not in made.warnings[0]


@pytest.mark.parametrize("local", [USB, {}])
def test_14_client_wins_over_a_driver(local: dict[str, str]) -> None:
    overrides = {} if local else {"ups.conf": "[ups]\ndriver = x\nport = y\n"}
    made = plan(overrides, **local, **CLIENT, UPS_KILL_POWER="yes")
    assert made.mode.value == "client"
    assert text_of(made, "ups.conf") == text_of(made, "upsd.conf") == ""
    assert not made.active.kill_power
    assert sum("no driver or server is started" in text for text in made.warnings) == 1


HOSTILE = [
    "ups$(touch {})@h",
    "ups@h;touch {}",
    "`touch {}`@h",
    "ups@h ups@i",
    "ups@h\nSHUTDOWNCMD touch {}",
    'ups@h" 1 a b primary',
    "ups@",
    "@h",
    "h",
    "-x@h",
    "ups@h:99999",
    "ups@[::1",
    "ups@h|touch {}",
]


@pytest.mark.parametrize("value", HOSTILE)
def test_15_hostile_hosts_are_refused(value: str, tmp_path: Path) -> None:
    mark = tmp_path / "X"
    layout = layout_below(tmp_path)
    layout.settings_file.write_text(f"UPS_MONITOR_HOST='{value.format(mark)}'\n")
    outcome = generate(layout)
    assert outcome.plan.problems
    assert outcome.plan.problems[0].startswith("UPS_MONITOR_HOST: ")
    assert not layout.conf_dir.exists()  # nothing was written, so nothing can be run at a COMMBAD
    assert not mark.exists()


@pytest.mark.parametrize(
    "value",
    [
        "ups@nas",
        "ups@10.0.0.2",
        "ups@[2001:db8::2]",
        "ups@nas:3493",
        "ups@[::1]:13493",
        "a.b_c-d@n.x",
    ],
)
def test_16_valid_hosts(value: str) -> None:
    made = plan(**{**CLIENT, "UPS_MONITOR_HOST": value})
    assert monitor_targets(text_of(made, "upsmon.conf"))[0].system == value


def test_17_owners_and_modes(tmp_path: Path, user: str) -> None:
    layout = layout_below(tmp_path)
    write_settings(layout, **USB, UPS_RUN_AS_USER=user)
    generate(layout)
    group = pwd.getpwnam(user).pw_gid
    expected = {
        "ups.conf": 0o640,
        "upsd.conf": 0o640,
        "upsd.users": 0o640,
        "upsmon.conf": 0o600 if user == "root" else 0o640,
        "upssched.conf": 0o640,
        "nut.conf": 0o640,
    }
    found = {path.name: path.stat() for path in layout.conf_dir.iterdir()}
    assert {name: stat.S_IMODE(info.st_mode) for name, info in found.items()} == expected
    assert {info.st_uid for info in found.values()} == {os.geteuid()}
    directories = {layout.conf_dir: 0o750, layout.flag_dir: 0o700, layout.state_dir: 0o770}
    for path, mode in directories.items():
        assert stat.S_IMODE(path.stat().st_mode) == mode
    assert layout.flag_dir.stat().st_uid == os.geteuid()
    assert stat.S_IMODE(layout.event_log.stat().st_mode) == 0o640
    if os.geteuid() == 0:
        assert {info.st_gid for info in found.values()} == {group}
        assert layout.event_log.stat().st_uid == pwd.getpwnam(user).pw_uid


def test_17_no_moment_with_a_wider_mode(tmp_path: Path, user: str) -> None:
    layout = layout_below(tmp_path)
    write_settings(layout, **USB, UPS_RUN_AS_USER=user)
    generate(layout)
    seen: set[int] = set()
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            for entry in os.scandir(layout.conf_dir):
                try:
                    seen.add(stat.S_IMODE(entry.stat(follow_symlinks=False).st_mode))
                except FileNotFoundError:
                    continue

    watcher = threading.Thread(target=watch)
    before = os.umask(0)
    watcher.start()
    try:
        for _ in range(20):
            generate(layout)
    finally:
        done.set()
        watcher.join()
        os.umask(before)
    assert seen
    assert all(mode & 0o027 == 0 for mode in seen)


FOUR = {
    "ups.conf": "[ups]\n# marker\ndriver = usbhid-ups\nport = auto\n",
    "upsd.conf": "# marker\nLISTEN 127.0.0.1\n",
    "upsd.users": "# marker\n[master]\npassword = x\nupsmon primary\n",
    "upsmon.conf": "# marker\nMONITOR ups@localhost 1 master x primary\nSHUTDOWNCMD true\n",
}


@pytest.mark.parametrize("name", FOUR)
def test_18_each_override_alone(name: str) -> None:
    made = plan({name: FOUR[name]}, **USB)
    for other in FOUR:
        text = text_of(made, other)
        first, rest = text.split("\n", 1)
        assert ("# marker" in rest) == (other == name)
        source = f"/etc/usbhidups/ups/{name}" if other == name else "/etc/usbhidups/appliance.conf"
        assert first == f"# Written by usbhidups from {source}; changes here are lost."
        assert other == name or rest


def test_19_override_ups_conf_switches_monitoring_on() -> None:
    made = plan({"ups.conf": FOUR["ups.conf"]})
    assert made.mode.value == "primary"
    assert sections(text_of(made, "upsd.users"))[0].name == "master"


def test_20_every_token_is_replaced() -> None:
    overrides = {
        "upsd.users": f"[master]\npassword = {MASTER_TOKEN} # {MASTER_TOKEN}\nupsmon primary\n",
        "upsmon.conf": f"MONITOR ups@localhost 1 master {MASTER_TOKEN} primary # {MASTER_TOKEN}\n",
        "upsd.conf": f"LISTEN 127.0.0.1 # {MASTER_TOKEN}\n",
    }
    made = plan(overrides, **USB)
    for name in ("upsd.users", "upsmon.conf"):
        assert text_of(made, name).count(MASTER) == 2
        assert MASTER_TOKEN not in text_of(made, name)
    assert MASTER_TOKEN in text_of(made, "upsd.conf")


def test_20_the_token_has_no_meaning_in_client_mode() -> None:
    override = {"upsmon.conf": f"MONITOR ups@nas 1 u {MASTER_TOKEN} secondary\nSHUTDOWNCMD true\n"}
    assert plan(override, **CLIENT).problems
    assert plan(override).problems


@pytest.mark.scene("override_files")
def test_21_the_pages_snippets_in_old_words(facts: Facts) -> None:
    assert facts["warnings"] == []
    assert facts["old_words"] == ["OK", "OK MASTER-GRANTED"]
    assert facts["old_words_fsd"] == "FSD OB LB"


@pytest.mark.scene("override_files")
def test_22_a_fixed_password_without_the_token(facts: Facts) -> None:
    assert facts["fixed"] == []  # and upsmon logged in, or the scene would have failed
    users = "[master]\npassword = fixed1\nupsmon primary\n"
    monitor = "MONITOR ups@localhost 1 master fixed1 primary\nSHUTDOWNCMD true\n"
    both = plan({"upsd.users": users, "upsmon.conf": monitor}, **USB)
    assert not both.problems
    assert not both.warnings
    alone = plan({"upsd.users": users}, **USB)
    assert '1 master "fixed1" primary' in text_of(alone, "upsmon.conf")


@pytest.mark.parametrize(
    ("notify", "sched", "command"),
    [
        ("", False, str(layout_below(Path("/")).notify_script)),
        ("/x/upsnotify", False, "/x/upsnotify"),
        ("/x/upsnotify", True, "/sbin/upssched"),
        ("", True, "/sbin/upssched"),
    ],
)
def test_23_notify_command(notify: str, sched: bool, command: str) -> None:  # noqa: FBT001
    overrides = {"upssched.conf": "CMDSCRIPT /x\nPIPEFN /y/p\nLOCKFN /y/l\n"} if sched else {}
    made = plan_for(USB, overrides, layout=layout_below(Path("/")), notify=notify)
    assert f'NOTIFYCMD "{command}"\n' in text_of(made, "upsmon.conf")


def test_23_an_override_that_is_not_executable(tmp_path: Path) -> None:
    layout = layout_below(tmp_path)
    write_settings(layout, **USB)
    layout.override_dir.mkdir()
    script = layout.override_dir / "upsnotify"
    script.write_text("#!/bin/sh\n")
    made = check(layout)
    assert f'NOTIFYCMD "{layout.notify_script}"' in text_of(made, "upsmon.conf")
    assert any("not executable" in text for text in made.warnings)
    script.chmod(0o755)
    assert f'NOTIFYCMD "{script}"' in text_of(check(layout), "upsmon.conf")


@pytest.mark.scene("override_files")
def test_24_monitor_follows_the_first_section(facts: Facts) -> None:
    # upsmon logged in at attic, or the scene would have failed
    assert facts["named"] == ["ups.conf: the first section is [attic], it is the one monitored"]
    assert plan({"ups.conf": "# nothing\n"}).problems
