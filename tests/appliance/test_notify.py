"""Acceptance checks 60 to 66 and 69: the event log, the mails, the timers, and text from strangers."""

from __future__ import annotations

import email
import email.policy
import os
import re
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.appliance.planning import plan, plan_for, text_of
from tests.driver_tools import eventually
from usbhidups.appliance import notify as module
from usbhidups.appliance.active import Active
from usbhidups.appliance.eventlog import LARGEST, append_event, event_line, last_events, start_log
from usbhidups.appliance.mail import Event, compose, hand_over
from usbhidups.appliance.notify import MAILED, notify

Facts = dict[str, Any]
WHEN = datetime(2026, 1, 31, 18, 2, 11, tzinfo=UTC)
ONBATT = Event("ONBATT", "ups@localhost", "UPS ups@localhost on battery", WHEN)


def parsed(message: bytes) -> EmailMessage:
    found = email.message_from_bytes(message, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


def script(path: Path, text: str) -> Path:
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return path


@pytest.fixture
def active(tmp_path: Path) -> Active:
    """Two receivers, a sendmail that keeps what it gets, an upsc that knows one variable."""
    store = f'name=$(mktemp {tmp_path}/mail.XXXXXX); {{ echo "X-Args: $*"; cat; }} >"$name"\n'
    return Active(
        mode="primary",
        event_log=str(tmp_path / "log"),
        notify_to=("one@example.org", "two@example.org"),
        notify_from="ups@example.org",
        hostname="attic",
        sendmail=str(script(tmp_path / "sendmail", store)),
        upsc=str(script(tmp_path / "upsc", "echo Init SSL >&2\necho ups.status: OB\n")),
    )


def mails(directory: Path) -> list[EmailMessage]:
    return [parsed(path.read_bytes()) for path in sorted(directory.glob("mail.*"))]


def say(active: Active, kind: str, *, ups: str = "ups@localhost") -> int:
    return notify(active, kind=kind, ups=ups, message=f"message of {kind}", when=WHEN)


def test_60_one_mail_for_each_address(active: Active, tmp_path: Path) -> None:
    assert say(active, "ONBATT") == 2
    assert sorted(mail["To"] for mail in mails(tmp_path)) == list(active.notify_to)


def test_60_a_bad_address_does_not_block_the_others() -> None:
    made = plan(UPS_DRIVER="usbhid-ups", UPS_NOTIFY="a@example.org -oQ/tmp@x b@example.org")
    assert made.active.notify_to == ("a@example.org", "b@example.org")
    assert made.warnings == ("UPS_NOTIFY: '-oQ/tmp@x' is no mail address; it gets no mail",)


@pytest.mark.scene("outage")
def test_60_in_the_real_chain(facts: Facts) -> None:
    receivers = re.findall(r"^To: (.*)$", "\n".join(facts["mails"]), re.M)
    mailed = [line for line in facts["events"] if " - START" not in line]
    assert len(mailed) >= 5  # ONBATT, ONLINE, ONBATT, LOWBATT, SHUTDOWN
    assert receivers.count("one@example.org") == receivers.count("two@example.org") == len(mailed)
    assert all(mail.startswith("ARGS -t -i\n") for mail in facts["mails"])


@pytest.mark.parametrize(
    ("variables", "sender"),
    [
        ({"UPS_NOTIFY_FROM": "ups@example.org"}, "UPS-attic <ups@example.org>"),
        ({"UPS_NOTIFY_FROM": "My UPS <ups@example.org>"}, "My UPS <ups@example.org>"),
        ({"SMTP_DOMAIN": "example.org"}, "UPS-attic <noreply@example.org>"),
        ({}, None),
        ({"UPS_NOTIFY_FROM": "a@example.org\nBcc: x@example.org"}, None),
        ({"UPS_NOTIFY_FROM": "Name\r\nBcc: x@example.org <a@example.org>"}, None),
    ],
)
def test_61_headers(variables: dict[str, str], sender: str | None) -> None:
    made = plan_for({"UPS_DRIVER": "usbhid-ups", "HOSTNAME": "attic", **variables})
    raw = compose(
        ONBATT,
        receiver="one@example.org",
        sender=made.active.notify_from,
        hostname=made.active.hostname,
        listing="",
    )
    mail = parsed(raw)
    assert mail["To"] == "one@example.org"
    assert mail["Subject"] == "UPS on 'attic': UPS ups@localhost on battery"
    assert mail["From"] == sender
    assert mail["Bcc"] is None
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"] == "Sat, 31 Jan 2026 18:02:11 +0000"


@given(*(st.text(alphabet=st.characters(codec="utf-8"), max_size=60) for _ in range(5)))
def test_61_no_text_makes_a_header(
    kind: str, message: str, receiver: str, sender: str, hostname: str
) -> None:
    event = Event(kind, "ups@localhost", message, WHEN)
    raw = compose(event, receiver=receiver, sender=sender, hostname=hostname, listing=message)
    head = raw.split(b"\n\n", 1)[0]
    names = [
        line.split(b":")[0] for line in head.split(b"\n") if not line.startswith((b" ", b"\t"))
    ]
    expected = [b"To", b"From", b"Subject", b"Date", b"Auto-Submitted", b"MIME-Version"]
    expected += [b"Content-Type", b"Content-Transfer-Encoding"]
    assert names == (expected if sender else [name for name in expected if name != b"From"])
    assert b"\r" not in raw


def test_62_body(active: Active, tmp_path: Path) -> None:
    say(active, "ONBATT")
    (mail, _) = mails(tmp_path)
    body = mail.get_body()
    assert body is not None
    text = body.get_content()
    assert "Event: ONBATT\n" in text
    assert "ups.status: OB\n" in text
    assert "Init SSL" not in text


def test_62_shutdown_names_no_ups_and_still_is_mailed(active: Active, tmp_path: Path) -> None:
    assert say(active, "SHUTDOWN", ups="") == 2
    body = mails(tmp_path)[0].get_body()
    assert body is not None
    assert "ups.status" not in body.get_content()


def test_62_a_blocked_upsc_costs_only_the_listing(
    active: Active, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert module.LISTING_SECONDS + 1 < 10
    monkeypatch.setattr(module, "LISTING_SECONDS", 0.2)
    blocked = replace(active, upsc=str(script(tmp_path / "upsc", "exec sleep 1000\n")))
    assert say(blocked, "ONBATT") == 2


def test_a_stuck_mailer_ends_with_its_children(active: Active, tmp_path: Path) -> None:
    stuck = script(tmp_path / "stuck", f"sleep 1000 & echo $! >{tmp_path}/child\nwait\n")
    assert hand_over(b"", stuck, seconds=0.5) is False
    child = int((tmp_path / "child").read_text())
    eventually(lambda: not _alive(child), "the end of the mailer's child")


def _alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def test_a_missing_mailer_or_log_is_no_failure(active: Active) -> None:
    broken = replace(
        active, sendmail="/nonexistent", upsc="/nonexistent", event_log="/nonexistent/log"
    )
    assert say(broken, "ONBATT") == 0


def test_63_line_format(tmp_path: Path) -> None:
    log = tmp_path / "log"
    start_log(log, event_line(WHEN, "START", "upsmon 2.8.0"))
    append_event(log, event_line(WHEN, "ONBATT", "UPS ups@localhost on battery\nx"))
    assert log.read_text().splitlines() == [
        "2026-01-31 18:02:11 - START: upsmon 2.8.0",
        "2026-01-31 18:02:11 - ONBATT: UPS ups@localhost on battery x",
    ]


@pytest.mark.scene("outage")
def test_63_in_the_real_chain(facts: Facts) -> None:
    pattern = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d - [A-Z]+: .+"
    assert all(re.fullmatch(pattern, line) for line in facts["events"])
    assert re.search(r" - START: upsmon \d+\.\d+\.\d+, usbhidups ", facts["events"][0])


def test_64_twenty_at_once(active: Active, tmp_path: Path) -> None:
    note = tmp_path / "active.json"
    note.write_text(replace(active, notify_to=()).as_text())
    command = [sys.executable, "-m", "usbhidups", "notify", "--active", str(note), "--"]
    running = [
        subprocess.Popen(
            [*command, f"event {n} " + "x" * 200], env={**os.environ, "NOTIFYTYPE": "ONBATT"}
        )
        for n in range(20)
    ]
    assert [process.wait(60) for process in running] == [0] * 20
    lines = Path(active.event_log).read_text().splitlines()
    found = [re.fullmatch(r".{19} - ONBATT: event (\d+) x{200}", line) for line in lines]
    assert sorted(int(match[1]) for match in found if match) == list(range(20))


def test_the_log_is_bounded_and_keeps_its_first_line(tmp_path: Path) -> None:
    log = tmp_path / "log"
    start_log(log, "first")

    def write() -> None:
        for _ in range(300):
            append_event(log, event_line(WHEN, "ONBATT", "x" * 300))

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = log.read_text().splitlines()
    assert log.stat().st_size <= LARGEST
    assert lines[0] == "first"
    assert len({len(line) for line in lines[1:]}) == 1
    assert last_events(log, 4) == lines[-4:]


@pytest.mark.scene("override_files")
def test_65_timers_of_upssched(facts: Facts) -> None:
    assert facts["timers"] == ["early", "online"]  # "late" was cancelled by ONLINE


def test_65_an_override_without_its_files_is_doubted() -> None:
    made = plan({"upssched.conf": "CMDSCRIPT /x\nPIPEFN /tmp/pipe\n"}, UPS_DRIVER="usbhid-ups")
    assert [text for text in made.warnings if text.startswith("upssched.conf")] == [
        "upssched.conf: PIPEFN is in a directory that everyone may write to",
        "upssched.conf: LOCKFN is missing, no timer will work",
    ]


def test_66_what_is_mailed(active: Active, tmp_path: Path) -> None:
    assert {
        *("ONLINE", "ONBATT", "LOWBATT", "FSD", "SHUTDOWN"),
        *("COMMOK", "COMMBAD", "REPLBATT", "NOPARENT"),
    } == MAILED
    for kind in ("NOCOMM", "OTHER", "ALARM", "CAL", "SOMETHING"):
        assert say(active, kind) == 0
    assert len(Path(active.event_log).read_text().splitlines()) == 5
    assert "RBWARNTIME 43200\n" in text_of(plan(UPS_DRIVER="usbhid-ups"), "upsmon.conf")


def test_66_flags_by_version() -> None:
    usb = {"UPS_DRIVER": "usbhid-ups"}
    old = text_of(plan_for(usb, version=(2, 8, 0)), "upsmon.conf")
    new = text_of(plan_for(usb, version=(2, 8, 5)), "upsmon.conf")
    assert "ALARM" not in old
    assert "OFFDURATION" not in old
    for name in ("ONBATT", "SHUTDOWN", "NOCOMM"):
        assert f"NOTIFYFLAG {name} SYSLOG+EXEC\n" in old
    assert "NOTIFYFLAG CAL SYSLOG+EXEC\n" in new
    assert "ALARMCRITICAL 0\n" in new
    for name in ("ALARM", "NOTALARM", "OTHER", "NOTOTHER"):
        assert f"NOTIFYFLAG {name} SYSLOG\n" in new  # device text: never through a shell


@pytest.mark.scene("driver_on_battery")
def test_69_the_alarm_of_a_stranger_is_not_run(facts: Facts) -> None:
    assert facts["pwned"] is False
