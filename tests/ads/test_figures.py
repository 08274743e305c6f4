"""Accepted messages by day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import delete
from sqlalchemy.orm import Session

from ads import statistics
from ads.models import Advertiser, Campaign, Creative, Impression
from tests.town import Town, build_town

DAY = date(2026, 10, 25)
# The day of 25 hours begins in summer time and ends in winter time.
FIRST, AFTER = datetime(2026, 10, 24, 22, 0, tzinfo=UTC), datetime(2026, 10, 25, 23, 0, tzinfo=UTC)


@pytest.fixture
def town(db: Session) -> Town:
    return build_town(db)


@pytest.fixture
def creative(db: Session) -> Creative:
    campaign = Campaign(slug="town", name="Town", advertiser=Advertiser(slug="town", name="Town"))
    creative = Creative(slug="one", campaign=campaign, texts={})
    db.add(creative)
    db.flush()
    return creative


def accept(
    db: Session, town: Town, creative: Creative | None, at: datetime, *, confirmed: bool = True
) -> None:
    db.add(
        Impression(
            nonce=f"{at.timestamp()}-{confirmed}-{creative is None}",
            creative=creative,
            network_id=town.free.id,
            site_id=town.station.site_id,
            language="fr",
            shown_at=at,
            accepted_at=at,
            confirmed_at=at if confirmed else None,
        )
    )
    db.flush()


def test_an_accepted_message_counts_on_its_local_day(db: Session, town: Town, creative: Creative) -> None:
    for at in (FIRST - timedelta(seconds=1), FIRST, AFTER - timedelta(seconds=1), AFTER):
        accept(db, town, creative, at)
    assert statistics.make(db, DAY) == {(town.free.id, town.station.site_id): 2}


def test_what_earned_nothing_or_showed_nothing_is_no_accepted_ad(
    db: Session, town: Town, creative: Creative
) -> None:
    accept(db, town, creative, FIRST, confirmed=False)
    accept(db, town, None, FIRST)
    assert statistics.make(db, DAY) == {}


def test_the_figures_outlive_the_ledger_and_are_the_same_when_made_again(
    db: Session, town: Town, creative: Creative
) -> None:
    accept(db, town, creative, FIRST)
    statistics.store(db, DAY, statistics.make(db, DAY))
    before = statistics.canonical(db, DAY)
    statistics.store(db, DAY, statistics.make(db, DAY))
    assert statistics.canonical(db, DAY) == before != b""
    db.execute(delete(Impression))
    assert statistics.read(db, DAY, DAY) == {(town.free.id, town.station.site_id): 1}
    assert statistics.read(db, DAY + timedelta(days=1), DAY + timedelta(days=1)) == {}
