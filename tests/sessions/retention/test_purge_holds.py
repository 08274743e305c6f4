"""What is held stays, whatever its term: by device, person, site, address and window."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from ads.models import Impression
from auth.audit import verification
from auth.audit.log import AuditEntry
from db.engine import SessionMaker, snapshot
from portal.retention import SHELVES
from sessions.data_classes import DataClass
from sessions.models import AccessSession, Decision, Lease, Usage
from sessions.retention import holds, periods, purge
from sessions.retention.holds import HoldScope
from sessions.retention.law import Term
from sessions.retention.models import (
    LegalHold,
    TermUnit,
)
from tests.actors import person
from tests.clock import NOON
from tests.sessions.retention.conftest import Purge, books
from tests.sessions.retention.past import DAY, HOUR, OLD, Past, hold, rows
from tests.town import BO_PHONE


@pytest.mark.parametrize(
    "scope",
    [
        {"mac": BO_PHONE},
        {"mac": BO_PHONE.upper().replace(":", "-")},
        {"address": "10.99.0.1"},
        {"subject": "bo"},
        {"since": OLD - 3 * HOUR, "until": OLD - timedelta(minutes=150)},
        {"mac": BO_PHONE, "since": OLD - DAY, "until": OLD + DAY},
    ],
    ids=str,
)
def test_what_is_held_stays_and_its_neighbours_go(
    past: Past, run: Purge, make_session: SessionMaker, scope: dict[str, Any]
) -> None:
    past.stay(OLD)
    kept = past.stay(OLD - 2 * HOUR, mac=BO_PHONE, address="10.99.0.1", subject="bo")
    past.stay(OLD + 2 * HOUR)
    order = hold(past, **scope)
    past.db.commit()
    done = run()
    for model in (AccessSession, Lease, Usage, Impression):
        assert rows(make_session, model) == 1, model
    assert done.run is not None and done.run.adds_up
    assert books(make_session, done.run)["access_sessions"] == (3, 2, 1, 0)
    with make_session() as db:
        assert db.scalars(select(AccessSession.id)).one() == kept.id
    # The hold ends: the next run takes it.
    run(order.expires_at)
    assert rows(make_session, AccessSession) == 0


def test_a_hold_by_site_and_by_public_address_asks_the_leases(
    past: Past, run: Purge, make_session: SessionMaker
) -> None:
    kept = past.stay(OLD, gateway=past.town.battant)
    past.stay(OLD)
    hold(past, site_id=past.town.battant.site_id)
    past.db.commit()
    run()
    with make_session() as db:
        assert db.scalars(select(AccessSession.id)).all() == [kept.id]
        order = db.scalars(select(LegalHold)).one()
        holds.lift(db, order, actor=person("pia"), now=NOON)
        holds.place(
            db,
            HoldScope(address="198.51.100.7"),
            reference="Réq. 13",
            reason="ordonnée",
            expires_at=NOON + DAY,
            actor=person("pia"),
            now=NOON,
        )
        db.commit()
    run(NOON + HOUR)
    assert rows(make_session, AccessSession) == 1


def test_a_scope_that_does_not_match_in_full_holds_nothing(
    past: Past, run: Purge, make_session: SessionMaker
) -> None:
    past.stay(OLD, mac=BO_PHONE)
    past.refusal(OLD)
    hold(past, mac=BO_PHONE, subject="somebody else")
    past.db.commit()
    run()
    assert rows(make_session, AccessSession) == rows(make_session, Decision) == 0


def test_a_hold_of_one_network_keeps_nothing_of_another(
    past: Past, run: Purge, make_session: SessionMaker
) -> None:
    kept = past.stay(OLD, gateway=past.town.pierre_bayle)
    past.stay(OLD)
    past.refusal(OLD, network_id=past.town.free.id)
    past.deed(NOON.replace(year=2020))
    hold(past, since=NOON.replace(year=2019), network_id=past.town.pierre_bayle.network_id)
    past.db.commit()
    run()
    with make_session() as db:
        assert db.scalars(select(AccessSession.id)).all() == [kept.id]
        assert "issued" not in db.scalars(select(AuditEntry.action)).all()
    assert rows(make_session, Decision) == 0


def test_refusals_and_deeds_are_held_by_what_they_have(
    past: Past, run: Purge, make_session: SessionMaker
) -> None:
    past.refusal(OLD)
    kept = past.refusal(OLD, mac=BO_PHONE)
    past.deed(NOON.replace(year=2023) - 2 * DAY)
    past.deed(NOON.replace(year=2023) - 4 * HOUR)
    hold(past, mac=BO_PHONE)
    hold(past, since=NOON.replace(year=2023) - 5 * HOUR, until=NOON.replace(year=2023))
    past.db.commit()
    run()
    with make_session() as db:
        assert db.scalars(select(Decision.code)).all() == [kept.code]
        assert db.scalars(select(AuditEntry.number).order_by(AuditEntry.number)).all()[0] == 2
    with snapshot(make_session) as db:
        assert verification.verify(db).is_whole


def test_a_hold_placed_in_the_middle_of_a_run_acts_at_once(
    past: Past, run: Purge, make_session: SessionMaker
) -> None:
    for _ in range(4):
        past.stay(OLD, mac=BO_PHONE, subject=f"s{past.made}", network_id=past.town.free.id)
    past.db.commit()
    while rows(make_session, AccessSession) == 4:
        with make_session.begin() as db:
            purge.step(db, SHELVES, now=NOON, most=2, at_once=True)
    hold(past, mac=BO_PHONE)
    past.db.commit()
    done = run()
    assert rows(make_session, AccessSession) == 2
    assert done.run is not None and done.run.adds_up
    assert books(make_session, done.run)["access_sessions"] == (4, 2, 2, 0)


def test_a_term_made_longer_in_the_middle_of_a_run_acts_at_once(
    past: Past, run: Purge, make_session: SessionMaker
) -> None:
    for _ in range(4):
        past.stay(OLD)
    past.db.commit()
    while rows(make_session, AccessSession) == 4:
        with make_session.begin() as db:
            purge.step(db, SHELVES, now=NOON, most=2, at_once=True)
    for rule in periods.current(past.db):
        if rule.data_class in (DataClass.CONNECTION, DataClass.TRAFFIC):
            longer = Term(2, TermUnit.YEARS)
            periods.change(
                past.db, rule.id, term=longer, basis="Décret de 2026", actor=person("pia"), now=NOON
            )
    past.db.commit()
    done = run()
    assert rows(make_session, AccessSession) == 2
    # The books say what is left of all that was due when the run began.
    assert done.run is not None and done.run.adds_up
    assert books(make_session, done.run)["access_sessions"] == (4, 2, 0, 2)
