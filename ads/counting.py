"""What counts of an acceptance: towards the caps of its campaign, and in the figures of its creative's day."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from ads.ledger import served
from ads.models import Campaign, CampaignDay, Creative, CreativeDay
from sites.models import Gateway


class Capped(NamedTuple):
    """The campaign of a creative with its caps. All is None of a creative that there is not."""

    campaign_id: int | None
    daily_cap: int | None
    total_cap: int | None


def count(db: Session, creative_id: int, campaign: Capped, *, gateway: Gateway, now: datetime) -> bool:
    """Count an acceptance of this creative of `campaign` here; False where a cap was reached before, and where there is
    no such creative.

    However many there are at once, no more than the cap are counted.
    """
    if campaign.campaign_id is None:
        return False
    day = gateway.site.local_day(now)
    is_capped = campaign.daily_cap or campaign.total_cap
    is_counted = not is_capped or _claim(db, campaign.campaign_id, campaign.daily_cap, day)
    # Whoever accepts a message was served it and has viewed it, whether or not that was written down before.
    served.add(
        db,
        (creative_id, day, gateway.network_id, gateway.site_id),
        served=1,
        viewed=1,
        accepted=int(is_counted),
        over_cap=int(not is_counted),
    )
    return is_counted


def _claim(db: Session, campaign_id: int, daily_cap: int | None, day: date) -> bool:
    """Take one of what the caps leave, in all and of this day: both or none."""
    of_all = db.scalars(
        update(Campaign)
        .where(
            Campaign.id == campaign_id,
            or_(Campaign.total_cap.is_(None), Campaign.claimed < Campaign.total_cap),
        )
        .values(claimed=Campaign.claimed + 1)
        .returning(Campaign.id)
        .execution_options(synchronize_session=False)
    ).first()
    if of_all is None:
        return False
    if daily_cap is None:
        return True
    # The campaign's row is locked from here on: its days change one at a time.
    insert = postgresql.insert if db.get_bind().dialect.name == "postgresql" else sqlite.insert
    of_day = db.scalars(
        insert(CampaignDay)
        .values(campaign_id=campaign_id, day=day, claimed=1)
        .on_conflict_do_update(
            index_elements=[CampaignDay.campaign_id, CampaignDay.day],
            set_={"claimed": CampaignDay.claimed + 1},
            where=CampaignDay.claimed < daily_cap,
        )
        .returning(CampaignDay.claimed)
    ).first()
    if of_day is None:
        db.execute(
            update(Campaign)
            .where(Campaign.id == campaign_id)
            .values(claimed=Campaign.claimed - 1)
            .execution_options(synchronize_session=False)
        )
    return of_day is not None


def counted(db: Session, campaign_id: int) -> int:
    """What was counted of a campaign so far."""
    return int(
        db.scalar(
            select(func.coalesce(func.sum(CreativeDay.accepted), 0))
            .join(Creative, Creative.id == CreativeDay.creative_id)
            .where(Creative.campaign_id == campaign_id)
        )
        or 0
    )
