"""When the access points of a school are on the air, for the days ahead, so that a gateway keeps it by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from sites import opening_hours
from sites.models import Site, SiteKind
from sites.schools.models import ClassStop, SchoolLine, TabletClass
from sites.schools.timetable import Stretch, WifiRule, on_at, wifi_on

# Two weeks: whoever is left alone for longer repeats the last week of them, which knows no press of a button.
DAYS_AHEAD = 14


@dataclass(frozen=True, slots=True)
class WifiPlan:
    """The wifi is on in these stretches and off between them, up to `until`."""

    until: datetime
    on: tuple[Stretch, ...]


def plan(db: Session, site: Site, *, now: datetime) -> WifiPlan | None:
    """What holds at this site from its midnight on; None where its wifi stays on whatever the hour."""
    if site.kind is not SiteKind.SCHOOL:
        return None
    line = db.get(SchoolLine, site.id)
    if line is None or line.wifi is WifiRule.ALWAYS:
        return None
    start = datetime.combine(site.local_day(now), datetime.min.time(), tzinfo=site.tzinfo).astimezone(UTC)
    span = start, start + timedelta(days=DAYS_AHEAD)
    hours = opening_hours.parse(line.wifi_hours, site.school_zone) if line.wifi_hours else None
    stops = _stops(db, site) if line.wifi is WifiRule.CLASSES else []
    classes = [on_at(stop.stop, stop.tablet_class.press, *span) for stop in stops]
    return WifiPlan(span[1], tuple(wifi_on(line.wifi, hours, site.tzinfo, classes, span)))


def _stops(db: Session, site: Site) -> list[ClassStop]:
    """Where classes in use may be on at this site, with all their schools."""
    every = joinedload(ClassStop.tablet_class).selectinload(TabletClass.stops).joinedload(ClassStop.site)
    found = select(ClassStop).join(TabletClass).where(ClassStop.site_id == site.id)
    return list(
        db.scalars(
            found.where(TabletClass.retired.is_(False)).options(every, selectinload(ClassStop.site)),
            execution_options={"populate_existing": True},
        )
    )
