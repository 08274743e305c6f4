"""What is wrong with fixed devices: an unusual silence, a contract or an authorisation that ends."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy.orm import Session

from auth.fixed_devices import register
from auth.fixed_devices.contracts import TOLD_AFTER, TOLD_BEFORE, end_of
from auth.fixed_devices.models import DeviceKind, FixedDevice
from sessions.managed.presence import Standing, look
from sessions.troubles import kinds
from sessions.troubles.service import Detector, Found


def silent_devices(db: Session, now: datetime) -> Iterator[Found]:
    """Devices that have been silent for longer than they are, and those that were never seen."""
    for one in look(db, now=now):
        if one.since is None:
            continue
        is_late = one.standing is Standing.NEVER_SEEN and now - one.since >= one.rhythm.alarm_after
        if one.standing is Standing.SILENT or is_late:
            yield _found(kinds.DEVICE_SILENT, one.device, one.since)


def contracts(db: Session, now: datetime) -> Iterator[Found]:
    """Contracts and authorisations of cameras that end within a month, and those that ended lately."""
    for device in register.active(db):
        ends = device.ends_at
        if now < ends <= now + TOLD_BEFORE:
            yield _found(kinds.CONTRACT_ENDING, device, ends - TOLD_BEFORE, until=ends)
        elif ends <= now < ends + TOLD_AFTER:
            yield _found(kinds.CONTRACT_ENDED, device, ends, until=ends)
        if device.kind is DeviceKind.CAMERA and device.sign_until is not None:
            over = end_of(device.sign_until, device.tzinfo)
            if over <= now + TOLD_BEFORE:
                yield _found(kinds.AUTHORISATION_ENDING, device, over - TOLD_BEFORE, until=over)


def _found(
    kind: kinds.TroubleKind, device: FixedDevice, since: datetime, *, until: datetime | None = None
) -> Found:
    detail: dict[str, object] = {"device": device.name, "owner": device.owner, "site": device.site.name}
    if until is not None:
        detail["until"] = until.isoformat()
    return Found(kind, device.slug, since, networks=(device.network.slug,), detail=detail)


DETECTORS = (
    Detector("silent_devices", (kinds.DEVICE_SILENT,), silent_devices),
    Detector(
        "contracts",
        (kinds.CONTRACT_ENDING, kinds.CONTRACT_ENDED, kinds.AUTHORISATION_ENDING),
        contracts,
    ),
)
