"""A look at pasted text as if it were a device: fields, and what a driver would make of the reports in it."""

from __future__ import annotations

from dataclasses import replace

from usbhidups.errors import DescriptorError
from usbhidups.hid.descriptor import ReportType, parse
from usbhidups.identity import Identity
from usbhidups.tools.probe.clock import MadeUpClock
from usbhidups.tools.probe.fieldrows import field_rows
from usbhidups.tools.probe.finding import Finding
from usbhidups.tools.probe.look import Plan
from usbhidups.tools.probe.pasted import Paste
from usbhidups.tools.probe.replay import look_at_fixture
from usbhidups.ups.loading.library import Library
from usbhidups.usb.fixture import Device, Fixture, Origin, OriginKind

__all__ = ["decode"]


def decode(paste: Paste, library: Library, plan: Plan, *, where: str) -> Finding:
    """What the text shows. Raises DescriptorError when its descriptor has no field, ConfigErrors."""
    fixture = Fixture(
        device=Device(
            vendor_id=paste.vendor_id,
            product_id=paste.product_id,
            release=paste.release,
            manufacturer=paste.manufacturer,
            product=paste.product,
            serial=paste.serial,
        ),
        origin=Origin(kind=OriginKind.DESCRIBED, source=paste.form),
        descriptor=paste.descriptor,
        complete=not paste.lacks,
        feature=dict(paste.feature),
        input=dict(paste.input),
        where=where,
    )
    try:
        found = look_at_fixture(fixture, library, plan, MadeUpClock())
    except DescriptorError as error:
        found = _no_ups(paste, str(error), where)
    lacking = (paste.lacks,) if paste.lacks else ()
    identity = replace(found.identity, port_path=f"decode:{where}")
    return replace(
        found,
        identity=identity,
        transport="text",
        why=paste.form,
        warnings=(*lacking, *found.warnings),
    )


def _no_ups(paste: Paste, problem: str, where: str) -> Finding:
    """Only the fields: some other HID device's descriptor is still worth reading."""
    reports = {(ReportType.FEATURE, key): data for key, data in paste.feature.items()}
    reports |= {(ReportType.INPUT, key): data for key, data in paste.input.items()}
    return Finding(
        identity=Identity(paste.vendor_id, paste.product_id, port_path=where),
        fields=field_rows(parse(paste.descriptor), reports),
        warnings=(problem,),
    )
