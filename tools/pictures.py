"""Pictures of the tools for the documents: ``make pictures`` writes docs/pictures/*.svg.

A recorded UPS is simulated on a clock of its own, the driver's own parts read it, and the views are drawn from
what they say: the same tree gives the same pictures, byte for byte. No network, no terminal, no waiting.
"""

from __future__ import annotations

import datetime
import io
import re
import sys
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

from rich.console import Console, Group, RenderableType
from rich.terminal_theme import MONOKAI

from tests.simulator.transport import DirectTransport, VirtualClock
from usbhidups.appliance.web.history import History
from usbhidups.appliance.web.page import fragment
from usbhidups.appliance.web.snapshot import Snapshot as WebSnapshot
from usbhidups.appliance.web.snapshot import UpsView
from usbhidups.attach import attach
from usbhidups.errors import TransferFailed
from usbhidups.execute import execute
from usbhidups.hid.descriptor import ReportType
from usbhidups.simulator.device import SimulatedDevice
from usbhidups.simulator.setup import look
from usbhidups.tools.live_view.drawing import picture as stage_picture
from usbhidups.tools.probe.card import card
from usbhidups.tools.probe.look import Plan
from usbhidups.tools.probe.prober import Prober
from usbhidups.tools.probe.problem import judge
from usbhidups.tools.probe.subject import Opened
from usbhidups.tools.status.live import Watch
from usbhidups.tools.status.snapshot import Snapshot
from usbhidups.tools.status.sockets import DriverSocket
from usbhidups.ups.device import Ups
from usbhidups.ups.loading.library import Library
from usbhidups.ups.options import Options
from usbhidups.ups.plan import ReadRequest, WritePlan
from usbhidups.ups.reading.wanted import request
from usbhidups.usb.fixture import load

__all__ = ["PICTURES", "pictures"]

ROOT = Path(__file__).parent.parent
PICTURES = ROOT / "docs" / "pictures"
FIXTURE = ROOT / "fixtures/hid-descriptors/0764-0501-cyberpower-cp1500epfclcd.toml"
STYLE = ROOT / "usbhidups/appliance/web/static/style.css"

WIDTH, HEIGHT = 80, 24
MORNING = datetime.datetime(2026, 3, 1, 6, 0, 0, tzinfo=datetime.UTC)

SVG = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: monospace; font-size: {char_height}px; line-height: {line_height}px; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" \
height="{terminal_height}"/></clipPath>{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}<g class="{unique_id}-matrix">{matrix}</g>
</g>
</svg>
"""
"""What rich fills in; its own form has fonts fetched from somewhere by whoever looks."""


class Story:
    """One simulated UPS and the driver's view of it; ``wait`` lets both go on."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.turn = 0
        fixture = load(FIXTURE)
        self.device = SimulatedDevice(fixture, now=0.0)
        self.device.gadget.plug("1-1", 1, 2)
        self._transport = DirectTransport(fixture, self.device, self.clock)
        attached = attach(
            self._transport, Library(), Options(), subdriver="", now=0.0, zone=datetime.UTC
        )
        self._ups: Ups = attached.ups
        self._read()

    def now(self) -> float:
        """The host's time."""
        return self.clock.now

    def sleep(self, seconds: float) -> None:
        """Only time passes."""
        self.clock.sleep(seconds)

    def subject(self) -> Opened:
        """The device as probe finds it on a host's bus."""
        identity = replace(self._transport.identity, port_path="1-4", bus=1, address=7)
        why = "the kernel's driver is bound and its node may be opened; nothing is taken from it"
        return Opened(
            identity, self._transport, "hidraw", why, (), lambda error: judge(error, None)
        )

    def do(self, *commands: str) -> None:
        """Commands of docs/simulator.md."""
        for command in commands:
            self.device.command(command, self.clock.now)

    def wait(self, seconds: float) -> None:
        """Time passes; the driver reads what is due."""
        self.clock.sleep(seconds)
        self._read()

    def kill_power(self) -> None:
        """The late step of a shutdown."""
        plan = self._ups.killpower(now=self.clock.now)
        if isinstance(plan, WritePlan):
            execute(plan, self._transport, sleep=self.clock.sleep, now=self.clock)

    def variables(self) -> dict[str, str]:
        """What the driver publishes now."""
        return {
            name: value.text for name, value in self._ups.view(self.clock.now).variables.items()
        }

    def time(self) -> datetime.datetime:
        """The clock on the wall."""
        return MORNING + datetime.timedelta(seconds=self.clock.now)

    def read_everything(self) -> None:
        """All of its reports at this moment: what is shown then does not depend on when what is due."""
        binding = self._ups.binding
        self._read_these(
            request(binding, key)
            for key in binding.descriptor.report_bytes
            if key[0] is ReportType.FEATURE
        )

    def _read(self) -> None:
        self._read_these(self._ups.reads_due(self.clock.now))

    def _read_these(self, requests: Iterable[ReadRequest]) -> None:
        for due in requests:
            feature = due.report_type is ReportType.FEATURE
            get = self._transport.get_feature if feature else self._transport.get_input
            try:
                data = get(due.report_id, due.size, timeout=1.0)
            except TransferFailed as error:
                self._ups.read_failed(due, error.kind, now=self.clock.now)
            else:
                self._ups.got_report(due.report_type, data, now=self.clock.now)


def probe_card() -> str:
    """``usbhidups probe``."""
    story = Story()
    subject = story.subject()
    found = Prober(Library(), Plan(), story).findings([subject])

    def draw(console: Console) -> RenderableType:
        return Group(
            *(
                card(replace(each, identity=subject.identity), console, today=MORNING.date())
                for each in found
            )
        )

    return _terminal("usbhidups probe", draw)


def status_view() -> str:
    """``usbhidups status --watch``, while the battery charges after an outage."""
    story = Story()
    story.do("charge 100", "runtime 1500", "load 35")
    happens = {30: "mains off", 45: "load 22", 100: "mains on"}

    def take(socket: DriverSocket) -> Snapshot:
        return Snapshot(socket, story.variables(), fresh=True)

    def sleep(_interval: float) -> None:
        if command := happens.get(story.turn):
            story.do(command)
        story.turn += 1
        for _ in range(5):
            story.wait(1.0)
        story.read_everything()

    socket = DriverSocket("office", "usbhidups", Path("usbhidups-office"))
    watch = Watch([socket], rounds=120, sleep=sleep, look=take, now=story.time)
    snapshots = deque(watch.turns(), maxlen=1).pop()
    return _terminal(
        "usbhidups status --watch office", lambda console: watch.picture(snapshots, console)
    )


def simulate_view() -> str:
    """``usbhidups simulate``, after a kill-power."""
    story = Story()
    story.do("scenario battery-dies")
    for _ in range(255):
        story.wait(1.0)
    story.kill_power()
    story.wait(20.0)
    scene = look(story.device, story.clock.now, holder="127.0.0.1:50412")
    return _terminal(
        "usbhidups simulate --scenario battery-dies ups.toml",
        lambda console: stage_picture([scene], "127.0.0.1:3240", console),
    )


def web_page() -> str:
    """The status page, half a day after an outage: its HTML and style, in one SVG."""
    story = Story()
    history = History()
    story.do("charge 100", "runtime 3600", "load 30")
    for minute in range(12 * 60):
        for number, command in ((240, "mains off"), (262, "mains on"), (400, "load 45")):
            if minute == number:
                story.do(command)
        for _ in range(3):
            story.wait(20.0)
        history.add("ups@localhost", story.variables(), now=story.time().timestamp())
    now = story.time().timestamp()
    story.read_everything()
    variables = story.variables()
    view = UpsView(
        name="ups",
        target="ups@localhost",
        description="Router and switch",
        variables=variables,
        age=0.0,
        logins=2,
        history=history.of("ups@localhost", now=now),
    )
    events = (
        "2026-03-01 10:00:03 - ONBATT: UPS ups@localhost on battery",
        "2026-03-01 10:22:02 - ONLINE: UPS ups@localhost on line power",
    )
    shown = WebSnapshot(when=now, hostname="router", upses=(view,), events=events)
    html = fragment(shown, zone=datetime.UTC)
    html = html.replace(
        "<svg ", '<svg xmlns="http://www.w3.org/2000/svg" '
    )  # XML, unlike HTML, asks for it
    style = STYLE.read_text(encoding="utf-8")
    page = PAGE.format(style=style, content=html)
    ElementTree.fromstring(page)  # noqa: S314 (our own text)
    return page


PAGE = """\
<svg viewBox="0 0 900 610" xmlns="http://www.w3.org/2000/svg">
<foreignObject width="900" height="610">
<body xmlns="http://www.w3.org/1999/xhtml"><style>{style}</style>
<main id="content">
{content}</main></body>
</foreignObject>
</svg>
"""


def _terminal(title: str, draw: Callable[[Console], RenderableType]) -> str:
    """What a terminal of 80 columns shows, and as many lines as it takes."""
    file = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    console = Console(
        file=file,
        width=WIDTH,
        height=HEIGHT,
        record=True,
        force_terminal=True,
        color_system="truecolor",
        markup=False,
        emoji=False,
        highlight=False,
        legacy_windows=False,
        _environ={},
    )
    console.print(draw(console))
    name = re.sub(r"\W+", "-", title)
    return console.export_svg(title=title, theme=MONOKAI, code_format=SVG, unique_id=name) + "\n"


def pictures() -> dict[str, str]:
    """File name to SVG."""
    return {
        "probe.svg": probe_card(),
        "status.svg": status_view(),
        "simulate.svg": simulate_view(),
        "web.svg": web_page(),
    }


def main() -> int:
    """Write them all."""
    PICTURES.mkdir(exist_ok=True)
    for name, text in pictures().items():
        (PICTURES / name).write_text(text, encoding="utf-8")
        print(f"docs/pictures/{name}: {len(text.encode()) / 1024:.0f} KiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
