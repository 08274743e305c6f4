"""Campaigns for tests: drafted by one person, run by two, and accepted by phones with numbers."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from ads import acceptances, campaigns
from ads.acceptances import ImpressionToken
from ads.models import Advertiser, Campaign, Category, Creative
from auth.pseudonyms import Pseudonyms
from config import Secret
from sessions.arrival import Acceptance, Arrival
from sites.models import Gateway
from tests.actors import person
from tests.clock import NOON
from tests.town import make_client

PARIS = ZoneInfo("Europe/Paris")
PSEUDONYMS = Pseudonyms(Secret("s" * 43))
AUTHOR, APPROVER = person("ada"), person("bo")
TEXTS = {
    "fr": {"title": "Bonjour", "text": "Du pain frais."},
    "en": {"title": "Hello", "text": "Fresh bread."},
}


def make_advertiser(db: Session, slug: str = "bakery", **fields: Any) -> Advertiser:
    found = db.scalars(select(Advertiser).where(Advertiser.slug == slug)).first()
    values = {"name": "Bakery Ada", "identity": "Ada SARL, SIREN 123 456 789", **fields}
    return found or campaigns.add_advertiser(db, slug, actor=AUTHOR, now=NOON, **values)


def make_draft(db: Session, slug: str = "bread", *, messages: int = 1, **fields: Any) -> Campaign:
    """A campaign of a bakery, with this many messages."""
    payer = fields.pop("advertiser", None) or make_advertiser(db)
    values = {"name": slug.title(), "category": Category.COMMERCE, **fields}
    creatives = [Creative(slug=f"{slug}-{number}", texts=TEXTS) for number in range(1, messages + 1)]
    return campaigns.draft(db, slug, payer, creatives, actor=AUTHOR, now=NOON, **values)


def run_campaign(db: Session, slug: str = "bread", *, now: datetime = NOON, **fields: Any) -> Campaign:
    """The same, proposed and approved."""
    make_draft(db, slug, **fields)
    campaigns.propose(db, slug, actor=AUTHOR, now=now)
    return campaigns.approve(db, slug, actor=APPROVER, zone=PARIS, now=now)


def accept(
    db: Session, gateway: Gateway, creative_id: int | None, number: int, *, now: datetime = NOON
) -> None:
    """The phone with this number accepts the ticket with this number."""
    acceptances.accept(
        db,
        Arrival(
            gateway,
            make_client(f"02:00:00:00:{number >> 8:02x}:{number & 255:02x}"),
            Acceptance("1", "fr", ""),
        ),
        ticket=ImpressionToken(f"n{number}", creative_id, "fr", now),
        pseudonyms=PSEUDONYMS,
        now=now,
    )
