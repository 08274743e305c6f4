"""A renewal is claimed from the deadline on which it was decided."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sessions import present, renewal
from sessions.models import AccessSession, Lease
from tests.clock import NOON
from tests.sessions.test_feed import enter
from tests.town import build_town, make_client


def test_of_two_that_were_decided_on_one_deadline_one_extends_it(db: Session) -> None:
    town = build_town(db)
    access = enter(db, town.station)
    seen, late = present.of(access), NOON + timedelta(minutes=27)
    leases = [renewal.renew(db, seen, gateway=town.station, client=make_client(), now=late) for _ in range(2)]
    assert leases[0] is not None and leases[1] is None
    assert db.scalar(select(func.count(Lease.id))) == 2
    db.refresh(access)
    assert (access.until, access.last_seen_at) == (NOON + timedelta(minutes=60), late)


def test_one_that_nobody_asked_for_says_nothing_of_having_seen_the_client(db: Session) -> None:
    town = build_town(db)
    access = enter(db, town.station)
    late = NOON + timedelta(minutes=27)
    renewal.renew(
        db, present.of(access), gateway=town.station, client=make_client(), now=late, is_present=False
    )
    db.refresh(access)
    assert access.last_seen_at == NOON
    assert present.find(db, gateway=town.station, client=make_client(), now=late) == present.of(access)
    assert db.get_one(AccessSession, access.id).until == NOON + timedelta(minutes=60)
