"""Running campaigns, read for the choice; and the announcements of the demo town."""

from __future__ import annotations

import json
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from ads.choice import Candidate
from ads.models import Campaign, CampaignState, Creative
from sites.demo.town import FILES

ANNOUNCEMENTS = FILES / "announcements.json"


def running(db: Session) -> dict[int, tuple[Candidate, Creative]]:
    """The creatives of running campaigns, by id, with what limits each."""
    creatives = db.scalars(
        select(Creative)
        .join(Creative.campaign)
        .where(Campaign.state == CampaignState.RUNNING)
        .options(joinedload(Creative.campaign))
    )
    return {creative.id: (_candidate(creative), creative) for creative in creatives}


def load_announcements(db: Session, *, now: datetime) -> int:
    """Make the demo town's announcements where they are missing; how many were made."""
    document = json.loads(ANNOUNCEMENTS.read_text(encoding="utf-8"))
    known = set(db.scalars(select(Creative.slug)))
    campaign = db.scalars(select(Campaign).where(Campaign.slug == document["slug"])).first()
    if campaign is None:
        campaign = Campaign(
            slug=document["slug"],
            name=document["name"],
            advertiser=document["advertiser"],
            is_municipal=True,
            state=CampaignState.RUNNING,
            starts_at=now,
            networks=[],
            sites=[],
        )
        db.add(campaign)
    missing = [entry for entry in document["creatives"] if entry["slug"] not in known]
    campaign.creatives.extend(
        Creative(slug=entry["slug"], texts=entry["texts"], look={}) for entry in missing
    )
    db.flush()
    return len(missing)


def _candidate(creative: Creative) -> Candidate:
    campaign = creative.campaign
    return Candidate(
        creative_id=creative.id,
        weight=campaign.weight,
        starts_at=campaign.starts_at,
        ends_at=campaign.ends_at,
        networks=frozenset(campaign.networks),
        sites=frozenset(campaign.sites),
        languages=frozenset(creative.texts),
    )
