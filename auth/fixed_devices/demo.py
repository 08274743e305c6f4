"""Puts the fixed devices of the demo town into a database."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.fixed_devices.records import FIXED_DEVICES
from sites.demo.town import FILES
from sites.import_export import ImportResult, import_records
from sites.models import Network, SigninMethod

NETWORK = "wifilib"


def load_devices(db: Session, *, now: datetime, by: str = "demo") -> ImportResult:
    """Add those that are not there yet. None where the free network does not admit devices, as somebody may have
    chosen since."""
    network = db.scalars(select(Network).where(Network.slug == NETWORK)).one_or_none()
    if network is None or not network.allows(SigninMethod.MANAGED):
        return ImportResult((), (), ())
    content = (FILES / "devices.csv").read_bytes()
    return import_records(db, FIXED_DEVICES, content, by=by, now=now, only_new=True)
