"""What became of a day's acceptances at the gateways, and how many devices they reached: made once the day is final.

Each acceptance has one lease. Either the gateway has confirmed it, or there is a reason why not.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import case, func, literal, select, update
from sqlalchemy.orm import Session

from ads.ledger.days import accepted_between
from ads.ledger.models import CampaignReach
from ads.ledger.served import Key
from ads.models import Creative, CreativeDay, Impression
from sessions.models import AccessSession, Lease
from sessions.statistics.calendar import first_of_month
from sessions.statistics.sketch import Sketch, count


class Failure(enum.StrEnum):
    """Why an acceptance has no confirmation of the gateway."""

    # The gateway could not carry it out.
    REFUSED = "refused"
    # It ended before the gateway had confirmed it: the guest left, was moved, was ended.
    ENDED = "ended"
    # The gateway was not heard until its time was over.
    UNHEARD = "unheard"
    # The session's rows were erased before the gateway had confirmed it.
    ERASED = "erased"
    # It runs, and the gateway has not confirmed it yet. None of these is left once the day is final.
    WAITING = "waiting"


CONFIRMED = "confirmed"


@dataclass(slots=True)
class Fates:
    """What became of the acceptances of one creative's day at one site of a network."""

    confirmed: int = 0
    failures: Counter[str] = field(default_factory=Counter)

    def add(self, fate: str, many: int) -> None:
        if fate == CONFIRMED:
            self.confirmed += many
        else:
            self.failures[fate] += many


def fates(db: Session, day: date, *, now: datetime) -> dict[Key, Fates]:
    """What became of the acceptances of this local day, from the ledger."""
    fate = case(
        (Impression.confirmed_at.is_not(None), literal(CONFIRMED)),
        (Lease.id.is_(None), literal(Failure.ERASED.value)),
        (Lease.refused.is_not(None), literal(Failure.REFUSED.value)),
        (Lease.released_at.is_not(None), literal(Failure.ENDED.value)),
        (Lease.until <= now, literal(Failure.UNHEARD.value)),
        else_=literal(Failure.WAITING.value),
    ).label("fate")
    found: dict[Key, Fates] = {}
    for within in accepted_between(db, day, day):
        keys = (Impression.creative_id, Impression.network_id, Impression.site_id)
        rows = db.execute(
            select(*keys, fate, func.count())
            .outerjoin(Lease, Lease.id == Impression.lease_id)
            .where(within, Impression.creative_id.is_not(None))
            .group_by(*keys, fate)
        )
        for creative_id, network_id, site_id, which, many in rows:
            assert creative_id is not None
            found.setdefault((creative_id, day, network_id, site_id), Fates()).add(which, many)
    return found


def reached(db: Session, day: date, *, salt: bytes) -> dict[int, Sketch]:
    """The sketch of the devices that accepted a message of each campaign on this local day."""
    devices: dict[int, set[str]] = {}
    for within in accepted_between(db, day, day):
        rows = db.execute(
            select(Creative.campaign_id, AccessSession.mac)
            .join(Impression, Impression.creative_id == Creative.id)
            .join(AccessSession, AccessSession.id == Impression.access_id)
            .where(within)
            .distinct()
        )
        for campaign_id, mac in rows:
            devices.setdefault(campaign_id, set()).add(mac)
    return {campaign_id: count(own, salt=salt) for campaign_id, own in sorted(devices.items())}


def store(db: Session, day: date, made: Mapping[Key, Fates], reaches: Mapping[int, Sketch]) -> None:
    """Write them, once for each day: the caller has claimed it."""
    for (creative_id, of_day, network_id, site_id), own in sorted(made.items()):
        db.execute(
            update(CreativeDay)
            .where(
                CreativeDay.creative_id == creative_id,
                CreativeDay.day == of_day,
                CreativeDay.network_id == network_id,
                CreativeDay.site_id == site_id,
            )
            .values(confirmed=own.confirmed, failures=dict(own.failures))
            .execution_options(synchronize_session=False)
        )
    month = first_of_month(day)
    for campaign_id, sketch in reaches.items():
        row = db.get(CampaignReach, (campaign_id, month))
        if row is None:
            db.add(
                CampaignReach(
                    campaign_id=campaign_id, month=month, devices=sketch.estimate(), sketch=sketch.to_bytes()
                )
            )
        elif row.sketch is not None:
            whole = Sketch.from_bytes(row.sketch)
            whole.merge(sketch)
            row.devices, row.sketch = whole.estimate(), whole.to_bytes()


def forget_sketches(db: Session, month: date) -> None:
    """Keep of a closed month the numbers alone."""
    db.execute(
        update(CampaignReach)
        .where(CampaignReach.month == month)
        .values(sketch=None)
        .execution_options(synchronize_session=False)
    )
