"""A UPS on this host's own USB: found in sysfs, told apart by ups.conf's keys, opened time and again.

Once opened, the same place is looked at first when it has to be opened again; a device that moved to
another port is found by its ids and strings. Two devices that match equally well are refused by name,
never picked by chance (failure C10). Every HID device that was passed over is accounted for (G08).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from usbhidups.errors import ConfigError, DeviceNotFound, UsbHidUpsError
from usbhidups.identity import Identity
from usbhidups.usb import discover
from usbhidups.usb.candidates import (
    REFUSALS,
    Backend,
    ListedCandidate,
    OpenCandidate,
    SysfsCandidate,
    open_candidate,
    together,
)
from usbhidups.usb.discover import DEV, SYSFS, Candidate, Criteria, Maybe, has_usb
from usbhidups.usb.handle_transport import Choice
from usbhidups.usb.libusb import Libusb
from usbhidups.usb.locks import DeviceLock
from usbhidups.usb.transport import Transport

__all__ = ["Host", "LocalPort"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """Where this host shows its devices; other roots in tests."""

    sysfs: Path = SYSFS
    dev: Path = DEV
    libusb: Libusb = field(default_factory=Libusb)


class LocalPort:
    """``port = auto``: the device that ups.conf means. Satisfies ``ports.Port``."""

    def __init__(
        self,
        *,
        maybe: Maybe,
        match: Criteria | None = None,
        way: Backend = Backend.AUTO,
        choice: Choice | None = None,
        duplicates: bool = False,
        lock_dir: Path | None = None,
        host: Host | None = None,
    ) -> None:
        """``duplicates``: of several devices that match, the first that is free will do."""
        self._maybe = maybe
        self._match = match
        self._way = way
        self._choice = choice or Choice()
        self._duplicates = duplicates
        self._lock_dir = lock_dir
        self._host = host or Host()
        self._last: Identity | None = None
        self._lock: DeviceLock | None = None
        self._locked = ""

    def open(self) -> Transport:
        """Find and open the device.

        Raises DeviceNotFound (none, or several), AccessDenied, DeviceBusy, DeviceGone, DescriptorError;
        the text accounts for every HID device that was looked at.
        """
        candidates, passed_over = self._candidates()
        if not candidates:
            raise DeviceNotFound("; ".join(["no UPS found on this host's USB", *passed_over]))
        errors: list[UsbHidUpsError] = []
        for candidate in self._picked(candidates):
            try:
                return self._open(candidate)
            except REFUSALS as error:
                errors.append(error)
        raise errors[0] if len(errors) == 1 else together(errors)

    def close(self) -> None:
        """Let other drivers have the device."""
        if self._lock is not None:
            self._lock.release()
        self._lock = None
        self._locked = ""

    def _candidates(self) -> tuple[list[OpenCandidate], list[str]]:
        """The devices that are meant, and one reason for each other HID device."""
        seen = discover.candidates(self._maybe, sysfs=self._host.sysfs, dev=self._host.dev)
        candidates: list[OpenCandidate] = []
        passed_over: list[str] = []
        for candidate in seen:
            why_not = candidate.why_not or self._unlike(candidate.identity)
            if why_not:
                passed_over.append(f"{candidate.name}: {why_not}")
            else:
                candidates.append(SysfsCandidate(candidate, self._choice, self._host.libusb))
        if not candidates and self._may_list():
            self._list(seen, candidates, passed_over)
        return candidates, passed_over

    def _may_list(self) -> bool:
        """libusb's own list is asked where there is no sysfs, or when libusb was asked for by name."""
        if self._way is Backend.HIDRAW:
            return False
        return self._way is Backend.LIBUSB or not has_usb(sysfs=self._host.sysfs)

    def _list(
        self, seen: Sequence[Candidate], candidates: list[OpenCandidate], passed_over: list[str]
    ) -> None:
        """Add what libusb knows and sysfs does not; their strings are compared once they are open."""
        known = {(each.identity.bus, each.identity.address) for each in seen}
        try:
            listed = self._host.libusb.listed()
        except ConfigError as error:
            passed_over.append(str(error))
            return
        for each in listed:
            if not each.hid or (each.bus, each.address) in known:
                continue
            candidate = ListedCandidate(each, self._choice, self._host.libusb)
            why_not = self._unlike(candidate.identity, strings=False)
            if not self._maybe(each.vendor_id, each.product_id):
                why_not = "its ids are no known UPS's"
            if why_not:
                passed_over.append(f"{candidate.name}: {why_not}")
            else:
                candidates.append(candidate)

    def _picked(self, candidates: Sequence[OpenCandidate]) -> Sequence[OpenCandidate]:
        """The candidates to try, in order: one, unless any of several will do."""
        if self._last is not None:
            for facts in (_place, _person):
                agreeing = [
                    candidate
                    for candidate in candidates
                    if facts(candidate.identity) == facts(self._last)
                ]
                if len(agreeing) == 1:
                    return agreeing
        if len(candidates) == 1 or self._duplicates:
            return candidates
        names = ", ".join(candidate.name for candidate in candidates)
        raise DeviceNotFound(
            f"{len(candidates)} UPSes match ({names}): say which one by serial, busport or another key"
        )

    def _open(self, candidate: OpenCandidate) -> Transport:
        self._take_lock(candidate.identity.port_path)
        try:
            transport = open_candidate(candidate, self._way)
        except BaseException:
            if self._last is None:  # not ours yet
                self.close()
            raise
        why_not = self._unlike(transport.identity)
        if why_not:
            transport.close()
            raise DeviceNotFound(f"{candidate.name}: {why_not}")
        self._last = transport.identity
        return transport

    def _unlike(self, identity: Identity, *, strings: bool = True) -> str:
        """Why a device is not the one that is meant, "" when it is."""
        return ", ".join(self._match.mismatches(identity, strings=strings)) if self._match else ""

    def _take_lock(self, place: str) -> None:
        if self._lock_dir is None or self._locked == place:
            return
        self.close()
        self._lock = DeviceLock.take(self._lock_dir, place)
        if self._lock is None:
            self._lock_dir = None  # it said so once
        else:
            self._locked = place


def _place(who: Identity) -> tuple[object, ...]:
    return who.port_path, who.vendor_id, who.product_id


def _person(who: Identity) -> tuple[object, ...]:
    return who.vendor_id, who.product_id, who.manufacturer, who.product, who.serial
