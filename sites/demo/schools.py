"""Puts the schools of the demo town, their classes and their tablets into a database."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from sites.demo.town import FILES
from sites.import_export import (
    NETWORKS,
    SCHOOL_LINES,
    SITES,
    TABLET_CLASSES,
    TABLETS,
    ImportResult,
    Records,
    import_records,
)
from sites.models import Site

# In the order in which they refer to each other.
KINDS: dict[str, Records] = {
    "schools_networks": NETWORKS,
    "schools": SITES,
    "school_lines": SCHOOL_LINES,
    "tablet_classes": TABLET_CLASSES,
    "tablets": TABLETS,
}


def load_schools(db: Session, *, now: datetime, by: str = "demo") -> dict[str, ImportResult]:
    """Add the schools that are not there yet, with all that belongs to them, live since `now`; by the file's name.

    Existing rows are left as they are, so that starting again undoes no change.
    """
    done = {
        name: import_records(db, records, (FILES / f"{name}.csv").read_bytes(), by=by, now=now, only_new=True)
        for name, records in KINDS.items()
    }
    new = select(Site.id).where(Site.slug.in_(done["schools"].created))
    db.execute(update(Site).where(Site.id.in_(new)).values(state_since=now))
    db.flush()
    return done
