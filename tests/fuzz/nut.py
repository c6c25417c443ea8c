"""What clients write to the state socket, and ups.conf."""

from __future__ import annotations

import contextlib

from usbhidups.errors import ConfigError
from usbhidups.nut.session import Session
from usbhidups.nut.store import MAX_LINE, NAME, Published, VariableStore
from usbhidups.nut.upsconf import driver_options, parse_upsconf

__all__ = ["published", "published_seeds", "session", "session_seeds", "upsconf", "upsconf_seeds"]


def session(data: bytes) -> None:
    """Any bytes are requests, the same however they are cut into pieces."""
    whole = Session().receive(data)
    pieces = Session()
    cut = [
        request for place in range(len(data)) for request in pieces.receive(data[place : place + 1])
    ]
    assert cut == whole
    for request in whole:
        reason = getattr(request, "reason", "")
        assert reason.isascii()
        assert len(reason) < 300


def session_seeds() -> list[bytes]:
    """What upsd and our own client say."""
    return [
        b"DUMPALL\nPING\nGETPID\nDUMPSTATUS\nDUMPVALUE ups.status\n",
        b"INSTCMD test.battery.start.quick TRACKING 0a1b\n",
        b'SET battery.charge.low "20" TRACKING 2\nSET ups.id "a \\"b\\" \\\\"\n',
        b"NOBROADCAST\nBROADCAST 1\nLOGOUT\nPING\n",
        b"INSTCMD shutdown.return 30\n",
    ]


def published(data: bytes) -> None:
    """Whatever a device says, the lines to clients are whole, bounded and printable ASCII."""
    name, _, rest = data.partition(b"\n")
    text, _, other = rest.partition(b"\n")
    word = name.decode("latin-1")
    if not NAME.fullmatch(word):
        word = "ups.model"
    store = VariableStore()
    lines = store.apply(
        {
            word: Published(
                text.decode("utf-8", "replace"), writable=bool(len(other) % 2), string=True
            ),
            "ups.test": Published(
                other.decode("utf-16-le", "replace"), enum=(text.decode("latin-1"),)
            ),
        },
        ["beeper.mute"],
        fresh=True,
    )
    for line in (lines + store.dump()).split(b"\n")[:-1]:
        assert len(line) < MAX_LINE
        assert all(32 <= byte < 127 for byte in line)
        assert line.count(b'"') - line.count(b'\\"') in (0, 2) or b"\\\\" in line


def published_seeds() -> list[bytes]:
    """Names with texts in them."""
    return [
        b'ups.model\nSmart \x1b[31m "1500" \\ \n \r\nC',
        b"ups.mfr\n" + "Ж €".encode() + b"\nA\0B\0",
        b"battery.date\n" + 300 * b"\\" + b"\n",
    ]


def upsconf(data: bytes) -> None:
    """Any text is an ups.conf whose sections give options, or a ConfigError."""
    with contextlib.suppress(ConfigError):
        parsed = parse_upsconf(data.decode("utf-8", "replace"), where="ups.conf")
        for name in parsed.sections:
            with contextlib.suppress(ConfigError):
                options = driver_options(parsed.settings(name), program="usbhidups")
                assert options.pollinterval >= 0.1
                assert all(NAME.fullmatch(each) for each in options.overrides)


def upsconf_seeds() -> list[bytes]:
    """As people write them."""
    return [
        b"maxretry = 3\n[a]\n driver = usbhidups\n port = auto\n pollinterval = 5\n pollonly\n",
        b'[b]\n driver=usbhid-ups\n port=usbip://[::1]:3240/1-1.2\n serial = "A.*\\"1"\n',
        b"[c]\nport = replay:/x\noverride.battery.charge.low = 30\ndefault.ups.id = x # y\n",
        b"[d]\nport=auto\nvendorid=0764\nproductid=0501\nsubdriver=cps\nsdcommands = a.b,c\n",
        b"[e]\nport=auto\noffdelay=30\nondelay=-1\nreconnect_max_tries=5\nlbrb_log_delay_sec=x\n",
    ]
