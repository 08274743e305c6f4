"""Links of advertisers to their figures: not to be guessed, and good until they expire or are revoked."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from ads.errors import UnknownAdvertiser, UnknownLink
from ads.ledger import links
from ads.ledger.models import AdvertiserLink
from auth.audit.log import AuditEntry
from auth.errors import TooManyAttempts
from tests.actors import person
from tests.ads.campaigns import make_advertiser
from tests.clock import NOON

MONTH = timedelta(days=30)


def open_link(db: Session, secret: str, now=NOON) -> str:
    return links.open_link(db, secret, asker="192.0.2.1", now=now).slug


def test_a_link_is_good_until_it_expires_and_the_row_does_not_hold_it(db: Session) -> None:
    make_advertiser(db)
    secret, link = links.make(db, "bakery", life=MONTH, actor=person("ada"), now=NOON)
    assert len(secret) >= 32
    assert secret not in str(vars(link))
    assert open_link(db, secret) == "bakery"
    with pytest.raises(UnknownLink):
        open_link(db, secret, now=NOON + MONTH)
    with pytest.raises(UnknownLink):
        open_link(db, link.digest)
    _, other = links.make(db, "bakery", life=timedelta(days=9999), actor=person("ada"), now=NOON)
    assert other.expires_at == NOON + links.LONGEST_LIFE


def test_all_of_an_advertisers_links_are_revoked_at_once(db: Session) -> None:
    make_advertiser(db)
    make_advertiser(db, "florist", name="Florist")
    secret, _ = links.make(db, "bakery", life=MONTH, actor=person("ada"), now=NOON)
    other, _ = links.make(db, "florist", life=MONTH, actor=person("ada"), now=NOON)
    assert links.revoke(db, "bakery", actor=person("bo"), now=NOON) == 1
    assert links.revoke(db, "bakery", actor=person("bo"), now=NOON) == 0
    with pytest.raises(UnknownLink):
        open_link(db, secret)
    assert open_link(db, other) == "florist"
    assert db.scalars(select(AdvertiserLink.revoked_by).order_by(AdvertiserLink.id)).all() == ["bo", None]
    kept = db.scalars(select(AuditEntry).where(AuditEntry.action.like("advertiser link%"))).all()
    assert [(one.action, one.object) for one in kept] == [
        ("advertiser link made", "advertiser:bakery"),
        ("advertiser link made", "advertiser:florist"),
        ("advertiser links revoked", "advertiser:bakery"),
    ]
    with pytest.raises(UnknownAdvertiser):
        links.make(db, "nobody", life=MONTH, actor=person("ada"), now=NOON)


def test_whoever_tries_addresses_is_not_heard_for_a_while_and_others_are(db: Session) -> None:
    make_advertiser(db)
    secret, _ = links.make(db, "bakery", life=MONTH, actor=person("ada"), now=NOON)
    for _ in range(links.MOST_WRONG):
        with pytest.raises(UnknownLink):
            open_link(db, "guess")
        links.charge(db, asker="192.0.2.1", now=NOON)
    with pytest.raises(TooManyAttempts):
        open_link(db, secret)
    assert links.open_link(db, secret, asker="192.0.2.2", now=NOON).slug == "bakery"
    assert open_link(db, secret, now=NOON + timedelta(minutes=16)) == "bakery"
