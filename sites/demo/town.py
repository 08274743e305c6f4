"""Puts the demo town into a database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from sites.import_export import NETWORKS, SITES, ImportResult, import_records
from sites.models import Site, SiteState

FILES = Path(__file__).parent
ZONE = ZoneInfo("Europe/Paris")
# For AROBASE_MAP_FILE.
MAP_FILE = FILES / "map.geojson"


@dataclass(frozen=True, slots=True)
class DemoResult:
    networks: ImportResult
    sites: ImportResult


def load_demo(db: Session, *, now: datetime, by: str = "demo") -> DemoResult:
    """Add the networks and sites of the demo town that are not there yet; live ones are live since `now`.

    Existing rows are left as they are, so that starting again undoes no change.
    """
    networks = import_records(
        db, NETWORKS, (FILES / "networks.csv").read_bytes(), by=by, now=now, only_new=True
    )
    sites = import_records(db, SITES, (FILES / "sites.csv").read_bytes(), by=by, now=now, only_new=True)
    for site in db.scalars(select(Site).where(Site.slug.in_(sites.created), Site.state == SiteState.LIVE)):
        site.state_since = now
    db.flush()
    return DemoResult(networks, sites)
