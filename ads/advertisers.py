"""Who speaks and pays: listed, written down and changed. Each deed is in the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ads import campaigns, slugs
from ads.errors import FieldFault, UnfitField, UnidentifiedAdvertiser
from ads.models import Advertiser, Campaign
from ads.rules import IDENTITY_LAW
from auth.audit import log
from auth.audit.actions import ADVERTISER_CHANGED, ObjectKind
from auth.audit.actor import Actor

LONGEST = {"name": 120, "identity": 200, "contact": 200}


@dataclass(frozen=True, slots=True)
class AdvertiserFields:
    """What is written of an advertiser: see `ads.models.Advertiser`."""

    name: str
    identity: str = ""
    contact: str = ""
    is_town: bool = False


def every(db: Session) -> list[Advertiser]:
    """All of them, by name."""
    return sorted(db.scalars(select(Advertiser)), key=lambda one: one.name.casefold())


def campaign_counts(db: Session) -> Mapping[int, int]:
    """How many campaigns each has, in whatever state."""
    rows = db.execute(select(Campaign.advertiser_id, func.count()).group_by(Campaign.advertiser_id))
    return {row[0]: row[1] for row in rows}


def find(db: Session, slug: str) -> Advertiser | None:
    return db.scalars(select(Advertiser).where(Advertiser.slug == slug)).first()


def add(db: Session, fields: AdvertiserFields, *, actor: Actor, now: datetime) -> Advertiser:
    """Write a new one down, under a free name. Raises what `demand` raises."""
    demand(fields)
    slug = slugs.for_advertiser(db, fields.name)
    return campaigns.add_advertiser(db, slug, actor=actor, now=now, **asdict(fields))


def change(
    db: Session, advertiser: Advertiser, fields: AdvertiserFields, *, actor: Actor, now: datetime
) -> None:
    """Change what is written of it, on the messages that are shown too. Raises what `demand` raises."""
    demand(fields)
    for name, value in asdict(fields).items():
        setattr(advertiser, name, value)
    log.append(db, ADVERTISER_CHANGED, ObjectKind.ADVERTISER.named(advertiser.slug), actor=actor, now=now)


def demand(fields: AdvertiserFields) -> None:
    """Raise `UnfitField` for a name that is missing or a text that is too long, and `UnidentifiedAdvertiser`."""
    if not fields.name:
        raise UnfitField("name", FieldFault.MISSING)
    for name, most in LONGEST.items():
        if len(getattr(fields, name)) > most:
            raise UnfitField(name, FieldFault.LONG)
    if not fields.is_town and not fields.identity:
        raise UnidentifiedAdvertiser(IDENTITY_LAW)
