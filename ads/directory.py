"""Campaigns as they are looked through: those of one's networks, by state and words, with what was counted of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ads import campaigns
from ads.models import Campaign, CampaignState, Creative, CreativeDay
from db.folding import has_words


@dataclass(frozen=True, slots=True)
class CampaignQuery:
    """Which campaigns are wanted: `words` stand in the name of the campaign or of its advertiser, or in its slug.

    `networks` are those that somebody works for; none means all.
    """

    words: str = ""
    state: CampaignState | None = None
    networks: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class CampaignListing:
    """One campaign at an instant. `accepted` is what was counted of it so far."""

    campaign: Campaign
    state: CampaignState
    accepted: int


def find(db: Session, query: CampaignQuery, *, now: datetime) -> list[CampaignListing]:
    """The campaigns that match, the newest first."""
    accepted = _accepted(db)
    listed = [
        CampaignListing(one, campaigns.state_at(one, now), accepted.get(one.id, 0))
        for one in reversed(campaigns.every(db))
        if is_within(one, query.networks) and _has_words(one, query.words)
    ]
    return [one for one in listed if query.state in (None, one.state)]


def is_within(campaign: Campaign, networks: frozenset[str]) -> bool:
    """Whether it is for no other networks than these (none named: all): who works for some sees and changes these."""
    return not networks or (bool(campaign.networks) and networks.issuperset(campaign.networks))


def _has_words(campaign: Campaign, words: str) -> bool:
    return has_words(words, campaign.name, campaign.slug, campaign.advertiser.name)


def _accepted(db: Session) -> dict[int, int]:
    rows = db.execute(
        select(Creative.campaign_id, func.sum(CreativeDay.accepted))
        .join(Creative, Creative.id == CreativeDay.creative_id)
        .group_by(Creative.campaign_id)
    )
    return {campaign_id: int(accepted) for campaign_id, accepted in rows}
