"""Devices of the register, for tests."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.fixed_devices.models import FixedDevice
from auth.fixed_devices.records import FIXED_DEVICES
from sites.import_export.records import import_records
from sites.import_export.rows import Row
from sites.models import Network
from tests.clock import NOON

CAMERA_MAC = "02:00:00:00:0c:01"
CAMERA = {
    "slug": "cam-gare",
    "name": "Camera of the kiosk",
    "kind": "camera",
    "owner": "Kiosque de la Gare SARL",
    "purpose": "The entrance of the kiosk",
    "contact": "03 81 00 00 00",
    "site": "gare-viotte",
    "network": "wifilib",
    "mac": CAMERA_MAC,
    "destinations": "203.0.113.10 tcp/8443; 2001:db8::/32",
    "contract_end": "2027-08-31",
    "sign_reference": "Arrêté 25-2026-117",
    "sign_from": "2026-01-15",
    "sign_until": "2031-01-14",
}


def admit_devices(db: Session) -> None:
    """The free network admits managed devices too."""
    network = db.scalars(select(Network).where(Network.slug == "wifilib")).one()
    network.signin_methods = ["free", "managed"]
    db.flush()


def register_device(db: Session, *, now: datetime = NOON, **cells: str) -> FixedDevice:
    """A camera at the station, with other cells where they are given."""
    row = Row("form", {**CAMERA, **cells})
    import_records(db, FIXED_DEVICES, [row], by="tests", now=now)
    return db.scalars(select(FixedDevice).where(FixedDevice.slug == row.cells["slug"])).one()
