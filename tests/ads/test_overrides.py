"""A crisis message: shown at once, ended by itself, and nobody who is online is sent away."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from ads import overrides
from ads.errors import NoSuchOverride, WrongOverrideEnd
from ads.models import Impression
from auth.audit.log import AuditEntry
from sessions.models import AccessSession, ClientObservation, Lease
from tests.ads.campaigns import AUTHOR
from tests.ads.test_counting import accept
from tests.clock import NOON
from tests.town import Town, build_town

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
TEXTS = {"fr": {"title": "Crue", "text": "Quittez les quais."}, "en": {"title": "Flood", "text": "Leave."}}


def begin(db: Session, *sites: str, hours: float = 6) -> int:
    return overrides.start(db, TEXTS, sites=sites, ends_at=NOON + hours * HOUR, actor=AUTHOR, now=NOON).id


def untils(db: Session) -> list[datetime]:
    db.expire_all()
    return list(db.scalars(select(AccessSession.until).order_by(AccessSession.id)))


@pytest.fixture
def town(db: Session) -> Town:
    """One device at the station, one at Battant, both until half past twelve."""
    town = build_town(db)
    accept(db, town.station, None, 1)
    accept(db, town.battant, None, 2)
    return town


def test_it_holds_at_its_sites_until_its_end_or_until_it_is_stopped(db: Session, town: Town) -> None:
    number = begin(db, "battant")
    [one] = overrides.standing(db, now=NOON)
    assert one.holds("battant", NOON) and not one.holds("gare-viotte", NOON)
    assert not one.holds("battant", NOON + 6 * HOUR)
    assert overrides.standing(db, now=NOON + 6 * HOUR) == []
    overrides.stop(db, number, actor=AUTHOR, now=NOON + HOUR)
    assert overrides.standing(db, now=NOON + HOUR) == []
    with pytest.raises(NoSuchOverride):
        overrides.stop(db, number, actor=AUTHOR, now=NOON + HOUR)
    actions = db.scalars(select(AuditEntry.action).where(AuditEntry.object == f"override:{number}"))
    assert actions.all() == ["override started", "override stopped"]


@pytest.mark.parametrize("hours", [0, -1, 24 * 7 + 0.1])
def test_it_has_an_end_within_a_week(db: Session, hours: float) -> None:
    with pytest.raises(WrongOverrideEnd):
        begin(db, hours=hours)


def test_who_is_online_stays_online_and_nothing_is_counted(db: Session, town: Town) -> None:
    begin(db, "gare-viotte")
    assert overrides.carry_on(db, now=NOON + 24 * MINUTE) == 0
    assert overrides.carry_on(db, now=NOON + 26 * MINUTE) == 1
    assert overrides.carry_on(db, now=NOON + 26 * MINUTE) == 0
    assert untils(db) == [NOON + 60 * MINUTE, NOON + 30 * MINUTE]
    assert db.scalar(select(func.count(Impression.id))) == 2
    lease = db.scalars(select(Lease).order_by(Lease.id.desc())).first()
    assert lease is not None and lease.until == NOON + 60 * MINUTE


def test_after_its_end_sessions_end_as_they_do_otherwise(db: Session, town: Town) -> None:
    begin(db, hours=0.4)
    assert overrides.carry_on(db, now=NOON + 26 * MINUTE) == 0


def test_a_device_that_has_gone_is_not_kept_online(db: Session, town: Town) -> None:
    """To carry it on is not to have seen it."""
    begin(db)
    assert overrides.carry_on(db, now=NOON + 26 * MINUTE) == 2
    db.expire_all()
    assert set(db.scalars(select(AccessSession.last_seen_at))) == {NOON}
    assert set(db.scalars(select(ClientObservation.seen_at))) == {NOON}
    assert overrides.carry_on(db, now=NOON + 56 * MINUTE) == 0


def test_one_that_is_still_there_is_carried_on_again(db: Session, town: Town) -> None:
    begin(db)
    assert overrides.carry_on(db, now=NOON + 26 * MINUTE) == 2
    db.execute(
        update(AccessSession)
        .where(AccessSession.gateway_id == town.station.id)
        .values(last_seen_at=NOON + HOUR / 2)
    )
    assert overrides.carry_on(db, now=NOON + 56 * MINUTE) == 1
