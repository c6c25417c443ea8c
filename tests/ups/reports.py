"""A device made of a dictionary of reports: what the tests of ups/ read from and write to."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path

from usbhidups.errors import TransferFailed, TransferKind
from usbhidups.hid.descriptor import Descriptor, ReportType, parse
from usbhidups.identity import Identity
from usbhidups.ups.device import Ups, attach
from usbhidups.ups.loading.choose import choose
from usbhidups.ups.loading.library import Library
from usbhidups.ups.naming import Models
from usbhidups.ups.options import Options
from usbhidups.usb import fixture

__all__ = ["SHARED", "ReportDevice", "identity_of", "library", "load"]

SHARED = Path(__file__).parents[3] / "shared"

_LIBRARY = Library()


class ReportDevice:
    """Reports by type and id, as a transport sees them, and a clock that only moves when told to.

    ``obeys`` False: writes are acknowledged and change nothing. ``refuses`` are report ids whose writes
    stall. Every write that is taken is kept in ``written`` as the corpus writes it.
    """

    def __init__(
        self,
        identity: Identity,
        feature: Mapping[int, bytes],
        events: Mapping[int, bytes],
        strings: Mapping[int, str],
    ) -> None:
        self._identity = identity
        self.feature = dict(feature)
        self.events = dict(events)
        self.strings = dict(strings)
        self.written: list[str] = []
        self.written_at: list[float] = []
        self.reads: list[tuple[ReportType, int]] = []
        self.obeys = True
        self.refuses: set[int] = set()
        self.failing: dict[tuple[ReportType, int], TransferKind] = {}
        self.now = 0.0

    @property
    def identity(self) -> Identity:
        return self._identity

    def report_descriptor(self) -> bytes:
        raise NotImplementedError

    def get_feature(self, report_id: int, size: int, *, timeout: float = 5.0) -> bytes:
        return self._get(ReportType.FEATURE, self.feature, report_id, size)

    def get_input(self, report_id: int, size: int, *, timeout: float = 5.0) -> bytes:
        return self._get(ReportType.INPUT, self.events, report_id, size)

    def _get(
        self, report_type: ReportType, reports: Mapping[int, bytes], report_id: int, size: int
    ) -> bytes:
        self.reads.append((report_type, report_id))
        kind = self.failing.get((report_type, report_id))
        if kind is not None:
            raise TransferFailed(kind, f"get {report_id:02x}")
        if report_id not in reports:
            raise TransferFailed(TransferKind.STALL, f"get {report_id:02x}")
        return reports[report_id][:size]

    def set_feature(self, data: bytes, *, timeout: float = 5.0) -> None:
        if data[0] in self.refuses:
            raise TransferFailed(TransferKind.STALL, f"set {data[0]:02x}")
        self.written.append(f"feature:{data[0]:02x} = {data.hex(' ')}")
        self.written_at.append(self.now)
        if self.obeys:
            self.feature[data[0]] = data

    def wait_input(self, timeout: float) -> bytes | None:
        raise NotImplementedError

    def string(self, index: int, *, timeout: float = 5.0) -> str | None:
        return self.strings.get(index)

    def clear_halt(self) -> None: ...

    def reset(self) -> None: ...

    def interrupt(self) -> None: ...

    def close(self) -> None: ...

    # -- the clock ---------------------------------------------------------------------------

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    # -- reading by the driver's own schedule ------------------------------------------------

    def read_what_is_due(self, ups: Ups) -> int:
        """Fetch once what is due; return how many reports that were."""
        requests = ups.reads_due(self.now)
        for request in requests:
            get = self.get_feature if request.report_type is ReportType.FEATURE else self.get_input
            try:
                data = get(request.report_id, request.size)
            except TransferFailed as error:
                ups.read_failed(request, error.kind, now=self.now)
            else:
                ups.got_report(request.report_type, data, now=self.now)
        for index in ups.strings_wanted():
            ups.got_string(index, self.string(index))
        return len(requests)

    def run(self, ups: Ups, seconds: float) -> int:
        """Let ``seconds`` pass while the driver reads what it wants; return the number of transfers."""
        until = self.now + seconds
        transfers = 0
        while True:
            transfers += self.read_what_is_due(ups)
            ups.view(self.now)
            pause = max(0.001, ups.next_due(self.now))
            if self.now + pause > until:
                self.now = until
                return transfers
            self.now += pause


def library() -> Library:
    """The built-in profiles."""
    return _LIBRARY


def identity_of(device: fixture.Device) -> Identity:
    """What the bus would say of a fixture's device."""
    return Identity(
        vendor_id=device.vendor_id,
        product_id=device.product_id,
        release=device.release or 0,
        manufacturer=device.manufacturer,
        product=device.product,
        serial=device.serial,
        interface=device.interface,
        endpoint_in=device.endpoint_in,
    )


@functools.lru_cache(maxsize=8)
def _read(path: Path) -> tuple[fixture.Fixture, Descriptor]:
    found = fixture.load(path)
    return found, parse(found.descriptor)


def load(path: Path, options: Options | None = None) -> tuple[ReportDevice, Ups, Descriptor]:
    """A fixture's device and the UPS that the profile chosen for it makes of it; nothing read yet."""
    found, descriptor = _read(path)
    identity = identity_of(found.device)
    chosen = choose(_LIBRARY, identity, descriptor)
    models = chosen.profile.identification.models
    ups = attach(
        identity,
        descriptor,
        chosen.profile,
        options or Options(),
        models=Models(_LIBRARY, models) if models else None,
    )
    device = ReportDevice(
        identity,
        {key: data for key, data in found.feature.items() if isinstance(data, bytes)},
        {key: data for key, data in found.input.items() if isinstance(data, bytes)},
        found.device.strings,
    )
    return device, ups, descriptor
