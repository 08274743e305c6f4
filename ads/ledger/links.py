"""Links under which advertisers read their own figures, and nothing else: they expire, and can be revoked."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ads.errors import UnknownAdvertiser, UnknownLink
from ads.ledger.models import AdvertiserLink
from ads.models import Advertiser
from auth import rate_limits
from auth.audit import log
from auth.audit.actions import LINK_MADE, LINKS_REVOKED, ObjectKind
from auth.audit.actor import Actor
from auth.rate_limits import RateLimit

# 192 bits: not to be guessed. The limit is there so that nobody's trying costs the database anything.
SECRET_BYTES = 24
LONGEST_LIFE = timedelta(days=400)
MOST_WRONG = 10


def advertiser(db: Session, slug: str) -> Advertiser:
    """Raises `UnknownAdvertiser`."""
    found = db.scalars(select(Advertiser).where(Advertiser.slug == slug)).first()
    if found is None:
        raise UnknownAdvertiser(slug)
    return found


def make(
    db: Session, slug: str, *, life: timedelta, actor: Actor, now: datetime
) -> tuple[str, AdvertiserLink]:
    """A new link: its secret part, which is known only now, and its row."""
    payer, secret = advertiser(db, slug), secrets.token_urlsafe(SECRET_BYTES)
    link = AdvertiserLink(
        advertiser_id=payer.id,
        digest=_digest(secret),
        made_at=now,
        made_by=actor.name,
        expires_at=now + min(life, LONGEST_LIFE),
    )
    db.add(link)
    db.flush()
    detail: log.Detail = {"link": link.id, "until": link.expires_at.date().isoformat()}
    log.append(db, LINK_MADE, ObjectKind.ADVERTISER.named(slug), actor=actor, now=now, detail=detail)
    return secret, link


def standing(db: Session, slug: str, *, now: datetime) -> Sequence[AdvertiserLink]:
    """The links of an advertiser that are good now, oldest first."""
    return db.scalars(
        select(AdvertiserLink)
        .where(
            AdvertiserLink.advertiser_id == advertiser(db, slug).id,
            AdvertiserLink.revoked_at.is_(None),
            AdvertiserLink.expires_at > now,
        )
        .order_by(AdvertiserLink.id)
    ).all()


def revoke(db: Session, slug: str, *, actor: Actor, now: datetime) -> int:
    """Revoke the links of an advertiser that are good now; how many there were."""
    numbers = [link.id for link in standing(db, slug, now=now)]
    revoked = db.scalars(
        update(AdvertiserLink)
        .where(AdvertiserLink.id.in_(numbers), AdvertiserLink.revoked_at.is_(None))
        .values(revoked_at=now, revoked_by=actor.name)
        .returning(AdvertiserLink.id)
        .execution_options(synchronize_session="fetch")
    ).all()
    if revoked:
        detail = {"links": sorted(revoked)}
        log.append(db, LINKS_REVOKED, ObjectKind.ADVERTISER.named(slug), actor=actor, now=now, detail=detail)
    return len(revoked)


def open_link(db: Session, secret: str, *, asker: str, now: datetime) -> Advertiser:
    """The advertiser whose link has this secret part. `asker` is whoever asks, as an address.

    Raises `UnknownLink`, and `TooManyAttempts` after too many of these: `charge` counts them.
    """
    rate_limits.check(db, [limit(asker)], now=now)
    link = db.scalars(
        select(AdvertiserLink).where(
            AdvertiserLink.digest == _digest(secret),
            AdvertiserLink.revoked_at.is_(None),
            AdvertiserLink.expires_at > now,
        )
    ).first()
    if link is None:
        raise UnknownLink
    return link.advertiser


def charge(db: Session, *, asker: str, now: datetime) -> None:
    """Count a wrong address."""
    rate_limits.count(db, limit(asker), now=now)


def limit(asker: str) -> RateLimit:
    """What wrong addresses are charged to."""
    return RateLimit(f"figures:{asker}", most=MOST_WRONG)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
