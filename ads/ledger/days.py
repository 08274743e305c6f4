"""The acceptances of local days: each site's by its own zone."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from ads.models import Impression
from sessions.statistics.calendar import span_of
from sites.models import Site


def accepted_between(db: Session, first: date, last: date) -> list[ColumnElement[bool]]:
    """Conditions for the days from `first` to `last`, both included: one for the sites of each zone."""
    by_zone: defaultdict[str, list[int]] = defaultdict(list)
    for site_id, zone in db.execute(select(Site.id, Site.zone)):
        by_zone[zone].append(site_id)
    return [
        and_(
            Impression.accepted_at >= span_of(first, zone).start,
            Impression.accepted_at < span_of(last, zone).end,
            Impression.site_id.in_(sites),
        )
        for zone, sites in sorted(by_zone.items())
    ]
