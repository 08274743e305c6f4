"""Running campaigns, read for the choice."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from ads.choice import Candidate
from ads.models import Campaign, CampaignState, Creative


def running(db: Session) -> dict[int, tuple[Candidate, Creative]]:
    """The creatives of running campaigns, by id, with what limits each."""
    creatives = db.scalars(
        select(Creative)
        .join(Creative.campaign)
        .where(Campaign.state == CampaignState.RUNNING)
        .options(joinedload(Creative.campaign).joinedload(Campaign.advertiser))
    )
    return {creative.id: (_candidate(creative), creative) for creative in creatives}


def _candidate(creative: Creative) -> Candidate:
    campaign = creative.campaign
    return Candidate(
        creative_id=creative.id,
        weight=campaign.weight,
        starts_at=campaign.starts_at,
        ends_at=campaign.ends_at,
        networks=frozenset(campaign.networks),
        sites=frozenset(campaign.sites),
        languages=frozenset(creative.texts).intersection(campaign.languages or creative.texts),
    )
