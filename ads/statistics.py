"""Accepted messages by day: counted once, kept when the ledger's rows are gone. No creative, no language, no person."""

from __future__ import annotations

import json
from datetime import date

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from ads.ledger.days import accepted_between
from ads.models import AdDayFigures, Impression
from sessions.statistics.service import Pair


def make(db: Session, day: date) -> dict[Pair, int]:
    """How many messages were accepted on this local day and earned a lease that a gateway confirmed."""
    found: dict[Pair, int] = {}
    for within in accepted_between(db, day, day):
        rows = db.execute(
            select(Impression.network_id, Impression.site_id, func.count())
            .where(within, Impression.creative_id.is_not(None), Impression.confirmed_at.is_not(None))
            .group_by(Impression.network_id, Impression.site_id)
        )
        found |= {(network_id, site_id): accepted for network_id, site_id, accepted in rows}
    return dict(sorted(found.items()))


def store(db: Session, day: date, made: dict[Pair, int]) -> None:
    """Write them, in the place of those that are there."""
    db.execute(delete(AdDayFigures).where(AdDayFigures.day == day))
    rows = [
        {"day": day, "network_id": network_id, "site_id": site_id, "accepted": accepted}
        for (network_id, site_id), accepted in sorted(made.items())
    ]
    if rows:
        db.execute(insert(AdDayFigures), rows)


def read(db: Session, first: date, last: date) -> dict[Pair, int]:
    """The sums of the days from `first` to `last`, both included."""
    rows = db.execute(
        select(AdDayFigures.network_id, AdDayFigures.site_id, func.sum(AdDayFigures.accepted))
        .where(AdDayFigures.day >= first, AdDayFigures.day <= last)
        .group_by(AdDayFigures.network_id, AdDayFigures.site_id)
    )
    return {(network_id, site_id): int(accepted) for network_id, site_id, accepted in rows}


def canonical(db: Session, day: date) -> bytes:
    """What is kept of a day, as lines of JSON: equal figures give equal bytes."""
    rows = read(db, day, day)
    return b"".join(
        json.dumps({"accepted": accepted, "network_id": network_id, "site_id": site_id}).encode() + b"\n"
        for (network_id, site_id), accepted in sorted(rows.items())
    )
